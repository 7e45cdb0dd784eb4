using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Rencontres;

/// <summary>A rencontre as it was sent: the zone is left open when none is named, and time, length and lieu may be left to a free slot.</summary>
internal sealed record SentRencontre(
    DateTimeOffset? StartsAt, int? Minutes, TimeZoneInfo? Zone, Guid? LieuId, RencontreKind Kind, DateTimeOffset? ReturnsAt, bool Outing)
{
    /// <summary>The rencontre, on the clock of the espace unless it names another.</summary>
    public Domain.PlannedRencontre In(TimeZoneInfo zone) => new(StartsAt!.Value, Minutes!.Value, Zone ?? zone, LieuId, Kind, ReturnsAt, Outing);

    /// <summary>The rencontre, where what was left open is that of the free slot that it takes, if it takes one; else by the clock of the espace.</summary>
    public Domain.PlannedRencontre In(Domain.FreeSlot? slot, Domain.Mesure mesure) => (slot is null ? this : this with
    {
        StartsAt = StartsAt ?? slot.StartsAt,
        Minutes = Minutes ?? slot.DurationMinutes,
        LieuId = LieuId ?? slot.LieuId,
    }).In(TimeZoneInfo.FindSystemTimeZoneById(slot?.TimeZone ?? mesure.EspaceTimeZone ?? "Europe/Paris"));
}

/// <summary>What became of a rencontre, as it was sent.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="VisiteurPresent">Whether the visiteur came.</param>
/// <param name="NamedChildIds">Children named as present, those of the presences apart.</param>
/// <param name="Presences">Who came and how late.</param>
/// <param name="StartedAt">When it really started.</param>
/// <param name="EndedAt">When it really ended.</param>
internal sealed record SentOutcome(
    RencontreOutcome Outcome, bool VisiteurPresent, Guid[] NamedChildIds, IReadOnlyList<Attendance> Presences, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt)
{
    private const int MostHoursBeside = 12;

    public bool Held => Outcome == RencontreOutcome.Held;

    /// <summary>Every child who came.</summary>
    public Guid[] PresentChildIds => [.. NamedChildIds.Concat(Presences.Where(p => p is { ChildId: not null, Present: true }).Select(p => p.ChildId!.Value)).Distinct()];

    /// <summary>Each child must be one of the mesure.</summary>
    public void RequireChildren(FieldChecks check, string path, IReadOnlyCollection<Guid> children)
    {
        for (var i = 0; i < NamedChildIds.Length; i++)
        {
            check.That(children.Contains(NamedChildIds[i]), MesureChecks.Index($"{path}present_child_ids", i), "is not a child of the mesure");
        }

        for (var i = 0; i < Presences.Count; i++)
        {
            check.That(Presences[i].ChildId is not { } child || children.Contains(child), MesureChecks.Index($"{path}presences", i) + ".child_id", "is not a child of the mesure");
        }
    }

    /// <summary>Records it.</summary>
    public void Record(Domain.Mesure mesure, Domain.Rencontre rencontre, IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting)
    {
        RequireFits(rencontre, acting);
        mesure.RecordOutcome(rencontre, Outcome, VisiteurPresent, PresentChildIds, otherPending, acting);
        (rencontre.Presences, rencontre.ActualStartAt, rencontre.ActualEndAt) = (Presences, StartedAt, EndedAt);
    }

    /// <summary>What became of the return of a remise, where a correction says so.</summary>
    public RencontreOutcome ReturnOutcome { get; init; }

    /// <summary>Puts it in the place of what was recorded before.</summary>
    /// <returns>Whether it, or its return, was held by what was recorded and was not.</returns>
    public bool Correct(
        Domain.Mesure mesure, Domain.Rencontre rencontre, Domain.Rencontre? firstHeldBeside, IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting)
    {
        RequireFits(rencontre, acting);
        var before = (rencontre.Outcome, rencontre.ReturnOutcome);
        mesure.CorrectOutcome(rencontre, Outcome, VisiteurPresent, PresentChildIds, firstHeldBeside, otherPending, acting, ReturnOutcome);
        (rencontre.Presences, rencontre.ActualStartAt, rencontre.ActualEndAt) = (Presences, StartedAt, EndedAt);
        return (before.Outcome == RencontreOutcome.Held && !Held)
            || (before.ReturnOutcome == RencontreOutcome.Held && rencontre.ReturnOutcome != RencontreOutcome.Held);
    }

    // A slip of a digit would stand in the factual note as hours that nobody was there.
    private void RequireFits(Domain.Rencontre rencontre, Acting acting)
    {
        var check = new FieldChecks();
        Near("actual_start_time", StartedAt);
        Near("actual_end_time", EndedAt);
        var end = EndedAt > rencontre.EndsAt ? EndedAt.Value : rencontre.EndsAt;
        for (var i = 0; i < Presences.Count; i++)
        {
            // To a handover, which is short, somebody may come late for longer than it takes.
            check.That(
                rencontre.Kind == RencontreKind.Remise || rencontre.StartsAt.AddMinutes(Presences[i].MinutesLate) < end || Presences[i].MinutesLate == 0,
                MesureChecks.Index("presences", i) + ".minutes_late", "must be less than the rencontre lasted: whoever comes after it did not come");
        }

        check.ThrowIfAny();

        void Near(string field, DateTimeOffset? time)
        {
            check.That(!(time > acting.Now && time > acting.OccurredAt), field, "must not lie in the future");
            check.That(
                !(time < rencontre.StartsAt.AddHours(-MostHoursBeside) || time > rencontre.EndsAt.AddMinutes(rencontre.DurationMinutes).AddHours(MostHoursBeside)),
                field, "must lie within 12 hours of the rencontre as it was planned");
        }
    }
}

