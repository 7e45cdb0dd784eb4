namespace Jafer.Simulation;

/// <summary>A mean over seeds with its 95 % interval.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Half">Half of the width of the interval; 0 with a single seed.</param>
internal readonly record struct Estimate(double Mean, double Half)
{
    /// <summary>Of values that are independent: one for each seed.</summary>
    public static Estimate Of(IReadOnlyCollection<double> values)
    {
        var mean = values.Average();
        if (values.Count < 2)
            return new(mean, 0);
        var deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Count - 1));
        return new(mean, StudentQuantile(values.Count - 1) * deviation / Math.Sqrt(values.Count));
    }

    /// <summary>Of the differences seed by seed: what both share (the demand, the saturation map) cancels out.</summary>
    public static Estimate Paired(IReadOnlyList<double> with, IReadOnlyList<double> without) =>
        Of([.. Enumerable.Range(0, Math.Min(with.Count, without.Count)).Select(i => with[i] - without[i])]);

    /// <summary>The 97.5 % quantile of Student's t (expansion of Cornish and Fisher; to 0.002 from 4 degrees of freedom on).</summary>
    /// <remarks>M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 26.7.5.</remarks>
    public static double StudentQuantile(int freedom)
    {
        const double z = 1.959963985;
        double n = freedom;
        return z + ((Math.Pow(z, 3) + z) / (4 * n)) + (((5 * Math.Pow(z, 5)) + (16 * Math.Pow(z, 3)) + (3 * z)) / (96 * n * n))
            + (((3 * Math.Pow(z, 7)) + (19 * Math.Pow(z, 5)) + (17 * Math.Pow(z, 3)) - (15 * z)) / (384 * n * n * n))
            + (((79 * Math.Pow(z, 9)) + (776 * Math.Pow(z, 7)) + (1482 * Math.Pow(z, 5)) - (1920 * Math.Pow(z, 3)) - (945 * z)) / (92160 * Math.Pow(n, 4)));
    }
}
