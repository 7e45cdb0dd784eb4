using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Data;

/// <summary>An association that runs espaces; an organisation of Jafer.</summary>
internal sealed class GestionnaireRow
{
    public required Guid Id { get; init; }

    public required string Source { get; init; }

    public required string ExternalId { get; init; }

    public required string Name { get; set; }

    public required string Siret { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    public List<ContactRow> Contacts { get; } = [];
}

/// <summary>A professional who may be told that something waits for them.</summary>
internal sealed class ContactRow
{
    public required Guid OrganisationId { get; init; }

    public required string ExternalId { get; init; }

    public required string Email { get; set; }

    public required ContactRole Role { get; set; }
}

/// <summary>An espace with all that belongs to it; saved as a whole under one version.</summary>
internal sealed class EspaceRow
{
    public required Guid Id { get; init; }

    public required string Source { get; init; }

    public required string ExternalId { get; init; }

    public required Guid GestionnaireId { get; set; }

    public GestionnaireRow Gestionnaire { get; init; } = null!;

    public required string Name { get; set; }

    public required string Departement { get; set; }

    public required bool Fictive { get; set; }

    public required EspaceState State { get; set; }

    public required string AlertText { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    /// <summary>Number of its last change among all changes of the directory; the database sets it.</summary>
    public long Revision { get; private init; }

    public List<AgrementRow> Agrements { get; } = [];

    public List<LieuRow> Lieux { get; } = [];

    public List<ModaliteRow> Modalites { get; } = [];

    /// <summary>Marks a change: the version is the etag and the events' order.</summary>
    public void Changed(DateTimeOffset at)
    {
        UpdatedAt = at;
        Version++;
    }
}

/// <summary>An agrément of an espace; position 0 is the latest.</summary>
internal sealed class AgrementRow
{
    public required Guid EspaceId { get; init; }

    public required short Position { get; init; }

    public required string Number { get; set; }

    public required string Departement { get; set; }

    public required AgrementState State { get; set; }

    public required DateOnly? RequestDate { get; set; }

    public required DateOnly? StartDate { get; set; }

    public required DateOnly? EndDate { get; set; }

    public Domain.Agrement ToDomain() => new(Number, Departement, State, RequestDate, StartDate, EndDate);
}

/// <summary>A lieu d'accueil of an espace, in the order of its source.</summary>
internal sealed class LieuRow
{
    public required Guid Id { get; init; }

    public required Guid EspaceId { get; init; }

    public required short Position { get; set; }

    public required string ExternalId { get; init; }

    public required string Name { get; set; }

    public required string AddressLine { get; set; }

    public required string CommuneInsee { get; set; }

    public required double Latitude { get; set; }

    public required double Longitude { get; set; }

    public required bool WheelchairAccessible { get; set; }

    public required bool SeparateEntrances { get; set; }

    public required string PublicTransport { get; set; }
}

/// <summary>A modalité that an espace offers, with the wait it last declared.</summary>
internal sealed class ModaliteRow
{
    public required Guid EspaceId { get; init; }

    public required Modalite Modalite { get; init; }

    public required ModaliteState State { get; set; }

    public required int CapacityFamilies { get; set; }

    public required int SlotsPerWeek { get; set; }

    public required int MinAge { get; set; }

    public required int MaxAge { get; set; }

    /// <summary>Codes of the particular situations that are received, sorted.</summary>
    public required string[] AcceptedSituations { get; set; }

    public required bool ProtectionOrderAccepted { get; set; }

    public int? WaitDays { get; private set; }

    public DateOnly? WaitAsOf { get; private set; }

    public FigureSource? WaitSource { get; private set; }

    /// <summary>True when new mesures are taken, be it on a waiting list.</summary>
    public bool TakesMesures => State is ModaliteState.Ouverte or ModaliteState.Limitee or ModaliteState.ListeAttente;

    public Wait? Wait => WaitDays is { } days && WaitAsOf is { } asOf ? new Wait(days, asOf) : null;

    /// <summary>Takes a declared wait over, unless the one held is of a later day.</summary>
    public void Declare(Wait wait, FigureSource source)
    {
        if (wait.AsOf < WaitAsOf)
            return;
        (WaitDays, WaitAsOf, WaitSource) = (wait.Days, wait.AsOf, source);
    }
}

/// <summary>A wait that was declared, kept for ever.</summary>
internal sealed class WaitDeclarationRow
{
    public long Id { get; private init; }

    public required Guid EspaceId { get; init; }

    public required Modalite Modalite { get; init; }

    public required int Days { get; init; }

    public required DateOnly AsOf { get; init; }

    public required FigureSource Source { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }
}

/// <summary>A département or overseas collectivity.</summary>
internal sealed class DepartementRow
{
    public required string Code { get; init; }

    public required string Name { get; init; }
}

/// <summary>A court.</summary>
internal sealed class CourtRow
{
    public required string Code { get; init; }

    public required Guid OrganisationId { get; init; }

    public required string Name { get; init; }

    public required string CommuneInsee { get; init; }

    public required string Departement { get; init; }

    public required string CourAppel { get; init; }
}

/// <summary>A commune or an arrondissement.</summary>
internal sealed class CommuneRow
{
    public required string Insee { get; init; }

    public required string Name { get; init; }

    public required bool IsCommune { get; init; }

    public required string Departement { get; init; }

    public required int Population { get; init; }

    public required double? Latitude { get; init; }

    public required double? Longitude { get; init; }

    public required string[] PostalCodes { get; init; }

    [System.ComponentModel.DataAnnotations.Schema.Column("population_10km")]
    public required int PopulationWithin10Km { get; init; }

    public required int ReliefM { get; init; }

    public required string RoadBlock { get; init; }

    public required string? ProbableCourtCode { get; init; }

    public string SearchName { get; private init; } = "";
}