/// <summary>Validates what is sent of rencontres.</summary>
internal static class RencontreChecks
{
    private const int MaxPresences = 50;
    private const int MaxRemiseDays = 31;

    // Deadlines are counted from it, and calendars end.
    private const int LastYear = 9000;

    public static SentRencontre Planned(FieldChecks check, string path, Proto.PlannedRencontre? planned)
    {
        if (planned is null)
        {
            check.Add(path, "is required");
            return new SentRencontre(null, null, null, null, RencontreKind.Visite, null, false);
        }

        return Planned(
            check, $"{path}.", planned.StartTime, planned.DurationMinutes, planned.TimeZone, planned.LieuId, planned.Kind, planned.ReturnTime, planned.Outing);
    }

    /// <summary>A rencontre of which every part is sent.</summary>
    /// <param name="check">The checks.</param>
    /// <param name="path">Path of the message with its dot.</param>
    /// <param name="startTime">Start.</param>
    /// <param name="durationMinutes">Length.</param>
    /// <param name="timeZone">Zone; may be empty.</param>
    /// <param name="lieu">UUID of the lieu; may be empty.</param>
    /// <param name="kind">Kind.</param>
    /// <param name="returnTime">Return of a remise.</param>
    /// <param name="outing">Whether it leaves the premises.</param>
    /// <param name="bySlot">Whether a free slot gives what is absent.</param>
    public static SentRencontre Planned(
        FieldChecks check, string path, Timestamp? startTime, int durationMinutes, string timeZone, string lieu, RencontreKind kind, Timestamp? returnTime, bool outing,
        bool bySlot = false)
    {
        check.That(startTime is not null || bySlot, $"{path}start_time", "is required");
        var startsAt = check.OptionalTime($"{path}start_time", startTime);
        check.That(startsAt is not { Year: > LastYear }, $"{path}start_time", "must lie before the year 9001");
        var minutes = bySlot && durationMinutes == 0 ? (int?)null : check.Range($"{path}duration_minutes", durationMinutes, 5, 720);
        var zone = MesureChecks.Zone(check, $"{path}time_zone", timeZone);
        var lieuId = check.OptionalUuid($"{path}lieu_id", lieu);
        var (known, returnsAt) = Kind(check, path, kind, returnTime, startsAt, minutes ?? 5);
        return new SentRencontre(startsAt, minutes, zone, lieuId, known, returnsAt, outing);
    }

