using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Rules;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;
using DesignationRule = Jafer.Contracts.Directory.V1.DesignationRule;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>The rules on the content of a decision, by legal basis.</summary>
public sealed class RuleTests
{
    private static readonly EspaceView s_espace = EspaceThatIs("OUVERT");

    private static EspaceView EspaceThatIs(string state) => new()
    {
        Id = new Guid("0198a000-0000-7000-8000-000000000002"),
        GestionnaireId = default,
        State = state,
        AgrementPeriods = [new ApprovedPeriod(new DateOnly(2020, 1, 1), new DateOnly(2026, 6, 30))],
        TimeZone = "Europe/Paris",
        Version = 1,
    };

    [Fact]
    public void MesureCheck_LawfulContent_FindsNothing() => Assert.Empty(Codes(Whole()));

    [Theory]
    [InlineData(LegalBasis.Article37321, FindingSeverity.Violation)]
    [InlineData(LegalBasis.Article37329, FindingSeverity.Violation)]
    [InlineData(LegalBasis.Article3714, FindingSeverity.Warning)]
    [InlineData(LegalBasis.Article51511, FindingSeverity.Warning)]
    [InlineData(LegalBasis.Article3757, null)]
    public void DurationIsFixed_Missing_IsAsGraveAsTheBasisSays(LegalBasis basis, FindingSeverity? severity) =>
        Assert.Equal(severity, new DurationIsFixed().Look(Content(new Decision { LegalBasis = basis, RencontreMinutes = 60, PeriodicityCount = 1 }))?.Severity);

    [Theory]
    [InlineData(LegalBasis.Article37321, FindingSeverity.Violation)]
    [InlineData(LegalBasis.Article3757, FindingSeverity.Violation)]
    [InlineData(LegalBasis.Article3714, FindingSeverity.Warning)]
    public void PeriodicityIsFixed_Missing_IsAsGraveAsTheBasisSays(LegalBasis basis, FindingSeverity severity) =>
        Assert.Equal(severity, new PeriodicityIsFixed().Look(Content(new Decision { LegalBasis = basis }))!.Severity);

    [Theory]
    [InlineData(LegalBasis.Article37329, FindingSeverity.Violation)]
    [InlineData(LegalBasis.Article3714, FindingSeverity.Warning)]
    [InlineData(LegalBasis.Article3757, null)]
    public void RencontreLengthIsFixed_Missing_IsAsGraveAsTheBasisSays(LegalBasis basis, FindingSeverity? severity) =>
        Assert.Equal(severity, new RencontreLengthIsFixed().Look(Content(new Decision { LegalBasis = basis }))?.Severity);

    [Theory]
    [InlineData(LegalBasis.Article37321, true)]
    [InlineData(LegalBasis.Article37329, true)]
    [InlineData(LegalBasis.Article3757, false)]
    public void TermsAreNotLeftToTheService_LeftToIt_IsAViolationUnder1180_5(LegalBasis basis, bool found) =>
        Assert.Equal(found, new TermsAreNotLeftToTheService().Look(Content(new Decision { LegalBasis = basis, TermsLeftToService = true })) is not null);

    [Theory]
    [InlineData("Rencontres selon les modalités du service.", true)]
    [InlineData("Deux fois par mois, SELON LES MODALITÉS EN VIGUEUR DANS LE SERVICE", true)]
    [InlineData("À un rythme fixé suivant les disponibilités de l'espace de rencontre", true)]
    [InlineData("selon le règlement intérieur de l’association", true)]
    [InlineData("selon l'organisation de la structure", true)]
    [InlineData("au rythme fixé par le service", true)]
    [InlineData("Rencontres à la convenance de l'espace de rencontre", true)]
    [InlineData("dans les conditions fixées par le service", true)]
    [InlineData("Pas de présence des grands-parents. Sortie du service à 18 heures.", false)]
    [InlineData("Selon l'intérêt de l'enfant.", false)]
    [InlineData("", false)]
    public void TermsAreNotLeftToTheService_FormulaInTheWordsOfTheDecision_IsAWarning(string words, bool found)
    {
        var finding = new TermsAreNotLeftToTheService().Look(Content(Whole().Decision with { Restrictions = words }));

        Assert.Equal(found ? FindingSeverity.Warning : null, finding?.Severity);
        Assert.Equal(found ? "decision.restrictions" : null, finding?.Field);
        // Only 1180-5 asks for it; and what is said of the words does not repeat them.
        Assert.Null(new TermsAreNotLeftToTheService().Look(Content(Whole().Decision with { LegalBasis = LegalBasis.Article3714, Restrictions = words })));
        Assert.DoesNotContain("règlement", finding?.DescriptionFr ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Modalite.VisiteAvecSortie, false, true)]
    [InlineData(Modalite.SortieAccompagnee, false, true)]
    [InlineData(Modalite.VisiteAvecSortie, true, false)]
    [InlineData(Modalite.Visite, false, false)]
    public void OutingIsGranted_OutingWithoutGrant_IsAViolation(Modalite modalite, bool granted, bool found) =>
        Assert.Equal(found, new OutingIsGranted().Look(Content(new Decision { Modalite = modalite, OutingGranted = granted })) is not null);

