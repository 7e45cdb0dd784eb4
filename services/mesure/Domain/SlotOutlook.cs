using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Mesures.Domain;

/// <summary>The places of an espace in a week.</summary>
/// <param name="Places">Places that its opening hours give.</param>
/// <param name="Booked">Places that scheduled rencontres take.</param>
internal readonly record struct WeekOfPlaces(int Places, int Booked);

/// <summary>A family of the queue.</summary>
/// <param name="Week">The week in which it can begin at the earliest, from 0.</param>
/// <param name="WaitedDays">Days that it has waited.</param>
/// <param name="Share">Places that it takes from then on, in thousandths of a place a week.</param>
/// <param name="First">Whether it waits for its first rencontre; else for its next one.</param>
internal readonly record struct QueuedFamily(int Week, int WaitedDays, int Share, bool First);

/// <summary>How the queue of an espace and modalité goes on.</summary>
/// <param name="Begins">The week in which each family begins, in the order of the queue; null: not within the weeks.</param>
/// <param name="P80">P80 of the wait for a first rencontre, in days; null when nobody waits for one, or 8 of 10 do not begin.</param>
/// <param name="ExtraSessions">The fewest extra sessions a week that bring the P80 to the target, or as near to it as can be.</param>
/// <param name="Reachable">Whether any number reaches it.</param>
/// <param name="P80WithExtra">P80 with them.</param>
internal sealed record Outlook(IReadOnlyList<int?> Begins, int? P80, int ExtraSessions, bool Reachable, int? P80WithExtra);

/// <summary>
/// The queue against the places, week by week. A family begins, in the order of the queue and none before the one ahead of it, in
/// the first week that has a place beside those who began before, and from which on the places carry it to the end: it comes again
/// and again. Whole numbers alone, so that more places never let anybody begin later. Pure.
/// </summary>
internal static class SlotOutlook
{
    /// <summary>Weeks that are looked at.</summary>
    public const int Weeks = 8;

    /// <summary>Days within which 8 of 10 families shall begin where nothing else is asked for.</summary>
    public const int TargetDays = 60;

    /// <summary>Thousandths in a place.</summary>
    public const int Whole = 1000;

    // A month in weeks, by the average of the calendar.
    private const double WeeksOfMonth = 30.4375 / 7;

    // Where the decision leaves it open, as most are: twice a month.
    private static readonly Cadence s_usual = new(2, 1, PeriodicityUnit.Month);

    /// <summary>Weeks until a mesure that is on its way can have a rencontre, from where it stands: an assumption, as docs/mesure.md says.</summary>
    public static int? WeeksUntilReady(MesureState state) => state switch
    {
        MesureState.Transmise or MesureState.PrecisionDemandee => 4,
        MesureState.Recue => 3,
        MesureState.PriseEnCharge => 2,
        MesureState.EnAttente or MesureState.EnCours => 0,
        _ => null,
    };

    /// <summary>Places that a family takes, in thousandths of a place a week, at least one.</summary>
    /// <param name="cadence">How often it comes; null where the decision leaves it open.</param>
    /// <param name="places">Places of one rencontre: two for a remise.</param>
    public static int ShareOf(Cadence? cadence, int places)
    {
        var how = cadence ?? s_usual;
        return Math.Max(1, (int)Math.Round(Whole * places * how.Count / (how.Interval * (how.Unit == PeriodicityUnit.Week ? 1 : WeeksOfMonth))));
    }

    /// <summary>How the queue goes on.</summary>
    /// <param name="weeks">The weeks.</param>
    /// <param name="queue">The families, in the order of the queue.</param>
    /// <param name="places">Places of one rencontre.</param>
    /// <param name="families">Families of a session.</param>
    /// <param name="target">Days within which 8 of 10 shall begin.</param>
    public static Outlook Of(IReadOnlyList<WeekOfPlaces> weeks, IReadOnlyList<QueuedFamily> queue, int places, int families, int target)
    {
        var now = Begins(weeks, queue, places, 0);
        var p80 = P80(queue, now);
        if (!queue.Any(f => f.First))
        {
            return new(now, null, 0, true, null);
        }

        // With so many each begins as soon as it can: more help nobody.
        var load = queue.Sum(f => (long)Math.Max(f.Share, places * Whole)) / Whole + 1;
        var most = (int)Math.Min(int.MaxValue / 4, weeks.Count * (load + weeks.Max(w => Math.Max(0, w.Booked - w.Places))) / families + 1);
        var best = P80(queue, Begins(weeks, queue, places, most * families)) ?? int.MaxValue;
        var goal = Math.Max(target, best);
        var (low, high) = (0, most);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = (P80(queue, Begins(weeks, queue, places, middle * families)) ?? int.MaxValue) <= goal ? (low, middle) : (middle + 1, high);
        }

        return new(now, p80, low, best <= target, P80(queue, Begins(weeks, queue, places, low * families)));
    }

    /// <summary>The week in which each family begins.</summary>
    /// <param name="weeks">The weeks.</param>
    /// <param name="queue">The families, in the order of the queue.</param>
    /// <param name="places">Places of one rencontre.</param>
    /// <param name="extra">Places more in each week in which the espace opens, or in all when it opens in none.</param>
    public static IReadOnlyList<int?> Begins(IReadOnlyList<WeekOfPlaces> weeks, IReadOnlyList<QueuedFamily> queue, int places, int extra)
    {
        var opens = weeks.Any(w => w.Places > 0);
        var free = weeks.Select(w => Whole * (long)Math.Max(0, w.Places + (w.Places > 0 || !opens ? extra : 0) - w.Booked)).ToArray();
        var ahead = new long[free.Length + 1];
        for (var w = free.Length - 1; w >= 0; w--)
        {
            ahead[w] = ahead[w + 1] + free[w];
        }

        // Shares of who began before the week, places taken in it by who begins there, and shares of all.
        var begins = new int?[queue.Count];
        var (week, before, within, sum, sharesWithin) = (0, 0L, 0L, 0L, 0L);
        for (var i = 0; i < queue.Count; i++)
        {
            var family = queue[i];
            var first = Math.Max(family.Share, places * (long)Whole);
            sum += family.Share;
            while (week < free.Length && (week < family.Week || before + within + first > free[week] || sum * (free.Length - week) > ahead[week]))
            {
                (week, before, within, sharesWithin) = (week + 1, before + sharesWithin, 0, 0);
            }

            if (week == free.Length)
            {
                break;
            }

            (begins[i], within, sharesWithin) = (week, within + first, sharesWithin + family.Share);
        }

        return begins;
    }

    /// <summary>The fewest days within which 8 of 10 begin; null when fewer do, or nobody waits for a first rencontre.</summary>
    public static int? P80(IReadOnlyList<QueuedFamily> queue, IReadOnlyList<int?> begins)
    {
        var waits = queue.Zip(begins).Where(f => f.First.First).Select(f => f.Second is { } week ? f.First.WaitedDays + 7 * week : int.MaxValue).Order().ToList();
        return waits.Count == 0 || waits[(waits.Count * 4 + 4) / 5 - 1] is not (< int.MaxValue and var days) ? null : days;
    }
}
