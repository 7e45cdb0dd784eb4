using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>What this service knows of a court or gestionnaire: a projection of the directory's events.</summary>
[Holds(DataCategory.Organisation, Processing.Mesures, Kept.WithOrganisation)]
internal sealed class OrganisationView
{
    public required Guid Id { get; init; }

    /// <summary>"JURIDICTION" or "GESTIONNAIRE".</summary>
    public required string Kind { get; set; }

    /// <summary>Code of the court; null for a gestionnaire.</summary>
    public string? Code { get; set; }
}
