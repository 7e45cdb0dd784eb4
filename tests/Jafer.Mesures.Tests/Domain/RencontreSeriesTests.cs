using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>The series that is laid over the days on which an espace is open.</summary>
public sealed class RencontreSeriesTests
{
    private static readonly TimeZoneInfo s_paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    // Any cadence, window, weekly openings with closed days among them, bookings before, and other families.
    private static Arbitrary<Case> Cases => (
        from count in Gen.Choose(1, 4)
        from interval in Gen.Choose(1, 3)
        from unit in Gen.Elements(PeriodicityUnit.Week, PeriodicityUnit.Month)
        from first in Gen.Choose(0, 700)
        from length in Gen.Choose(0, 200)
        from weekdays in Gen.Choose(1, 127)
        from wanted in Gen.Choose(0, 127)
        from closed in Gen.Choose(0, 6)
        from hour in Gen.Choose(0, 21)
        from minutes in Gen.Elements(30, 60, 120)
        from most in Gen.Choose(1, 100)
        from booked in Gen.Choose(0, 210).ListOf()
        from full in Gen.Choose(0, 210).ListOf()
        from back in Gen.Elements((int?)null, null, 180, 2 * 24 * 60)
        select new Case(new Cadence(count, interval, unit), new DateOnly(2026, 1, 1).AddDays(first), length, weekdays, wanted, closed, hour, minutes, most, [.. booked.Take(4)], [.. full.Take(20)], back))
        .ToArbitrary();

