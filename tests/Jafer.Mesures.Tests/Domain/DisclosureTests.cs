using FsCheck;
using FsCheck.Fluent;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Survey;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>What an attacker can compute from published tables: by elimination exactly, by a linear program in bounds.</summary>
public sealed class DisclosureTests
{
    private static readonly DisclosureColumn[] s_columns =
    [
        new("NOUVELLES"), new("JUDICIAIRES", "NOUVELLES", "origine"), new("NON_JUDICIAIRES", "NOUVELLES", "origine"),
        new("JAF", "JUDICIAIRES", "juge"), new("JE", "JUDICIAIRES", "juge"), new("VIF", "JUDICIAIRES"),
        new("CLOTUREES"), new("TERME", "CLOTUREES", "type"), new("SANS_SUITE", "CLOTUREES", "type"), new("INTERRUPTION", "CLOTUREES", "type"),
        new("MOINS_6", "CLOTUREES", "duree"), new("PLUS_6", "CLOTUREES", "duree"),
        new("EN_COURS"), new("EN_ATTENTE"),
        new("PERSONNEL", NationOnly: true), new("SALARIES", "PERSONNEL", "statut", true), new("BENEVOLES", "PERSONNEL", "statut", true),
    ];

    // Leaves of the tree: JAF, JE, NON_JUDICIAIRES, VIF per cent, TERME, SANS_SUITE, INTERRUPTION, MOINS_6 per cent, EN_COURS, EN_ATTENTE.
    private static Gen<long[]> Row => Gen.Frequency((3, Gen.Choose(0, 6)), (2, Gen.Choose(5, 30)), (2, Gen.Choose(30, 200))).Select(n => (long)n).ArrayOf(10);

    private static Arbitrary<(long[][] Rows, int Salaries, int Benevoles, int Shift)> Tables =>
        (from rows in Row.ListOf().Select(r => r.Take(5).ToArray())
         from salaries in Gen.Choose(0, 40)
         from benevoles in Gen.Choose(0, 6)
         from shift in Gen.Choose(0, 3)
         select (rows.Select(Figures).ToArray(), salaries, benevoles, shift)).ToArbitrary();

