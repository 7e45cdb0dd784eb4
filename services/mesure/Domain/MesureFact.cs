using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>
/// One event of a mesure's history: what happened, when it happened and when Jafer learnt it. Facts are only ever added; a
/// correction is another fact. Identifiers, codes and dates only.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class MesureFact
{
    /// <summary>UUID of the event.</summary>
    public required Guid Id { get; init; }

    /// <summary>The mesure.</summary>
    public required Guid MesureId { get; init; }

    /// <summary>Version of the mesure after the fact, from 1, without gap.</summary>
    public required long Version { get; init; }

    /// <summary>What happened.</summary>
    public required MesureAct Act { get; init; }

    /// <summary>Business time.</summary>
    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>When it was recorded.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>The organisation that acted; null when Jafer itself did.</summary>
    public Guid? ActorOrganisationId { get; init; }

    /// <summary>The person or software that acted, as the token names them; null when Jafer itself did.</summary>
    [InClear(DataCategory.Professional)]
    public string? ActorSubject { get; init; }

    /// <summary>The software that reported it to the intake; null when it came otherwise.</summary>
    public string? SourceSystem { get; init; }

    /// <summary>What that software calls it; null when it came otherwise.</summary>
    public string? ExternalId { get; init; }

    /// <summary>What the act says beyond its kind.</summary>
    public FactDetails Details { get; init; } = FactDetails.None;
}

/// <summary>What an act says beyond its kind. Only what the act has is set.</summary>
internal sealed record FactDetails
{
    public static readonly FactDetails None = new();

    /// <summary>Whom a contact or interview concerned.</summary>
    public PartyRole? PartyRole { get; init; }

    /// <summary>The rencontre scheduled, held or not held.</summary>
    public Guid? RencontreId { get; init; }

    /// <summary>Start of that rencontre, or of that interview.</summary>
    public DateTimeOffset? StartsAt { get; init; }

    /// <summary>Length of that rencontre or interview in minutes.</summary>
    public int? DurationMinutes { get; init; }

    /// <summary>What became of that rencontre.</summary>
    public RencontreOutcome? Outcome { get; init; }

    /// <summary>Of a corrected outcome, the start of the first rencontre that was held after all; null when none was.</summary>
    public DateTimeOffset? FirstHeldAt { get; init; }

    /// <summary>Of a corrected outcome, what was recorded before.</summary>
    public RecordedOutcome? Before { get; init; }

    /// <summary>The freed slot that it takes; null when it is booked otherwise.</summary>
    public Guid? FreeSlotId { get; init; }

    /// <summary>Minutes of notice with which that rencontre was cancelled.</summary>
    public int? NoticeMinutes { get; init; }

    /// <summary>The rencontre that was moved.</summary>
    public Guid? PreviousRencontreId { get; init; }

    /// <summary>Start that it had.</summary>
    public DateTimeOffset? PreviousStartsAt { get; init; }

    /// <summary>The difficulty concerned.</summary>
    public Guid? DifficultyId { get; init; }

    /// <summary>Whether that difficulty must be read at once.</summary>
    public bool? Urgent { get; init; }

    /// <summary>Whether that difficulty is about a danger; of an alert, whether it is the first about one.</summary>
    public bool? Danger { get; init; }

    /// <summary>Number of the new version of the terms.</summary>
    public int? DecisionVersion { get; init; }

    /// <summary>First day on which that version holds.</summary>
    public DateOnly? EffectiveOn { get; init; }

    /// <summary>Scheduled rencontres that do not fit it.</summary>
    public IReadOnlyList<Guid>? Conflicts { get; init; }

    /// <summary>Of a completion, a transmission or new terms, the codes of the rules that the decision then violates; null for none.</summary>
    public IReadOnlyList<string>? Defects { get; init; }

    /// <summary>The job on many mesures of which the act was a part.</summary>
    public Guid? BulkJobId { get; init; }

    /// <summary>The espace whose agrément ended.</summary>
    public Guid? EspaceId { get; init; }

    /// <summary>The lieu that alone it covers no more; null when the whole espace lost it.</summary>
    public Guid? LieuId { get; init; }

    /// <summary>Last day of that agrément.</summary>
    public DateOnly? LastDay { get; init; }

    /// <summary>The interview booked, released, or held after it was booked.</summary>
    public Guid? InterviewId { get; init; }

    /// <summary>How a party was contacted.</summary>
    public ContactChannel? Channel { get; init; }

    /// <summary>How the espace told it, where another organisation recorded it on its behalf.</summary>
    public OnBehalfSource? OnBehalf { get; init; }

    /// <summary>How a transmission was delivered.</summary>
    public DeliveryChannel? Delivery { get; init; }

    /// <summary>Why the mesure was closed.</summary>
    public ClosureReason? ClosureReason { get; init; }

    /// <summary>The file of the decision that was attached.</summary>
    public Guid? DocumentId { get; init; }

    /// <summary>Its length in bytes.</summary>
    public long? SizeBytes { get; init; }

    /// <summary>SHA-256 of its bytes, hexadecimal in lower case.</summary>
    public string? Sha256 { get; init; }

    /// <summary>What was erased.</summary>
    public PurgeScope? Purge { get; init; }
}