    [Fact]
    public void Propose_AnySeries_KeepsToOpenDaysWindowPeriodicityAndCapacity() => Prop.ForAll(Cases, c =>
    {
        var (plan, open, context) = c.Input;
        var series = RencontreSeries.Propose(plan, open, context);
        var anchor = context.Anchor ?? plan.From;
        var perInterval = BookingContext.Counted(context.Own).Select(r => r.Day).Concat(series.Rencontres.Select(r => r.Day)).GroupBy(d => plan.Cadence.IntervalOf(d, anchor)).ToList();
        var proposedIntervals = series.Rencontres.Select(r => plan.Cadence.IntervalOf(r.Day, anchor)).ToHashSet();
        return series.Rencontres.All(r => RencontreSeries.IsOpen(open, r)
                && r.Day >= plan.From && r.LastDay <= plan.To
                && (plan.Weekdays.Count == 0 || plan.Weekdays.Contains(r.Day.DayOfWeek))
                && !BookingRules.IsFull(context, r) && !BookingRules.Overlaps(context.Own, r))
            && series.Rencontres.Count <= plan.Most
            && series.Rencontres.Select(r => r.Day).Distinct().Count() == series.Rencontres.Count
            && series.Rencontres.SequenceEqual(series.Rencontres.OrderBy(r => r.StartsAt))
            && perInterval.Where(g => proposedIntervals.Contains(g.Key)).All(g => g.Count() <= plan.Cadence.Count);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Propose_AnySeries_StartsWhenTheClockOfTheLieuShowsIt() => Prop.ForAll(Cases, c =>
    {
        var (plan, open, context) = c.Input;
        return RencontreSeries.Propose(plan, open, context).Rencontres.All(r =>
        {
            var local = TimeZoneInfo.ConvertTime(r.StartsAt, s_paris);
            var skipped = s_paris.IsInvalidTime(r.Day.ToDateTime(TimeOnly.MinValue).AddMinutes(plan.StartMinute));
            return local.Hour * 60 + local.Minute == plan.StartMinute + (skipped ? 60 : 0);
        });
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Propose_SameInputShuffled_GivesTheSameSeries() => Prop.ForAll(Cases, Gen.Choose(0, int.MaxValue).ToArbitrary(), (c, seed) =>
    {
        var (plan, open, context) = c.Input;
        var shuffled = open.ToArray();
        new Random(seed).Shuffle(shuffled);
        var (first, second) = (RencontreSeries.Propose(plan, open, context), RencontreSeries.Propose(plan, shuffled, context));
        return first.Rencontres.SequenceEqual(second.Rencontres) && first.Gaps.SequenceEqual(second.Gaps);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Propose_AnyGap_HasNoDayThatFits() => Prop.ForAll(Cases, c =>
    {
        var (plan, open, context) = c.Input;
        var series = RencontreSeries.Propose(plan, open, context);
        var used = series.Rencontres.Select(r => r.Day).Concat(BookingContext.Counted(context.Own).Select(r => r.Day)).ToHashSet();

        // Alone on the days of the gap that are left, a series finds nothing either.
        return series.Gaps.All(g => RencontreSeries.Propose(
            plan with { From = g.From, To = plan.ReturnAfterMinutes is null ? g.To : plan.To, Cadence = new Cadence(31, 12, PeriodicityUnit.Month), Most = 100 },
            open.Where(o => s_paris.DayOf(o.Start) is var d && !used.Contains(d) && d >= g.From && d <= g.To).Concat(plan.ReturnAfterMinutes is null ? [] : open.Where(o => s_paris.DayOf(o.Start) > g.To)),
            context with { Own = [.. context.Own.Where(r => r.Outcome == RencontreOutcome.Scheduled)] }).Rencontres.All(r => r.Day > g.To));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Propose_TwiceAMonthOnSaturdays_SpreadsThemOverTheMonth()
    {
        var open = Days(new(2026, 9, 1), new(2026, 12, 31)).Where(d => d.DayOfWeek == DayOfWeek.Saturday).Select(Open).ToList();

        var series = RencontreSeries.Propose(
            new SeriesPlan(new(2026, 9, 1), new(2026, 12, 31), new Cadence(2, 1, PeriodicityUnit.Month), 100, 10 * 60, 120, new HashSet<DayOfWeek>()), open, Nothing);

        Assert.Equal(
            ["09-05", "09-19", "10-03", "10-17", "11-07", "11-21", "12-05", "12-19"],
            series.Rencontres.Select(r => r.Day.ToString("MM-dd", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Empty(series.Gaps);

        // Summer time ends on 25 October: the clock shows ten all the same.
        Assert.Equal([8, 8, 8, 8, 9, 9, 9, 9], series.Rencontres.Select(r => r.StartsAt.UtcDateTime.Hour));
    }

    [Fact]
    public void Propose_ClosedStretch_TakesAnotherDayOfTheMonthOrTellsTheGap()
    {
        var saturdays = Days(new(2026, 9, 1), new(2026, 10, 31)).Where(d => d.DayOfWeek == DayOfWeek.Saturday).ToList();
        var plan = new SeriesPlan(new(2026, 9, 1), new(2026, 10, 31), new Cadence(2, 1, PeriodicityUnit.Month), 100, 10 * 60, 120, new HashSet<DayOfWeek>());

        // Closed in the first half of September and in all of October but its last Saturday.
        var series = RencontreSeries.Propose(plan, saturdays.Where(d => d is { Month: 9, Day: > 15 } or { Month: 10, Day: 31 }).Select(Open), Nothing);

        Assert.Equal([new(2026, 9, 19), new(2026, 9, 26), new DateOnly(2026, 10, 31)], series.Rencontres.Select(r => r.Day));
        Assert.Equal(new Gap(new(2026, 10, 16), new(2026, 10, 31), SeriesGapReason.NotOpen), Assert.Single(series.Gaps));
    }

    [Theory]
    [InlineData(2, PeriodicityUnit.Week, "2026-11-30", "2026-12-13")]
    [InlineData(1, PeriodicityUnit.Month, "2026-12-01", "2026-12-31")]
    [InlineData(3, PeriodicityUnit.Month, "2026-12-01", "2027-02-28")]
    public void Cadence_IntervalAfterTheAnchor_IsOfWholeWeeksOrMonths(int interval, PeriodicityUnit unit, string first, string last)
    {
        var cadence = new Cadence(1, interval, unit);
        var anchor = unit == PeriodicityUnit.Week ? new DateOnly(2026, 11, 18) : new DateOnly(2026, 12, 1).AddMonths(-interval);

        Assert.Equal((DateOnly.Parse(first, null), DateOnly.Parse(last, null)), cadence.DaysOf(1, anchor));
        Assert.Equal((0, 1, 1, 2), (cadence.IntervalOf(DateOnly.Parse(first, null).AddDays(-1), anchor), cadence.IntervalOf(DateOnly.Parse(first, null), anchor),
            cadence.IntervalOf(DateOnly.Parse(last, null), anchor), cadence.IntervalOf(DateOnly.Parse(last, null).AddDays(1), anchor)));
    }

    internal static BookingContext Nothing { get; } = new(new Decision(), [], null, [], default, [], null);

    private static IEnumerable<DateOnly> Days(DateOnly from, DateOnly to) => Enumerable.Range(0, to.DayNumber - from.DayNumber + 1).Select(from.AddDays);

    private static OpenHours Open(DateOnly day) => new(s_paris.At(day, 9 * 60), s_paris.At(day, 18 * 60), s_paris, null);

    internal sealed record Case(
        Cadence Cadence, DateOnly From, int Length, int Weekdays, int Wanted, int Closed, int Hour, int Minutes, int Most, int[] Booked, int[] Full, int? Back)
    {
        public (SeriesPlan Plan, List<OpenHours> Open, BookingContext Context) Input
        {
            get
            {
                var to = From.AddDays(Length);
                var open = Days(From.AddDays(-5), to.AddDays(5))
                    .Where(d => (Weekdays & (1 << (int)d.DayOfWeek)) != 0 && (Closed == 0 || d.DayNumber % (Closed + 1) != 0))
                    .Select(d => new OpenHours(s_paris.At(d, 60 * Math.Max(0, Hour - 1)), s_paris.At(d, 60 * (Hour + 2)), s_paris, null)).ToList();
                var own = Booked.Select((d, i) => Row(From.AddDays(d), i % 3 == 0 ? RencontreOutcome.VisiteurAbsent : i % 3 == 1 ? RencontreOutcome.Held : RencontreOutcome.Scheduled)).ToList();
                var others = Full.Select(d => s_paris.At(From.AddDays(d), 60 * Hour)).Select(t => new Stay(t, t.AddHours(1))).ToList();
                var plan = new SeriesPlan(
                    From, to, Cadence, Most, 60 * Hour, Minutes, Enum.GetValues<DayOfWeek>().Where(d => (Wanted & (1 << (int)d)) != 0).ToHashSet(), null, Back);
                return (plan, open, Nothing with { Own = own, Others = others, Capacity = 1 });
            }
        }

        private Rencontre Row(DateOnly day, RencontreOutcome outcome) => new()
        {
            Id = Guid.CreateVersion7(s_paris.At(day, 60 * Hour)),
            MesureId = default,
            StartsAt = s_paris.At(day, 60 * Hour),
            DurationMinutes = Minutes,
            TimeZone = "Europe/Paris",
            Outcome = outcome,
        };
    }
}
