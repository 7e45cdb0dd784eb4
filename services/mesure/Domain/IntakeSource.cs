using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>Software of an espace that reports, with its rhythm: the days on which it did.</summary>
[Holds(DataCategory.Technical, Processing.Mesures, Kept.WithOrganisation)]
internal sealed class IntakeSource : Rhythm
{
    public required Guid GestionnaireId { get; init; }

    public required string SourceSystem { get; init; }
}
