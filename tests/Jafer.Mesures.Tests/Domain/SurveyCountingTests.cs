using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain.Survey;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>What a mesure is in the figures of the survey.</summary>
public sealed class SurveyCountingTests
{
    private const int LastYear = 2025;

    [Fact]
    public void Count_WholeLife_IsInEachYearWhatItWas()
    {
        var counts = Codes(SurveyCounting.BuiltIn.Count(
            Case() with
            {
                ReceivedOn = new(2023, 11, 20),
                ContactedOn = new(2023, 12, 30),
                ScheduledOn = new(2024, 1, 10),
                PlannedOn = new(2024, 2, 1),
                ClosedOn = new(2025, 2, 1),
                ClosureReason = ClosureReason.ArriveeATerme,
                EverScheduled = true,
                Situations = [SituationParticuliere.Addiction, SituationParticuliere.ViolencesIntrafamiliales],
                PrincipalSituation = SituationParticuliere.ViolencesIntrafamiliales,
                Rencontres = [(2024, RencontreOutcome.Held, 11), (2024, RencontreOutcome.VisiteurAbsent, 2), (2024, RencontreOutcome.Moved, 1), (2025, RencontreOutcome.MesureClosed, 3)],
                Children = [(2024, 10), (2024, 11), (2024, null)],
            },
            LastYear));

        Assert.Equal(
            """
            2023 MESURES_NOUVELLES=1 MESURES_NOUVELLES_JUDICIAIRES=1 MESURES_NOUVELLES_JAF=1 SITUATION_AU_MOINS_UNE=1 SITUATION_VIOLENCES_INTRAFAMILIALES=1 SITUATION_ADDICTION=1 SITUATION_PRINCIPALE_VIOLENCES_INTRAFAMILIALES=1 STOCK_FIN=1 MESURES_EN_ATTENTE=1
            2024 STOCK_DEBUT=1 STOCK_FIN=1 MESURES_EN_COURS=1 RENCONTRES_PROGRAMMEES=13 RENCONTRES_REALISEES=11 RENCONTRES_ABSENCE_VISITEUR=2 ENFANTS_ACCUEILLIS=3 ENFANTS_6_A_10_ANS=1 ENFANTS_11_A_14_ANS=1 ENFANTS_AGE_INCONNU=1 ENFANTS_MOINS_DE_11_ANS=1
            2025 MESURES_CLOTUREES=1 MESURES_CLOTUREES_JUDICIAIRES=1 MESURES_CLOTUREES_A_TERME=1 MOTIF_ARRIVEE_A_TERME=1 DUREE_JUDICIAIRES_12_MOIS_ET_PLUS=1 STOCK_DEBUT=1
            """,
            counts);
    }

    [Theory]
    // By the rule "same day of the month": the day on which six months are full counts in the next band.
    [InlineData("2024-01-31", "2024-07-30", "DUREE_JUDICIAIRES_MOINS_DE_6_MOIS")]
    [InlineData("2024-01-31", "2024-07-31", "DUREE_JUDICIAIRES_6_A_12_MOIS")]
    [InlineData("2024-08-31", "2025-02-27", "DUREE_JUDICIAIRES_MOINS_DE_6_MOIS")]
    [InlineData("2024-08-31", "2025-02-28", "DUREE_JUDICIAIRES_6_A_12_MOIS")]
    [InlineData("2024-02-29", "2025-02-27", "DUREE_JUDICIAIRES_6_A_12_MOIS")]
    [InlineData("2024-02-29", "2025-02-28", "DUREE_JUDICIAIRES_12_MOIS_ET_PLUS")]
    [InlineData(null, "2025-02-28", "DUREE_SANS_RENCONTRE")]
    public void Count_Closed_HasTheDurationOfItsFirstRencontre(string? planned, string closed, string expected)
    {
        var counts = SurveyCounting.BuiltIn.Count(
            Case() with
            {
                ReceivedOn = new(2024, 1, 1),
                PlannedOn = planned is null ? null : Day(planned),
                EverScheduled = planned is not null,
                ClosedOn = Day(closed),
                ClosureReason = ClosureReason.Autre,
            },
            LastYear);

        Assert.Contains(expected, Of(counts, Day(closed).Year).Keys);
    }

