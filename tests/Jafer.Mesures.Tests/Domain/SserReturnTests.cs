using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.Mesures.Survey;
using Jafer.ServiceDefaults.Grpc;
using Xunit;
using SserReturn = Jafer.Mesures.Domain.Survey.SserReturn;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>The return of a gestionnaire: what it keeps, how it adds up, and what stands in the place of one that never came.</summary>
public sealed class SserReturnTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly Dictionary<string, long> s_counted = new()
    {
        ["STOCK_DEBUT"] = 40,
        ["MESURES_NOUVELLES"] = 100,
        ["MESURES_CLOTUREES"] = 90,
        ["SORTIES_PAR_TRANSFERT"] = 2,
        ["STOCK_FIN"] = 48,
        ["MESURES_EN_COURS"] = 30,
        ["MESURES_EN_ATTENTE"] = 10,
        ["MESURES_NON_CONTACTEES"] = 8,
    };

    [Fact]
    public void Generate_Again_KeepsCorrectionsBesideWhatIsComputedNow()
    {
        var of = Generated();
        of.Correct([new("MESURES_NOUVELLES", 103, SurveyCorrectionReason.HorsJafer), new("PERSONNEL", 9, SurveyCorrectionReason.Autre)]);

        Assert.True(of.Generate(new Dictionary<string, long>(s_counted) { ["MESURES_NOUVELLES"] = 101 }, null, [], s_now));

        Assert.Equal(SserReturnState.Corrected, of.State);
        Assert.Equal(new ReturnFigure("MESURES_NOUVELLES", 103, SurveyFigureOrigin.Corrected, 101, SurveyCorrectionReason.HorsJafer), of.Figures.Single(f => f.Code == "MESURES_NOUVELLES"));
        // The directory was away: what it had said stands.
        Assert.Equal((9, 12), (of["PERSONNEL"], of.Figures.Single(f => f.Code == "PERSONNEL").Computed));
        Assert.Equal(5, of["PERSONNEL_BENEVOLES"]);
        of.Correct([new("MESURES_NOUVELLES", null, default), new("PERSONNEL", null, default)]);
        Assert.Equal((SserReturnState.Prefilled, 101L, 12L), (of.State, of["MESURES_NOUVELLES"], of["PERSONNEL"]));
        Assert.Equal(SurveyFigureOrigin.Declared, of.Figures.Single(f => f.Code == "PERSONNEL").Origin);
    }

    [Fact]
    public void Generate_Unchanged_IsNoNewVersion()
    {
        var of = Generated();
        var version = of.Version;

        Assert.False(of.Generate(s_counted, Declared(), [], s_now.AddDays(1)));
        Assert.Equal((version, s_now), (of.Version, of.GeneratedAt));
    }

    [Fact]
    public void Acts_InAWrongState_AreForbidden()
    {
        var missing = new SserReturn { GestionnaireId = Guid.Empty, Year = 2025 };
        Assert.Throws<DomainError>(() => missing.Validate(s_now));
        Assert.Throws<DomainError>(() => missing.Correct([]));
        Assert.Throws<DomainError>(() => missing.Reopen(byItself: true));
        var of = Generated();
        of.Validate(s_now);
        Assert.Throws<DomainError>(() => of.Generate(s_counted, null, [], s_now));
        Assert.Throws<DomainError>(() => of.Correct([]));
        Assert.Throws<DomainError>(() => of.Record(s_counted, SserReturnSource.Typed, s_now));
        of.Reopen(byItself: true);
        Assert.Equal((SserReturnState.Prefilled, null), (of.State, of.ValidatedAt));
    }

    [Fact]
    public void Balance_OfWhatWasComputed_IsExplainedByTransfers()
    {
        var balance = ReturnReview.Balance(Generated(), null)!;

        Assert.Equal((40L, false, -2L, 0L), (balance.Opening, balance.OpeningReturned, balance.Difference, balance.Unexplained));
        Assert.Equal([(StockDifferenceKind.Transfert, -2L)], balance.Explained);
    }

    [Fact]
    public void Balance_BesideTheYearBefore_TellsWhatChangedSinceAndWhatWasCorrected()
    {
        var before = new SserReturn { GestionnaireId = Guid.Empty, Year = 2024 };
        before.Record(new Dictionary<string, long> { ["STOCK_FIN"] = 37 }, SserReturnSource.Typed, s_now);
        var of = Generated();
        of.Correct([new("MESURES_NOUVELLES", 105, SurveyCorrectionReason.HorsJafer), new("STOCK_FIN", 50, SurveyCorrectionReason.Autre)]);

        var balance = ReturnReview.Balance(of, before)!;

        // 50 - (37 + 105 - 90) = -2 = -2 by transfer, +3 of a stock that was returned lower, +2 - 5 by corrections.
        Assert.Equal((37L, true, -2L, 0L), (balance.Opening, balance.OpeningReturned, balance.Difference, balance.Unexplained));
        Assert.Equal([(StockDifferenceKind.Transfert, -2L), (StockDifferenceKind.OuvertureChangee, 3L), (StockDifferenceKind.Correction, -3L)], balance.Explained);
    }

    [Fact]
    public void Balance_OfAnyCorrectionsOfWhatAddsUp_IsExplainedWhole() =>
        Prop.ForAll(Gen.Choose(0, 200).ArrayOf(6).ToArbitrary(), Gen.Elements(true, false).ArrayOf(6).ToArbitrary(), (values, corrected) =>
        {
            string[] codes = ["STOCK_DEBUT", "MESURES_NOUVELLES", "MESURES_CLOTUREES", "SORTIES_PAR_TRANSFERT", "STOCK_FIN"];
            var of = Generated();
            of.Correct([.. codes.Where((_, i) => corrected[i]).Select((c, i) => new FigureCorrection(c, values[i], SurveyCorrectionReason.Autre))]);
            SserReturn? before = null;
            if (corrected[5])
            {
                before = new SserReturn { GestionnaireId = Guid.Empty, Year = 2024 };
                before.Record(new Dictionary<string, long> { ["STOCK_FIN"] = values[5] }, SserReturnSource.Typed, s_now);
            }

            Assert.Equal(0, ReturnReview.Balance(of, before)!.Unexplained);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Flags_OfATypedReturnThatDoesNotAddUp_SayWhereAndByHowMuch()
    {
        var of = new SserReturn { GestionnaireId = Guid.Empty, Year = 2025 };
        of.Record(new Dictionary<string, long>(s_counted) { ["STOCK_FIN"] = 51, ["RENCONTRES_SANS_ISSUE"] = 4 }, SserReturnSource.Typed, s_now);
        var before = new SserReturn { GestionnaireId = Guid.Empty, Year = 2024 };
        before.Record(new Dictionary<string, long> { ["STOCK_FIN"] = 40, ["MESURES_NOUVELLES"] = 60, ["MESURES_EN_ATTENTE"] = 5 }, SserReturnSource.Typed, s_now);

        Assert.Equal(
            [
                new(SurveyFlagCode.RencontresSansIssue, 4, "RENCONTRES_SANS_ISSUE"), new(SurveyFlagCode.PersonnelNonDeclare), new(SurveyFlagCode.StockInexplique, 3),
                new(SurveyFlagCode.SommeDifferente, 3, "STOCK_FIN"), new(SurveyFlagCode.ForteVariation, 40, "MESURES_NOUVELLES"),
            ],
            ReturnReview.Flags(of, before, over: true, null));
    }

    [Fact]
    public void Flags_WhenTheMesuresSayOtherwiseToday_CountTheFiguresThatDiffer()
    {
        var of = Generated();
        of.Correct([new("MESURES_NOUVELLES", 103, SurveyCorrectionReason.HorsJafer)]);

        Assert.DoesNotContain(ReturnReview.Flags(of, null, over: true, s_counted), f => f.Code == SurveyFlagCode.DonneesChangees);
        Assert.Contains(
            new ReturnFlag(SurveyFlagCode.DonneesChangees, 2),
            ReturnReview.Flags(of, null, over: true, new Dictionary<string, long>(s_counted) { ["MESURES_NOUVELLES"] = 99, ["STOCK_FIN"] = 47 }));
    }

    [Fact]
    public void FiguresOf_ADeclaration_AddUpAndWhatWasNotDeclaredIsMissing()
    {
        var figures = DirectoryDeclarations.FiguresOf(new YearlyDeclaration
        {
            Personnels =
            {
                new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.Psychologue, HeadCount = 3, FullTimeEquivalent = 1.25 },
                new Personnel { Status = PersonnelStatus.Salarie, Function = PersonnelFunction.Support, HeadCount = 1, FullTimeEquivalent = 1 },
                new Personnel { Status = PersonnelStatus.Benevole, Function = PersonnelFunction.Psychologue, HeadCount = 2, FullTimeEquivalent = 0.2 },
            },
        });

        Assert.Equal((6L, 4L, 3L, 2L, 0L), (
            figures["PERSONNEL"], figures["PERSONNEL_SALARIES"], figures["PERSONNEL_SALARIES_PSYCHOLOGUES"], figures["PERSONNEL_BENEVOLES"], figures["PERSONNEL_BENEVOLES_JURISTES"]));
        Assert.Equal((245L, 225L, 20L), (figures["ETP"], figures["ETP_SALARIES"], figures["ETP_BENEVOLES"]));
        Assert.DoesNotContain("RESSOURCES", figures.Keys);
        var ressources = DirectoryDeclarations.FiguresOf(new YearlyDeclaration
        {
            Ressources = { new Ressource { Funder = Funder.Caf, AmountEuros = 150_000 }, new Ressource { Funder = Funder.Etat, AmountEuros = 40_000 } },
        });
        Assert.Equal((190_000L, 150_000L, 0L), (ressources["RESSOURCES"], ressources["RESSOURCES_CAF"], ressources["RESSOURCES_COLLECTIVITES"]));
        Assert.DoesNotContain("PERSONNEL", ressources.Keys);
        // Every figure that a gestionnaire declares is one of the catalogue, and all of the catalogue can be declared.
        Assert.Equal(
            SurveyCatalogue.BuiltIn.Figures.Where(f => !f.IsCounted).Select(f => f.Code).Order(StringComparer.Ordinal), figures.Keys.Concat(ressources.Keys).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Imputation_ByItsOwnYearBefore_MovesAsTheOthersMoved()
    {
        var own = new Dictionary<string, long> { ["MESURES_NOUVELLES"] = 50, ["MESURES_NOUVELLES_JUDICIAIRES"] = 40, ["MESURES_NOUVELLES_NON_JUDICIAIRES"] = 10, ["RESSOURCES"] = 100_000 };
        var imputed = Imputation.Of(Figures(), own,
        [
            (Figures(("MESURES_NOUVELLES", 110), ("RESSOURCES", 1)), Figures(("MESURES_NOUVELLES", 100))),
            // Whoever did not answer the year before does not move anybody.
            (Figures(("MESURES_NOUVELLES", 1000)), null),
        ]);

        Assert.Equal((55L, 44L, 11L), (imputed["MESURES_NOUVELLES"], imputed["MESURES_NOUVELLES_JUDICIAIRES"], imputed["MESURES_NOUVELLES_NON_JUDICIAIRES"]));
        Assert.Equal(100_000, imputed["RESSOURCES"]);
    }

    [Fact]
    public void Imputation_WithoutAYearBefore_IsTheMeanOfThoseWhoAnswered()
    {
        var imputed = Imputation.Of(Figures(), null,
        [
            (Figures(("MESURES_NOUVELLES", 10), ("MESURES_NOUVELLES_JUDICIAIRES", 10), ("MESURES_NOUVELLES_NON_JUDICIAIRES", 0)), null),
            (Figures(("MESURES_NOUVELLES", 21), ("MESURES_NOUVELLES_JUDICIAIRES", 11), ("MESURES_NOUVELLES_NON_JUDICIAIRES", 10)), null),
        ]);

        Assert.Equal((16L, 11L, 5L), (imputed["MESURES_NOUVELLES"], imputed["MESURES_NOUVELLES_JUDICIAIRES"], imputed["MESURES_NOUVELLES_NON_JUDICIAIRES"]));
        Assert.False(imputed.ContainsKey("RESSOURCES"));
    }

    [Fact]
    public void Imputation_OfAnything_AddsUpAndIsNeverNegative() =>
        Prop.ForAll(Gen.Choose(0, 500).ArrayOf(3 * SurveyCatalogue.BuiltIn.Figures.Count).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), (values, known) =>
        {
            var count = SurveyCatalogue.BuiltIn.Figures.Count;
            var imputed = Imputation.Of(Figures(), known ? Part(0) : null, [(Part(1), Part(2)), (Part(2), null)]);

            Assert.All(SurveyCatalogue.BuiltIn.Sets.Where(s => imputed.ContainsKey(s.Whole.Code)), s => Assert.Equal(imputed[s.Whole.Code], s.Parts.Sum(p => imputed[p.Code])));
            Assert.All(imputed, f => Assert.True(f.Value >= 0));
            Assert.All(SurveyCatalogue.BuiltIn.Figures.Where(f => f.Whole.Length > 0), f => Assert.True(imputed[f.Code] <= imputed[f.Whole]));

            Dictionary<string, long> Part(int i) => SurveyCatalogue.BuiltIn.Figures.Zip(values.Skip(i * count), (f, v) => (f.Code, (long)v)).ToDictionary();
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Imputation_OfAnAnswerWithGaps_KeepsWhatWasToldAndAddsUpToIt()
    {
        var others = Figures(("MESURES_NOUVELLES", 100), ("MESURES_NOUVELLES_JUDICIAIRES", 90), ("MESURES_NOUVELLES_NON_JUDICIAIRES", 10), ("PERSONNEL", 8), ("PERSONNEL_SALARIES", 6), ("PERSONNEL_BENEVOLES", 2));

        var imputed = Imputation.Of(
            Figures(("MESURES_NOUVELLES_JUDICIAIRES", 30), ("MESURES_NOUVELLES_NON_JUDICIAIRES", 5), ("PERSONNEL", 4), ("PERSONNEL_BENEVOLES", 3)), null, [(others, null)]);

        Assert.Equal((35L, 30L, 5L), (imputed["MESURES_NOUVELLES"], imputed["MESURES_NOUVELLES_JUDICIAIRES"], imputed["MESURES_NOUVELLES_NON_JUDICIAIRES"]));
        Assert.Equal((4L, 1L, 3L), (imputed["PERSONNEL"], imputed["PERSONNEL_SALARIES"], imputed["PERSONNEL_BENEVOLES"]));
        // What nobody told is nobody's.
        Assert.False(imputed.ContainsKey("RESSOURCES"));
        // A whole is never less than those of its parts that are known.
        Assert.Equal(500, Imputation.Of(Figures(("PERSONNEL_SALARIES", 500)), null, [(others, null)])["PERSONNEL"]);
    }

    [Fact]
    public void Imputation_OfAnyGapsInWhatAddsUp_KeepsTheRestAndAddsUpAgain() =>
        Prop.ForAll(Gen.Choose(0, 50).ArrayOf(2 * SurveyCatalogue.BuiltIn.Figures.Count).ToArbitrary(), Gen.Elements(true, false).ArrayOf(SurveyCatalogue.BuiltIn.Figures.Count).ToArbitrary(), (values, told) =>
        {
            var figures = SurveyCatalogue.BuiltIn.Figures;
            var (whole, other) = (AddsUp(values[..figures.Count]), AddsUp(values[figures.Count..]));
            var known = figures.Where((_, i) => told[i]).ToDictionary(f => f.Code, f => whole[f.Code]);

            var imputed = Imputation.Of(known, null, [(other, null)]);

            Assert.Equal(figures.Count, imputed.Count);
            Assert.All(known, f => Assert.Equal(f.Value, imputed[f.Key]));
            Assert.All(SurveyCatalogue.BuiltIn.Sets, s => Assert.Equal(imputed[s.Whole.Code], s.Parts.Sum(p => imputed[p.Code])));
            Assert.All(imputed, f => Assert.True(f.Value >= 0));

            // Any wholes, and parts that make them.
            static Dictionary<string, long> AddsUp(int[] of)
            {
                return Imputation.Of(SurveyCatalogue.BuiltIn.Figures.Zip(of, (f, v) => (f, v)).Where(f => f.f.Whole.Length == 0).ToDictionary(f => f.f.Code, f => (long)f.v), null,
                    [(SurveyCatalogue.BuiltIn.Figures.Zip(of, (f, v) => (f.Code, (long)v)).ToDictionary(), null)]);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Impute_OfAValidatedReturn_AddsOnlyWhatIsMissingAndSaysSo()
    {
        var of = Generated();
        of.Validate(s_now);
        var version = of.Version;

        Assert.True(of.Impute(of.Figures.ToDictionary(f => f.Code, f => f.Value).Append(new("PERSONNEL_SALARIES", 7)).ToDictionary(), s_now.AddDays(1)));

        Assert.Equal((SserReturnState.Validated, SserReturnSource.Computed, version + 1), (of.State, of.Source, of.Version));
        Assert.Equal([("PERSONNEL_SALARIES", 7L)], of.Figures.Where(f => f.Origin == SurveyFigureOrigin.Imputed).Select(f => (f.Code, f.Value)));
        Assert.Contains(new ReturnFlag(SurveyFlagCode.RedresseEnPartie, 1), ReturnReview.Flags(of, null, over: true, null));
        Assert.False(of.Impute(of.Figures.ToDictionary(f => f.Code, f => f.Value), s_now.AddDays(2)));
    }

    private static Dictionary<string, long> Figures(params (string Code, long Value)[] figures) => figures.ToDictionary(f => f.Code, f => f.Value);

    private static Dictionary<string, long> Declared() => Figures(("PERSONNEL", 12), ("PERSONNEL_BENEVOLES", 5), ("RESSOURCES", 200_000));

    private static SserReturn Generated()
    {
        var of = new SserReturn { GestionnaireId = Guid.Empty, Year = 2025 };
        of.Generate(s_counted, Declared(), [], s_now);
        return of;
    }
}
