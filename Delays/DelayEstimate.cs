namespace Jafer.Delays;

/// <summary>
/// Delays of many mesures by days: those that are over, and those that still run and are known to be longer than so far
/// (censored on the right).
/// </summary>
public sealed class DelayEstimate
{
    private readonly SortedDictionary<int, (long Passed, long Waiting)> _days = [];

    /// <summary>Mesures whose delay is over.</summary>
    public long Observed { get; private set; }

    /// <summary>Mesures whose delay still runs.</summary>
    public long Waiting { get; private set; }

    /// <summary>Adds mesures that took so many days.</summary>
    /// <param name="days">Days.</param>
    /// <param name="mesures">How many.</param>
    public void AddObserved(int days, long mesures)
    {
        var (passed, waiting) = _days.GetValueOrDefault(days);
        _days[days] = (passed + mesures, waiting);
        Observed += mesures;
    }

    /// <summary>Adds mesures that have waited so many days.</summary>
    /// <param name="days">Days.</param>
    /// <param name="mesures">How many.</param>
    public void AddWaiting(int days, long mesures)
    {
        var (passed, waiting) = _days.GetValueOrDefault(days);
        _days[days] = (passed, waiting + mesures);
        Waiting += mesures;
    }

    /// <summary>
    /// The first day by which a share of the mesures has passed, by the product-limit estimator; null when that is not known yet.
    /// One that still waits counts as long as it has, then leaves: it makes nobody's delay shorter. Without any the result is the
    /// plain quantile, as percentile_disc gives it.
    /// </summary>
    /// <param name="share">The share, between 0 and 1.</param>
    /// <remarks>E. L. Kaplan, P. Meier, Nonparametric estimation from incomplete observations, JASA 53 (1958) 457–481.</remarks>
    public int? Quantile(double share)
    {
        var atRisk = Observed + Waiting;
        var without = 1d;
        foreach (var (days, (passed, waiting)) in _days)
        {
            if (passed > 0)
            {
                // Those that wait since the same day are at risk on it.
                without *= 1 - ((double)passed / atRisk);
                if (1 - without >= share - 1e-9)
                {
                    return days;
                }
            }

            atRisk -= passed + waiting;
        }

        return null;
    }
}
