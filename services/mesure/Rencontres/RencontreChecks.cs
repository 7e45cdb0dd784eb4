using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Rencontres;

/// <summary>A rencontre as it was sent: the zone is left open when none is named.</summary>
internal sealed record SentRencontre(
    DateTimeOffset StartsAt, int Minutes, TimeZoneInfo? Zone, Guid? LieuId, RencontreKind Kind, DateTimeOffset? ReturnsAt, bool Outing)
{
    /// <summary>The rencontre, on the clock of the espace unless it names another.</summary>
    public Domain.PlannedRencontre In(TimeZoneInfo zone) => new(StartsAt, Minutes, Zone ?? zone, LieuId, Kind, ReturnsAt, Outing);
}

/// <summary>Validates what is sent of rencontres.</summary>
internal static class RencontreChecks
{
    private const int MaxPresences = 50;
    private const int MaxRemiseDays = 31;

    public static SentRencontre Planned(FieldChecks check, string path, Proto.PlannedRencontre? planned)
    {
        if (planned is null)
        {
            check.Add(path, "is required");
            return new SentRencontre(default, 0, null, null, RencontreKind.Visite, null, false);
        }

        check.That(planned.StartTime is not null, $"{path}.start_time", "is required");
        var startsAt = check.OptionalTime($"{path}.start_time", planned.StartTime);
        var minutes = check.Range($"{path}.duration_minutes", planned.DurationMinutes, 5, 720);
        var zone = MesureChecks.Zone(check, $"{path}.time_zone", planned.TimeZone);
        var lieuId = check.OptionalUuid($"{path}.lieu_id", planned.LieuId);
        var (kind, returnsAt) = Kind(check, $"{path}.", planned.Kind, planned.ReturnTime, startsAt, minutes);
        return new SentRencontre(startsAt ?? default, minutes, zone, lieuId, kind, returnsAt, planned.Outing);
    }

    /// <summary>Visite or remise, and the return of the latter.</summary>
    /// <param name="check">The checks.</param>
    /// <param name="path">Path of the message with its dot; empty for the request itself.</param>
    /// <param name="kind">Kind as sent.</param>
    /// <param name="returnTime">Return as sent.</param>
    /// <param name="startsAt">Start; null when it comes from a free slot or is wrong.</param>
    /// <param name="minutes">Length of the first half.</param>
    public static (RencontreKind Kind, DateTimeOffset? ReturnsAt) Kind(
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
    public static IReadOnlyList<Attendance> Presences(FieldChecks check, IReadOnlyList<Presence> presences, string path = "")
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
