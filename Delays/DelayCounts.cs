namespace Jafer.Delays;

/// <summary>
/// Waits of many mesures, counted by whole days and by what became of them. Whole numbers only, so that adding and taking back what
/// changed gives exactly what counting anew gives, in whatever order.
/// </summary>
public sealed class DelayCounts
{
    // By day; as long as the longest wait.
    private (long Passed, long Ended, long Waiting)[] _days = [];

    /// <summary>Mesures of which it took place.</summary>
    public long Passed { get; private set; }

    /// <summary>Mesures that were closed before.</summary>
    public long Ended { get; private set; }

    /// <summary>Mesures that still wait.</summary>
    public long Waiting { get; private set; }

    /// <summary>All of them.</summary>
    public long Count => Passed + Ended + Waiting;

    /// <summary>Counts mesures.</summary>
    /// <param name="days">Days that they took, or have taken so far; not negative.</param>
    /// <param name="outcome">What became of them.</param>
    /// <param name="mesures">How many; negative takes back what was counted.</param>
    public void Add(int days, DelayOutcome outcome, long mesures = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(days);
        if (days >= _days.Length)
        {
            Array.Resize(ref _days, Math.Max(days + 1, 2 * _days.Length));
        }

        var (passed, ended, waiting) = _days[days];
        switch (outcome)
        {
            case DelayOutcome.Passed: (passed, Passed) = (passed + mesures, Passed + mesures); break;
            case DelayOutcome.Ended: (ended, Ended) = (ended + mesures, Ended + mesures); break;
            case DelayOutcome.Waiting: (waiting, Waiting) = (waiting + mesures, Waiting + mesures); break;
            default: throw new ArgumentOutOfRangeException(nameof(outcome), outcome, null);
        }

        if (passed < 0 || ended < 0 || waiting < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(mesures), mesures, "More were taken back than were counted.");
        }

        _days[days] = (passed, ended, waiting);
    }

    /// <summary>Counts the mesures of others too.</summary>
    /// <param name="others">The others.</param>
    public void Add(DelayCounts others)
    {
        foreach (var (days, (passed, ended, waiting)) in others._days.Index())
        {
            Add(days, DelayOutcome.Passed, passed);
            Add(days, DelayOutcome.Ended, ended);
            Add(days, DelayOutcome.Waiting, waiting);
        }
    }

    /// <summary>Each day on which something was counted, rising, with how many were at risk when it began.</summary>
    internal IEnumerable<DelayDay> Days()
    {
        var atRisk = Count;
        foreach (var (days, (passed, ended, waiting)) in _days.Index())
        {
            if (passed + ended + waiting > 0)
            {
                yield return new(days, atRisk, passed, ended);
                atRisk -= passed + ended + waiting;
            }
        }
    }
}

/// <summary>One day of waiting. Those that wait since the same day are at risk on it, as those that pass or end.</summary>
/// <param name="Days">The day, 0 for the first.</param>
/// <param name="AtRisk">Mesures at risk.</param>
/// <param name="Passed">Mesures that passed on it.</param>
/// <param name="Ended">Mesures that ended on it.</param>
internal readonly record struct DelayDay(int Days, long AtRisk, long Passed, long Ended);
