using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>The decision that orders a mesure, as typed content. What it does not say is null, unspecified or empty.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed record Decision
{
    public DecisionNature Nature { get; init; }

    /// <summary>RG number of the case; personal data.</summary>
    [Sealed(DataCategory.Decision)]
    public string RgNumber { get; init; } = "";

    /// <summary>Null while the decision is being prepared.</summary>
    public DateOnly? Date { get; init; }

    public LegalBasis LegalBasis { get; init; }

    /// <summary>Personal data.</summary>
    [Sealed(DataCategory.Decision)]
    public string JudgeName { get; init; } = "";

    public ParentalAuthority ParentalAuthority { get; init; }

    public int? DurationMonths { get; init; }

    public TermStart TermStart { get; init; }

    /// <summary>Day from which the duration runs where it is neither the decision's nor unknown yet: it ran at another espace before.</summary>
    public DateOnly? DurationFrom { get; init; }

    /// <summary>Rencontres in each interval.</summary>
    public int? PeriodicityCount { get; init; }

    /// <summary>Length of the interval in its unit.</summary>
    public int? PeriodicityInterval { get; init; }

    public PeriodicityUnit PeriodicityUnit { get; init; }

    public int? RencontreMinutes { get; init; }

    /// <summary>"Selon les modalités du service".</summary>
    public bool TermsLeftToService { get; init; }

    public Modalite Modalite { get; init; }

    public bool OutingGranted { get; init; }

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public SituationParticuliere[] Situations { get; init; } = [];

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public SituationParticuliere PrincipalSituation { get; init; }

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public bool InterdictionDeContact { get; init; }

    /// <summary>Null when there is no tiers de confiance; personal data.</summary>
    [Sealed(DataCategory.Identity)]
    public string? TiersDeConfianceName { get; init; }

    public bool TiersDeConfianceConsent { get; init; }

    public Guid? SubsidiaryEspaceId { get; init; }

    public DateOnly? ContactDeadline { get; init; }

    public bool ProvisionalEnforcement { get; init; }

    /// <summary>Free text of the decision; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public string Restrictions { get; init; } = "";

    /// <summary>The judge who stands in; empty when none is known. Personal data.</summary>
    [Sealed(DataCategory.Decision)]
    public string ReplacementJudgeName { get; init; } = "";

    /// <summary>Whether handovers are granted beside the modalité.</summary>
    public bool RemiseGranted { get; init; }

    public ThirdPartyPresence ThirdPartyPresence { get; init; }

    public bool AppealLodged { get; init; }

    /// <summary>Null when not known, or when no appeal was lodged.</summary>
    public DateOnly? AppealDate { get; init; }

    /// <summary>Whether handovers in the espace are ordered, or granted beside what is.</summary>
    public bool GrantsRemises => RemiseGranted || Modalite == Modalite.RemiseEnfant;

    /// <summary>Whether the decision was rendered: then the greffe cannot amend its content.</summary>
    public bool Rendered => Date is not null;

    /// <summary>The terms without what a person wrote and without names.</summary>
    public Decision Anonymous() => this with
    {
        RgNumber = "",
        JudgeName = "",
        ReplacementJudgeName = "",
        TiersDeConfianceName = TiersDeConfianceName is null ? null : "",
        Restrictions = "",
    };

    /// <summary>
    /// Last day of the mesure, by the rule "same day of the month"; null while it cannot be known.
    /// </summary>
    /// <param name="firstHeld">Day of the first rencontre held, on the calendar of its lieu.</param>
    public DateOnly? Term(DateOnly? firstHeld) =>
        (DurationFrom ?? (TermStart == TermStart.FirstRencontre ? firstHeld : Date))?.AddMonths(DurationMonths ?? 0) is { } end && DurationMonths is not null ? end : null;
}

/// <summary>One of the two sides of a mesure. All of it is personal data.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class Party
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    public required PartyRole Role { get; init; }

    public PartyKind Kind { get; init; }

    [Sealed(DataCategory.Identity)]
    public string GivenName { get; init; } = "";

    [Sealed(DataCategory.Identity)]
    public string FamilyName { get; init; } = "";

    [Sealed(DataCategory.Contact)]
    public string Phone { get; init; } = "";

    [Sealed(DataCategory.Contact)]
    public string Email { get; init; } = "";

    [Sealed(DataCategory.Contact)]
    public string Address { get; init; } = "";

    [Sealed(DataCategory.Contact)]
    public string CommuneInsee { get; init; } = "";

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public bool AddressProtected { get; init; }

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public PartyNeed[] Needs { get; init; } = [];

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public string InterpreterLanguage { get; init; } = "";

    /// <summary>Minutes from the start of a rencontre to the party's arrival; negative before it.</summary>
    public int ArrivalOffsetMinutes { get; init; }

    /// <summary>Minutes from the end of a rencontre to the party's departure; negative before it.</summary>
    public int DepartureOffsetMinutes { get; init; }

    /// <summary>Who it is, as the keyed index holds it; null when not indexed. No personal data.</summary>
    [InClear(DataCategory.Pseudonym)]
    public string? IdentityIndex { get; set; }

    /// <summary>The same party in another mesure.</summary>
    public Party For(Guid id, Guid mesureId) => new()
    {
        Id = id,
        MesureId = mesureId,
        Role = Role,
        Kind = Kind,
        GivenName = GivenName,
        FamilyName = FamilyName,
        Phone = Phone,
        Email = Email,
        Address = Address,
        CommuneInsee = CommuneInsee,
        AddressProtected = AddressProtected,
        Needs = Needs,
        InterpreterLanguage = InterpreterLanguage,
        ArrivalOffsetMinutes = ArrivalOffsetMinutes,
        DepartureOffsetMinutes = DepartureOffsetMinutes,
        IdentityIndex = IdentityIndex,
    };
}