    [Theory]
    // The pivot: was a rencontre ever scheduled?
    [InlineData(ClosureReason.SansSuiteRefusHote, false, "MESURES_CLOTUREES_SANS_SUITE")]
    [InlineData(ClosureReason.SansSuiteRefusHote, true, "MESURES_CLOTUREES_AUTRE")]
    [InlineData(ClosureReason.ArriveeATerme, false, "MESURES_CLOTUREES_AUTRE")]
    [InlineData(ClosureReason.JugeRapportee, true, "INTERRUPTION_JUGE")]
    [InlineData(ClosureReason.JugeRapportee, false, "MESURES_CLOTUREES_AUTRE")]
    [InlineData(ClosureReason.InterruptionMeilleurAccord, true, "INTERRUPTION_HOTE")]
    [InlineData(ClosureReason.InterruptionAbsenceVisiteur, true, "INTERRUPTION_ESPACE")]
    public void Count_Closed_HasOneCategory(ClosureReason reason, bool everScheduled, string expected)
    {
        var counts = Of(SurveyCounting.BuiltIn.Count(Case() with { ClosedOn = new(2025, 3, 1), ClosureReason = reason, EverScheduled = everScheduled }, LastYear), 2025);

        Assert.Equal(1, counts[expected]);
        Assert.Equal(1, counts["MESURES_CLOTUREES"]);
    }

    [Fact]
    public void Count_MistakeOrDuplicate_IsNowhere()
    {
        foreach (var reason in new[] { ClosureReason.ErreurDeSaisie, ClosureReason.Doublon })
        {
            Assert.Empty(SurveyCounting.BuiltIn.Count(
                Case() with { ClosedOn = new(2025, 3, 1), ClosureReason = reason, Rencontres = [(2025, RencontreOutcome.Held, 4)], Children = [(2025, 4)] }, LastYear));
        }
    }

