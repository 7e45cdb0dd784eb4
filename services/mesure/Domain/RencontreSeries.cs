using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>Hours on one day at which an espace receives families for the modalité.</summary>
/// <param name="Start">Begin.</param>
/// <param name="End">End.</param>
/// <param name="Zone">Clock of the lieu.</param>
/// <param name="LieuId">The lieu; null when the espace says no hours.</param>
internal readonly record struct OpenHours(DateTimeOffset Start, DateTimeOffset End, TimeZoneInfo Zone, Guid? LieuId)
{
    /// <summary>Slots of one family each in these hours; 0 when the espace says no hours.</summary>
    public int Slots { get; init; }
}

/// <summary>What a series is to be.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day, included.</param>
/// <param name="Cadence">How often.</param>
/// <param name="Most">Rencontres at the most.</param>
/// <param name="StartMinute">Start, in minutes after midnight on the clock of the lieu.</param>
/// <param name="Minutes">Length.</param>
/// <param name="Weekdays">Only on these; empty: any.</param>
/// <param name="LieuId">Only there; null: anywhere.</param>
/// <param name="ReturnAfterMinutes">For remises, minutes on the clock from the start to the return; null for visites.</param>
internal sealed record SeriesPlan(
    DateOnly From, DateOnly To, Cadence Cadence, int Most, int StartMinute, int Minutes, IReadOnlySet<DayOfWeek> Weekdays, Guid? LieuId = null,
    int? ReturnAfterMinutes = null);

/// <summary>Days in which the cadence asks for a rencontre and none can be.</summary>
/// <param name="From">First day.</param>
/// <param name="To">Last day.</param>
/// <param name="Reason">Why.</param>
internal readonly record struct Gap(DateOnly From, DateOnly To, SeriesGapReason Reason);

/// <summary>A series as proposed.</summary>
/// <param name="Rencontres">In the order of their starts.</param>
/// <param name="Gaps">In the order of their days.</param>
internal sealed record ProposedSeries(IReadOnlyList<PlannedRencontre> Rencontres, IReadOnlyList<Gap> Gaps);

