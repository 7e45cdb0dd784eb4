using FsCheck;
using FsCheck.Fluent;
using Jafer.Mesures.Domain;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>What others can compute from what they are told.</summary>
public sealed class SmallCellsTests
{
    // Some groups of three columns, small more often than not.
    private static Arbitrary<long[][]> Tables => Gen.Frequency((5, Gen.Choose(0, 7)), (1, Gen.Choose(8, 60))).Select(n => (long)n).ArrayOf(3).NonEmptyListOf()
        .Select(rows => rows.Take(9).ToArray()).ToArbitrary();

    private static Arbitrary<long[][]> SmallTables =>
        Gen.Choose(0, 6).Select(n => (long)n).ArrayOf(3).Where(row => row.Sum() is 0 or >= SmallCells.Least).ListOf().Select(rows => rows.Take(4).ToArray()).ToArbitrary();

    [Theory]
    [InlineData(new long[] { 3, 9, 12 }, new[] { true, true, false })]
    [InlineData(new long[] { 9, 12, 3 }, new[] { true, false, true })]
    [InlineData(new long[] { 9, 12, 5 }, new[] { false, false, false })]
    [InlineData(new long[] { 3, 4, 12 }, new[] { true, true, false })]
    [InlineData(new long[] { 1, 1, 12 }, new[] { true, true, true })]
    [InlineData(new long[] { 4, 4, 12, 12 }, new[] { true, true, true, false })]
    [InlineData(new long[] { 1, 5, 12 }, new[] { true, true, true })]
    [InlineData(new long[] { 3 }, new[] { true })]
    [InlineData(new long[] { 1, 1 }, new[] { true, true })]
    public void Withheld_OfOneColumn_TakesInWhoeverWouldGiveAwayASmallCell(long[] counts, bool[] withheld) =>
        Assert.Equal(withheld, SmallCells.Withheld([.. counts.Select(c => new[] { c })]));

    [Fact]
    public void Withheld_WhereTheTotalAloneTellsAll_LeavesNoRow() => Assert.Null(SmallCells.Withheld([[1], [1], [1], [1], [1]]));

    [Fact]
    public void Withheld_OfAnything_LetsNoSmallCellBeComputed() => Prop.ForAll(Tables, groups =>
    {
        if (SmallCells.Withheld(groups) is not { } withheld)
        {
            return true;
        }

        var totals = Enumerable.Range(0, 3).Select(c => groups.Sum(g => g[c])).ToArray();
        var totalIsTold = SmallCells.Withheld([totals])!.SequenceEqual([false]);
        return Enumerable.Range(0, 3).All(column => groups.Select((g, i) => (Count: g[column], Withheld: withheld[i])).All(cell =>
        {
            if (!SmallCells.IsSmall(cell.Count))
            {
                return true;
            }

            if (!cell.Withheld)
            {
                return false;
            }

            if (!totalIsTold)
            {
                return true;
            }

            // What is known: the total less what is told; small cells are marked, others are five or more.
            var unknown = groups.Where((_, i) => withheld[i]).Select(g => g[column]).Where(n => n > 0).ToArray();
            var sum = totals[column] - groups.Where((_, i) => !withheld[i]).Sum(g => g[column]);
            var possible = Enumerable.Range(1, 4).Count(value => Reaches(unknown.Length - 1, unknown.Count(SmallCells.IsSmall) - 1, sum - value));
            return possible > 1;
        }));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Withheld_OfHoldersWithoutSmallCells_IsNothing() => Prop.ForAll(Tables, groups =>
        groups.Any(g => g.Any(SmallCells.IsSmall)) || SmallCells.Withheld(groups)!.All(w => !w)).QuickCheckThrowOnFailure();

    [Fact]
    public void Undivided_OfAnything_LetsNoSmallPartBeComputed() => Prop.ForAll(SmallTables, groups =>
    {
        groups = [.. groups.Where(g => g.Sum() > 0)];
        var withheld = SmallCells.Undivided(groups, new bool[groups.Length]);
        var unknown = groups.Where((_, i) => withheld[i]).ToArray();
        var totals = Enumerable.Range(0, 3).Select(c => groups.Sum(g => g[c])).ToArray();
        if (groups.Where((_, i) => !withheld[i]).Any(g => g.Any(SmallCells.IsSmall)))
        {
            return false;
        }

        // Where the total itself tells no parts, or nothing is withheld, there is nothing to compute from.
        if (unknown.Length == 0 || SmallCells.Undivided([totals], [false])[0])
        {
            return true;
        }

        // All ways to divide the groups by what is known: the sum of each, and what the withheld ones have together of each part.
        var ways = new List<long[][]>();
        Divide(unknown.Select(g => g.Sum()).ToArray(), Enumerable.Range(0, 3).Select(c => unknown.Sum(g => g[c])).ToArray(), [], ways);
        return unknown.Select((g, i) => (g, i)).All(group => Enumerable.Range(0, 3)
            .Where(c => SmallCells.IsSmall(group.g[c])).All(c => ways.Select(way => way[group.i][c]).Distinct().Count() > 1));
    }).QuickCheckThrowOnFailure();

    // Whether so many cells, of them so many small, can have a sum.
    private static bool Reaches(int cells, int small, long sum)
    {
        var large = cells - small;
        return sum >= small + (5 * large) && (large > 0 || sum <= 4 * small);
    }

    private static void Divide(long[] sums, long[] left, long[][] before, List<long[][]> ways)
    {
        if (before.Length == sums.Length)
        {
            ways.Add(before);
            return;
        }

        var sum = sums[before.Length];
        if (before.Length == sums.Length - 1)
        {
            if (left.Sum() == sum)
            {
                ways.Add([.. before, left]);
            }

            return;
        }

        for (var a = 0L; a <= Math.Min(sum, left[0]); a++)
        {
            for (var b = 0L; b <= Math.Min(sum - a, left[1]); b++)
            {
                if (sum - a - b is var c && c <= left[2])
                {
                    Divide(sums, [left[0] - a, left[1] - b, left[2] - c], [.. before, [a, b, c]], ways);
                }
            }
        }
    }
}