    [Fact]
    public void TiersDeConfianceConsents_NoConsent_IsAViolation()
    {
        Assert.NotNull(new TiersDeConfianceConsents().Look(Content(new Decision { TiersDeConfianceName = "X" })));
        Assert.Null(new TiersDeConfianceConsents().Look(Content(new Decision { TiersDeConfianceName = "X", TiersDeConfianceConsent = true })));
        Assert.Null(new TiersDeConfianceConsents().Look(Content(new Decision())));
    }

    [Fact]
    public void TiersDeConfianceHasASubsidiaryEspace_None_IsAViolation()
    {
        Assert.NotNull(new TiersDeConfianceHasASubsidiaryEspace().Look(Content(new Decision { TiersDeConfianceName = "X" })));
        Assert.Null(new TiersDeConfianceHasASubsidiaryEspace().Look(Content(new Decision { TiersDeConfianceName = "X", SubsidiaryEspaceId = s_espace.Id })));
    }

    [Theory]
    [InlineData(LegalBasis.Article37321, ParentalAuthority.Joint, true)]
    [InlineData(LegalBasis.Article37321, ParentalAuthority.OneParent, false)]
    [InlineData(LegalBasis.Article37329, ParentalAuthority.Withdrawn, true)]
    [InlineData(LegalBasis.Article37329, ParentalAuthority.Joint, false)]
    [InlineData(LegalBasis.Article37329, ParentalAuthority.Unspecified, false)]
    public void ParentalAuthorityFitsTheBasis_Contradiction_IsAWarning(LegalBasis basis, ParentalAuthority authority, bool found) =>
        Assert.Equal(found ? FindingSeverity.Warning : null, new ParentalAuthorityFitsTheBasis().Look(Content(new Decision { LegalBasis = basis, ParentalAuthority = authority }))?.Severity);

    [Theory]
    [InlineData("2019-12-31", true)]
    [InlineData("2020-01-01", false)]
    [InlineData("2026-06-30", false)]
    [InlineData("2026-07-01", true)]
    public void EspaceIsApprovedOnTheDecisionDate_OutsideThePeriod_IsAViolation(string day, bool found) =>
        Assert.Equal(found, new EspaceIsApprovedOnTheDecisionDate().Look(Content(new Decision { Date = DateOnly.Parse(day, null) })) is not null);

    [Theory]
    [InlineData("2026-06-30", false)]
    [InlineData("2026-07-01", true)]
    public void EspaceIsApprovedOnTheDecisionDate_DecisionBeingPrepared_BlocksByWhatHoldsToday(string today, bool found) => Assert.Equal(
        found, new EspaceIsApprovedOnTheDecisionDate().Look(Content(new Decision()) with { Today = DateOnly.Parse(today, null) })?.Blocks(rendered: false) ?? false);

