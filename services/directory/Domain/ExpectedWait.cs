using Jafer.Contracts.Directory.V1;
using Jafer.Delays;

namespace Jafer.Directory.Domain;

/// <summary>
/// The forecast for whoever is transmitted on a day: from the wait that the espace declared, moved by what was transmitted since, and
/// from its queue as Jafer sees it. Judges who ask after one another are not sent to the same place.
/// </summary>
/// <param name="Days">Days to the first rencontre, of those that have one in the end: half of them have it sooner.</param>
/// <param name="Change">Days that these are more than the declared wait; negative when they are fewer, 0 when nothing was declared.</param>
/// <param name="Basis">From what it comes.</param>
internal readonly record struct ExpectedWait(int Days, int Change, ForecastBasis Basis)
{
    /// <summary>Days within which one in ten has a first rencontre.</summary>
    public int LowDays { get; init; }

    /// <summary>Days within which nine in ten have one.</summary>
    public int HighDays { get; init; }

    /// <summary>Past forecasts that the interval was learned from; 0 while it is an assumption.</summary>
    public int LearnedFrom { get; init; }

    /// <summary>
    /// Of the mesures transmitted, how many in hundred ask for a rencontre: between 83 and 88 where it was looked at; the others stand in
    /// no queue.
    /// </summary>
    public const double ChanceOfContact = 0.85;

    /// <summary>Days that contact and interviews take though nobody waits, unless the espace declares fewer. An assumption.</summary>
    public const int LeadDays = 30;

    /// <summary>Age of a declared wait in days above which only the queue is looked at, where it is seen.</summary>
    public const int OldDays = 180;

    /// <summary>
    /// Beside the queue as it is seen, a wait declared today counts half, and half of that after so many days: an assumption, since
    /// nobody has measured how good declared waits are.
    /// </summary>
    public const int DeclaredHalfLifeDays = 60;

    /// <summary>Days over which a usual rate is learned, at least and at most.</summary>
    private const int LeastDays = 90, MostDays = 365;

    /// <summary>First rencontres that must have been seen for an observed rate.</summary>
    private const int LeastStarts = 10;

    /// <summary>The wait on a day; null when nothing is known.</summary>
    public static ExpectedWait? Of(Offer offer, DateOnly day)
    {
        var seen = offer.Followed.Length < WaitLevel.LeastPassed ? null : WaitLevel.Of(PastLevels.RecordOf(offer.QueueWaits(), day.DayNumber), PlaceCount.Of(offer, day).Held);
        if (offer.Wait is not { } declared)
            return seen is { } alone ? Forecast(offer, day, alone, null, ForecastBasis.ObservedQueue) : null;
        if (seen is not { } level)
            return Forecast(offer, day, new(Moved(offer, declared, day)), declared, ForecastBasis.DeclaredWait);
        if (declared.AgeOn(day) > OldDays)
            return Forecast(offer, day, level, null, ForecastBasis.ObservedQueue);
        var weight = 0.5 * Math.Pow(0.5, (double)declared.AgeOn(day) / DeclaredHalfLifeDays);
        var both = Math.Exp((weight * Math.Log(Math.Max(1, Moved(offer, declared, day)))) + ((1 - weight) * Math.Log(level.Days)));
        return Forecast(offer, day, new(both), declared, ForecastBasis.DeclaredWaitAndQueue);
    }

    // What became of past forecasts says nothing of a wait that is only declared: that one is shown as it was said.
    private static ExpectedWait Forecast(Offer offer, DateOnly day, WaitLevel level, Wait? declared, ForecastBasis basis)
    {
        var forecast = basis == ForecastBasis.DeclaredWait || offer.Forecasts is null
            ? PastForecasts.Assumed.Of(level) with { Median = (int)Math.Round(level.Days) } : offer.Forecasts.On(offer.Modalite, day).Of(level);
        var days = Math.Min(forecast.Median, Wait.MaxDays);
        return new(days, declared is { } said ? days - said.Days : 0, basis)
        {
            LowDays = Math.Min(forecast.Low, days),
            HighDays = Math.Clamp(forecast.High, days, Wait.MaxDays),
            LearnedFrom = forecast.Calibrated,
        };
    }

    // The declared wait as a queue: those transmitted since stand in it, those begun since do not.
    private static int Moved(Offer offer, Wait declared, DateOnly day)
    {
        var places = PlaceCount.Of(offer, day);
        // Of free places that were declared before the wait the wait speaks already.
        var free = places.Declared is { } last && last.AsOf >= declared.AsOf ? last.Count : 0;
        if (offer.ReceivedOn.Length + places.Held + free == 0 || StartsPerDay(offer, day) is not (> 0 and var starts))
            return declared.Days;
        // As many leave the queue unseen as come to it unseen: an espace to which few courts transmit by Jafer keeps the wait that it
        // declared, and grows only by what is more than usual.
        var followed = FollowedDays(offer, day);
        var usual = ChanceOfContact * Between(offer.ReceivedOn, day.DayNumber - followed + 1, day.DayNumber) / followed;
        // What lies further back than a rate is learned from evens out.
        var elapsed = Math.Min(declared.AgeOn(day), followed);
        var unseen = Math.Max(0, starts - usual) * elapsed;
        var arrivals = Between(offer.ReceivedOn, day.DayNumber - Math.Min(elapsed, followed - 1), day.DayNumber);
        var lead = Math.Min(declared.Days, LeadDays);
        var queue = new QueueState(Confirmed(offer, declared, day, starts) + unseen, elapsed, arrivals + places.Held, ChanceOfContact, free, starts);
        return (int)Math.Min(Math.Round(lead + QueueForecast.ExpectedDays(queue, lead)), Wait.MaxDays);
    }

    // Families that the espace itself counts say more than days times a rate, where the rate was seen; where it is that of its slots, less.
    private static double Confirmed(Offer offer, Wait declared, DateOnly day, double starts) =>
        offer.WaitingFamilies is { } waiting && SeenStarts(offer, day) >= LeastStarts ? waiting : declared.Days * starts;

    private static int SeenStarts(Offer offer, DateOnly day) => offer.Followed.Count(m => m.HeldOn > day.DayNumber - MostDays && m.HeldOn <= day.DayNumber);

    /// <summary>First rencontres that begin a day: as seen, and no fewer than the slots give that the espace says; null when neither is known.</summary>
    private static double? StartsPerDay(Offer offer, DateOnly day)
    {
        var slots = offer.SlotsOn(day) / Standing.RencontresOfAMesure / 7;
        var seen = SeenStarts(offer, day);
        if (seen < LeastStarts)
            return slots > 0 ? slots : null;
        var days = FollowedDays(offer, day);
        return Math.Max(slots, QueueForecast.StartRate(seen, days, slots > 0 ? slots : (double)seen / days));
    }

    private static int FollowedDays(Offer offer, DateOnly day) =>
        offer.ReceivedOn.Length == 0 ? LeastDays : Math.Clamp(day.DayNumber - offer.ReceivedOn[0], LeastDays, MostDays);

    // Of days in order, how many lie from one to another, both included.
    private static int Between(int[] days, int first, int last) => Position(days, last + 1) - Position(days, first);

    private static int Position(int[] days, int day)
    {
        var (low, high) = (0, days.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = days[middle] < day ? (middle + 1, high) : (low, middle);
        }
        return low;
    }
}
