using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Directory.Data;

/// <summary>An association that runs espaces; an organisation of Jafer.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class GestionnaireRow
{
    public required Guid Id { get; init; }

    public required string Source { get; init; }

    public required string ExternalId { get; init; }

    public required string Name { get; set; }

    public required string Siret { get; set; }

    public FormeJuridique LegalForm { get; set; }

    public Federation Federation { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    /// <summary>Version of its contacts: their etag.</summary>
    public long ContactsVersion { get; set; } = 1;

    public List<ContactRow> Contacts { get; } = [];
}

/// <summary>A professional who may be told that something waits for them.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class ContactRow
{
    public required Guid OrganisationId { get; init; }

    [InClear(DataCategory.Professional)]
    public required string ExternalId { get; init; }

    [Sealed(DataCategory.Professional)]
    public required string Email { get; set; }

    public required ContactRole Role { get; set; }

    [Sealed(DataCategory.Professional)]
    public string Name { get; set; } = "";

    [Sealed(DataCategory.Professional)]
    public string Phone { get; set; } = "";

    [System.ComponentModel.DataAnnotations.Schema.Column("contact_right")]
    public ContactRight Right { get; set; }

    /// <summary>Codes of the mails not wanted, sorted.</summary>
    public string[] MutedMails { get; set; } = [];
}

/// <summary>An espace with all that belongs to it; saved as a whole under one version.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class EspaceRow
{
    public required Guid Id { get; init; }

    public required string Source { get; init; }

    public required string ExternalId { get; init; }

    public required Guid GestionnaireId { get; set; }

    public GestionnaireRow Gestionnaire { get; set; } = null!;

    public required string Name { get; set; }

    public required string Departement { get; set; }

    public required bool Fictive { get; set; }

    public required EspaceState State { get; set; }

    public required string AlertText { get; set; }

    /// <summary>The préfecture that last recorded an agrément; null while none did.</summary>
    public Guid? PrefectureId { get; set; }

    /// <summary>How families are received, interviews apart.</summary>
    public AccueilPart Accueil { get; init; } = new();

    /// <summary>Changes in its history.</summary>
    public long ChangeCount { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    /// <summary>Number of its last change among all changes of the directory; the database sets it.</summary>
    public long Revision { get; private init; }

    public List<AgrementRow> Agrements { get; } = [];

    public List<LieuRow> Lieux { get; } = [];

    public List<ModaliteRow> Modalites { get; } = [];

    public List<EntretienRow> Entretiens { get; } = [];

    public List<OuvertureRow> Ouvertures { get; } = [];

    public List<FermetureRow> Fermetures { get; } = [];

    public List<EspaceGroupRow> Groups { get; } = [];

    /// <summary>Marks a change: the version is the etag and the events' order.</summary>
    public void Changed(DateTimeOffset at)
    {
        UpdatedAt = at;
        Version++;
    }
}

/// <summary>How an espace receives families. Codes are those of the contract.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class AccueilPart
{
    public string[] Languages { get; set; } = [];

    public bool InterpreterOnRequest { get; set; }

    public PremierContact PremierContact { get; set; }

    public int ContactDeadlineDays { get; set; }

    public string[] Documents { get; set; } = [];

    public int AbsencesBeforeReferral { get; set; }

    public int ParticipationFeeCents { get; set; }

    public bool PrecariousnessSupport { get; set; }

    public bool MealsPossible { get; set; }

    public bool AnimalsAccepted { get; set; }

    public string[] Exclusions { get; set; } = [];

    /// <summary>Null when no règlement is known.</summary>
    public string? ReglementVersion { get; set; }

    public string ReglementUri { get; set; } = "";

    public DateOnly? ReglementStartDate { get; set; }

    public string[] CourtCodes { get; set; } = [];

    public string[] CommuneInsees { get; set; } = [];

    public string[] CourAppelNames { get; set; } = [];
}

/// <summary>A preliminary interview that an espace holds.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class EntretienRow
{
    public required Guid EspaceId { get; init; }

    public required short Position { get; init; }

    public required EntretienParty Party { get; set; }

    public required int Minutes { get; set; }

    public required int LeadDays { get; set; }

    public required bool RemotePossible { get; set; }
}

/// <summary>An agrément of an espace; position 0 is the latest.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
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

    public DateOnly? DecisionDate { get; set; }

    public DateOnly? ListEntryDate { get; set; }

    /// <summary>External ids of the lieux that it covers; empty: all.</summary>
    public string[] LieuExternalIds { get; set; } = [];

    public Domain.Agrement ToDomain() => new(Number, Departement, State, RequestDate, StartDate, EndDate)
    {
        DecisionDate = DecisionDate,
        LieuExternalIds = LieuExternalIds,
    };
}

/// <summary>A lieu d'accueil of an espace, in the order of its source.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
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

    public bool StaggeredArrivals { get; set; }

    public bool OutdoorArea { get; set; }

    public bool CarPark { get; set; }

    /// <summary>Codes of further accessibility, sorted.</summary>
    public string[] Accessibilites { get; set; } = [];

    public List<DesserteRow> Dessertes { get; } = [];
}