    [Theory]
    [InlineData(LegalBasis.Article37321, "DURATION_MISSING", "CPC art. 1180-5 al. 1 ; Civ. 1re, 28 janv. 2015, n° 13-27.983")]
    [InlineData(LegalBasis.Article37329, "PERIODICITY_MISSING", "CPC art. 1180-5 al. 1 ; Civ. 1re, 4 mai 2017, n° 16-16.709")]
    [InlineData(LegalBasis.Article37329, "RENCONTRE_LENGTH_MISSING", "CPC art. 1180-5 al. 1 ; Civ. 1re, 4 mai 2017, n° 16-16.709")]
    [InlineData(LegalBasis.Article37329, "TERMS_LEFT_TO_SERVICE", "Civ. 1re, 10 juin 2015, n° 14-12.592 ; 18 mai 2022, n° 20-20.616 ; 22 nov. 2023, n° 22-11.806")]
    [InlineData(LegalBasis.Article3757, "PERIODICITY_MISSING", "C. civ. art. 375-7 al. 4 ; CPC art. 1199-3")]
    [InlineData(LegalBasis.Article3714, "DURATION_MISSING", "C. civ. art. 371-4 ; Civ. 1re, 13 juin 2019, n° 18-12.389")]
    [InlineData(LegalBasis.Article3714, "PERIODICITY_MISSING", "C. civ. art. 371-4 ; Civ. 1re, 13 juin 2019, n° 18-12.389")]
    [InlineData(LegalBasis.Article3714, "RENCONTRE_LENGTH_MISSING", "C. civ. art. 371-4 ; Civ. 1re, 13 juin 2019, n° 18-12.389")]
    [InlineData(LegalBasis.Article51511, "RENCONTRE_LENGTH_MISSING", "C. civ. art. 515-11 ; CPC art. 1180-5 par analogie")]
    [InlineData(LegalBasis.Other, "DURATION_MISSING", "CPC art. 1180-5 par analogie")]
    public void MesureCheck_ContentMissing_NamesTheArticleAndTheCaseLawOfTheBasis(LegalBasis basis, string code, string source) => Assert.Equal(
        source, Assert.Single(MesureCheck.Run(Content(new Decision { LegalBasis = basis, TermsLeftToService = true })), f => f.Code == code).Source);

    [Fact]
    public void LeftOf_TermsMendedByALaterDecision_KeepsOnlyWhatIsStillMissing()
    {
        string[] defects = ["DURATION_MISSING", "PERIODICITY_MISSING", "AGREMENT_INVALID"];
        var terms = Whole().Decision;

        Assert.Equal(["AGREMENT_INVALID"], MesureCheck.LeftOf(defects, terms));
        Assert.Equal(["PERIODICITY_MISSING", "AGREMENT_INVALID"], MesureCheck.LeftOf(defects, terms with { PeriodicityCount = null }));
        // What it did not lack before is no defect of the decision that was transmitted.
        Assert.Empty(MesureCheck.LeftOf([], terms with { DurationMonths = null }));
    }

    [Fact]
    public void EspaceIsApprovedOnTheDecisionDate_UnknownEspace_IsIncomplete() =>
        Assert.Equal("ESPACE_UNKNOWN", new EspaceIsApprovedOnTheDecisionDate().Look(Content(new Decision()) with { Espace = null })!.Code);

    [Theory]
    [InlineData("2026-06-01", true)]
    [InlineData("2026-04-01", false)]
    public void TermLeavesRoomForVisits_FirstVisitNearTheTerm_IsAWarning(string expected, bool found) =>
        Assert.Equal(found, new TermLeavesRoomForVisits().Look(Content(new Decision { Date = new DateOnly(2026, 1, 1), DurationMonths = 6 }) with { ExpectedFirstVisit = DateOnly.Parse(expected, null) }) is not null);

    [Fact]
    public void TermLeavesRoomForVisits_TermRunsFromTheFirstRencontre_FindsNothing() =>
        Assert.Null(new TermLeavesRoomForVisits().Look(Content(new Decision { Date = new DateOnly(2026, 1, 1), DurationMonths = 6, TermStart = TermStart.FirstRencontre })
            with
        { ExpectedFirstVisit = new DateOnly(2027, 1, 1) }));

    [Theory]
    [InlineData(6, "2026-01-01", "2026-06-01", "A six-month mesure, a five-month wait: visits for one month.", "Une mesure de six mois, cinq mois d'attente : un mois de visites.")]
    [InlineData(6, "2026-01-01", "2026-06-10", "A six-month mesure, a five-month wait: visits for 21 days.", "Une mesure de six mois, cinq mois d'attente : 21 jours de visites.")]
    [InlineData(18, "2026-01-31", "2027-08-01", "An 18-month mesure, an 18-month wait: no visit before the term.", "Une mesure de 18 mois, 18 mois d'attente : aucune visite avant le terme.")]
    [InlineData(1, "2026-01-01", "2026-01-25", "A one-month mesure, a 24-day wait: visits for seven days.", "Une mesure d'un mois, 24 jours d'attente : sept jours de visites.")]
    public void TermLeavesRoomForVisits_WaitEatsTheTerm_SaysItInTheJudgesWords(int months, string decided, string expected, string text, string textFr)
    {
        var decision = new Decision { Date = DateOnly.Parse(decided, null), DurationMonths = months };

        var finding = new TermLeavesRoomForVisits().Look(Content(decision) with { ExpectedFirstVisit = DateOnly.Parse(expected, null) })!;

        Assert.Equal((text, textFr), (finding.Description, finding.DescriptionFr));
    }

