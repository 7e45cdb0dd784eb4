using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Tests.Domain;

public class OpeningScheduleTests
{
    private static readonly SchoolCalendar Calendar = new(
    [
        Holiday("A", "2025-2026", new(2026, 7, 4), new(2026, 8, 31)),
        Holiday("A", "2026-2027", new(2026, 10, 17), new(2026, 11, 1)),
        Holiday("A", "2026-2027", new(2027, 2, 13), new(2027, 2, 28)),
    ]);

    [Fact]
    public void Between_SchoolHolidays_KeepsEachHoursToTheirTime()
    {
        var espace = Espace("69123", Hours("school", "FREQ=WEEKLY;BYDAY=SA", SchoolHolidayRule.OutsideHolidays), Hours("holidays", "FREQ=WEEKLY;BYDAY=TU", SchoolHolidayRule.HolidaysOnly));

        var openings = Between(espace, new(2026, 10, 10), new(2026, 11, 10), out var unknown);

        Assert.Equal(
            [("school", 10, 10), ("holidays", 10, 20), ("holidays", 10, 27), ("school", 11, 7)],
            openings.Select(o => (o.Hours.ExternalId, o.Day.Month, o.Day.Day)));
        Assert.Empty(unknown);
    }

    [Fact]
    public void Between_YearThatNobodyPublished_IsEstimatedAndSaid()
    {
        var espace = Espace("69123", Hours("school", "FREQ=WEEKLY;BYDAY=SA", SchoolHolidayRule.OutsideHolidays), Hours("holidays", "FREQ=WEEKLY;BYDAY=TU", SchoolHolidayRule.HolidaysOnly));

        var openings = Between(espace, new(2027, 10, 1), new(2027, 10, 31), out var unknown);

        Assert.Equal(["2027-2028"], unknown);
        Assert.All(openings, o => Assert.Equal("school", o.Hours.ExternalId));
        Assert.Equal(5, openings.Count);
    }

    [Fact]
    public void Between_HoursThatDoNotMindHolidays_NeedNoCalendar()
    {
        var openings = Between(Espace("97411", Hours("all", "FREQ=WEEKLY;BYDAY=SA", SchoolHolidayRule.Always)), new(2030, 1, 1), new(2030, 1, 31), out var unknown);

        Assert.Equal(4, openings.Count);
        Assert.Empty(unknown);
    }

    [Fact]
    public void Between_PublicHolidayAndClosure_AreClosed()
    {
        var open = Hours("open", "FREQ=WEEKLY;BYDAY=WE", SchoolHolidayRule.Always);
        open.OpenOnPublicHolidays = true;
        var espace = Espace("67482", Hours("closed", "FREQ=WEEKLY;BYDAY=WE", SchoolHolidayRule.Always), open);
        espace.Fermetures.Add(new Fermeture { StartDate = Day(2026, 11, 16), EndDate = Day(2026, 11, 18), Reason = FermetureReason.Travaux, LieuExternalId = "L1" });

        var openings = Between(espace, new(2026, 11, 9), new(2026, 11, 29), out _);

        Assert.Equal([("open", 11), ("closed", 25), ("open", 25)], openings.Select(o => (o.Hours.ExternalId, o.Day.Day)));
    }

    [Fact]
    public void Between_OneModalite_ShowsTheHoursThatServeIt()
    {
        var handover = Hours("handover", "FREQ=WEEKLY;BYDAY=FR", SchoolHolidayRule.Always);
        handover.Modalites.Add(Modalite.RemiseEnfant);
        var schedule = OpeningSchedule.Of(Espace("69123", handover, Hours("all", "FREQ=WEEKLY;BYDAY=SA", SchoolHolidayRule.Always)));

        var visits = schedule.Between(new(2026, 11, 16), new(2026, 11, 22), Modalite.Visite, Calendar, new HashSet<string>());

        Assert.Equal(["all"], visits.Select(o => o.Hours.ExternalId));
    }

    [Theory]
    [InlineData("FREQ=WEEKLY;BYDAY=SA", 16)]
    [InlineData("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", 9)]
    [InlineData("FREQ=MONTHLY;BYDAY=1SA", 4)]
    [InlineData("FREQ=WEEKLY;UNTIL=20260131", 0)]
    public void SlotsPerWeek_Rule_IsTheMeanOfAQuarter(string rule, int slots)
    {
        // 10 h to 18 h, slots of two hours, four families at a time.
        var schedule = OpeningSchedule.Of(Espace("69123", Hours("one", rule, SchoolHolidayRule.OutsideHolidays), Hours("two", "FREQ=WEEKLY;BYDAY=TU", SchoolHolidayRule.HolidaysOnly)));

        Assert.Equal(slots, schedule.SlotsPerWeek(Modalite.Visite, new(2026, 11, 21)));
    }

    [Theory]
    [InlineData("2026-09-01", null)]
    [InlineData("2027-02-28", null)]
    [InlineData("2027-03-01", "2026-2027")]
    [InlineData("2027-09-01", "2027-2028")]
    [InlineData("2025-07-31", "2024-2025")]
    public void UnknownYearOf_Day_IsKnownUpToTheLastHolidayPublished(string day, string? year) =>
        Assert.Equal(year, Calendar.UnknownYearOf("A", DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public void UnknownYearOf_OtherZone_IsUnknown() => Assert.Equal("2026-2027", Calendar.UnknownYearOf("B", new(2026, 10, 20)));

    [Fact]
    public void Of_EveryDepartement_HasOneZone()
    {
        string[] metropole = [.. Enumerable.Range(1, 95).Where(n => n != 20).Select(n => n.ToString("D2", System.Globalization.CultureInfo.InvariantCulture)), "2A", "2B"];
        var zones = metropole.GroupBy(SchoolZones.Of).ToDictionary(g => g.Key, g => g.Count());

        Assert.Equal(new Dictionary<string, int> { ["A"] = 32, ["B"] = 41, ["C"] = 21, ["CORSE"] = 2 }, zones);
        Assert.Equal(["971", "971", "974"], new[] { "971", "978", "974" }.Select(SchoolZones.Of));
    }

    private static List<Opening> Between(Espace espace, DateOnly from, DateOnly to, out SortedSet<string> unknown)
    {
        unknown = [];
        return OpeningSchedule.Of(espace).Between(from, to, null, Calendar, unknown);
    }

    private static Espace Espace(string commune, params Ouverture[] hours)
    {
        var espace = new Espace { Lieux = { new Lieu { ExternalId = "L1", CommuneInsee = commune } } };
        espace.Ouvertures.Add(hours);
        return espace;
    }

    private static Ouverture Hours(string id, string rule, SchoolHolidayRule holidays) => new()
    {
        ExternalId = id,
        LieuExternalId = "L1",
        Rrule = rule,
        StartDate = Day(2026, 1, 3),
        StartTime = new TimeOfDay { Hours = 10 },
        EndTime = new TimeOfDay { Hours = 18 },
        SlotMinutes = 120,
        Families = 4,
        SchoolHolidays = holidays,
    };

    private static Date Day(int year, int month, int day) => new DateOnly(year, month, day).ToProto();

    private static SchoolHolidays Holiday(string zone, string year, DateOnly from, DateOnly to) => new(zone, year, new Period(from, to));
}
