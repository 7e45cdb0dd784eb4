namespace Jafer.Delays;

/// <summary>About how long whoever is transmitted to a queue now will wait for a first rencontre, from three views of it.</summary>
/// <param name="Days">The days; positive. What a forecast makes of them is learned from what became of past ones.</param>
/// <remarks>
/// Each view errs in its own way, so that together they are nearer than each: the length of the queue over its pace (J. D. C. Little,
/// Oper. Res. 9 (1961) 383–387) sees at once that more are transmitted; the waits of those who passed last see what the length does not
/// say; who waits longest in the queue shows how far it has moved (R. Ibrahim, W. Whitt, Real-time delay estimation based on delay
/// history, Manufacturing &amp; Service Operations Management 11 (2009) 397–415).
/// </remarks>
public readonly record struct WaitLevel(double Days)
{
    /// <summary>How many of the last waits are looked at.</summary>
    public const int LastWaits = 24;

    /// <summary>First rencontres of its own below which a queue is not looked at alone: they would tell of families.</summary>
    public const int LeastPassed = 5;

    // Weights of the views, as regression gave them on seeds of the simulation that the backtest does not use.
    private const double OfLength = 0.42, OfLast = 0.32, OfLongest = 0.26;

    // Of those on the way and of those in the queue, how many come to a rencontre; days that contact, interviews and notice take beside a queue.
    private const double ChanceOnTheWay = 0.8, ChanceInQueue = 0.95, BesideQueue = 30;

    private const int LeastFollowedDays = 90;

    /// <summary>What is seen of a queue; null while that is too little.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="more">Mesures that stand before whoever is transmitted now and are not in the record, such as places held.</param>
    public static WaitLevel? Of(QueueRecord queue, double more = 0)
    {
        if (queue.LastWaits < LeastPassed || queue.Scheduled < LeastPassed)
            return null;
        var ahead = (ChanceOnTheWay * (queue.OnTheWay + more)) + (ChanceInQueue * queue.Queued) + 1;
        var length = ahead * Math.Max(queue.FollowedDays, LeastFollowedDays) / queue.Scheduled;
        return new(Math.Exp((OfLength * Math.Log(length)) + (OfLast * queue.LastLog) + (OfLongest * Math.Log(queue.LongestInQueue + BesideQueue))));
    }
}