/// <summary>A stop of public transport near a lieu.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class DesserteRow
{
    public required Guid LieuId { get; init; }

    public required short Position { get; init; }

    public required TransportMode Mode { get; set; }

    public required string Line { get; set; }

    public required string Stop { get; set; }

    public required int WalkMinutes { get; set; }
}

/// <summary>A modalité that an espace offers, with the wait it last declared.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class ModaliteRow
{
    public required Guid EspaceId { get; init; }

    public required Modalite Modalite { get; init; }

    /// <summary>A modalité that takes mesures again has no day of reopening any more.</summary>
    public required ModaliteState State
    {
        get;
        set
        {
            field = value;
            if (value is not (ModaliteState.Complete or ModaliteState.Fermee))
                ReopeningDate = null;
        }
    }

    public required int CapacityFamilies { get; set; }

    public required int SlotsPerWeek { get; set; }

    public required int MinAge { get; set; }

    public required int MaxAge { get; set; }

    /// <summary>Codes of the particular situations that are received, sorted.</summary>
    public required string[] AcceptedSituations { get; set; }

    public required bool ProtectionOrderAccepted { get; set; }

    public int FundedCapacityFamilies { get; set; }

    public DateOnly? ReopeningDate { get; set; }

    /// <summary>0: no limit.</summary>
    public int MaxSiblings { get; set; }

    /// <summary>0: not said.</summary>
    public int MinRencontreMinutes { get; set; }

    /// <summary>0: not said.</summary>
    public int MaxRencontreMinutes { get; set; }

    /// <summary>Frequencies count/interval/unit, such as "2/1/MONTH"; empty: any.</summary>
    public string[] Periodicities { get; set; } = [];

    /// <summary>Codes of further publics, sorted.</summary>
    public string[] AcceptedPublics { get; set; } = [];

    public ModeAccueil ModeAccueil { get; set; }

    public int? WaitingFamilies { get; set; }

    /// <summary>0: not said.</summary>
    public int StaffPresent { get; set; }

    /// <summary>Codes of how families with violence in them are received, sorted.</summary>
    public string[] VifAmenagements { get; set; } = [];

    public DateOnly? NextEstimatedDate { get; set; }

    public int? FreePlaces { get; private set; }

    public DateOnly? FreePlacesAsOf { get; private set; }

    public int? WaitDays { get; private set; }

    public DateOnly? WaitAsOf { get; private set; }

    public FigureSource? WaitSource { get; private set; }

    /// <summary>True when new mesures are taken, be it on a waiting list.</summary>
    public bool TakesMesures => State is ModaliteState.Ouverte or ModaliteState.Limitee or ModaliteState.ListeAttente;

    /// <summary>True when it is offered, be it from a later day on.</summary>
    public bool IsOffered => State != ModaliteState.Fermee || ReopeningDate is not null;

    public Wait? Wait => WaitDays is { } days && WaitAsOf is { } asOf ? new Wait(days, asOf) : null;

    /// <summary>Free places with the day for which they were declared; null when they were not.</summary>
    public DeclaredPlaces? Places
    {
        get => FreePlaces is { } count && FreePlacesAsOf is { } asOf ? new DeclaredPlaces(count, asOf) : null;
        set => (FreePlaces, FreePlacesAsOf) = (value?.Count, value?.AsOf);
    }

    /// <summary>Takes a declared wait over, unless the one held is of a later day.</summary>
    /// <returns>True when it is now the one held.</returns>
    public bool Declare(Wait wait, FigureSource source)
    {
        if (wait.AsOf < WaitAsOf)
            return false;
        (WaitDays, WaitAsOf, WaitSource) = (wait.Days, wait.AsOf, source);
        return true;
    }
}

