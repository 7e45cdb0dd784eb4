namespace Jafer.Delays;

/// <summary>
/// How waits end, estimated from mesures of which some still wait: the share that has passed by a day, the share that was closed
/// before it could, and the share that still waits. By the Aalen–Johansen estimator; where nothing ended otherwise it is the
/// product-limit estimator of Kaplan and Meier. Immutable.
/// </summary>
/// <remarks>
/// O. O. Aalen, S. Johansen, An empirical transition matrix for non-homogeneous Markov chains based on censored observations,
/// Scand. J. Statist. 5 (1978) 141–150. E. L. Kaplan, P. Meier, JASA 53 (1958) 457–481; its variance: M. Greenwood (1926).
/// Variance of the incidence by the delta method: E. Marubini, M. G. Valsecchi, Analysing Survival Data (1995), chapter 10.
/// </remarks>
public sealed class CumulativeIncidence
{
    private readonly int[] _days;
    private readonly Point[] _points;

    private CumulativeIncidence(DelayCounts counts, int[] days, Point[] points, int followedDays)
    {
        (_days, _points, FollowedDays) = (days, points, followedDays);
        (Passed, Ended, Waiting) = (counts.Passed, counts.Ended, counts.Waiting);
        var last = points.Length == 0 ? s_begin : points[^1];
        // Those that still wait at the end are taken to go the way of those that went.
        EventualShare = last.Passed + last.Ended > 0 ? last.Passed + (last.Still * last.Passed / (last.Passed + last.Ended)) : 0;
    }

    private static readonly Point s_begin = new(1, 0, 0, 0, 0, 0);

    /// <summary>Mesures that passed.</summary>
    public long Passed { get; }

    /// <summary>Mesures that were closed before.</summary>
    public long Ended { get; }

    /// <summary>Mesures that still wait.</summary>
    public long Waiting { get; }

    /// <summary>The longest wait that was seen, in days: beyond it nothing is known.</summary>
    public int FollowedDays { get; }

    /// <summary>
    /// The share that will have passed in the end, as far as it was followed; those still waiting then are divided as the others
    /// were. 0 when nothing passed.
    /// </summary>
    public double EventualShare { get; }

    /// <summary>The estimate.</summary>
    /// <param name="counts">The waits.</param>
    public static CumulativeIncidence Of(DelayCounts counts)
    {
        var (days, points) = (new List<int>(), new List<Point>());
        var (still, passed, ended, followed) = (1d, 0d, 0d, 0);
        var (ofPassed, ofEnded) = (new Variance(), new Variance());
        var greenwood = 0d;
        foreach (var (day, atRisk, passing, ending) in counts.Days())
        {
            followed = day;
            if (passing + ending == 0)
            {
                continue;
            }

            var (n, gone, before) = ((double)atRisk, (double)(passing + ending), still);
            // Sums of parts of 1 may exceed it by their rounding.
            passed = Math.Min(1, passed + (before * passing / n));
            ended = Math.Min(1, ended + (before * ending / n));
            still *= 1 - (gone / n);
            // Where the last ones go at once Greenwood's term has no value, and nothing is left whose share could vary.
            var term = n > gone ? gone / (n * (n - gone)) : 0;
            greenwood += term;
            days.Add(day);
            points.Add(new(
                still, still * still * greenwood, passed, ofPassed.Add(passed, before, passing, n, term), ended, ofEnded.Add(ended, before, ending, n, term)));
        }

        return new(counts, [.. days], [.. points], followed);
    }

    /// <summary>The share that still waits after so many days.</summary>
    /// <param name="days">Days.</param>
    public Share StillAt(int days) => At(days) is var at ? LogLog(at.Still, at.StillVariance) : default;

    /// <summary>The share that has passed within so many days.</summary>
    /// <param name="days">Days.</param>
    public Share PassedAt(int days) => At(days) is var at ? LogLog(at.Passed, at.PassedVariance) : default;

    /// <summary>The share that was closed within so many days without having passed.</summary>
    /// <param name="days">Days.</param>
    public Share EndedAt(int days) => At(days) is var at ? LogLog(at.Ended, at.EndedVariance) : default;

    /// <summary>Of those that pass in the end, the share that has within so many days; 0 when nothing passed.</summary>
    /// <param name="days">Days.</param>
    public double PassedOfEventualAt(int days) => EventualShare > 0 ? At(days).Passed / EventualShare : 0;

    /// <summary>
    /// The first day by which a share of those that pass in the end has; null when that is not known yet. Where nobody waits it
    /// is the plain quantile of those that passed; one more that waits never makes it shorter while nothing was closed.
    /// </summary>
    /// <param name="share">The share, above 0 and below 1.</param>
    /// <remarks>
    /// The interval is from the first to the last day on which the band of the incidence crosses the share, the eventual share taken as
    /// known (R. Brookmeyer, J. Crowley, Biometrics 38 (1982) 29–41).
    /// </remarks>
    public DelayQuantile? Quantile(double share)
    {
        var wanted = share * EventualShare;
        if (EventualShare == 0 || First(at => at.Passed, wanted) is not { } days)
        {
            return null;
        }

        return new(days, First(at => LogLog(at.Passed, at.PassedVariance).High, wanted), First(at => LogLog(at.Passed, at.PassedVariance).Low, wanted));
    }

    private int? First(Func<Point, double> value, double wanted)
    {
        for (var i = 0; i < _points.Length; i++)
        {
            if (value(_points[i]) >= wanted - 1e-9)
            {
                return _days[i];
            }
        }

        return null;
    }

    private Point At(int days)
    {
        var i = Array.BinarySearch(_days, days);
        i = i < 0 ? ~i - 1 : i;
        return i < 0 ? s_begin : _points[i];
    }

    // Bounds of log(-log share), taken back: they never leave 0 to 1 (J. D. Kalbfleisch, R. L. Prentice, 2002; B. Choudhury, 2002).
    private static Share LogLog(double share, double variance)
    {
        if (share is <= 0 or >= 1 || variance <= 0)
        {
            return new(share, share, share);
        }

        var width = Level.NinetyFive * Math.Sqrt(variance) / (share * Math.Log(share));
        return new(share, Math.Pow(share, Math.Exp(-width)), Math.Pow(share, Math.Exp(width)));
    }

    private readonly record struct Point(double Still, double StillVariance, double Passed, double PassedVariance, double Ended, double EndedVariance);

    /// <summary>Sums of the variance of one incidence, kept so that each day costs the same however many came before.</summary>
    private sealed class Variance
    {
        private double _terms, _termsAt, _termsAtSquared, _own, _crossed, _crossedAt;

        /// <summary>The variance after one more day on which <paramref name="going"/> of <paramref name="n"/> went this way.</summary>
        public double Add(double incidence, double before, double going, double n, double term)
        {
            _terms += term;
            _termsAt += term * incidence;
            _termsAtSquared += term * incidence * incidence;
            _own += before * before * going * (n - going) / (n * n * n);
            var crossed = before * going / (n * n);
            _crossed += crossed;
            _crossedAt += crossed * incidence;
            var ofTerms = (incidence * incidence * _terms) - (2 * incidence * _termsAt) + _termsAtSquared;
            return Math.Max(0, ofTerms + _own - (2 * ((incidence * _crossed) - _crossedAt)));
        }
    }
}
