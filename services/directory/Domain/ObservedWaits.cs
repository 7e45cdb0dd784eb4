using Jafer.Contracts.Directory.V1;
using Jafer.Delays;

namespace Jafer.Directory.Domain;

/// <summary>A mesure that came to an espace, as far as the wait for its first rencontre and its place go. Days are numbers; 0 is not yet.</summary>
/// <param name="TransmittedOn">Day on which a court transmitted it, or an espace registered it.</param>
/// <param name="HeldOn">Day of its first rencontre held.</param>
/// <param name="ClosedOn">Day on which it was closed.</param>
internal readonly record struct FollowedMesure(int TransmittedOn, int HeldOn, int ClosedOn)
{
    /// <summary>False for what came before the steps between were followed: of these only the first rencontre held is known.</summary>
    public bool StepsKnown { get; init; }

    /// <summary>Day of the first contact with a parent.</summary>
    public int ContactedOn { get; init; }

    /// <summary>Day on which a first rencontre was scheduled.</summary>
    public int ScheduledOn { get; init; }

    /// <summary>Day for which that one was planned.</summary>
    public int PlannedOn { get; init; }

    /// <summary>Day on which a rencontre was scheduled that is no freed slot: from then on it has its place.</summary>
    public int PlacedOn { get; init; }

    /// <summary>For how long and how often it takes a place.</summary>
    public MesureTerms Terms { get; init; }

    /// <summary>The court; empty where none ordered it.</summary>
    public Guid JuridictionId { get; init; }

    /// <summary>The wait between two steps; null when it never began, or is not known.</summary>
    /// <param name="start">From where.</param>
    /// <param name="end">Until what.</param>
    public DatedWait? Wait(WaitStart start, WaitEnd end)
    {
        if (!StepsKnown && (start, end) is not (WaitStart.Transmission, WaitEnd.Held))
            return null;
        // A step told late, or never, cannot lie after the one that it leads to.
        var passed = end switch
        {
            WaitEnd.Scheduled => Earlier(ScheduledOn, HeldOn),
            WaitEnd.Planned => Earlier(PlannedOn, HeldOn),
            WaitEnd.Held => HeldOn,
            _ => throw new ArgumentOutOfRangeException(nameof(end), end, null),
        };
        var began = start == WaitStart.FirstContact ? ContactedOn : TransmittedOn;
        return began == 0 ? null : new(began, passed == 0 ? 0 : Math.Max(passed, began), ClosedOn == 0 ? 0 : Math.Max(ClosedOn, began));
    }

    /// <summary>As it stands in its queue: its steps, and the place that it takes.</summary>
    public DatedWait InQueue() => new(TransmittedOn, HeldOn, ClosedOn) { ContactedOn = ContactedOn, ScheduledOn = ScheduledOn, PlacedOn = PlacedOn, Terms = Terms };

    private static int Earlier(int one, int other) => one == 0 ? other : other == 0 ? one : Math.Min(one, other);
}

/// <summary>A wait as it was observed, in days from the transmission to the first rencontre held, of those that have one in the end.</summary>
/// <param name="Median">By when half of them have.</param>
/// <param name="P80">By when eight in ten have; null when that is not known yet.</param>
/// <param name="P90">By when nine in ten have; null when that is not known yet.</param>
/// <param name="Mesures">Mesures of the espace that were held or still wait; 0 where these are too few to be told.</param>
/// <param name="OwnWeight">Weight of what the espace itself saw; the rest is that of its région and modalité.</param>
/// <param name="Trend">How it changes.</param>
/// <param name="From">First day of the transmissions that count.</param>
/// <param name="To">Last day of them.</param>
internal sealed record ObservedFigures(int Median, int? P80, int? P90, int Mesures, double OwnWeight, WaitTrend Trend, DateOnly From, DateOnly To);

/// <summary>
/// The wait that Jafer observes itself, beside the one that an espace declares. Those that still wait, and those that were closed
/// before any rencontre, make it neither shorter nor longer than it is.
/// </summary>
internal static class ObservedWaits
{
    /// <summary>Name of the method.</summary>
    public const string Method = "aalen-johansen-24-months";

    /// <summary>Months of transmissions that count: a wait of a year is still seen, and an old one is forgotten.</summary>
    public const int Months = 24;

    /// <summary>Passings that must have been seen: fewer are small cells, which tell of families.</summary>
    public const int LeastSeen = 5;

    /// <summary>First day of the transmissions that count.</summary>
    public static DateOnly WindowStart(DateOnly today) => today.AddMonths(-Months).AddDays(1);

    /// <summary>The waits of mesures, as they were known at the end of a day.</summary>
    /// <param name="mesures">The mesures, in any order.</param>
    /// <param name="today">The day.</param>
    /// <param name="start">From where.</param>
    /// <param name="end">Until what.</param>
    public static DelayCounts Count(IEnumerable<FollowedMesure> mesures, DateOnly today, WaitStart start = WaitStart.Transmission, WaitEnd end = WaitEnd.Held)
    {
        var (counts, from, until) = (new DelayCounts(), WindowStart(today).DayNumber, today.DayNumber);
        foreach (var mesure in mesures)
        {
            if (mesure.TransmittedOn < from || mesure.TransmittedOn > until || mesure.Wait(start, end) is not { } wait || wait.Began > until)
                continue;
            var (last, outcome) = wait.OutcomeOn(until);
            counts.Add(last - wait.Began, outcome);
        }
        return counts;
    }

    /// <summary>What a cell saw, within a wider group; the cell's own part only where it is no small cell.</summary>
    public static PooledWait Pooled(CumulativeIncidence own, PooledWait? wider) => PooledWait.Of(own, wider, LeastSeen);

    /// <summary>Whether those that wait pass sooner or later than they did.</summary>
    public static RecentChange Change(IEnumerable<FollowedMesure> mesures, DateOnly today, WaitStart start = WaitStart.Transmission, WaitEnd end = WaitEnd.Held) =>
        RecentChange.Of(mesures.Select(m => m.Wait(start, end)).OfType<DatedWait>(), today.DayNumber);

    /// <summary>The change in a word.</summary>
    public static WaitTrend TrendOf(RecentChange change) => change.Direction switch
    {
        > 0 => WaitTrend.Shorter,
        < 0 => WaitTrend.Longer,
        _ => WaitTrend.Steady,
    };

    /// <summary>The wait of an espace and modalité as it is known on a day; null while nothing is known of its région either.</summary>
    /// <param name="mesures">The mesures, in any order.</param>
    /// <param name="wider">Those of its région; null when there are none.</param>
    /// <param name="today">The day.</param>
    public static ObservedFigures? Of(IReadOnlyCollection<FollowedMesure> mesures, PooledWait? wider, DateOnly today)
    {
        var own = CumulativeIncidence.Of(Count(mesures, today));
        var pooled = Pooled(own, wider);
        return pooled.Quantile(0.5) is { } median
            ? new(
                median, pooled.Quantile(0.8), pooled.Quantile(0.9), own.Passed < LeastSeen ? 0 : (int)(own.Passed + own.Waiting), pooled.OwnWeight,
                own.Passed < LeastSeen ? WaitTrend.Unspecified : TrendOf(Change(mesures, today)), WindowStart(today), today)
            : null;
    }
}