/// <summary>Hours at which a lieu receives families, again and again.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class OuvertureRow
{
    public required Guid EspaceId { get; init; }

    public required short Position { get; init; }

    public required string ExternalId { get; set; }

    public required string LieuExternalId { get; set; }

    public required string Rrule { get; set; }

    public required DateOnly StartDate { get; set; }

    /// <summary>Minutes after midnight on the clock of the lieu.</summary>
    public required int StartMinute { get; set; }

    public required int EndMinute { get; set; }

    /// <summary>Codes of the modalités; empty: all that the espace offers.</summary>
    public required string[] Modalites { get; set; }

    public required int SlotMinutes { get; set; }

    public required int Families { get; set; }

    public required SchoolHolidayRule SchoolHolidays { get; set; }

    public required bool OpenOnPublicHolidays { get; set; }
}

/// <summary>Days on which an espace or one lieu is closed.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class FermetureRow
{
    public required Guid EspaceId { get; init; }

    public required short Position { get; init; }

    public required DateOnly StartDate { get; set; }

    public required DateOnly EndDate { get; set; }

    public required FermetureReason Reason { get; set; }

    /// <summary>Empty: the whole espace.</summary>
    public required string LieuExternalId { get; set; }
}

/// <summary>Who last said a group of an espace's fields, and when it was last confirmed.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class EspaceGroupRow
{
    public required Guid EspaceId { get; init; }

    [System.ComponentModel.DataAnnotations.Schema.Column("espace_group")]
    public required EspaceGroup Group { get; init; }

    /// <summary>Code of the modalité; empty for groups that stand once.</summary>
    public required string Key { get; init; }

    public required FigureSource Source { get; set; }

    public required Guid OrganisationId { get; set; }

    public required DateTimeOffset SaidAt { get; set; }

    public required DateTimeOffset ConfirmedAt { get; set; }
}

