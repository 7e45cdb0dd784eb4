using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Grpc;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

/// <summary>What an opening schedule changes of the first rencontre and of the load.</summary>
public class TimetableTests
{
    private static readonly SchoolCalendar Calendar = new([new("A", "2026-2027", new Period(new(2026, 12, 19), new(2027, 1, 3)))]);

    // Day is a Saturday.
    [Theory]
    [InlineData("FREQ=WEEKLY;BYDAY=SA", 0, 0)]
    [InlineData("FREQ=WEEKLY;BYDAY=SA", 1, 7)]
    [InlineData("FREQ=WEEKLY;BYDAY=WE,SA", 8, 11)]
    [InlineData("FREQ=MONTHLY;BYDAY=1SA", 0, 14)]
    [InlineData("FREQ=WEEKLY;BYDAY=SA;UNTIL=20261130", 8, 8)]
    [InlineData("FREQ=MONTHLY;BYMONTH=11;BYDAY=1SA", 0, 350)]
    [InlineData("FREQ=WEEKLY;BYDAY=SA;BYMONTH=2", 30, 77)]
    public void NextOpening_Rule_IsItsNextDayOrTheDayItselfWhenItGivesNone(string rule, int from, int expected) =>
        Assert.Equal(Day.AddDays(expected), Of(Hours(rule)).NextOpening(Modalite.Visite, 0, Day.AddDays(from)));

    [Fact]
    public void NextOpening_HolidaysAndPublicHolidays_AreLeftOut()
    {
        // 19 and 26 December and 2 January lie in the holidays.
        Assert.Equal(new(2027, 1, 9), Of(Hours("FREQ=WEEKLY;BYDAY=SA", SchoolHolidayRule.OutsideHolidays)).NextOpening(Modalite.Visite, 0, new(2026, 12, 13)));
        Assert.Equal(new(2026, 12, 19), Of(Hours("FREQ=WEEKLY;BYDAY=SA", SchoolHolidayRule.HolidaysOnly)).NextOpening(Modalite.Visite, 0, Day));
        Assert.Equal(new(2027, 1, 8), Of(Hours("FREQ=WEEKLY;BYDAY=FR")).NextOpening(Modalite.Visite, 0, new(2027, 1, 1)));
    }

    [Fact]
    public void NextOpening_OtherLieuOrModalite_SaysNothingOfThisOne()
    {
        var handover = Hours("FREQ=WEEKLY;BYDAY=SU");
        handover.Modalites.Add(Modalite.RemiseEnfant);
        var timetable = Of(handover);

        Assert.Equal(Day, timetable.NextOpening(Modalite.Visite, 0, Day));
        Assert.Equal(Day, timetable.NextOpening(Modalite.RemiseEnfant, 1, Day));
        Assert.Equal(Day.AddDays(1), timetable.NextOpening(Modalite.RemiseEnfant, 0, Day));
        Assert.Equal((0, 16), (timetable.SlotsPerWeek(Modalite.Visite, Day), timetable.SlotsPerWeek(Modalite.RemiseEnfant, Day)));
    }

    [Fact]
    public void NextOpening_LastDayOfTheCalendar_IsThatDay()
    {
        Assert.Equal(DateOnly.MaxValue, Of(Hours("FREQ=WEEKLY;BYDAY=SA;UNTIL=20270101")).NextOpening(Modalite.Visite, 0, DateOnly.MaxValue));
        Assert.True(Of(Hours("FREQ=WEEKLY;BYDAY=SA")).NextOpening(Modalite.Visite, 0, DateOnly.MaxValue.AddDays(-3)) <= DateOnly.MaxValue);
    }

