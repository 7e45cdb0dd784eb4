namespace Jafer.Mesures.Domain;

/// <summary>
/// Which counts others must not be told. A count of one to four mesures could tell of one family (domain rule 18), and so could every
/// count by which it can be computed from the total and from what is told beside it.
/// </summary>
internal static class SmallCells
{
    /// <summary>Fewer mesures than that are a small cell.</summary>
    public const int Least = 5;

    /// <summary>Whether a count is told to its holder alone.</summary>
    public static bool IsSmall(long count) => count is > 0 and < Least;

    /// <summary>
    /// Which groups keep all their counts to themselves: those with a small cell, since the cells of a group follow from one another,
    /// and others until no small cell follows from the totals.
    /// </summary>
    /// <param name="groups">For each group, in an order that does not depend on them, its counts by column; 0 where it has none.</param>
    /// <returns>For each group whether its counts are withheld; null when not even the rows may be told.</returns>
    public static bool[]? Withheld(IReadOnlyList<IReadOnlyList<long>> groups)
    {
        var withheld = groups.Select(g => g.Any(IsSmall)).ToArray();
        var first = Array.IndexOf(withheld, true);

        // Where the total has a small cell it tells nothing either.
        if (first < 0 || Columns(groups).Select(column => column.Sum()).Any(IsSmall))
        {
            return withheld;
        }

        // The next in order, not the least: which one it is must not tell how much it has.
        for (var i = 1; i < groups.Count && !IsSafe(groups, withheld); i++)
        {
            withheld[(first + i) % groups.Count] = true;
        }

        return IsSafe(groups, withheld) ? withheld : null;
    }

    /// <summary>
    /// Which groups keep to themselves how they are divided into parts, though they tell their sum: those with a small part, and one
    /// more where there is but one. Two groups of five or more that are not told can always have exchanged a mesure.
    /// </summary>
    /// <param name="groups">For each group, in an order that does not depend on them, its parts.</param>
    /// <param name="untold">Those of which nothing is told anyway.</param>
    public static bool[] Undivided(IReadOnlyList<IReadOnlyList<long>> groups, IReadOnlyList<bool> untold)
    {
        var withheld = groups.Select((g, i) => untold[i] || g.Any(IsSmall)).ToArray();
        if (withheld.Count(w => w) == 1 && groups.Count > 1)
        {
            withheld[(Array.IndexOf(withheld, true) + 1) % groups.Count] = true;
        }

        return withheld;
    }

    // Whoever knows the total knows the sum of what is withheld: it must leave more than one possibility for each small cell, from
    // one to four each, beside cells that are known to be larger.
    private static bool IsSafe(IReadOnlyList<IReadOnlyList<long>> groups, bool[] withheld) => Columns([.. groups.Where((_, i) => withheld[i])]).All(column =>
    {
        var small = column.Count(IsSmall);
        var large = column.Count(c => c >= Least);
        var sum = column.Sum();
        return small == 0 || (small + large > 1 && sum > small + (large * Least) && (large > 0 || sum < small * (Least - 1)));
    });

    private static IEnumerable<IReadOnlyList<long>> Columns(IReadOnlyList<IReadOnlyList<long>> groups) =>
        Enumerable.Range(0, groups.Count == 0 ? 0 : groups[0].Count).Select(i => groups.Select(g => g[i]).ToArray());
}