/// <summary>A change of one group, kept for ever.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class EspaceChangeRow
{
    public required Guid EspaceId { get; init; }

    public required long Sequence { get; init; }

    [System.ComponentModel.DataAnnotations.Schema.Column("espace_group")]
    public required EspaceGroup Group { get; init; }

    public required string Key { get; init; }

    public required EspaceChangeKind Kind { get; init; }

    public required FigureSource Source { get; init; }

    public required Guid OrganisationId { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    public required DateTimeOffset ConfirmedAt { get; init; }

    /// <summary>The group afterwards, an Espace of the contract in bytes; null when removed, confirmed or not shown.</summary>
    public required byte[]? Content { get; init; }
}

/// <summary>Days without school in one zone.</summary>
[Holds(DataCategory.Public, Processing.Directory, Kept.Unlimited)]
internal sealed class SchoolHolidayRow
{
    public required string Zone { get; init; }

    public required string SchoolYear { get; init; }

    public required DateOnly StartDate { get; init; }

    public required DateOnly EndDate { get; init; }

    public required string Name { get; init; }

    public required string Source { get; init; }
}

/// <summary>What a gestionnaire declared of one year.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class YearlyDeclarationRow
{
    public required Guid GestionnaireId { get; init; }

    public required int Year { get; init; }

    public required int OpeningHours { get; set; }

    public required int OpeningDays { get; set; }

    public required DateTimeOffset UpdatedAt { get; set; }

    public required long Version { get; set; }

    public List<PersonnelRow> Personnels { get; } = [];

    public List<RessourceRow> Ressources { get; } = [];
}

/// <summary>A declaration of a year as it was made, kept for ever.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class YearlyDeclarationChangeRow
{
    public required Guid GestionnaireId { get; init; }

    public required int Year { get; init; }

    public required long Version { get; init; }

    public required FigureSource Source { get; init; }

    public required Guid OrganisationId { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>A YearlyDeclaration of the contract.</summary>
    [System.ComponentModel.DataAnnotations.Schema.Column(TypeName = "jsonb")]
    public required string Content { get; init; }
}

/// <summary>Staff of one status and function in a year.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class PersonnelRow
{
    public required Guid GestionnaireId { get; init; }

    public required int Year { get; init; }

    public required PersonnelStatus Status { get; init; }

    public required PersonnelFunction Function { get; init; }

    public required int HeadCount { get; set; }

    public required double FullTimeEquivalent { get; set; }
}

/// <summary>Resources from one funder in a year.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class RessourceRow
{
    public required Guid GestionnaireId { get; init; }

    public required int Year { get; init; }

    public required Funder Funder { get; init; }

    public required long AmountEuros { get; set; }
}

/// <summary>An anonymous question whether an espace has room.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
internal sealed class CapacityEnquiryRow
{
    public required Guid Id { get; init; }

    public required Guid EspaceId { get; init; }

    public EspaceRow Espace { get; init; } = null!;

    /// <summary>The organisation that asked.</summary>
    public required Guid RequesterId { get; init; }

    public required Modalite Modalite { get; init; }

    [InClear(DataCategory.CaseLife)]
    public required int? YoungestAge { get; init; }

    [InClear(DataCategory.CaseLife)]
    public required int? OldestAge { get; init; }

    [InClear(DataCategory.CaseLife)]
    public required int ChildCount { get; init; }

    /// <summary>Codes of the particular situations, sorted.</summary>
    [InClear(DataCategory.Situation, "an anonymous question; codes alone")]
    public required string[] Situations { get; init; }

    [InClear(DataCategory.Situation, "an anonymous question; codes alone")]
    public required bool ProtectionOrder { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when the answer holds, or until when one is waited for.</summary>
    public required DateTimeOffset ExpiresAt { get; set; }

    public CapacityAnswer? Answer { get; set; }

    public EnquiryAnsweredBy? AnsweredBy { get; set; }

    public DateTimeOffset? AnsweredAt { get; set; }

    public int? WaitDays { get; set; }

    public int? WaitingFamilies { get; set; }

    /// <summary>The enquiry with the same question that was put to the espace, or answered by it, for this one too; null for that one itself.</summary>
    public Guid? JoinedId { get; init; }

    public required long Version { get; set; }
}

/// <summary>A wait that was declared, kept for ever.</summary>
[Holds(DataCategory.Organisation, Processing.Directory, Kept.WithOrganisation)]
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
[Holds(DataCategory.Public, Processing.Directory, Kept.Unlimited)]
internal sealed class DepartementRow
{
    public required string Code { get; init; }

    public required string Name { get; init; }
}

/// <summary>A court.</summary>
[Holds(DataCategory.Public, Processing.Directory, Kept.Unlimited)]
internal sealed class CourtRow
{
    public required string Code { get; init; }

    public required Guid OrganisationId { get; init; }

    public required string Name { get; init; }

    public required string CommuneInsee { get; init; }

    public required string Departement { get; init; }

    public required string CourAppel { get; init; }

    /// <summary>Version of its contacts: their etag.</summary>
    public long ContactsVersion { get; set; } = 1;
}

/// <summary>A commune or an arrondissement.</summary>
[Holds(DataCategory.Public, Processing.Directory, Kept.Unlimited)]
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