    [Fact]
    public void FirstRencontre_AnyScheduleAndClosures_IsTheFirstDayOpenAndNeverEarlierForALongerWait() =>
        Prop.ForAll(Rules().ToArbitrary(), Closures().ToArbitrary(), Gen.Choose(0, 400).Zip(Gen.Choose(0, 60)).ToArbitrary(), (rule, closures, waits) =>
        {
            var (wait, more) = waits;
            var timetable = Of(Hours(rule));
            var first = Offer(timetable, closures, wait).FirstRencontre(0, Needs);
            var later = Offer(timetable, closures, wait + more).FirstRencontre(0, Needs);

            Assert.True(first >= Day.AddDays(wait) && later >= first);
            for (var day = Day.AddDays(wait); day <= first; day = day.AddDays(1))
                Assert.Equal(day == first, !closures.Any(c => c.From <= day && day <= c.To) && timetable.NextOpening(Modalite.Visite, 0, day) == day);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Best_AnySchedules_IsWhatRankingEveryOneGives() =>
        Prop.ForAll(Rules().Zip(Closures()).Zip(Gen.Choose(-1, 200)).ListOf().ToArbitrary(), Gen.Choose(180, 400).ToArbitrary(), (all, unknown) =>
        {
            var offers = all.Select((o, i) => Offer(Of(Hours(o.Item1.Item1)), o.Item1.Item2, o.Item2, i + 1)).ToArray();
            var travel = new FamilyTravel(new WaysFrom(Travel.Of(20)), null, 14, UnknownWait: unknown);
            var index = Index(offers);

            Assert.Equal(
                offers.Select(o => travel.Rank(o, 1, Needs).Key).Order(),
                index.Best(index.Match(Needs, null), Needs, travel, null, Math.Max(1, offers.Length)).Select(r => r.Key));
        }).QuickCheckThrowOnFailure();

    // The calendar is known up to 3 January 2027.
    [Theory]
    [InlineData(SchoolHolidayRule.OutsideHolidays, 10, false)]
    [InlineData(SchoolHolidayRule.OutsideHolidays, 60, true)]
    [InlineData(SchoolHolidayRule.HolidaysOnly, 10, false)]
    [InlineData(SchoolHolidayRule.HolidaysOnly, 60, true)]
    [InlineData(SchoolHolidayRule.Always, 60, false)]
    public void Warnings_HolidaysThatNobodyPublished_SayThatTheFirstDayIsAnEstimate(SchoolHolidayRule rule, int wait, bool warned)
    {
        var offer = Offer(Of(Hours("FREQ=WEEKLY;BYDAY=SA", rule)), [], wait);

        Assert.Equal(
            warned ? [new Warning(ResultWarningCode.SchoolYearUnknown, offer.FirstRencontre(0, Needs))] : [],
            Standing.Warnings(offer, 0, Needs).Where(w => w.Code == ResultWarningCode.SchoolYearUnknown));
    }

    [Fact]
    public void SlotsOn_NothingSaid_AreThoseOfTheSchedule()
    {
        var offer = Offer(Of(Hours("FREQ=WEEKLY;BYDAY=SA")), [], 10);
        var said = new Offer { Espace = offer.Espace, Modalite = offer.Modalite, State = offer.State, Timetable = offer.Timetable, SlotsPerWeek = 3 };

        Assert.Equal((16, 3, 0), (offer.SlotsOn(Day), said.SlotsOn(Day), Samples.Offer().SlotsOn(Day)));
        // 16 slots a week over 52 weeks, 10.7 for each mesure.
        Assert.Equal(new Demand(0, 78), Standing.DemandOf(offer, Day));
    }

    private static Offer Offer(Timetable timetable, Closure[] closures, int wait, int id = 1) => new()
    {
        Espace = new()
        {
            Id = new Guid(id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            Departement = "69",
            State = EspaceState.Ouvert,
            Agrements = Espace().Agrements,
            Lieux = Espace().Lieux,
            Closures = closures,
        },
        Modalite = Modalite.Visite,
        State = ModaliteState.Ouverte,
        Timetable = timetable,
        Wait = wait < 0 ? null : new Wait(wait, Day),
    };

    // 10 h to 18 h, slots of two hours, four families at a time.
    private static Ouverture Hours(string rule, SchoolHolidayRule holidays = SchoolHolidayRule.Always) => new()
    {
        ExternalId = "one",
        LieuExternalId = "L1",
        Rrule = rule,
        StartDate = new DateOnly(2026, 1, 3).ToProto(),
        StartTime = new TimeOfDay { Hours = 10 },
        EndTime = new TimeOfDay { Hours = 18 },
        SlotMinutes = 120,
        Families = 4,
        SchoolHolidays = holidays,
    };

    private static Timetable Of(params Ouverture[] hours) => new(hours, [("L1", "69123"), ("L2", "69123")], Calendar);

    private static Gen<string> Rules() => Gen.Elements(
        "FREQ=WEEKLY;BYDAY=SA", "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE,SA", "FREQ=MONTHLY;BYDAY=1SA", "FREQ=WEEKLY;BYDAY=SA;UNTIL=20270131", "FREQ=MONTHLY;BYMONTH=11;BYDAY=1SA",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA", "FREQ=MONTHLY;INTERVAL=12;BYDAY=2SA", "FREQ=WEEKLY;UNTIL=20260301");

    private static Gen<Closure[]> Closures() => Gen.Choose(0, 400).Zip(Gen.Choose(0, 40), (from, days) => new Closure(Day.AddDays(from), Day.AddDays(from + days), ulong.MaxValue))
        .ListOf().Select(all => all.OrderBy(c => c.From).ThenBy(c => c.To).ToArray());
}
