namespace Jafer.Delays;

/// <summary>
/// Whether those that wait pass sooner or later than they did: the last 90 days beside the nine months before. Each mesure
/// counts in either for the days that it waited there, so that nothing needs to be over to be seen.
/// </summary>
/// <param name="Passed">Mesures that passed in the last days.</param>
/// <param name="Expected">Mesures that would have, had those that waited as long passed as they did before.</param>
/// <param name="Variance">Variance of the difference, as in the log-rank test.</param>
/// <remarks>
/// N. Mantel, Evaluation of survival data and two new rank order statistics, Cancer Chemother. Rep. 50 (1966) 163–170, with the
/// mesures entering late where they waited before the window (left truncation).
/// </remarks>
public readonly record struct RecentChange(long Passed, double Expected, double Variance)
{
    /// <summary>Length of the recent window, in days.</summary>
    public const int RecentDays = 90;

    /// <summary>Length of both windows together, in days.</summary>
    public const int YearDays = 365;

    /// <summary>Passings that were seen, or were to be expected, in the recent window: fewer say nothing.</summary>
    public const int LeastPassed = 10;

    /// <summary>The difference in standard errors; positive when they pass sooner. 0 when nothing can be compared.</summary>
    public double Z => Variance > 0 ? (Passed - Expected) / Math.Sqrt(Variance) : 0;

    /// <summary>How often they pass against before, of those that waited as long: 2 is twice as often. 1 when nothing is known.</summary>
    public double Ratio => Expected > 0 ? Passed / Expected : 1;

    /// <summary>1 when waits have become shorter, −1 longer, 0 when no change is seen (two-sided, 5 in 100).</summary>
    public int Direction => Math.Max(Passed, Expected) < LeastPassed || Math.Abs(Z) < Level.NinetyFive ? 0 : Math.Sign(Z);

    /// <summary>Compares.</summary>
    /// <param name="waits">The waits, in any order; a passing after today has not come.</param>
    /// <param name="today">The day on which it is looked at.</param>
    public static RecentChange Of(IEnumerable<DatedWait> waits, int today)
    {
        // By days waited: at risk and passed, in the recent window and in the one before.
        var days = new SortedDictionary<int, (long EnterRecent, long EnterBefore, long PassedRecent, long PassedBefore)>();
        foreach (var wait in waits)
        {
            if (wait.Began > today)
            {
                continue;
            }

            var (until, outcome) = wait.OutcomeOn(today);
            var last = Math.Max(until, wait.Began);
            AddStay(wait.Began, Math.Max(wait.Began, today - RecentDays + 1), Math.Min(last, today), recent: true);
            AddStay(wait.Began, Math.Max(wait.Began, today - YearDays + 1), Math.Min(last, today - RecentDays), recent: false);
            if (outcome == DelayOutcome.Passed && last > today - YearDays)
            {
                var day = days.GetValueOrDefault(last - wait.Began);
                days[last - wait.Began] = last > today - RecentDays ? day with { PassedRecent = day.PassedRecent + 1 } : day with { PassedBefore = day.PassedBefore + 1 };
            }
        }

        var (recent, before, seen, expected, variance) = (0L, 0L, 0L, 0d, 0d);
        foreach (var day in days.Values)
        {
            (recent, before) = (recent + day.EnterRecent, before + day.EnterBefore);
            // Where one side has nobody who waited so long, nothing is compared.
            if (recent == 0 || before == 0)
            {
                continue;
            }

            double n = recent + before, passing = day.PassedRecent + day.PassedBefore;
            seen += day.PassedRecent;
            expected += passing * recent / n;
            variance += n > 1 ? passing * (recent / n) * (before / n) * (n - passing) / (n - 1) : 0;
        }

        return new(seen, expected, variance);

        // Days of the calendar on which it waited, as days waited: at risk on the first to the last, gone the day after.
        void AddStay(int began, int first, int last, bool recent)
        {
            if (first > last)
            {
                return;
            }

            foreach (var (at, one) in new[] { (first - began, 1), (last - began + 1, -1) })
            {
                var day = days.GetValueOrDefault(at);
                days[at] = recent ? day with { EnterRecent = day.EnterRecent + one } : day with { EnterBefore = day.EnterBefore + one };
            }
        }
    }
}
