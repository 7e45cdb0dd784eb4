using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// The current state of an espace, as far as other services need it. <see cref="DomainEvent.AggregateId"/> is the espace.
/// Published on each change and again when a projection is rebuilt.
/// </summary>
[EntityName("directory.espace-published.v1"), MessageUrn("directory.espace-published.v1")]
public sealed record EspacePublished : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Code of the département.</summary>
    public required string Departement { get; init; }

    /// <summary>State of the espace, such as "OUVERT".</summary>
    public required string State { get; init; }

    /// <summary>Periods in which the espace may be designated.</summary>
    public required IReadOnlyList<AgrementPeriod> AgrementPeriods { get; init; }

    /// <summary>Modalités that take new mesures, such as "VISITE".</summary>
    public required IReadOnlyList<string> OpenModalites { get; init; }

    /// <summary>IANA time zone of its first lieu.</summary>
    public required string TimeZone { get; init; }
}

/// <summary>
/// A court or gestionnaire as the directory knows it. <see cref="DomainEvent.AggregateId"/> is the organisation. Published when
/// it is recorded and again when a projection is rebuilt.
/// </summary>
[EntityName("directory.organisation-published.v1"), MessageUrn("directory.organisation-published.v1")]
public sealed record OrganisationPublished : DomainEvent
{
    /// <summary>"JURIDICTION" or "GESTIONNAIRE".</summary>
    public required string Kind { get; init; }

    /// <summary>Code of the court, such as "tj69123"; absent for a gestionnaire.</summary>
    public string? Code { get; init; }
}

/// <summary>A period in which an agrément is valid.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day, included; absent when it has no end.</param>
public sealed record AgrementPeriod(DateOnly From, DateOnly? To);

/// <summary>An espace declared its wait for a modalité. <see cref="DomainEvent.AggregateId"/> is the espace.</summary>
[EntityName("directory.wait-declared.v1"), MessageUrn("directory.wait-declared.v1")]
public sealed record WaitDeclared : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Modalité, such as "VISITE".</summary>
    public required string Modalite { get; init; }

    /// <summary>Days from transmission to first rencontre.</summary>
    public required int Days { get; init; }

    /// <summary>Day for which the figure holds.</summary>
    public required DateOnly AsOfDate { get; init; }
}
