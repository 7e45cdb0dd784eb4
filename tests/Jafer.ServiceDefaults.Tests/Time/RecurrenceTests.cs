using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Time;

public class RecurrenceTests
{
    private static readonly DateOnly Start = new(2026, 1, 3); // a Saturday
    private static readonly string[] s_names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

    [Theory]
    [InlineData("", "2026-01-03")]
    [InlineData("FREQ=WEEKLY", "2026-01-03 2026-01-10 2026-01-17 2026-01-24 2026-01-31")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "2026-01-03 2026-01-17 2026-01-31")]
    [InlineData("FREQ=WEEKLY;BYDAY=WE,SA;COUNT=4", "2026-01-03 2026-01-07 2026-01-10 2026-01-14")]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "2026-01-12 2026-01-26")]
    [InlineData("FREQ=WEEKLY;UNTIL=20260110", "2026-01-03 2026-01-10")]
    [InlineData("FREQ=MONTHLY;BYDAY=1SA,-1SA", "2026-01-03 2026-01-31")]
    [InlineData("FREQ=MONTHLY;BYDAY=SA;BYMONTH=1", "2026-01-03 2026-01-10 2026-01-17 2026-01-24 2026-01-31")]
    [InlineData("FREQ=MONTHLY", "2026-01-03")]
    public void Between_JanuaryOf2026_GivesTheDaysOfTheRule(string rule, string days) =>
        Assert.Equal(days.Split(' ').Select(d => DateOnly.Parse(d, CultureInfo.InvariantCulture)), Of(rule).Between(new(2026, 1, 1), new(2026, 1, 31)));

    [Fact]
    public void Between_ThirtyFirstOfEachMonth_LeavesShortMonthsOut()
    {
        Assert.True(Recurrence.TryParse("FREQ=MONTHLY", new(2026, 1, 31), out var recurrence, out _));
        Assert.Equal([1, 3, 5, 7, 8, 10, 12], recurrence.Between(new(2026, 1, 1), new(2026, 12, 31)).Select(d => d.Month));
    }

    [Theory]
    [InlineData("FREQ=DAILY")]
    [InlineData("FREQ=weekly")]
    [InlineData("INTERVAL=2")]
    [InlineData("FREQ=WEEKLY;")]
    [InlineData("FREQ=WEEKLY;FREQ=WEEKLY")]
    [InlineData("FREQ=WEEKLY;BYDAY=1SA")]
    [InlineData("FREQ=WEEKLY;BYDAY=XX")]
    [InlineData("FREQ=WEEKLY;BYHOUR=9")]
    [InlineData("FREQ=WEEKLY;INTERVAL=0")]
    [InlineData("FREQ=WEEKLY;INTERVAL=53")]
    [InlineData("FREQ=MONTHLY;INTERVAL=13")]
    [InlineData("FREQ=MONTHLY;BYDAY=6SA")]
    [InlineData("FREQ=MONTHLY;BYDAY=0SA")]
    [InlineData("FREQ=MONTHLY;BYMONTH=13")]
    [InlineData("FREQ=WEEKLY;COUNT=0")]
    [InlineData("FREQ=WEEKLY;COUNT=3;UNTIL=20270101")]
    [InlineData("FREQ=WEEKLY;UNTIL=20270101T000000Z")]
    [InlineData("FREQ=WEEKLY;UNTIL=2027-01-01")]
    public void TryParse_OutsideOfTheSubset_SaysWhatIsWrong(string rule)
    {
        Assert.False(Recurrence.TryParse(rule, Start, out var recurrence, out var error));
        Assert.Null(recurrence);
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("FREQ=WEEKLY;UNTIL=20260102")]
    [InlineData("FREQ=WEEKLY;BYDAY=SU;UNTIL=20260103")]
    [InlineData("FREQ=MONTHLY;INTERVAL=12;BYMONTH=2")]
    public void TryParse_RuleThatNeverOccurs_IsRefused(string rule)
    {
        Assert.False(Recurrence.TryParse(rule, Start, out _, out var error));
        Assert.Equal("never gives a day", error);
    }

    [Fact]
    public void TryParse_ThirtyFirstOfShortMonths_NeverOccurs() =>
        Assert.False(Recurrence.TryParse("FREQ=MONTHLY;BYMONTH=2,4,6,9,11", new(2026, 1, 31), out _, out _));

    [Fact]
    public void TryParse_LeapDay_Occurs()
    {
        Assert.True(Recurrence.TryParse("FREQ=MONTHLY;BYMONTH=2", new(2024, 2, 29), out var recurrence, out _));
        Assert.Equal([2024, 2028, 2032], recurrence.Between(Start.AddYears(-3), new(2032, 12, 31)).Select(d => d.Year));
    }

    [Fact]
    public void TryParse_LastDaysOfTheCalendar_NeitherFaultNorLoop()
    {
        var last = DateOnly.MaxValue;
        foreach (var rule in new[] { "", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=WEEKLY;INTERVAL=52" })
        {
            if (Recurrence.TryParse(rule, last.AddDays(-20), out var recurrence, out _))
            {
                Assert.All(recurrence.Between(DateOnly.MinValue, last), d => Assert.True(d >= last.AddDays(-20)));
            }
        }
    }

    [Fact]
    public void Between_AnyRule_GivesExactlyTheDaysThatAnIndependentReadingOfTheRuleAccepts() =>
        Prop.ForAll(Rules(), rule =>
        {
            if (!Recurrence.TryParse(rule.Text, rule.Start, out var recurrence, out _))
            {
                Assert.Empty(rule.Days(rule.Start, rule.Start.AddYears(3)));
                return;
            }

            Assert.Equal(rule.Days(rule.Start, rule.Start.AddYears(3)), recurrence.Between(rule.Start, rule.Start.AddYears(3)));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Between_AnyRule_IsSortedWithoutDoublesAndNotBeforeItsStart() =>
        Prop.ForAll(Rules(), rule =>
        {
            if (!Recurrence.TryParse(rule.Text, rule.Start, out var recurrence, out _))
            {
                return;
            }

            var days = recurrence.Between(DateOnly.MinValue, rule.Start.AddYears(2)).ToList();
            Assert.Equal(days.Distinct().Order(), days);
            Assert.True(days.Count == 0 || days[0] >= rule.Start);
            Assert.True(rule.Count is not { } count || days.Count <= count);
            Assert.True(rule.Until is not { } until || days.TrueForAll(d => d <= until));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Between_AnyWindow_NeverChangesMembership() =>
        Prop.ForAll(Rules(), Gen.Choose(-100, 900).Zip(Gen.Choose(0, 400)).ToArbitrary(), (rule, window) =>
        {
            if (!Recurrence.TryParse(rule.Text, rule.Start, out var recurrence, out _))
            {
                return;
            }

            var (from, to) = (rule.Start.AddDays(window.Item1), rule.Start.AddDays(window.Item1 + window.Item2));
            var all = recurrence.Between(rule.Start.AddDays(-200), rule.Start.AddDays(1500));
            Assert.Equal(all.Where(d => d >= from && d <= to), recurrence.Between(from, to));
            Assert.Equal(recurrence.Between(from, from).Any(), recurrence.Includes(from));
        }).QuickCheckThrowOnFailure();

    private static Recurrence Of(string rule)
    {
        Assert.True(Recurrence.TryParse(rule, Start, out var recurrence, out var error), error);
        return recurrence;
    }

    private static Arbitrary<Rule> Rules()
    {
        var weekdays = Gen.Elements(Enum.GetValues<DayOfWeek>());
        var byDay = from weekday in weekdays from position in Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Elements(-5, -2, -1, 1, 2, 3, 4, 5))) select (position, weekday);
        return (from weekly in Gen.Elements(true, false)
                from start in Gen.Choose(0, 1500).Select(n => Start.AddDays(n))
                from interval in Gen.Choose(1, weekly ? 6 : 5)
                from days in byDay.ListOf()
                from months in Gen.Frequency((3, Gen.Constant(Array.Empty<int>())), (1, Gen.Choose(1, 12).ArrayOf()))
                from end in Gen.Choose(0, 2)
                from number in Gen.Choose(1, 40)
                let given = days.Take(3).Select(d => weekly ? (0, d.weekday) : d).Distinct().ToArray()
                select new Rule(
                    weekly, start, interval, given, [.. months.Distinct()],
                    end == 1 ? start.AddDays(number * 11) : null, end == 2 ? number : null)).ToArbitrary();
    }

    // Reads the rule day by day, as RFC 5545 words it, without anything of the code under test.
    private sealed record Rule(
        bool Weekly, DateOnly Start, int Interval, (int Position, DayOfWeek Weekday)[] ByDay, int[] ByMonth, DateOnly? Until, int? Count)
    {
        public string Text => string.Join(';', new[]
        {
            Weekly ? "FREQ=WEEKLY" : "FREQ=MONTHLY",
            string.Create(CultureInfo.InvariantCulture, $"INTERVAL={Interval}"),
            ByDay.Length == 0 ? null : "BYDAY=" + string.Join(',', ByDay.Select(d => (d.Position == 0 ? "" : d.Position.ToString(CultureInfo.InvariantCulture)) + s_names[(int)d.Weekday])),
            ByMonth.Length == 0 ? null : "BYMONTH=" + string.Join(',', ByMonth),
            Until is { } until ? "UNTIL=" + until.ToString("yyyyMMdd", CultureInfo.InvariantCulture) : null,
            Count is { } count ? string.Create(CultureInfo.InvariantCulture, $"COUNT={count}") : null,
        }.OfType<string>());

        public List<DateOnly> Days(DateOnly from, DateOnly to)
        {
            var fit = Enumerable.Range(0, to.DayNumber - Start.DayNumber + 1).Select(n => Start.AddDays(n)).Where(Fits);
            return [.. (Count is { } count ? fit.Take(count) : fit).Where(d => d >= from)];
        }

        public override string ToString() => $"{Start:O} {Text}";

        private bool Fits(DateOnly day)
        {
            if (day > (Until ?? DateOnly.MaxValue) || (ByMonth.Length > 0 && !ByMonth.Contains(day.Month)))
            {
                return false;
            }

            if (Weekly)
            {
                return (Monday(day).DayNumber - Monday(Start).DayNumber) / 7 % Interval == 0
                    && (ByDay.Length == 0 ? day.DayOfWeek == Start.DayOfWeek : ByDay.Any(d => d.Weekday == day.DayOfWeek));
            }

            var months = (day.Year - Start.Year) * 12 + day.Month - Start.Month;
            return months % Interval == 0 && (ByDay.Length == 0 ? day.Day == Start.Day : ByDay.Any(d => d.Weekday == day.DayOfWeek && Position(d.Position, day)));
        }

        private static bool Position(int position, DateOnly day) =>
            position == 0 || (position > 0
                ? (day.Day - 1) / 7 == position - 1
                : (DateTime.DaysInMonth(day.Year, day.Month) - day.Day) / 7 == -position - 1);

        private static DateOnly Monday(DateOnly day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7));
    }
}
