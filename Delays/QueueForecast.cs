namespace Jafer.Delays;

/// <summary>What is known of a queue at the moment of a question. Counts are of mesures; all come from recorded events.</summary>
/// <param name="ConfirmedQueue">Mesures that waited for their first rencontre when the espace last confirmed its queue.</param>
/// <param name="DaysSinceConfirmed">Days since then; 0 where the events of the espace arrive as they happen.</param>
/// <param name="InFlight">Mesures transmitted that have not joined that queue: they will stand before the one that is asked for.</param>
/// <param name="ChanceOfJoining">Which part of those in flight will ask for a rencontre, between 0 and 1.</param>
/// <param name="FreePlaces">Places free when the queue was confirmed; with a queue there are none to speak of.</param>
/// <param name="StartsPerDay">First regular rencontres begun a day, as <see cref="QueueForecast.StartRate"/> learns it; positive.</param>
public readonly record struct QueueState(
    double ConfirmedQueue, double DaysSinceConfirmed, double InFlight, double ChanceOfJoining, double FreePlaces, double StartsPerDay);

/// <summary>
/// The wait that can be expected of a queue, from the queue itself and not from the waits of the past: last confirmed queue,
/// with who is on the way to it, less who has started since and the places that are free. Ranking by it spreads what ranking by
/// declared waits would send all to one place.
/// </summary>
public static class QueueForecast
{
    /// <summary>Days over which starts are counted: a year holds every holiday once.</summary>
    public const int WindowDays = 365;

    /// <summary>Mesures that will be served before one that is transmitted now; not negative.</summary>
    /// <param name="state">What is known.</param>
    public static double Ahead(in QueueState state) => Math.Max(0,
        state.ConfirmedQueue + (state.InFlight * state.ChanceOfJoining) - (state.StartsPerDay * state.DaysSinceConfirmed) - state.FreePlaces);

    /// <summary>
    /// Days from joining the queue to the start of the rencontres. While the mesure is on its own way to the queue (contact,
    /// interviews) those ahead are served: only what then remains is a wait.
    /// </summary>
    /// <param name="state">What is known.</param>
    /// <param name="leadDays">Days from the question to joining the queue, as observed; not negative.</param>
    public static double ExpectedDays(in QueueState state, double leadDays)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(state.StartsPerDay);
        ArgumentOutOfRangeException.ThrowIfNegative(leadDays);
        return Math.Max(0, (Ahead(state) / state.StartsPerDay) - leadDays);
    }

    /// <summary>
    /// Starts a day as they were observed, drawn towards what is usual elsewhere while little was seen: as if half a start had
    /// been seen there at the usual rate. Positive, so that an espace without a start is not for ever.
    /// </summary>
    /// <param name="starts">Starts counted.</param>
    /// <param name="days">Days over which they were counted; positive.</param>
    /// <param name="usual">The usual rate, in starts a day; positive.</param>
    public static double StartRate(double starts, double days, double usual)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(starts);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(days);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(usual);
        return (starts + PriorStarts) / (days + (PriorStarts / usual));
    }

    private const double PriorStarts = 0.5;
}
