using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>One rencontre: a visite, or a remise with its two halves, the handover at the start and the return.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class Rencontre
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    /// <summary>The espace; null for those from before it was kept here.</summary>
    public Guid? EspaceId { get; init; }

    public RencontreKind Kind { get; init; } = RencontreKind.Visite;

    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>Length of a visite, or of each half of a remise.</summary>
    public required int DurationMinutes { get; init; }

    /// <summary>IANA zone of the lieu.</summary>
    public required string TimeZone { get; init; }

    public Guid? LieuId { get; init; }

    /// <summary>Modalité under which it was booked; unspecified when the decision named none.</summary>
    public Modalite Modalite { get; init; }

    /// <summary>Whether it leaves the premises.</summary>
    public bool Outing { get; init; }

    /// <summary>When each side comes and leaves.</summary>
    public Arrivals Arrivals { get; init; } = Arrivals.Together;

    /// <summary>Start of the return of a remise; null for a visite.</summary>
    public DateTimeOffset? ReturnsAt { get; init; }

    public RencontreOutcome Outcome { get; set; } = RencontreOutcome.Scheduled;

    /// <summary>What became of the return of a remise; unspecified for a visite.</summary>
    public RencontreOutcome ReturnOutcome { get; set; }

    public bool VisiteurPresent { get; set; }

    public Guid[] PresentChildIds { get; set; } = [];

    /// <summary>Person by person, as far as it was said.</summary>
    public IReadOnlyList<Attendance> Presences { get; set; } = [];

    public DateTimeOffset? ActualStartAt { get; set; }

    public DateTimeOffset? ActualEndAt { get; set; }

    public DateTimeOffset? HoteConfirmedAt { get; set; }

    public DateTimeOffset? VisiteurConfirmedAt { get; set; }

    /// <summary>When that it would not be held was known before its start; else null.</summary>
    public DateTimeOffset? CancelledAt { get; set; }

    public Guid? MovedFromId { get; init; }

    public Guid? MovedToId { get; set; }

    /// <summary>The free slot that it took.</summary>
    public Guid? FreeSlotId { get; init; }

    /// <summary>Booked beyond the declared capacity, on purpose.</summary>
    public bool OverCapacity { get; init; }

    /// <summary>The software that scheduled it by the intake; null when it was scheduled otherwise, or without a name of its own.</summary>
    public string? SourceSystem { get; set; }

    /// <summary>What that software calls it.</summary>
    public string? ExternalId { get; set; }

    /// <summary>Day on which it starts, on the calendar of its lieu.</summary>
    public DateOnly Day => TimeZoneInfo.FindSystemTimeZoneById(TimeZone).DayOf(StartsAt);

    /// <summary>When the visiteur leaves, before any offset: the end of a visite, the return of a remise.</summary>
    public DateTimeOffset EndsAt => ReturnsAt ?? StartsAt.AddMinutes(DurationMinutes);

    /// <summary>Start of what of it has no outcome yet; null when all has.</summary>
    public DateTimeOffset? PendingStart() =>
        Outcome == RencontreOutcome.Scheduled ? StartsAt : ReturnOutcome == RencontreOutcome.Scheduled ? ReturnsAt : null;

    /// <summary>It is not held: nobody came, it was cancelled or moved, or its mesure ended.</summary>
    public void Lose(RencontreOutcome outcome, DateTimeOffset at)
    {
        Outcome = outcome;
        ReturnOutcome = ReturnsAt is null ? RencontreOutcome.Unspecified : outcome;
        CancelledAt = at < StartsAt ? at : null;
    }

    /// <summary>Whether somebody recorded what became of it.</summary>
    public bool HasOutcome => Outcome is not (RencontreOutcome.Scheduled or RencontreOutcome.Moved or RencontreOutcome.MesureClosed);

    /// <summary>What is recorded of it.</summary>
    public RecordedOutcome Recorded() => new(Outcome, ReturnOutcome, VisiteurPresent, PresentChildIds, Presences, ActualStartAt, ActualEndAt, CancelledAt);

    /// <summary>Another outcome takes the place of one that was a mistake. The return of a remise that was held after all is waited for.</summary>
    public void Correct(RencontreOutcome outcome)
    {
        var held = outcome == RencontreOutcome.Held;
        if (ReturnsAt is not null && !(held && Outcome == RencontreOutcome.Held))
        {
            ReturnOutcome = held ? RencontreOutcome.Scheduled : outcome;
        }

        CancelledAt = held ? null : CancelledAt;
        Outcome = outcome;
    }

    /// <summary>Makes it what it was before a correction, to look at only.</summary>
    public void Restore(RecordedOutcome before)
    {
        (Outcome, ReturnOutcome, VisiteurPresent, PresentChildIds) = (before.Outcome, before.ReturnOutcome, before.VisiteurPresent, before.PresentChildIds);
        (Presences, ActualStartAt, ActualEndAt, CancelledAt) = (before.Presences, before.ActualStartAt, before.ActualEndAt, before.CancelledAt);
    }

    /// <summary>Minutes from the cancelling to the start; 0 when it was not cancelled beforehand.</summary>
    public int NoticeMinutes() => CancelledAt is { } at && at < StartsAt ? (int)Math.Min((StartsAt - at).TotalMinutes, int.MaxValue) : 0;
}

/// <summary>Whether one person came to a rencontre. Identifiers only.</summary>
/// <param name="Role">Who.</param>
/// <param name="ChildId">Which child; null for a party.</param>
/// <param name="Present">Whether they came.</param>
/// <param name="MinutesLate">Minutes late.</param>
internal sealed record Attendance(PartyRole Role, Guid? ChildId, bool Present, int MinutesLate);

/// <summary>What was recorded of a rencontre, as a correction keeps it. Identifiers, codes and times only.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="ReturnOutcome">What became of the return of a remise.</param>
/// <param name="VisiteurPresent">Whether the visiteur came.</param>
/// <param name="PresentChildIds">Children who came.</param>
/// <param name="Presences">Person by person.</param>
/// <param name="ActualStartAt">When it really started.</param>
/// <param name="ActualEndAt">When it really ended.</param>
/// <param name="CancelledAt">When it was cancelled.</param>
internal sealed record RecordedOutcome(
    RencontreOutcome Outcome, RencontreOutcome ReturnOutcome, bool VisiteurPresent, Guid[] PresentChildIds, IReadOnlyList<Attendance> Presences,
    DateTimeOffset? ActualStartAt, DateTimeOffset? ActualEndAt, DateTimeOffset? CancelledAt);