    [Theory]
    [InlineData("2026-06-01", true)]
    [InlineData("2026-03-01", false)]
    public void TermLeavesRoomForVisits_DecisionBeingPrepared_CountsFromToday(string expected, bool found) =>
        Assert.Equal(found, new TermLeavesRoomForVisits().Look(Content(new Decision { DurationMonths = 6 })
            with
        { Today = new DateOnly(2026, 1, 1), ExpectedFirstVisit = DateOnly.Parse(expected, null) }) is not null);

    [Fact]
    public void TermLeavesRoomForVisits_ShortMesureThatBeginsSoon_FindsNothing() =>
        Assert.Null(new TermLeavesRoomForVisits().Look(Content(new Decision { Date = new DateOnly(2026, 1, 1), DurationMonths = 2 }) with { ExpectedFirstVisit = new DateOnly(2026, 1, 8) }));

    [Theory]
    [InlineData(Modalite.VisitePresenceContinue, ThirdPartyPresence.Intermittent, true)]
    [InlineData(Modalite.VisitePresenceIntermittente, ThirdPartyPresence.Continuous, true)]
    [InlineData(Modalite.VisitePresenceContinue, ThirdPartyPresence.Continuous, false)]
    [InlineData(Modalite.VisitePresenceContinue, ThirdPartyPresence.Unspecified, false)]
    [InlineData(Modalite.Visite, ThirdPartyPresence.None, false)]
    public void ThirdPartyPresenceFitsTheModalite_Contradiction_IsAWarning(Modalite modalite, ThirdPartyPresence presence, bool found) => Assert.Equal(
        found ? FindingSeverity.Warning : null,
        new ThirdPartyPresenceFitsTheModalite().Look(Content(new Decision { Modalite = modalite, ThirdPartyPresence = presence }))?.Severity);

    [Fact]
    public void EspaceMeets_EveryRuleOfTheDirectory_IsAWarningOfItsOwn()
    {
        // What a caller leaves out by themselves is no rule of an espace.
        var rules = Enum.GetValues<DesignationRule>().Except([DesignationRule.Unspecified, DesignationRule.NotExcludedByCaller]).ToList();

        var findings = MesureCheck.Run(Whole() with { Unmet = [.. rules.Select(r => new UnmetRule(r, "source")), new UnmetRule(rules[^1], "source")] });

        Assert.Equal(
            rules.Select(r => $"ESPACE_{ServiceDefaults.Grpc.ProtoConversions.ToCode(r)}_UNMET").Order(StringComparer.Ordinal),
            findings.Select(f => f.Code).Order(StringComparer.Ordinal));
        Assert.All(findings, f => Assert.Equal((FindingSeverity.Warning, "source"), (f.Severity, f.Source)));
        Assert.All(findings, f => Assert.NotEqual(f.Description, f.DescriptionFr));
    }

    [Fact]
    public void EspaceMeets_AgrementMissingHereToo_IsSaidOnce() => Assert.Equal(
        ["AGREMENT_INVALID"],
        Codes(Content(Whole().Decision with { Date = new DateOnly(2019, 1, 1) }) with { Unmet = [new UnmetRule(DesignationRule.AgrementValid, "source")] }));

