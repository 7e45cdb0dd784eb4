using System.Numerics;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>
/// Figures for who did not answer, or not all of it. By the gestionnaire's own return of the year before, moved as those who answered both
/// years moved (ratio imputation); without one, the mean of those who answered. What is known stands; parts add up to their wholes.
/// </summary>
/// <remarks>
/// Ratio and mean imputation: R. J. A. Little, D. B. Rubin, Statistical Analysis with Missing Data, 3rd ed. 2019, chapter 4. SSER says of
/// the one association that did not answer in 2025 only that its data were « redressées ».
/// </remarks>
internal static class Imputation
{
    /// <summary>The figures of one gestionnaire: what is known, and what is imputed where nothing is. A figure that nobody told stays away.</summary>
    /// <param name="known">What is known of the year, by code; it stands as it is, also where it does not add up.</param>
    /// <param name="own">Its figures of the year before, by code; null where none are known.</param>
    /// <param name="answers">Those who answered: their figures of the year, and of the year before where they are known.</param>
    public static Dictionary<string, long> Of(
        IReadOnlyDictionary<string, long> known, IReadOnlyDictionary<string, long>? own, IReadOnlyCollection<(IReadOnlyDictionary<string, long> Now, IReadOnlyDictionary<string, long>? Before)> answers)
    {
        var catalogue = SurveyCatalogue.BuiltIn;
        var figures = new Dictionary<string, long>(known);
        var atLeast = AtLeast(figures);
        foreach (var top in catalogue.Figures.Where(f => f.Whole.Length == 0 && !figures.ContainsKey(f.Code)))
        {
            if (own?.TryGetValue(top.Code, out var before) == true)
            {
                var both = answers.Where(a => a.Now.ContainsKey(top.Code) && a.Before?.ContainsKey(top.Code) == true).ToList();
                var (now, then) = (both.Sum(a => a.Now[top.Code]), both.Sum(a => a.Before![top.Code]));
                figures[top.Code] = Math.Max(then == 0 ? before : Round(before, now, then), atLeast[top.Code]);
            }
            else if (answers.Where(a => a.Now.ContainsKey(top.Code)).ToList() is { Count: > 0 } told)
            {
                figures[top.Code] = Math.Max(Round(told.Sum(a => a.Now[top.Code]), 1, told.Count), atLeast[top.Code]);
            }
        }

        foreach (var (whole, parts) in catalogue.Sets)
        {
            var missing = parts.Where(p => !figures.ContainsKey(p.Code)).ToList();
            if (missing.Count > 0 && figures.TryGetValue(whole.Code, out var total))
            {
                var rest = Math.Max(0, total - parts.Sum(p => figures.TryGetValue(p.Code, out var told) ? told : atLeast[p.Code]));
                foreach (var (part, value) in missing.Zip(Divide(rest, [.. missing.Select(p => Weight(p.Code))])))
                {
                    figures[part.Code] = atLeast[part.Code] + value;
                }
            }
        }

        foreach (var part in catalogue.Figures.Where(f => f.Whole.Length > 0 && f.Set.Length == 0 && !figures.ContainsKey(f.Code)))
        {
            if (figures.TryGetValue(part.Whole, out var total))
            {
                figures[part.Code] = Weight(part.Whole) is var whole and > 0 ? Math.Min(total, Round(total, Weight(part.Code), whole)) : 0;
            }
        }

        return figures;

        // How a whole is divided: as one's own was, else as that of all who answered.
        long Weight(string code) => own?.ContainsKey(code) == true ? own[code] : answers.Sum(a => a.Now.GetValueOrDefault(code));
    }

    // Takes for a missing whole what all its parts make; and says what a missing one is at least, by those of its parts that are known.
    private static Dictionary<string, long> AtLeast(Dictionary<string, long> figures)
    {
        var catalogue = SurveyCatalogue.BuiltIn;
        var atLeast = catalogue.Figures.ToDictionary(f => f.Code, f => figures.GetValueOrDefault(f.Code));
        foreach (var part in catalogue.Figures.Where(f => f.Whole.Length > 0 && f.Set.Length == 0 && !figures.ContainsKey(f.Whole)))
        {
            atLeast[part.Whole] = Math.Max(atLeast[part.Whole], atLeast[part.Code]);
        }

        // Wholes stand before their parts in the catalogue.
        foreach (var (whole, parts) in catalogue.Sets.Reverse().Where(s => !figures.ContainsKey(s.Whole.Code)))
        {
            atLeast[whole.Code] = Math.Max(atLeast[whole.Code], parts.Sum(p => atLeast[p.Code]));
            if (parts.All(p => figures.ContainsKey(p.Code)))
            {
                figures[whole.Code] = atLeast[whole.Code];
            }
        }

        return atLeast;
    }

    /// <summary>Divides a whole into parts by their weights, by the largest remainder; without any weight all goes to the last.</summary>
    /// <param name="whole">The whole, not negative.</param>
    /// <param name="weights">Weights, not negative.</param>
    internal static long[] Divide(long whole, IReadOnlyList<long> weights)
    {
        var sum = weights.Aggregate(BigInteger.Zero, (s, w) => s + w);
        if (sum.IsZero)
        {
            return [.. weights.Select((_, i) => i == weights.Count - 1 ? whole : 0)];
        }

        var parts = weights.Select(w => (long)(whole * (BigInteger)w / sum)).ToArray();
        foreach (var i in Enumerable.Range(0, parts.Length).OrderByDescending(i => whole * (BigInteger)weights[i] % sum).ThenBy(i => i).Take((int)(whole - parts.Sum())))
        {
            parts[i]++;
        }

        return parts;
    }

    // Half up; exact, since euros times euros pass 64 bits.
    private static long Round(long value, long times, long by) => (long)((2 * (BigInteger)value * times + by) / (2 * (BigInteger)by));
}
