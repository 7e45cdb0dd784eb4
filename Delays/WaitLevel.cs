namespace Jafer.Delays;

/// <summary>About how long whoever is transmitted to a queue now will wait for a first rencontre, from four views of it.</summary>
/// <param name="Days">The days; positive. What a forecast makes of them is learned from what became of past ones.</param>
/// <remarks>
/// Each view errs in its own way, so that together they are nearer than each. When places become free (<see cref="PlaceFlow"/>) counts
/// most. The length of the queue over its pace (J. D. C. Little, Oper. Res. 9 (1961) 383–387) and the waits of those who passed last see
/// what is not told of places, such as lost slots used again; who waits longest in the queue shows how far it has moved (R. Ibrahim,
/// W. Whitt, Real-time delay estimation based on delay history, Manufacturing &amp; Service Operations Management 11 (2009) 397–415).
/// </remarks>
public readonly record struct WaitLevel(double Days)
{
    /// <summary>How many of the last waits are looked at.</summary>
    public const int LastWaits = 24;

    /// <summary>First rencontres of its own below which a queue is not looked at alone: they would tell of families.</summary>
    public const int LeastPassed = 5;

    // Weights of the views, found on seeds of the simulation that the backtest does not use: where lost slots are used again half
    // would be better for the places, where they are not 0.85, and neither is much.
    private const double OfPlaces = 0.65, OfLength = 0.15, OfLast = 0.11, OfLongest = 0.09;

    // Days that contact, interviews and notice take beside a queue.
    private const double BesideQueue = 30;

    private const int LeastFollowedDays = 90;

    /// <summary>What is seen of a queue; null while that is too little.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="more">Mesures that stand before whoever is transmitted now and are not in the record, such as places held.</param>
    public static WaitLevel? Of(QueueRecord queue, double more = 0)
    {
        if (queue.LastWaits < LeastPassed || queue.Scheduled < LeastPassed)
            return null;
        var ahead = (PlaceFlow.ChanceOnTheWay * (queue.OnTheWay + more)) + (PlaceFlow.ChanceInQueue * queue.Queued) + 1;
        var length = ahead * Math.Max(queue.FollowedDays, LeastFollowedDays) / queue.Scheduled;
        var others = (OfLength * Math.Log(length)) + (OfLast * queue.LastLog) + (OfLongest * Math.Log(queue.LongestInQueue + BesideQueue));
        return new(Math.Exp(queue.Places.DaysToFirst(more) is { } days ? (OfPlaces * Math.Log(days)) + others : others / (1 - OfPlaces)));
    }
}