/// <summary>A child of a mesure. All of it is personal data.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class Child
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    /// <summary>Place in the list that the court gave, from 0.</summary>
    public required int Position { get; init; }

    [Sealed(DataCategory.Identity)]
    public string GivenName { get; init; } = "";

    [Sealed(DataCategory.Identity)]
    public string FamilyName { get; init; } = "";

    [Sealed(DataCategory.Identity)]
    public DateOnly? BirthDate { get; init; }

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public ChildNeed[] Needs { get; init; } = [];

    /// <summary>Who it is, as the keyed index holds it; null when not indexed. No personal data.</summary>
    [InClear(DataCategory.Pseudonym)]
    public string? IdentityIndex { get; set; }

    /// <summary>The same over all owners, for returns alone; null when not indexed. No personal data (docs/decisions/0025).</summary>
    [InClear(DataCategory.Pseudonym)]
    public string? ReturnIndex { get; set; }

    /// <summary>Full years on the day of the decision, or of the beginning where none is known; null while the date of birth is kept.</summary>
    [InClear(DataCategory.Statistics)]
    public short? AgeAtDecision { get; private set; }

    /// <summary>Full years that a child has on a day.</summary>
    public static short AgeOn(DateOnly day, DateOnly birth) =>
        (short)Math.Max(0, day.Year - birth.Year - (birth.AddYears(day.Year - birth.Year) > day ? 1 : 0));

    /// <summary>The same child in another mesure.</summary>
    public Child For(Guid id, Guid mesureId) => new()
    {
        Id = id,
        MesureId = mesureId,
        Position = Position,
        GivenName = GivenName,
        FamilyName = FamilyName,
        BirthDate = BirthDate,
        Needs = Needs,
        IdentityIndex = IdentityIndex,
        ReturnIndex = ReturnIndex,
    };
}

/// <summary>A difficulty beside the state of a mesure.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class Difficulty
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public required DifficultyReason Reason { get; init; }

    /// <summary>Whether it must be read at once.</summary>
    public bool Urgent => Reason is DifficultyReason.Danger or DifficultyReason.Incident;

    public DifficultyState State { get; set; } = DifficultyState.Open;

    /// <summary>Free text; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public string Comment { get; init; } = "";

    public DifficultyAnswer Answer { get; set; }

    /// <summary>Free text; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public string AnswerComment { get; set; } = "";

    public required DateTimeOffset ReportedAt { get; init; }

    /// <summary>When Jafer learnt of it; null where it was not noted.</summary>
    public DateTimeOffset? RecordedAt { get; init; }

    public DateTimeOffset? AcknowledgedAt { get; set; }

    public DateTimeOffset? AnsweredAt { get; set; }

    /// <summary>The reason with which the espace proposes to close; unspecified when it proposes nothing.</summary>
    public ClosureReason ProposedClosure { get; init; }

    /// <summary>When somebody outside was first told; null while nobody was.</summary>
    public DateTimeOffset? AlertedAt { get; set; }

    /// <summary>Codes of the rules that the decision violates.</summary>
    public string[] RuleCodes { get; init; } = [];
}

/// <summary>That somebody outside was told of a difficulty: what was said is not kept.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class ExternalAlert
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    public required Guid DifficultyId { get; init; }

    public required ExternalAlertRecipient Recipient { get; init; }

    [InClear(DataCategory.Situation, "codes alone, by which rules and figures are computed")]
    public required ExternalAlertKind Kind { get; init; }

    public required DateTimeOffset AlertedAt { get; init; }

    public required Guid ActorOrganisationId { get; init; }
}

/// <summary>A question of the espace to the court and its answer.</summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class InformationExchange
{
    public required Guid Id { get; init; }

    public required Guid MesureId { get; init; }

    public required InformationReason Reason { get; init; }

    /// <summary>Free text; may hold personal data.</summary>
    [Sealed(DataCategory.FreeText)]
    public required string Question { get; init; }

    /// <summary>Free text; may hold personal data. Empty until given.</summary>
    [Sealed(DataCategory.FreeText)]
    public string Answer { get; set; } = "";

    public required DateTimeOffset RequestedAt { get; init; }

    public DateTimeOffset? ProvidedAt { get; set; }
}