    [Theory]
    [InlineData("FERME", true)]
    [InlineData("SUSPENDU", true)]
    [InlineData("OUVERT", false)]
    [InlineData("OF_A_LATER_VERSION", false)]
    public void EspaceIsNotClosed_StateOfTheEspace_IsAViolationUntilItReceivesAgain(string state, bool found)
    {
        var content = Whole() with { Espace = EspaceThatIs(state) };

        Assert.Equal(found, new EspaceIsNotClosed().Look(content)?.Blocks(rendered: false) ?? false);
        // The directory says the same, which is said once.
        Assert.Equal(
            [found ? "ESPACE_CLOSED" : "ESPACE_ESPACE_OPEN_UNMET"], Codes(content with { Unmet = [new UnmetRule(DesignationRule.EspaceOpen, "source")] }));
        Assert.Equal(["ESPACE_CLOSED"], MesureCheck.LeftOf(["DURATION_MISSING", "ESPACE_CLOSED"], content.Decision));
    }

    [Fact]
    public void MesureIsNoDuplicate_SameCaseAndChild_IsAWarningThatNamesIt()
    {
        var other = new Guid("0198a000-0000-7000-8000-00000000000a");
        var finding = new MesureIsNoDuplicate().Look(Whole() with { Related = new RelatedMesures([other], []) })!;

        Assert.Equal(("DUPLICATE", FindingSeverity.Warning, other), (finding.Code, finding.Severity, Assert.Single(finding.MesureIds)));
        Assert.Null(new MesureIsNoDuplicate().Look(Whole() with { Related = new RelatedMesures([], [other]) }));
    }

    [Fact]
    public void SiblingCaseIsKnown_SameFamily_IsAWarningThatNamesIt()
    {
        var other = new Guid("0198a000-0000-7000-8000-00000000000a");
        var finding = new SiblingCaseIsKnown().Look(Whole() with { Related = new RelatedMesures([], [other]) })!;

        Assert.Equal(("SIBLING_CASE", FindingSeverity.Warning, other), (finding.Code, finding.Severity, Assert.Single(finding.MesureIds)));
        Assert.Null(new SiblingCaseIsKnown().Look(Whole() with { Related = new RelatedMesures([other], []) }));
    }

    [Fact]
    public void MesureCheck_EmptyFile_ListsWhatTheGreffeCanEnterFirst() => Assert.Equal(
        ["LEGAL_BASIS_MISSING", "MODALITE_MISSING", "RG_NUMBER_MISSING", "HOTE_MISSING", "VISITEUR_MISSING", "CHILDREN_MISSING"],
        Codes(new CheckedContent(new Decision(), [], 0, null, null, null)).Take(6));

    [Fact]
    public void RuleFinding_Violation_BlocksOnlyBeforeTheDecisionIsRendered()
    {
        var violation = new DurationIsFixed().Look(Content(new Decision { LegalBasis = LegalBasis.Article37329 }))!;

        Assert.True(violation.Blocks(rendered: false));
        Assert.False(violation.Blocks(rendered: true));
        Assert.True(new HoteIsGiven().Look(Whole() with { Parties = [] })!.Blocks(rendered: true));
    }

    [Fact]
    public void MesureCheck_EveryRule_HasASourceAndBothLanguages()
    {
        var content = new CheckedContent(
            new Decision { Date = new DateOnly(2019, 1, 1), TiersDeConfianceName = "X", TermsLeftToService = true, LegalBasis = LegalBasis.Article37321, ParentalAuthority = ParentalAuthority.Joint, Modalite = Modalite.SortieAccompagnee },
            [], 0, s_espace.Id, s_espace, null);

        Assert.All(MesureCheck.Run(content), f =>
        {
            Assert.NotEmpty(f.Source);
            Assert.NotEmpty(f.Description);
            Assert.NotEqual(f.Description, f.DescriptionFr);
            Assert.Matches("^[A-Z0-9_]{3,63}$", f.Code);
        });
    }

    private static IEnumerable<string> Codes(CheckedContent content) => MesureCheck.Run(content).Select(f => f.Code);

    private static CheckedContent Content(Decision decision) => Whole() with { Decision = decision };

    private static CheckedContent Whole() => new(
        new Decision
        {
            RgNumber = "26/00001",
            Date = new DateOnly(2026, 1, 5),
            LegalBasis = LegalBasis.Article37329,
            ParentalAuthority = ParentalAuthority.Joint,
            DurationMonths = 12,
            PeriodicityCount = 2,
            PeriodicityInterval = 1,
            PeriodicityUnit = PeriodicityUnit.Month,
            RencontreMinutes = 120,
            Modalite = Modalite.Visite,
        },
        [PartyRole.Hote, PartyRole.Visiteur], 1, s_espace.Id, s_espace, null);
}