/// <summary>
/// Lays a series over the days on which an espace is open. Each interval of the cadence is cut into as many equal stretches as
/// it has rencontres, and each stretch gets the first day that fits; one without such a day takes another of its interval.
/// Pure: the same input gives the same series.
/// </summary>
internal static class RencontreSeries
{
    /// <summary>Proposes a series.</summary>
    /// <param name="plan">What it is to be.</param>
    /// <param name="open">The hours of the espace from the first to the last day.</param>
    /// <param name="context">What is booked already, and by whom.</param>
    public static ProposedSeries Propose(SeriesPlan plan, IEnumerable<OpenHours> open, BookingContext context)
    {
        var all = open.ToList();
        var days = all
            .Where(o => plan.LieuId is null || o.LieuId is null || o.LieuId == plan.LieuId)
            .Select(o => (Hours: o, Day: o.Zone.DayOf(o.Start)))
            .Where(o => o.Day >= plan.From && o.Day <= plan.To && (plan.Weekdays.Count == 0 || plan.Weekdays.Contains(o.Day.DayOfWeek)))
            .Select(o => (o.Day, Planned: Within(plan, all, o.Hours, o.Day)))
            .Where(o => o.Planned is not null)
            .GroupBy(o => o.Day)
            .ToDictionary(g => g.Key, g => g.Select(o => o.Planned!).OrderBy(p => p.StartsAt).ThenBy(p => p.LieuId).ToList());
        var anchor = context.Anchor ?? plan.From;
        var taken = BookingContext.Counted(context.Own).Select(r => r.Day).ToLookup(day => plan.Cadence.IntervalOf(day, anchor));
        var rencontres = new List<PlannedRencontre>();
        var gaps = new List<Gap>();
        var interval = plan.Cadence.IntervalOf(plan.From, anchor);
        for (var (first, last) = plan.Cadence.DaysOf(interval, anchor); first <= plan.To && rencontres.Count < plan.Most; (first, last) = plan.Cadence.DaysOf(++interval, anchor))
        {
            Fill(first, last, [.. taken[interval]]);
        }

        return new ProposedSeries([.. rencontres.OrderBy(r => r.StartsAt)], gaps);

        void Fill(DateOnly first, DateOnly last, List<DateOnly> booked)
        {
            var count = plan.Cadence.Count;
            var room = count - booked.Count;
            var used = new HashSet<DateOnly>(booked);
            var reason = SeriesGapReason.NotOpen;
            for (var i = 0; i < count; i++)
            {
                // What is booked fills its stretch; a stretch outside the series asks for nothing.
                var (from, to) = (Cut(i), Cut(i + 1).AddDays(-1));
                if (room <= 0 || rencontres.Count >= plan.Most || from > to || to < plan.From || from > plan.To || booked.Any(d => d >= from && d <= to))
                {
                    continue;
                }

                reason = SeriesGapReason.NotOpen;
                var found = Find(from, to);
                var why = reason;
                if (found is null && from >= plan.From && to <= plan.To)
                {
                    found = Find(first, last);
                }

                if (found is null)
                {
                    gaps.Add(new Gap(from < plan.From ? plan.From : from, to > plan.To ? plan.To : to, why));
                    continue;
                }

                rencontres.Add(found);
                used.Add(found.Day);
                room--;
            }

            DateOnly Cut(int part) => first.AddDays((last.DayNumber - first.DayNumber + 1) * part / count);

            PlannedRencontre? Find(DateOnly from, DateOnly to)
            {
                for (var day = from; day <= to; day = day.AddDays(1))
                {
                    foreach (var planned in used.Contains(day) ? [] : days.GetValueOrDefault(day) ?? [])
                    {
                        if (BookingRules.Overlaps(context.Own, planned))
                        {
                            reason = SeriesGapReason.OverlapsOther;
                        }
                        else if (BookingRules.IsFull(context, planned))
                        {
                            reason = SeriesGapReason.EspaceFull;
                        }
                        else
                        {
                            return planned;
                        }
                    }
                }

                return null;
            }
        }
    }

    /// <summary>Whether a rencontre lies wholly within the hours of an espace, each half of a remise for itself.</summary>
    public static bool IsOpen(IReadOnlyCollection<OpenHours> open, PlannedRencontre planned) =>
        Fits(open, planned.StartsAt, planned.Minutes, planned.LieuId) && (planned.ReturnsAt is not { } back || Fits(open, back, planned.Minutes, planned.LieuId));

    private static bool Fits(IEnumerable<OpenHours> open, DateTimeOffset start, int minutes, Guid? lieuId) =>
        open.Any(o => (lieuId is null || o.LieuId is null || o.LieuId == lieuId) && o.Start <= start && start.AddMinutes(minutes) <= o.End);

    // A clock that jumps in spring shows such a start later; the hours then tell whether it still fits.
    private static PlannedRencontre? Within(SeriesPlan plan, IReadOnlyCollection<OpenHours> open, OpenHours hours, DateOnly day)
    {
        var start = hours.Zone.At(day, plan.StartMinute);
        if (hours.Start > start || start.AddMinutes(plan.Minutes) > hours.End)
        {
            return null;
        }

        if (plan.ReturnAfterMinutes is not { } after)
        {
            return new PlannedRencontre(start, plan.Minutes, hours.Zone, hours.LieuId);
        }

        var (days, minute) = Math.DivRem(plan.StartMinute + after, 24 * 60);
        var back = hours.Zone.At(day.AddDays(days), minute);
        var remise = new PlannedRencontre(start, plan.Minutes, hours.Zone, hours.LieuId, RencontreKind.Remise, back);
        return remise.LastDay <= plan.To && Fits(open, back, plan.Minutes, hours.LieuId) ? remise : null;
    }
}
