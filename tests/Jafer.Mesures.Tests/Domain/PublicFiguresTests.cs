using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Survey;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>
/// What an attacker can compute who has everything that is told of several years, of the nation and of every département (a région and
/// the territories of two partners together are no more than that), and knows the definitions of all figures, told or not.
/// </summary>
public sealed class PublicFiguresTests
{
    private const int LastYear = 2025;
    private const int Years = 3;

    private static readonly SurveyFigureRow[] s_counted =
        [.. SurveyCatalogue.BuiltIn.Figures.Where(f => f.IsCounted && !f.Code.StartsWith("MOTIF_", StringComparison.Ordinal))];

    [Theory]
    [InlineData(1, 20, 217, 60)]
    [InlineData(2, 12, 120, 40)]
    [InlineData(3, 2, 60, 0)]
    [InlineData(4, 10, 40, 10)]
    public void Told_OfSeveralYears_LetsNoSmallCountBeComputedOrBounded(int seed, int departements, int size, int percentTold)
    {
        var counts = Counts(seed, departements, size);
        var attack = new SimplexAttack();
        var (told, cells, zeros) = (0, 0, 0);
        for (var year = LastYear - Years + 1; year <= LastYear; year++)
        {
            var rows = counts[year];
            var nation = Sum(rows.Values);
            var pattern = PublicFigures.Withheld(rows);
            var withheld = PublicFigures.Withheld(nation, pattern);
            foreach (var code in PublicFigures.Told.Where(f => f.IsCounted).Select(f => f.Code).Where(c => !withheld.Contains(c)))
            {
                attack.Know(Name(year, "FRANCE", code), nation.GetValueOrDefault(code));
            }

            foreach (var (departement, of) in rows)
            {
                Relate(attack, year, departement, counts.GetValueOrDefault(year - 1)?.ContainsKey(departement));
                foreach (var code in PublicFigures.ToldByDepartement.Select(f => f.Code))
                {
                    cells++;
                    if (!pattern.Departements[departement].Contains(code))
                    {
                        attack.Know(Name(year, departement, code), of.GetValueOrDefault(code));
                        told++;
                    }
                    else if (of.GetValueOrDefault(code) == 0)
                    {
                        zeros++;
                    }
                }
            }

            // How the nation hangs together follows from how its départements do. What it tells of nothing is nothing's equation.
            foreach (var code in s_counted.Select(f => f.Code).Where(c => PublicFigures.Told.Any(f => f.Code == c) || SmallCells.IsSmall(nation.GetValueOrDefault(c))))
            {
                attack.Equal(0, [(Name(year, "FRANCE", code), -1), .. rows.Keys.Select(d => (Name(year, d, code), 1.0))]);
            }
        }

        var (tried, found) = (0, new List<string>());
        foreach (var (year, rows) in counts)
        {
            foreach (var (departement, of) in rows.Append(new("FRANCE", Sum(rows.Values))))
            {
                foreach (var code in s_counted.Select(f => f.Code).Where(c => SmallCells.IsSmall(of.GetValueOrDefault(c))))
                {
                    tried++;
                    var most = attack.Most(Name(year, departement, code), SmallCells.Least);
                    if (most < SmallCells.Least - 1e-6)
                    {
                        found.Add($"{code} of {departement} in {year} is {of[code]}, known to be at most {most:0.##}");
                    }
                }
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{told} of {cells} cells of départements told, {zeros} zeros withheld, {tried} small counts attacked");
        Assert.True(tried > 20);
        // Two with hardly any mesure, and what is rare, must not hide all others.
        Assert.True(100 * told >= percentTold * cells, $"{told} of {cells} cells are told");
        Assert.True(found.Count == 0, $"{found.Count} of {tried}: {string.Join("; ", found.Take(12))}");
    }

    // What anybody can know who reads definitions.csv, of any row.
    private static void Relate(SimplexAttack attack, int year, string row, bool? wasThere)
    {
        (string, double) Plus(string code, double by = 1) => (Name(year, row, code), by);
        foreach (var set in s_counted.Where(f => f.Whole.Length > 0).GroupBy(f => (f.Whole, Set: f.Set.Length > 0 ? f.Set : f.Code)))
        {
            if (set.First().Set.Length > 0)
            {
                attack.Equal(0, [Plus(set.Key.Whole, -1), .. set.Select(f => Plus(f.Code))]);
            }
            else
            {
                attack.AtMost(0, Plus(set.First().Code), Plus(set.Key.Whole, -1));
            }
        }

        // Durations are of their origin; below eleven are three of the ages.
        string[] bands = ["MOINS_DE_6_MOIS", "6_A_12_MOIS", "12_MOIS_ET_PLUS"];
        foreach (var origin in (string[])["JUDICIAIRES", "NON_JUDICIAIRES"])
        {
            attack.AtMost(0, [.. bands.Select(b => Plus($"DUREE_{origin}_{b}")), Plus($"MESURES_CLOTUREES_{origin}", -1)]);
        }

        attack.Equal(0, Plus("ENFANTS_MOINS_DE_11_ANS", -1), Plus("ENFANTS_0_A_2_ANS"), Plus("ENFANTS_3_A_5_ANS"), Plus("ENFANTS_6_A_10_ANS"));

        // Closed without follow-up is without a rencontre; what else has none is closed for another reason.
        attack.AtMost(0, Plus("MESURES_CLOTUREES_SANS_SUITE"), Plus("DUREE_SANS_RENCONTRE", -1));
        attack.AtMost(0, Plus("DUREE_SANS_RENCONTRE"), Plus("MESURES_CLOTUREES_SANS_SUITE", -1), Plus("MESURES_CLOTUREES_AUTRE", -1));
        attack.AtMost(0, Plus("INTERRUPTION_JUDICIAIRES"), Plus("MESURES_CLOTUREES_JUDICIAIRES", -1));
        attack.AtMost(0, Plus("MESURES_CLOTUREES_INTERRUPTION"), Plus("INTERRUPTION_JUDICIAIRES", -1), Plus("MESURES_CLOTUREES_NON_JUDICIAIRES", -1));

        // The principal situation is one of those that are given; where it is not said there are two or more.
        string[] situations = ["VIOLENCES_INTRAFAMILIALES", "TROUBLES_PSYCHIATRIQUES", "ADDICTION"];
        foreach (var situation in situations)
        {
            attack.AtMost(0, Plus($"SITUATION_PRINCIPALE_{situation}"), Plus($"SITUATION_{situation}", -1));
        }

        attack.AtMost(0, [Plus("SITUATION_AU_MOINS_UNE"), Plus("SITUATION_PRINCIPALE_NON_PRECISEE"), .. situations.Select(s => Plus($"SITUATION_{s}", -1))]);

        // The stock of a year is what the next begins with, and nothing for who was not there. Of the first year nobody knows what it began with.
        attack.Equal(0, Plus("STOCK_DEBUT"), Plus("MESURES_NOUVELLES"), Plus("MESURES_CLOTUREES", -1), Plus("SORTIES_PAR_TRANSFERT", -1), Plus("STOCK_FIN", -1));
        if (wasThere == true)
        {
            attack.Equal(0, Plus("STOCK_DEBUT"), (Name(year - 1, row, "STOCK_FIN"), -1));
        }
        else if (wasThere == false)
        {
            attack.Know(Name(year, row, "STOCK_DEBUT"), 0);
        }
    }

    private static string Name(int year, string row, string code) => $"{year} {row} {code}";

    private static Dictionary<string, long> Sum(IEnumerable<Dictionary<string, long>> rows) => rows.SelectMany(r => r).GroupBy(f => f.Key).ToDictionary(g => g.Key, g => g.Sum(f => f.Value));

    // Mesures as they come, counted by the one place that counts. Each département has about the size, the first two three mesures a year.
    private static SortedDictionary<int, SortedDictionary<string, Dictionary<string, long>>> Counts(int seed, int departements, int size)
    {
        var random = new Random(seed);
        var codes = SurveyCatalogue.BuiltIn.Figures.ToDictionary(f => f.Number, f => f.Code);
        var counts = new SortedDictionary<int, SortedDictionary<string, Dictionary<string, long>>>();
        for (var d = 1; d <= departements; d++)
        {
            var departement = $"{d:00}";
            var mesures = departements > 4 && d <= 2 ? 9 : (int)(size * (0.4 + (1.8 * random.NextDouble()))) * Years;
            // The last of them begins in the last year.
            var since = departements > 4 && d == departements ? LastYear : LastYear - Years;
            for (var m = 0; m < mesures; m++)
            {
                foreach (var (year, figures) in SurveyCounting.BuiltIn.Count(Case(random, departement, since), LastYear).Where(y => y.Key > LastYear - Years))
                {
                    if (!counts.TryGetValue(year, out var rows))
                    {
                        counts[year] = rows = new(StringComparer.Ordinal);
                    }

                    if (!rows.TryGetValue(departement, out var of))
                    {
                        rows[departement] = of = [];
                    }

                    foreach (var (number, count) in figures)
                    {
                        of[codes[number]] = of.GetValueOrDefault(codes[number]) + count;
                    }
                }
            }
        }

        return counts;
    }

    private static SurveyCase Case(Random random, string departement, int since)
    {
        T Of<T>(params T[] choices) => choices[random.Next(choices.Length)];
        bool Chance(double probability) => random.NextDouble() < probability;

        var received = new DateOnly(since, 1, 1).AddDays(random.Next(365 * (LastYear - since + 1)));
        var judicial = Chance(0.9);
        var contacted = received.AddDays(10 + random.Next(40));
        DateOnly? scheduled = Chance(0.75) ? contacted.AddDays(random.Next(60)) : null;
        DateOnly? closed = Chance(0.85) ? (scheduled ?? contacted).AddDays(random.Next(scheduled is null ? 90 : 420)) : null;
        var situations = Chance(0.4) ? new[] { SituationParticuliere.ViolencesIntrafamiliales, SituationParticuliere.TroublesPsychiatriques, SituationParticuliere.Addiction }.Where(_ => Chance(0.45)).ToArray() : [];
        return new SurveyCase
        {
            MesureId = Guid.Empty,
            GestionnaireId = Guid.Empty,
            Departement = departement,
            Nature = judicial ? MesureNature.Judiciaire : MesureNature.NonJudiciaire,
            Origin = judicial ? NonJudicialOrigin.Unspecified : Of(Enum.GetValues<NonJudicialOrigin>()),
            DecisionNature = Of(DecisionNature.Jugement, DecisionNature.Ordonnance, DecisionNature.Arret),
            LegalBasis = Of(LegalBasis.Article37321, LegalBasis.Article37321, LegalBasis.Article37329, LegalBasis.Article3757),
            Situations = situations,
            PrincipalSituation = situations.Length > 0 && Chance(0.8) ? Of(situations) : SituationParticuliere.Unspecified,
            ByTransfer = Chance(0.02),
            ReceivedOn = received,
            ContactedOn = contacted,
            ScheduledOn = scheduled,
            PlannedOn = scheduled?.AddDays(14),
            EverScheduled = scheduled is not null,
            ClosedOn = closed,
            ClosureReason = closed is null ? ClosureReason.Unspecified
                : Chance(0.02) ? ClosureReason.Transfert
                : scheduled is null ? Of(ClosureReason.SansSuiteRefusHote, ClosureReason.SansSuiteAbsenceDeContactVisiteur, ClosureReason.SansSuiteRefusVisiteur, ClosureReason.Autre)
                : Of(ClosureReason.ArriveeATerme, ClosureReason.ArriveeATerme, ClosureReason.InterruptionIncident, ClosureReason.InterruptionMeilleurAccord, ClosureReason.JugeModification, ClosureReason.Autre),
            Rencontres = scheduled is { } first ? [(first.Year, RencontreOutcome.Held, random.Next(12)), (first.Year, Of(Enum.GetValues<RencontreOutcome>()), 1)] : [],
            Children = scheduled is { Year: var year } && Chance(0.8) ? [(year, Chance(0.97) ? random.Next(19) : null)] : [],
        };
    }
}