    [Fact]
    public void Count_MovedToAnotherEspace_LeavesWithoutBeingClosed()
    {
        var left = Of(SurveyCounting.BuiltIn.Count(Case() with { ClosedOn = new(2025, 3, 1), ClosureReason = ClosureReason.Transfert }, LastYear), 2025);
        var came = Of(SurveyCounting.BuiltIn.Count(Case() with { ReceivedOn = new(2025, 3, 1), ByTransfer = true }, LastYear), 2025);

        Assert.Equal(["SORTIES_PAR_TRANSFERT", "STOCK_DEBUT"], left.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((1, 1), (came["MESURES_NOUVELLES"], came["MESURES_NOUVELLES_PAR_TRANSFERT"]));
    }

    [Theory]
    [InlineData(DecisionNature.Arret, LegalBasis.Article37321, "MESURES_NOUVELLES_COUR_D_APPEL")]
    [InlineData(DecisionNature.Jugement, LegalBasis.Article3757, "MESURES_NOUVELLES_JUGE_DES_ENFANTS")]
    [InlineData(DecisionNature.Ordonnance, LegalBasis.Article51511, "MESURES_NOUVELLES_JAF")]
    [InlineData(DecisionNature.Unspecified, LegalBasis.Unspecified, "MESURES_NOUVELLES_AUTRE_JUGE")]
    public void Count_New_HasThePrescriberOfItsDecision(DecisionNature nature, LegalBasis basis, string expected) =>
        Assert.Contains(expected, Of(SurveyCounting.BuiltIn.Count(Case() with { DecisionNature = nature, LegalBasis = basis }, LastYear), 2024).Keys);

    [Fact]
    public void Count_ByAnotherVersionOfADefinition_LeavesEarlierYearsAsTheyWere()
    {
        var figures = SurveyCatalogue.Lines("figures.csv");
        var definitions = SurveyCatalogue.Lines("definitions.csv").ToList();
        var stock = definitions.FindIndex(d => d.StartsWith("STOCK;1;2000;;", StringComparison.Ordinal));
        definitions.Insert(stock + 1, definitions[stock].Replace("STOCK;1;2000;;", "STOCK;2;2025;;", StringComparison.Ordinal).Replace("en_cours=RENCONTRE_PROGRAMMEE", "en_cours=RENCONTRE_REALISEE", StringComparison.Ordinal));
        definitions[stock] = definitions[stock].Replace("STOCK;1;2000;;", "STOCK;1;2000;2024;", StringComparison.Ordinal);
        var changed = new SurveyCounting(SurveyCatalogue.Parse(figures, definitions));
        var mesure = Case() with { ContactedOn = new(2024, 6, 2), ScheduledOn = new(2024, 6, 3), EverScheduled = true };

        Assert.Equal(["MESURES_EN_COURS", "MESURES_EN_COURS"], new[] { 2024, 2025 }.Select(y => StockOf(SurveyCounting.BuiltIn, y)));
        Assert.Equal(["MESURES_EN_COURS", "MESURES_EN_ATTENTE"], new[] { 2024, 2025 }.Select(y => StockOf(changed, y)));

        string StockOf(SurveyCounting counting, int year) => Of(counting.Count(mesure, LastYear), year).Keys.Single(c => c.StartsWith("MESURES_EN_", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DUREE;2;2025;;", "do not follow")] // The first version has no end.
    [InlineData("STOCK;3;2025;;", "do not follow")]
    public void Parse_VersionsThatDoNotFollowEachOther_AreRefused(string version, string because)
    {
        var definitions = SurveyCatalogue.Lines("definitions.csv").Append(version + ";;;").ToList();

        Assert.Contains(because, Assert.Throws<FormatException>(() => SurveyCatalogue.Parse(SurveyCatalogue.Lines("figures.csv"), definitions)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Catalogue_EveryPublishedFigure_StandsBesideAFigureOrIsNamedAsItself()
    {
        var beside = PublishedFigures.All.Where(p => p.Code is not null).ToList();

        Assert.All(beside, p => Assert.NotNull(SurveyCatalogue.BuiltIn.Find(p.Code!)));
        // Every line of the map is found in the files of the publication.
        Assert.Equal(SurveyCatalogue.Lines("published.csv").Count(l => l.Length > 0 && l[0] != '#') - 1, beside.Where(p => p.Year == 2024).Select(p => p.Code).Distinct().Count());
        Assert.Equal((21900, 20500, 11600, null), (
            PublishedFigures.Number("MESURES_NOUVELLES", 2024), PublishedFigures.Number("MESURES_CLOTUREES", 2024), PublishedFigures.Number("MESURES_NOUVELLES", 2011),
            PublishedFigures.Number("MESURES_NOUVELLES_JAF", 2024)));
        Assert.Contains("20 400", beside.First(p => p.Code == "MESURES_CLOTUREES" && p.Year == 2024).Remark, StringComparison.Ordinal);
    }

    [Fact]
    public void Count_AnyMesures_AddUpAndFollowFromYearToYear() => Prop.ForAll(Cases().ArrayOf().ToArbitrary(), cases =>
    {
        var sums = new SortedDictionary<int, Dictionary<string, long>>();
        foreach (var (year, figures) in cases.SelectMany(c => SurveyCounting.BuiltIn.Count(c, LastYear)))
        {
            var of = sums.TryGetValue(year, out var known) ? known : sums[year] = [];
            foreach (var (code, count) in Codes(figures))
            {
                of[code] = of.GetValueOrDefault(code) + count;
            }
        }

        foreach (var (year, of) in sums.Where(s => s.Key <= LastYear))
        {
            long Value(string code) => of.GetValueOrDefault(code);
            Assert.All(SurveyCatalogue.BuiltIn.Sets.Where(s => s.Whole.IsCounted), s => Assert.Equal(Value(s.Whole.Code), s.Parts.Sum(p => Value(p.Code))));
            Assert.Equal(Value("STOCK_FIN"), Value("STOCK_DEBUT") + Value("MESURES_NOUVELLES") - Value("MESURES_CLOTUREES") - Value("SORTIES_PAR_TRANSFERT"));
            Assert.Equal(sums.GetValueOrDefault(year - 1)?.GetValueOrDefault("STOCK_FIN") ?? 0, Value("STOCK_DEBUT"));
            Assert.DoesNotContain(of.Values, v => v <= 0);
        }
    }).QuickCheckThrowOnFailure();

    private static Gen<SurveyCase> Cases() =>
        from received in Days()
        from steps in Gen.Choose(-20, 400).ArrayOf(4)
        from happened in Gen.Elements(true, false).ArrayOf(4)
        from nature in Gen.Elements(MesureNature.Judiciaire, MesureNature.NonJudiciaire)
        from origin in Gen.Elements(Enum.GetValues<NonJudicialOrigin>())
        from decision in Gen.Elements(Enum.GetValues<DecisionNature>())
        from basis in Gen.Elements(Enum.GetValues<LegalBasis>())
        from reason in Gen.Elements(Enum.GetValues<ClosureReason>())
        from situations in Gen.Elements(Enum.GetValues<SituationParticuliere>().Where(s => s != SituationParticuliere.Unspecified).ToArray()).ArrayOf()
        from outcomes in Gen.Elements(Enum.GetValues<RencontreOutcome>()).ArrayOf()
        from ages in Gen.Choose(-1, 25).ArrayOf()
        let days = steps.Select((s, i) => happened[i] ? received.AddDays(s) : null as DateOnly?).ToArray()
        select Case() with
        {
            Nature = nature,
            Origin = origin,
            DecisionNature = decision,
            LegalBasis = basis,
            Situations = situations,
            PrincipalSituation = situations.FirstOrDefault(),
            ReceivedOn = received,
            ContactedOn = days[0],
            ScheduledOn = days[1],
            PlannedOn = days[1] is null ? null : days[2] ?? days[1],
            EverScheduled = days[1] is not null,
            ClosedOn = days[3],
            ClosureReason = days[3] is null ? ClosureReason.Unspecified : reason,
            Rencontres = [.. outcomes.Select(o => (received.Year, o, 2))],
            Children = [.. ages.Select(a => (received.Year, a < 0 ? null as int? : a))],
        };

    private static Gen<DateOnly> Days() => Gen.Choose(new DateOnly(2021, 1, 1).DayNumber, new DateOnly(2025, 12, 31).DayNumber).Select(DateOnly.FromDayNumber);

    private static SurveyCase Case() => new()
    {
        MesureId = new Guid("01890000-0000-7000-8000-000000000001"),
        GestionnaireId = new Guid("01890000-0000-7000-8000-000000000002"),
        Departement = "69",
        Nature = MesureNature.Judiciaire,
        Origin = NonJudicialOrigin.Unspecified,
        DecisionNature = DecisionNature.Jugement,
        LegalBasis = LegalBasis.Article37321,
        Situations = [],
        PrincipalSituation = SituationParticuliere.Unspecified,
        ByTransfer = false,
        ReceivedOn = new(2024, 6, 1),
    };

    private static DateOnly Day(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static Dictionary<string, int> Of(SortedDictionary<int, SortedDictionary<short, int>> counts, int year) => Codes(counts[year]);

    private static Dictionary<string, int> Codes(SortedDictionary<short, int> figures) =>
        figures.ToDictionary(f => SurveyCatalogue.BuiltIn.Figures.Single(r => r.Number == f.Key).Code, f => f.Value);

    private static string Codes(SortedDictionary<int, SortedDictionary<short, int>> counts) =>
        string.Join('\n', counts.Select(y => $"{y.Key} {string.Join(' ', Codes(y.Value).Select(f => $"{f.Key}={f.Value}"))}"));
}
