using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Time;

public class PublicHolidaysTests
{
    [Theory]
    [InlineData("2019-04-21")]
    [InlineData("2024-03-31")]
    [InlineData("2025-04-20")]
    [InlineData("2026-04-05")]
    [InlineData("2027-03-28")]
    [InlineData("2038-04-25")]
    [InlineData("2049-04-18")]
    [InlineData("2076-04-19")]
    [InlineData("1954-04-18")]
    [InlineData("1981-04-19")]
    [InlineData("2285-03-22")]
    public void Easter_KnownYears_IsTheRightSunday(string sunday)
    {
        var day = DateOnly.Parse(sunday, CultureInfo.InvariantCulture);
        Assert.Equal(day, PublicHolidays.Easter(day.Year));
    }

    [Fact]
    public void Easter_EveryYear_IsASundayBetween22MarchAnd25April()
    {
        for (var year = 1583; year <= 4099; year++)
        {
            var easter = PublicHolidays.Easter(year);
            Assert.Equal(DayOfWeek.Sunday, easter.DayOfWeek);
            Assert.InRange(easter, new DateOnly(year, 3, 22), new DateOnly(year, 4, 25));
        }
    }

    [Fact]
    public void Of_Rhone2026_GivesTheElevenOfTheCodeDuTravail() =>
        Assert.Equal(
            ["01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25"],
            PublicHolidays.Of(2026, "69").Select(d => d.ToString("MM-dd", CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("67", "2026-04-03")]
    [InlineData("68", "2026-12-26")]
    [InlineData("57", "2026-12-26")]
    [InlineData("971", "2026-05-27")]
    [InlineData("972", "2026-05-22")]
    [InlineData("973", "2026-06-10")]
    [InlineData("974", "2026-12-20")]
    [InlineData("976", "2026-04-27")]
    [InlineData("977", "2026-10-09")]
    [InlineData("978", "2026-05-28")]
    public void IsHoliday_DayOfOneDepartement_IsOneThereAndNotInTheRhone(string departement, string text)
    {
        var day = DateOnly.Parse(text, CultureInfo.InvariantCulture);
        Assert.True(PublicHolidays.IsHoliday(day, departement));
        Assert.False(PublicHolidays.IsHoliday(day, "69"));
    }

    [Fact]
    public void Of_AscensionOnTheEighthOfMay_StandsOnce() =>
        Assert.Equal(PublicHolidays.Of(1975, "69").Distinct(), PublicHolidays.Of(1975, "69"));

    [Theory]
    [InlineData("Europe/Paris", "2027-03-28", 150, "2027-03-28T01:30:00Z")]
    [InlineData("Europe/Paris", "2027-03-28", 600, "2027-03-28T08:00:00Z")]
    [InlineData("Europe/Paris", "2026-10-25", 150, "2026-10-25T00:30:00Z")]
    [InlineData("Europe/Paris", "2026-10-25", 600, "2026-10-25T09:00:00Z")]
    [InlineData("America/Miquelon", "2027-03-14", 150, "2027-03-14T05:30:00Z")]
    [InlineData("Indian/Reunion", "2027-03-28", 600, "2027-03-28T06:00:00Z")]
    [InlineData("Pacific/Marquesas", "2027-03-28", 600, "2027-03-28T19:30:00Z")]
    [InlineData("Europe/Paris", "2026-11-21", 1440, "2026-11-21T23:00:00Z")]
    public void At_ClockAroundItsJumps_IsTheInstantMeant(string zone, string day, int minute, string instant) =>
        Assert.Equal(
            DateTimeOffset.Parse(instant, CultureInfo.InvariantCulture),
            TimeZoneInfo.FindSystemTimeZoneById(zone).At(DateOnly.Parse(day, CultureInfo.InvariantCulture), minute));

    [Fact]
    public void At_AnyZoneAndMinute_NeverGoesBackAndShowsTheTimeUnlessItIsSkipped()
    {
        TimeZoneInfo[] zones =
        [
            .. new[] { "Europe/Paris", "America/Guadeloupe", "America/Cayenne", "America/Miquelon", "Indian/Reunion", "Indian/Mayotte", "Pacific/Tahiti", "Pacific/Marquesas", "Pacific/Noumea" }
                .Select(TimeZoneInfo.FindSystemTimeZoneById),
        ];
        var moments = from zone in Gen.Elements(zones) from day in Gen.Choose(0, 4000) from minute in Gen.Choose(0, 1439) select (zone, new DateOnly(2024, 1, 1).AddDays(day), minute);
        Prop.ForAll(moments.ToArbitrary(), moment =>
        {
            var (zone, day, minute) = moment;
            var instant = zone.At(day, minute);
            Assert.True(instant < zone.At(day.AddDays(1), minute));
            var local = day.ToDateTime(TimeOnly.MinValue).AddMinutes(minute);
            if (!zone.IsInvalidTime(local))
            {
                Assert.Equal(local, TimeZoneInfo.ConvertTime(instant, zone).DateTime);
            }

            Assert.Equal(day, zone.DayOf(instant));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("2026-01-31", 1, "2026-02-28")]
    [InlineData("2027-12-31", 2, "2028-02-29")]
    [InlineData("2026-03-10", 2, "2026-05-10")]
    [InlineData("9999-11-30", 2, "9999-12-31")]
    public void SameDayAfter_DayThatTheMonthLacks_IsItsLast(string day, int months, string expected) =>
        Assert.Equal(DateOnly.Parse(expected, CultureInfo.InvariantCulture), DateOnly.Parse(day, CultureInfo.InvariantCulture).SameDayAfter(months));
}