    /// <summary>Refuses a return that does not follow its handover, as any booking does.</summary>
    public static void RequireReturn(string path, Domain.PlannedRencontre planned)
    {
        if (planned.ReturnsAt is { } back && (back < planned.StartsAt.AddMinutes(planned.Minutes) || back > planned.StartsAt.AddDays(31)))
        {
            throw DomainError.Invalid(path, "must lie after the first half and at most 31 days after the start");
        }
    }

    /// <summary>Who cancelled a rencontre.</summary>
    public static RencontreOutcome CancelledBy(FieldChecks check, string path, RencontreOutcome given)
    {
        var outcome = check.Known(path, given);
        check.That(
            outcome is RencontreOutcome.CancelledByHote or RencontreOutcome.CancelledByVisiteur or RencontreOutcome.CancelledByEspace or RencontreOutcome.ForceMajeure,
            path, "must say who cancelled");
        return outcome;
    }

    /// <summary>What became of the return of a remise.</summary>
    public static RencontreOutcome Return(FieldChecks check, string path, RencontreOutcome given)
    {
        var outcome = check.Known(path, given);
        check.That(
            outcome is RencontreOutcome.Held or RencontreOutcome.VisiteurAbsent or RencontreOutcome.HoteAbsent or RencontreOutcome.ForceMajeure,
            path, "must say what became of the return");
        return outcome;
    }

    /// <summary>What became of it, as a correction says it: of a remise the return too.</summary>
    public static SentOutcome Corrected(FieldChecks check, string path, SentOutcome sent, RencontreOutcome returned) =>
        returned == RencontreOutcome.Unspecified ? sent : sent with { ReturnOutcome = Return(check, $"{path}return_outcome", returned) };

    /// <summary>The hôte or the visiteur.</summary>
    public static PartyRole Side(FieldChecks check, string path, PartyRole given)
    {
        var role = check.Known(path, given);
        check.That(role != PartyRole.Enfant, path, "must be the hôte or the visiteur");
        return role;
    }

    /// <summary>What became of a rencontre.</summary>
    /// <param name="check">The checks.</param>
    /// <param name="path">Path of the message with its dot; empty for the request itself.</param>
    /// <param name="given">The outcome.</param>
    /// <param name="visiteurPresent">Whether the visiteur came.</param>
    /// <param name="presentChildIds">Children who came.</param>
    /// <param name="presences">Who came and how late.</param>
    /// <param name="startTime">When it really started.</param>
    /// <param name="endTime">When it really ended.</param>
    public static SentOutcome Outcome(
        FieldChecks check, string path, RencontreOutcome given, bool visiteurPresent, IReadOnlyList<string> presentChildIds, IReadOnlyList<Presence> presences,
        Timestamp? startTime, Timestamp? endTime)
    {
        var outcome = check.Known($"{path}outcome", given);
        check.That(
            outcome is not (RencontreOutcome.Scheduled or RencontreOutcome.Moved or RencontreOutcome.MesureClosed), $"{path}outcome", "must say what became of the rencontre");
        var came = Presences(check, presences, path);
        var sent = new SentOutcome(
            outcome,
            visiteurPresent || came.Any(p => p is { Role: PartyRole.Visiteur, Present: true }),
            [.. presentChildIds.Select((id, i) => check.Uuid(MesureChecks.Index($"{path}present_child_ids", i), id))],
            came,
            check.OptionalTime($"{path}actual_start_time", startTime),
            check.OptionalTime($"{path}actual_end_time", endTime));
        check.That(!sent.Held || sent.VisiteurPresent, $"{path}visiteur_present", "must be true for a rencontre that was held");
        check.That(outcome != RencontreOutcome.VisiteurAbsent || !sent.VisiteurPresent, $"{path}visiteur_present", "must be false where the visiteur did not come");
        check.That(!(visiteurPresent && Stayed(PartyRole.Visiteur, null)), $"{path}visiteur_present", "contradicts presences");
        check.That(
            outcome != RencontreOutcome.HoteAbsent || !came.Any(p => p is { Role: PartyRole.Hote, Present: true }), $"{path}presences",
            "must not say that the hôte came where the hôte did not bring the child");
        for (var i = 0; i < sent.NamedChildIds.Length; i++)
        {
            check.That(!Stayed(PartyRole.Enfant, sent.NamedChildIds[i]), MesureChecks.Index($"{path}present_child_ids", i), "contradicts presences");
        }

        check.That(!sent.Held || sent.PresentChildIds.Length > 0, $"{path}present_child_ids", "must name at least one child for a rencontre that was held");
        check.That(sent.Held || startTime is null, $"{path}actual_start_time", "belongs to a rencontre that was held");
        check.That(sent.Held || endTime is null, $"{path}actual_end_time", "belongs to a rencontre that was held");
        check.That(!(sent.EndedAt < sent.StartedAt), $"{path}actual_end_time", "must not lie before actual_start_time");
        return sent;

        bool Stayed(PartyRole role, Guid? childId) => came.Any(p => p.Role == role && p.ChildId == childId && !p.Present);
    }

