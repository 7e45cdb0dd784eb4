using Jafer.Delays;

namespace Jafer.Directory.Domain;

/// <summary>
/// The wait that whoever is transmitted on a day can expect: what the espace declared, or what was observed where it declared nothing or
/// long ago, moved by what Jafer has seen since. Judges who ask after one another are not sent to the same place.
/// </summary>
/// <param name="Days">Days to the first rencontre.</param>
/// <param name="Change">Days of them that came since it was declared; negative when the queue has become shorter.</param>
/// <param name="Observed">True when it was observed, not declared.</param>
internal readonly record struct ExpectedWait(int Days, int Change, bool Observed)
{
    /// <summary>
    /// Of the mesures transmitted, how many in hundred ask for a rencontre: between 83 and 88 where it was looked at; the others stand in
    /// no queue.
    /// </summary>
    public const double ChanceOfContact = 0.85;

    /// <summary>Days that contact and interviews take though nobody waits, unless the espace declares fewer. An assumption.</summary>
    public const int LeadDays = 30;

    /// <summary>Age of a declared wait in days from which an observed one is preferred.</summary>
    public const int OldDays = 180;

    /// <summary>Days over which a usual rate is learned, at least and at most.</summary>
    private const int LeastDays = 90, MostDays = 365;

    /// <summary>First rencontres that must have been seen for an observed rate.</summary>
    private const int LeastStarts = 10;

    /// <summary>The wait on a day; null when nothing is known.</summary>
    public static ExpectedWait? Of(Offer offer, DateOnly day)
    {
        if (offer.Wait is not { } declared)
            return Seen(offer, day) is { } seen ? new(seen, 0, true) : null;
        if (declared.AgeOn(day) > OldDays && Seen(offer, day) is { } observed)
            return new(observed, 0, true);
        var days = Moved(offer, declared, day);
        return new(days, days - declared.Days, false);
    }

    private static int? Seen(Offer offer, DateOnly day) =>
        offer.Followed.Length >= ObservedWaits.LeastSeen && CumulativeIncidence.Of(ObservedWaits.Count(offer.Followed, day)) is { Passed: >= ObservedWaits.LeastSeen } own
            ? own.Quantile(0.5)?.Days : null;

    // The declared wait as a queue: those transmitted since stand in it, those begun since do not.
    private static int Moved(Offer offer, Wait declared, DateOnly day)
    {
        if (offer.ReceivedOn.Length == 0 || StartsPerDay(offer, day) is not (> 0 and var starts))
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
        var queue = new QueueState((declared.Days * starts) + unseen, elapsed, arrivals, ChanceOfContact, 0, starts);
        return (int)Math.Min(Math.Round(lead + QueueForecast.ExpectedDays(queue, lead)), Wait.MaxDays);
    }

    /// <summary>First rencontres that begin a day: as seen, and no fewer than the slots give that the espace says; null when neither is known.</summary>
    private static double? StartsPerDay(Offer offer, DateOnly day)
    {
        var slots = offer.SlotsOn(day) / Standing.RencontresOfAMesure / 7;
        var seen = offer.Followed.Count(m => m.HeldOn > day.DayNumber - MostDays && m.HeldOn <= day.DayNumber);
        if (seen < LeastStarts)
            return slots > 0 ? slots : null;
        var days = FollowedDays(offer, day);
        return Math.Max(slots, QueueForecast.StartRate(seen, days, slots > 0 ? slots : (double)seen / days));
    }

    private static int FollowedDays(Offer offer, DateOnly day) => Math.Clamp(day.DayNumber - offer.ReceivedOn[0], LeastDays, MostDays);

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
