namespace Jafer.Delays;

/// <summary>A forecast of a wait, in days from the transmission, of those that pass in the end.</summary>
/// <param name="Median">The even bet.</param>
/// <param name="Low">One in ten passes sooner.</param>
/// <param name="High">One in ten passes later.</param>
/// <param name="Calibrated">Past forecasts of which it is known, or known in part, what became of them; 0 when the spread is assumed.</param>
public readonly record struct WaitForecast(int Median, int Low, int High, int Calibrated);

/// <summary>
/// What became of past forecasts: by how much those that passed waited longer or shorter than the level of that day. Forecasts that still wait
/// count for as long as they have, as in every wait that is observed. From it a level becomes a median and an interval that holds
/// eight in ten.
/// </summary>
/// <remarks>
/// The interval is made of the errors that the same method made before, as in split conformal prediction (V. Vovk, A. Gammerman,
/// G. Shafer, Algorithmic Learning in a Random World, 2005), with the quantiles of an incidence in place of plain ones because some
/// outcomes are not known yet.
/// </remarks>
public sealed class ForecastCalibration
{
    /// <summary>Days of which past forecasts count.</summary>
    public const int WindowDays = 730;

    /// <summary>Days that a queue must have been followed before a forecast of it counts.</summary>
    public const int LeastFollowedDays = 180;

    // Levels in days from which another band begins: a short wait is off by a larger share of itself than a long one.
    private static readonly int[] s_bands = [25, 35, 45, 55, 70, 85, 105, 130, 160, 200, 260, 350];

    // What stands in while few are known: as if so many forecasts had been off by these hundredths, quantiles of a lognormal with a
    // spread of 0.55, a guess from the simulation.
    private static readonly int[] s_assumed = [34, 45, 52, 59, 65, 70, 76, 82, 88, 94, 100, 107, 114, 122, 131, 142, 155, 170, 191, 224, 297];

    private readonly DelayCounts[] _counts = [.. Enumerable.Range(0, s_bands.Length + 1).Select(_ => new DelayCounts())];
    private readonly int[] _known = new int[s_bands.Length + 1];
    private (double Low, double Median, double High)[]? _factors;

    /// <summary>A calibration of which nothing is known but what is assumed.</summary>
    public ForecastCalibration()
    {
        foreach (var band in _counts)
        {
            foreach (var hundredths in s_assumed)
                band.Add(hundredths, DelayOutcome.Passed);
        }
    }

    /// <summary>Adds the past forecasts of queues, as far as it is known by a day what became of them.</summary>
    /// <param name="queues">The queues.</param>
    /// <param name="levels">Their levels.</param>
    /// <param name="today">The day.</param>
    public void Add(IReadOnlyList<IReadOnlyList<DatedWait>> queues, PastLevels levels, int today)
    {
        for (var q = 0; q < queues.Count; q++)
        {
            for (var w = 0; w < queues[q].Count; w++)
            {
                if (levels.Of(q, w) is var level && !double.IsNaN(level))
                    Add(level, queues[q][w], today);
            }
        }
    }

    /// <summary>Adds a past forecast.</summary>
    /// <param name="level">The level on its day, in days.</param>
    /// <param name="wait">What became of it.</param>
    /// <param name="today">Day up to which that is known.</param>
    public void Add(double level, DatedWait wait, int today)
    {
        if (wait.Began > today || wait.Began <= today - WindowDays)
            return;
        var (until, outcome) = wait.OutcomeOn(today);
        // In hundredths of the level.
        var band = BandOf(level);
        _counts[band].Add((int)Math.Min(10_000, Math.Round(100 * (until - wait.Began) / Math.Max(1, level))), outcome);
        _known[band]++;
        _factors = null;
    }

    /// <summary>The forecast of a level.</summary>
    /// <param name="level">The level.</param>
    public WaitForecast Of(WaitLevel level)
    {
        _factors ??= [.. _counts.Select(Factors)];
        var (days, band) = (level.Days, BandOf(level.Days));
        var (low, median, high) = _factors[band];
        var middle = (int)Math.Round(days * median);
        return new(middle, Math.Min(middle, (int)Math.Floor(days * low)), Math.Max(middle, (int)Math.Ceiling(days * high)), _known[band]);
    }

    private static int BandOf(double level)
    {
        var band = Array.BinarySearch(s_bands, (int)level);
        return band < 0 ? ~band : band + 1;
    }

    private static (double Low, double Median, double High) Factors(DelayCounts counts)
    {
        var incidence = CumulativeIncidence.Of(counts);
        double At(double share) => (incidence.Quantile(share)?.Days ?? incidence.FollowedDays) / 100.0;
        return (At(0.1), At(0.5), At(0.9));
    }
}
