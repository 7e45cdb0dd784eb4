using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Time;

public sealed class WorkingCalendarTests
{
    private static readonly (string Zone, string Departement)[] s_places =
        [("Europe/Paris", "69"), ("Europe/Paris", "67"), ("Indian/Reunion", "974"), ("America/Cayenne", "973"), ("Pacific/Noumea", "988"), ("Europe/Paris", "")];

    [Theory]
    [InlineData("Europe/Paris", "69", "2025-12-24T10:00:00Z", 1, "2025-12-26T23:00:00Z")] // Christmas Day
    [InlineData("Europe/Paris", "67", "2025-12-24T10:00:00Z", 1, "2025-12-29T23:00:00Z")] // and the day after it in Alsace, then a weekend
    [InlineData("Europe/Paris", "69", "2026-04-02T10:00:00Z", 1, "2026-04-03T22:00:00Z")]
    [InlineData("Europe/Paris", "57", "2026-04-02T10:00:00Z", 1, "2026-04-07T22:00:00Z")] // Good Friday, the weekend, Easter Monday
    [InlineData("Indian/Reunion", "974", "2027-12-17T10:00:00Z", 1, "2027-12-21T20:00:00Z")] // the abolition of slavery, a Monday
    [InlineData("Europe/Paris", "69", "2026-03-06T22:30:00Z", 3, "2026-03-11T23:00:00Z")] // still Friday in Paris
    [InlineData("Europe/Paris", "69", "2026-03-06T23:30:00Z", 3, "2026-03-11T23:00:00Z")] // Saturday already
    public void AfterWorkingDays_OfAnInstant_EndsWithTheLastOfThem(string zone, string departement, string from, int days, string end) =>
        Assert.Equal(Instant(end), WorkingCalendar.Of(zone, departement).AfterWorkingDays(Instant(from), days));

    [Fact]
    public void AfterWorkingDays_AnywhereAndAnyTime_CountsWorkingDaysOnly() => Prop.ForAll(
        Gen.Elements(s_places).ToArbitrary(), Gen.Choose(0, 4_000_000).ToArbitrary(), Gen.Choose(1, 15).ToArbitrary(), (place, minutes, days) =>
        {
            var calendar = WorkingCalendar.Of(place.Zone, place.Departement);
            var zone = TimeZoneInfo.FindSystemTimeZoneById(place.Zone);
            var from = Instant("2024-01-01T00:00:00Z").AddMinutes(minutes);
            var last = zone.DayOf(calendar.AfterWorkingDays(from, days).AddTicks(-1));
            var between = Enumerable.Range(1, last.DayNumber - zone.DayOf(from).DayNumber).Select(zone.DayOf(from).AddDays).ToList();
            return between.Count(calendar.IsWorking) == days && calendar.IsWorking(last)
                && between.TrueForAll(d => !calendar.IsWorking(d) || !PublicHolidays.IsHoliday(d, place.Departement));
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("2026-01-30T10:00:00Z", 1, "2026-03-02T23:00:00Z")] // 28 February is a Saturday
    [InlineData("2026-04-14T10:00:00Z", 3, "2026-07-15T22:00:00Z")] // 14 July is a holiday
    public void AfterMonths_OfAnInstant_IsTheSameDayOrTheNextWorkingOne(string from, int months, string end) =>
        Assert.Equal(Instant(end), WorkingCalendar.Of("Europe/Paris", "69").AfterMonths(Instant(from), months));

    [Theory]
    [InlineData("9998-12-31T10:00:00Z")]
    [InlineData("9999-12-30T23:59:59Z")]
    public void AnyDeadline_ThatWouldEndInTheLastYearThereIs_IsNeverDue(string from)
    {
        var calendar = WorkingCalendar.Of("Pacific/Auckland", "69");

        Assert.Equal(
            [WorkingCalendar.Never, WorkingCalendar.Never, WorkingCalendar.Never],
            [calendar.AfterWorkingDays(Instant(from), 15), calendar.AfterMonths(Instant(from), 3), calendar.EndOf(DateOnly.MaxValue)]);
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
