using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>One rencontre: a visite, or a remise with its two halves, the handover at the start and the return.</summary>
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

    /// <summary>Minutes from the cancelling to the start; 0 when it was not cancelled beforehand.</summary>
    public int NoticeMinutes() => CancelledAt is { } at && at < StartsAt ? (int)Math.Min((StartsAt - at).TotalMinutes, int.MaxValue) : 0;
}

/// <summary>Whether one person came to a rencontre. Identifiers only.</summary>
/// <param name="Role">Who.</param>
/// <param name="ChildId">Which child; null for a party.</param>
/// <param name="Present">Whether they came.</param>
/// <param name="MinutesLate">Minutes late.</param>
internal sealed record Attendance(PartyRole Role, Guid? ChildId, bool Present, int MinutesLate);
