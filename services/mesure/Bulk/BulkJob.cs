using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Bulk;

/// <summary>An act on many mesures, done one after the other in the background.</summary>
[Holds(DataCategory.Organisation, Processing.Mesures, Kept.WithOrganisation)]
internal sealed class BulkJob
{
    public required Guid Id { get; init; }

    public required BulkJobKind Kind { get; init; }

    public BulkJobState State { get; set; } = BulkJobState.Running;

    public LegalActKind LegalActKind { get; init; }

    /// <summary>How the act is cited; a public text.</summary>
    public string LegalActReference { get; init; } = "";

    /// <summary>Null when no act orders it.</summary>
    public DateOnly? LegalActDate { get; init; }

    /// <summary>Null when the job concerns courts.</summary>
    public Guid? EspaceId { get; init; }

    public Guid[] JuridictionIds { get; init; } = [];

    /// <summary>Months by which durations grow; 0 for a closure.</summary>
    public int Months { get; init; }

    public DateOnly? ClosingDate { get; init; }

    /// <summary>Who started it: the actor of its facts.</summary>
    public required Guid OrganisationId { get; init; }

    [InClear(DataCategory.Professional)]
    public required string Subject { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>One mesure of a job.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class BulkItem
{
    public required Guid JobId { get; init; }

    public required Guid MesureId { get; init; }

    public BulkItemState State { get; set; } = BulkItemState.Pending;

    /// <summary>Why it was refused, as the reason of an error; empty otherwise.</summary>
    public string Reason { get; set; } = "";
}
