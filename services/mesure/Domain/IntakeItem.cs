using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>One item that software of an espace reported, and what became of it.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class IntakeItem
{
    /// <summary>Number of the line in the history of the intake.</summary>
    public long Id { get; private init; }

    /// <summary>The organisation that reported it.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Name of the software; empty when it was not well-formed.</summary>
    public required string SourceSystem { get; init; }

    /// <summary>What the software calls the item; empty when it was not well-formed.</summary>
    public required string ExternalId { get; init; }

    /// <summary>Number among the items of the mesure and source.</summary>
    public required long Sequence { get; init; }

    /// <summary>The mesure that it names, which need not exist; null when it names none.</summary>
    public required Guid? MesureId { get; init; }

    /// <summary>What happened; unspecified when it was not said as it must.</summary>
    public required MesureAct Act { get; init; }

    /// <summary>Business time.</summary>
    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>When Jafer received it.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>Who reported it, as the token names them.</summary>
    [InClear(DataCategory.Professional)]
    public required string Subject { get; init; }

    /// <summary>The request or batch with which it came; the journal names it.</summary>
    public required Guid RequestId { get; init; }

    /// <summary>Tells a repetition from another item under the same external id.</summary>
    public required Guid ContentHash { get; init; }

    /// <summary>Whether its external id and its sequence are used up by it.</summary>
    public bool Taken { get; set; }

    /// <summary>The item itself, while it is held; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public byte[]? Content { get; set; }

    public IntakeResult Result { get; set; }

    /// <summary>Why it was refused or superseded.</summary>
    public ErrorReason Reason { get; set; }

    /// <summary>The reason in English, without personal data.</summary>
    public string Description { get; set; } = "";

    /// <summary>When the result was found; null while it is held.</summary>
    public DateTimeOffset? DecidedAt { get; set; }

    /// <summary>Earlier sequences that had not come when it was applied past them.</summary>
    public long GapBefore { get; set; }

    /// <summary>Notes what became of it.</summary>
    public void Decide(IntakeResult result, DateTimeOffset now, ErrorReason reason = ErrorReason.Unspecified, string description = "")
    {
        Result = result;
        Reason = reason;
        Description = description;
        DecidedAt = now;
        Content = null;
    }
}
