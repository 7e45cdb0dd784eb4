using System.Numerics;

namespace Jafer.Mesures.Domain.Survey;

/// <summary>
/// Figures for who did not answer. By the gestionnaire's own return of the year before, moved as those who answered both years moved
/// (ratio imputation); without one, the mean of those who answered. Parts add up to their wholes.
/// </summary>
/// <remarks>
/// Ratio and mean imputation: R. J. A. Little, D. B. Rubin, Statistical Analysis with Missing Data, 3rd ed. 2019, chapter 4. SSER says of
/// the one association that did not answer in 2025 only that its data were « redressées ».
/// </remarks>
internal static class Imputation
{
    /// <summary>The figures of one gestionnaire.</summary>
    /// <param name="own">Its figures of the year before, by code; null where none are known.</param>
    /// <param name="answers">Those who answered: their figures of the year, and of the year before where they are known.</param>
    public static Dictionary<string, long> Of(IReadOnlyDictionary<string, long>? own, IReadOnlyCollection<(IReadOnlyDictionary<string, long> Now, IReadOnlyDictionary<string, long>? Before)> answers)
    {
        var catalogue = SurveyCatalogue.BuiltIn;
        var imputed = new Dictionary<string, long>();
        foreach (var top in catalogue.Figures.Where(f => f.Whole.Length == 0))
        {
            if (own?.TryGetValue(top.Code, out var before) == true)
            {
                var both = answers.Where(a => a.Now.ContainsKey(top.Code) && a.Before?.ContainsKey(top.Code) == true).ToList();
                var (now, then) = (both.Sum(a => a.Now[top.Code]), both.Sum(a => a.Before![top.Code]));
                imputed[top.Code] = then == 0 ? before : Round(before, now, then);
            }
            else if (answers.Where(a => a.Now.ContainsKey(top.Code)).ToList() is { Count: > 0 } told)
            {
                imputed[top.Code] = Round(told.Sum(a => a.Now[top.Code]), 1, told.Count);
            }
        }

        // Wholes stand before their parts in the catalogue.
        foreach (var (whole, parts) in catalogue.Sets)
        {
            if (imputed.TryGetValue(whole.Code, out var total))
            {
                foreach (var (part, value) in parts.Zip(Divide(total, [.. parts.Select(p => Weight(p.Code))])))
                {
                    imputed[part.Code] = value;
                }
            }
        }

        foreach (var part in catalogue.Figures.Where(f => f.Whole.Length > 0 && f.Set.Length == 0))
        {
            if (imputed.TryGetValue(part.Whole, out var total))
            {
                imputed[part.Code] = Weight(part.Whole) is var whole and > 0 ? Math.Min(total, Round(total, Weight(part.Code), whole)) : 0;
            }
        }

        return imputed;

        // How a whole is divided: as one's own was, else as that of all who answered.
        long Weight(string code) => own is not null ? own.GetValueOrDefault(code) : answers.Sum(a => a.Now.GetValueOrDefault(code));
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