    /// <summary>Visite or remise, and the return of the latter.</summary>
    /// <param name="check">The checks.</param>
    /// <param name="path">Path of the message with its dot; empty for the request itself.</param>
    /// <param name="kind">Kind as sent.</param>
    /// <param name="returnTime">Return as sent.</param>
    /// <param name="startsAt">Start; null when it comes from a free slot or is wrong.</param>
    /// <param name="minutes">Length of the first half.</param>
    private static (RencontreKind Kind, DateTimeOffset? ReturnsAt) Kind(
        FieldChecks check, string path, RencontreKind kind, Timestamp? returnTime, DateTimeOffset? startsAt, int minutes)
    {
        check.KnownOrUnspecified($"{path}kind", kind);
        var returnsAt = check.OptionalTime($"{path}return_time", returnTime);
        if (kind == RencontreKind.Unspecified)
        {
            kind = returnTime is null ? RencontreKind.Visite : RencontreKind.Remise;
        }

        check.That(kind == RencontreKind.Remise == returnTime is not null, $"{path}return_time", "must be given for a remise, and only for one");
        check.That(returnTime is null || startsAt is not null, $"{path}start_time", "is required for a remise");
        check.That(
            returnsAt is not { } back || startsAt is not { } start || (back - start >= TimeSpan.FromMinutes(minutes) && back - start <= TimeSpan.FromDays(MaxRemiseDays)),
            $"{path}return_time", "must lie after the first half and at most 31 days after the start");
        return (kind, returnsAt);
    }

    /// <summary>Who came, each at most once.</summary>
    /// <param name="check">The checks.</param>
    /// <param name="presences">As sent.</param>
    /// <param name="path">Path of the message with its dot; empty for the request itself.</param>
    private static List<Attendance> Presences(FieldChecks check, IReadOnlyList<Presence> presences, string path)
    {
        check.That(presences.Count <= MaxPresences, $"{path}presences", string.Create(CultureInfo.InvariantCulture, $"must be at most {MaxPresences}"));
        var result = new List<Attendance>();
        for (var i = 0; i < Math.Min(presences.Count, MaxPresences); i++)
        {
            var at = MesureChecks.Index($"{path}presences", i);
            var role = check.Known($"{at}.party_role", presences[i].PartyRole);
            var childId = check.OptionalUuid($"{at}.child_id", presences[i].ChildId);
            check.That(role == PartyRole.Enfant == presences[i].ChildId.Length > 0, $"{at}.child_id", "must be given for a child, and only for one");
            var late = check.Range($"{at}.minutes_late", presences[i].MinutesLate, 0, 720);
            check.That(presences[i].Present || late == 0, $"{at}.minutes_late", "must be 0 for whoever did not come");
            check.That(result.All(p => (p.Role, p.ChildId) != (role, childId)), $"{at}.party_role", "stands twice");
            result.Add(new Attendance(role, childId, presences[i].Present, late));
        }

        return result;
    }
}