    [Fact]
    public void Protect_OfAnything_LetsNoSmallCellBeComputedOrBounded() => Prop.ForAll(Tables, given =>
    {
        var (rows, nation) = TablesOf(given);
        AssertSafe(s_columns, nation, rows);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    [Fact]
    public void Protect_OfTheSameTables_IsTheSameInAnyOrderOfTheRows() => Prop.ForAll(Tables, given =>
    {
        var (rows, nation) = TablesOf(given);
        var one = Disclosure.Protect(s_columns, nation, rows);
        var other = Disclosure.Protect(s_columns, nation, rows.Reverse());
        return one.Nation.SequenceEqual(other.Nation) && one.Rows.All(r => r.Value.SequenceEqual(other.Rows[r.Key]));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Protect_WhereNothingIsSmall_WithholdsNothing() => Prop.ForAll(
        Gen.Choose(5, 400).Select(n => (long)n).ArrayOf(10).ListOf().Select(rows => rows.Take(9).Select(r => Figures([.. r.Take(3), 50, .. r.Skip(4).Take(3), 50, .. r.Skip(8)])).ToArray()).ToArbitrary(),
        figures =>
        {
            var (rows, nation) = TablesOf((figures, 20, 20, 0));
            var small = rows.SelectMany(r => Enumerable.Range(0, s_columns.Length).Select(c => r.Values[c] ?? 0)).Any(SmallCells.IsSmall);
            var result = Disclosure.Protect(s_columns, nation, rows);
            return small || (!result.Nation.Contains(true) && result.Rows.Values.All(r => !r.Contains(true)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Protect_OneSmallCell_WithholdsASquareAndTellsTheZeros()
    {
        DisclosureColumn[] columns = [new("C"), new("A", "C", "x"), new("B", "C", "x"), new("Z", "C", "x")];
        DisclosureRow[] rows = [new("01", [40, 3, 37, 0]), new("02", [50, 20, 30, 0]), new("03", [60, 20, 40, 0])];

        var result = Disclosure.Protect(columns, [150, 43, 107, 0], rows);

        Assert.DoesNotContain(true, result.Nation);
        Assert.Equal([false, true, true, false], result.Rows["01"]);
        Assert.Equal([false, true, true, false], result.Rows["02"]);
        Assert.Equal([false, false, false, false], result.Rows["03"]);
    }

    [Fact]
    public void Protect_SubtractionByHand_RecoversNothing()
    {
        DisclosureColumn[] columns = [new("CLOTUREES"), new("TERME", "CLOTUREES", "type"), new("SANS_SUITE", "CLOTUREES", "type"), new("AUTRE", "CLOTUREES", "type")];
        DisclosureRow[] rows = [new("32", [61, 30, 29, 2]), new("46", [80, 41, 32, 7]), new("65", [3, 2, 1, 0], true), new("69", [410, 200, 180, 30])];
        long?[] nation = [554, 273, 242, 39];

        var result = Disclosure.Protect(columns, nation, rows);

        for (var c = 0; c < columns.Length; c++)
        {
            // Nation less départements: never only one is missing, and what is missing together could be five or more in each.
            var missing = rows.Where(r => result.Rows[r.Code][c]).ToArray();
            Assert.NotEqual(1, missing.Length);
            Assert.True(missing.All(r => !SmallCells.IsSmall(r.Values[c]!.Value)) || nation[c] - rows.Except(missing).Sum(r => r.Values[c]) > SmallCells.Least);
        }

        // Whole less parts: never only one part is missing where the whole is told.
        Assert.All(rows.Where(r => !result.Rows[r.Code][0]), r => Assert.NotEqual(1, result.Rows[r.Code].Skip(1).Count(w => w)));
        Assert.DoesNotContain(false, result.Rows["65"]);
        Assert.True(result.Rows["32"][3]);
        AssertSafe(columns, nation, rows);
    }

    [Fact]
    public void Protect_ARowOfFewMesures_HidesItsLargerCountsToo()
    {
        DisclosureColumn[] columns = [new("NOUVELLES"), new("RENCONTRES"), new("TENUES", "RENCONTRES", "issue"), new("AUTRES", "RENCONTRES", "issue")];
        DisclosureRow[] rows = [new("01", [3, 40, 30, 10], true), new("02", [70, 600, 500, 100]), new("03", [80, 800, 650, 150])];

        var result = Disclosure.Protect(columns, [153, 1440, 1180, 260], rows);

        Assert.DoesNotContain(false, result.Rows["01"]);
        Assert.DoesNotContain(false, result.Rows["02"]);
        Assert.DoesNotContain(true, result.Rows["03"]);
    }

    [Fact]
    public void Protect_YearAfterYear_LeavesNothingToSubtract()
    {
        // The stock of a year is that of the year before with what came and without what went; who was not contacted yet is never told.
        DisclosureColumn[] columns = [new("NOUVELLES"), new("CLOTUREES"), new("EN_COURS"), new("EN_ATTENTE")];
        DisclosureRow[] before = [new("01", [60, 50, 40, 30]), new("02", [70, 60, 50, 20]), new("03", [80, 80, 90, 40])];
        DisclosureRow[] after = [new("01", [55, 50, 70, 3]), new("02", [65, 60, 50, 25]), new("03", [80, 80, 90, 40])];
        var results = new[] { before, after }.Select(rows => Disclosure.Protect(columns, Sum(rows), rows)).ToArray();

        Assert.DoesNotContain(true, results[0].Rows["01"]);
        Assert.Equal([false, false, false, true], results[1].Rows["01"]);
        Assert.Equal([false, false, false, true], results[1].Rows["02"]);

        // By hand: 3 = 70 (stock before) + 55 - 50 - 70 - who was not contacted (2), which is not told: from 0 to 5 agree.
        var stockBefore = before[0].Values[2] + before[0].Values[3];
        Assert.Equal(5, stockBefore + after[0].Values[0] - after[0].Values[1] - after[0].Values[2]);

        static long?[] Sum(DisclosureRow[] rows) => [.. Enumerable.Range(0, 4).Select(c => rows.Sum(r => r.Values[c]))];
    }

    [Fact]
    public void Protect_APartThatStandsForItself_HidesWhatIsLeftOfItsWhole()
    {
        DisclosureColumn[] columns = [new("JUDICIAIRES"), new("SITUATION", "JUDICIAIRES")];

        // Three without a situation: the part is as telling as they are.
        var result = Disclosure.Protect(columns, [140, 80], [new("01", [40, 37]), new("02", [100, 43])]);

        Assert.Equal([false, true], result.Rows["01"]);
        Assert.Equal([false, true], result.Rows["02"]);
    }

    [Fact]
    public void Protect_SmallNation_HidesTheSmallAloneAndWhatTellsIt()
    {
        DisclosureColumn[] columns = [new("NOUVELLES"), new("CLOTUREES"), new("TERME", "CLOTUREES", "type"), new("AUTRE", "CLOTUREES", "type"), new("BUDGET", NationOnly: true)];

        var result = Disclosure.Protect(columns, [30, 3, 3, 0, 12], []);

        Assert.Equal([false, true, true, false, false], result.Nation);
    }

    [Fact]
    public void Protect_AYearOfAllDepartements_LosesLittle()
    {
        var random = new Random(7);
        long[][] figures = [.. Enumerable.Range(0, 101).Select(_ => Figures([.. Enumerable.Range(0, 10).Select(i => i is 3 or 7 ? random.Next(20, 80) : (long)(Math.Exp(random.NextDouble() * 3.5) * 4))]))];
        var (rows, nation) = TablesOf((figures, 2000, 150, 0));

        var result = Disclosure.Protect(s_columns, nation, rows);

        var cells = rows.SelectMany(r => Enumerable.Range(0, 14).Select(c => (Small: SmallCells.IsSmall(r.Values[c]!.Value), Withheld: result.Rows[r.Code][c]))).ToArray();
        var primary = cells.Count(c => c.Small);
        Assert.True(primary > 0);
        Assert.True(cells.Count(c => c.Withheld) < 4 * primary, $"{cells.Count(c => c.Withheld)} withheld for {primary} small of {cells.Length}");
        Assert.DoesNotContain(true, result.Nation);
    }

    private static long[] Figures(long[] leaves)
    {
        var judiciaires = leaves[0] + leaves[1];
        var closed = leaves[4] + leaves[5] + leaves[6];
        var under = closed * (leaves[7] % 101) / 100;
        return
        [
            judiciaires + leaves[2], judiciaires, leaves[2], leaves[0], leaves[1], judiciaires * (leaves[3] % 101) / 100,
            closed, leaves[4], leaves[5], leaves[6], under, closed - under, leaves[8], leaves[9],
        ];
    }

    // The nation need not be the sum: it counts those who answered on paper, and what was imputed.
    private static (DisclosureRow[] Rows, long?[] Nation) TablesOf((long[][] Rows, int Salaries, int Benevoles, int Shift) given)
    {
        DisclosureRow[] rows = [.. given.Rows.Select((r, i) => new DisclosureRow($"{i + 1:00}", [.. r.Select(v => (long?)v), null, null, null]))];
        var sums = Enumerable.Range(0, 14).Select(c => given.Rows.Sum(r => r[c])).ToArray();
        if (given.Shift > 0)
        {
            foreach (var c in (int[])[0, 1, 3, 6, 7, 10, 12])
            {
                sums[c] += given.Shift;
            }
        }

        return (rows, [.. sums.Select(s => (long?)s), given.Salaries + given.Benevoles, given.Salaries, given.Benevoles]);
    }

    private static void AssertSafe(DisclosureColumn[] columns, long?[] nation, DisclosureRow[] rows)
    {
        var result = Disclosure.Protect(columns, nation, rows);
        var attacker = new Attacker(columns, nation, rows, result);
        foreach (var (variable, value, name) in attacker.Small)
        {
            Assert.True(variable >= 0, $"{name} is told: {value}");
            Assert.False(attacker.Computes(variable), $"{name} can be computed: {value}");
            Assert.True(attacker.Most(variable) >= SmallCells.Least - 1e-6, $"{name} is known to lie below five: {value}");
        }
    }

    /// <summary>Knows every cell that is told, and how the tables hang together.</summary>
    private sealed class Attacker
    {
        private readonly List<double[]> _equations = [];
        private readonly SimplexAttack _bounds = new();
        private readonly List<(int Variable, double By)[]> _sparse = [];
        private readonly List<double> _values = [];
        private int _count;

        public Attacker(DisclosureColumn[] columns, long?[] nation, DisclosureRow[] rows, DisclosureResult result)
        {
            var index = columns.Select((c, i) => (c.Code, i)).ToDictionary(c => c.Code, c => c.i);
            (string Code, IReadOnlyList<long?> Values, IReadOnlyList<bool> Withheld)[] all = [.. rows.Select(r => (r.Code, r.Values, result.Rows[r.Code])), ("nation", nation, result.Nation)];
            int[][] variables = [.. all.Select((row, r) => columns.Select((c, i) => (r == rows.Length || !c.NationOnly) && row.Withheld[i] ? New(row.Values[i] ?? 0) : -1).ToArray())];
            foreach (var (row, r) in all.Select((row, r) => (row, r)))
            {
                double Value(int c) => row.Values[c] ?? 0;
                bool Exists(int c) => r == rows.Length || !columns[c].NationOnly;
                for (var c = 0; c < columns.Length; c++)
                {
                    if (Exists(c) && SmallCells.IsSmall((long)Value(c)))
                    {
                        Small.Add((variables[r][c], (long)Value(c), $"{columns[c].Code} of {row.Code}"));
                    }
                }

                foreach (var set in Enumerable.Range(0, columns.Length).Where(c => columns[c].Whole is not null && Exists(c)).GroupBy(c => (columns[c].Whole, Set: columns[c].Set ?? columns[c].Code)))
                {
                    var whole = index[set.Key.Whole!];
                    var left = Value(whole) - set.Sum(Value);

                    // What is left is not known, unless it is known that the parts add up.
                    var known = columns[set.First()].Set is not null && all.All(a => set.Sum(c => a.Values[c] ?? 0) >= (a.Values[whole] ?? 0));
                    var (slack, sign) = known || left < 0 ? (-1, 0) : (New(left), 1);
                    Add([(variables[r][whole], 1, Value(whole)), .. set.Select(c => (variables[r][c], -1.0, Value(c))), (slack, -sign, left)]);
                    if (slack >= 0 && SmallCells.IsSmall((long)left) && (variables[r][whole] >= 0 || set.Any(c => variables[r][c] >= 0)))
                    {
                        Small.Add((slack, (long)left, $"what is left of {set.Key} of {row.Code}"));
                    }
                    else if (slack >= 0 && SmallCells.IsSmall((long)left))
                    {
                        Small.Add((-1, (long)left, $"what is left of {set.Key} of {row.Code}"));
                    }
                }
            }

            for (var c = 0; c < columns.Length; c++)
            {
                if (!columns[c].NationOnly && rows.Length > 0)
                {
                    // Where the nation counts more than the rows do, nobody knows by how much.
                    var more = (nation[c] ?? 0) - rows.Sum(r => r.Values[c] ?? 0);
                    Add([.. Enumerable.Range(0, rows.Length).Select(r => (variables[r][c], 1.0, (double)(rows[r].Values[c] ?? 0))), (variables[rows.Length][c], -1, nation[c] ?? 0), (more > 0 ? New(more) : -1, 1, more)]);
                }
            }

            foreach (var equation in _sparse)
            {
                var dense = new double[_count];
                foreach (var (variable, by) in equation)
                {
                    dense[variable] += by;
                }

                _equations.Add(dense);
                _bounds.Equal(equation.Sum(e => e.By * _values[e.Variable]), equation.Select(e => ($"{e.Variable}", e.By)));
            }
        }

        /// <summary>The cells from one to four; -1 for a variable that is told.</summary>
        public List<(int Variable, long Value, string Name)> Small { get; } = [];

        /// <summary>Whether elimination gives the variable exactly.</summary>
        public bool Computes(int variable)
        {
            // It does when the variable's unit vector is a combination of the equations.
            var rows = _equations.Select(e => (double[])e.Clone()).ToList();
            var target = new double[_count];
            target[variable] = 1;
            for (var c = 0; c < _count; c++)
            {
                var pivot = rows.FindIndex(r => Math.Abs(r[c]) > 1e-9);
                if (pivot < 0)
                {
                    continue;
                }

                var row = rows[pivot];
                rows.RemoveAt(pivot);
                foreach (var other in rows.Append(target))
                {
                    var by = other[c] / row[c];
                    for (var i = c; i < _count && by != 0; i++)
                    {
                        other[i] -= by * row[i];
                    }
                }
            }

            return target.All(t => Math.Abs(t) < 1e-6);
        }

        /// <summary>The most that the variable can be, no variable being below zero; not sought beyond what is no longer small.</summary>
        public double Most(int variable) => _bounds.Most($"{variable}", SmallCells.Least);

        private int New(double value)
        {
            _values.Add(value);
            return _count++;
        }

        private void Add((int Variable, double By, double Value)[] terms)
        {
            var unknown = terms.Where(t => t.Variable >= 0 && t.By != 0).Select(t => (t.Variable, t.By)).ToArray();
            if (unknown.Length > 0)
            {
                _sparse.Add(unknown);
            }
        }
    }
}
