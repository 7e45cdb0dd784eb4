using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Time;

/// <summary>When software that talks by the hour counts as silent.</summary>
public sealed class HourlyRhythmTests
{
    // A Monday, at midnight in Paris.
    private static readonly DateTimeOffset s_monday = new(2026, 9, 7, 0, 0, 0, TimeSpan.FromHours(2));
    private static readonly WorkingCalendar s_calendar = WorkingCalendar.Of(null, null);
    private static readonly Gen<int> s_hours = Gen.Choose(0, 0xFFFFFF);

    [Fact]
    public void SilentAt_OfOneWhoTalksDayAndNight_IsAfterFourHours()
    {
        var source = new Source();
        var last = Talk(source, s_monday, 24 * 11, (_, _) => true);

        Assert.Equal(last.AddHours(5), source.SilentAt);
    }

    [Fact]
    public void SilentAt_OfOneWhoTalksInOfficeHours_LeavesOutNightsWeekendsAndPublicHolidays()
    {
        // Until Tuesday 10 November at 17; the day after is a public holiday.
        var source = new Source();
        var last = Talk(source, s_monday, (24 * 64) + 19, (day, hour) => s_calendar.IsWorking(day) && hour is >= 9 and < 18);

        Assert.Equal((new DateOnly(2026, 11, 10), 17), (last.DayInParis(), last.HourInParis()));
        Assert.Equal(new DateOnly(2026, 11, 12).StartInParis().AddHours(13), source.SilentAt);
    }

    [Fact]
    public void SilentAt_OfOneWhoTalksOnceADay_IsByItsDays()
    {
        var source = new Source();
        Talk(source, s_monday, 24 * 12, (day, hour) => s_calendar.IsWorking(day) && hour == 8);

        Assert.Equal(source.SilentAfter.AddDays(1).StartInParis(), source.SilentAt);
    }

    [Fact]
    public void SilentAt_BeforeTheRhythmIsLearnt_IsNever()
    {
        var source = new Source();
        Talk(source, s_monday, 24 * 3, (_, _) => true);

        Assert.Null(source.SilentAt);
        Assert.False(source.IsSilent(s_monday.AddYears(1)));
    }

    [Fact]
    public void Report_SameHourOrEarlierDay_ChangesNothing()
    {
        var source = new Source();
        Assert.True(source.Report(s_monday.AddHours(9)));
        Assert.False(source.Report(s_monday.AddHours(9.9)));
        Assert.False(source.Report(s_monday.AddHours(-1)));
        Assert.True(source.Report(s_monday.AddHours(10)));
    }

    [Fact]
    public void Report_AfterASilenceThatWasTold_IsByTheRhythmOfBefore()
    {
        var source = new Source();
        var last = Talk(source, s_monday, (24 * 11) + 10, (_, _) => true);
        Assert.True(source.FallsSilent(last.AddHours(5)));
        source.Tell();
        Assert.False(source.FallsSilent(last.AddDays(9)));

        // Back after ten days, and gone again at once: the hours that it missed have not made it slower.
        source.Report(last.AddDays(10));
        Assert.Equal(last.AddDays(10).AddHours(5), source.SilentAt);
        Assert.True(source.FallsSilent(last.AddDays(10).AddHours(5)));
    }

    /// <summary>Whatever hours it keeps on working days, Saturdays and Sundays, over changed clocks and public holidays.</summary>
    [Fact]
    public void Rhythm_OfAnyHoursFromAnyDay_HasNoAlarmWithinItAndOneSoonAfterItsEnd() => Prop.ForAll(
        s_hours.Zip(s_hours, (saturday, sunday) => (saturday, sunday)).Zip(s_hours, (others, working) => (working, others.saturday, others.sunday)).ToArbitrary(), Gen.Choose(0, 700).ToArbitrary(), (hours, begin) =>
        {
            // At least from 10 to 14 on working days; every third never talks at weekends.
            var weekends = hours.working % 3 != 0;
            var (working, saturday, sunday) = (hours.working | 0x3C00, weekends ? hours.saturday : 0, weekends ? hours.sunday : 0);
            bool Talks(DateOnly day, int hour) =>
                ((s_calendar.IsWorking(day) ? working : day.DayOfWeek == DayOfWeek.Saturday && !PublicHolidays.IsHoliday(day, "") ? saturday : sunday) & (1 << hour)) != 0;
            var (source, start, alarms, last) = (new Source(), s_monday.AddDays(begin), 0, default(DateTimeOffset));
            for (var hour = start; hour < start.AddDays(21); hour = hour.AddHours(1))
            {
                alarms += Sweep(source, hour);
                if (Talks(hour.DayInParis(), hour.HourInParis()))
                {
                    source.Report(hour);
                    last = hour;
                }
            }

            // The working hours that pass before it is told are four at most.
            var (missed, told) = (0, 0);
            for (var hour = last.AddHours(1); hour < last.AddDays(60); hour = hour.AddHours(1))
            {
                told += Sweep(source, hour);
                missed += told == 0 && s_calendar.IsWorking(hour.DayInParis()) && Talks(hour.DayInParis(), hour.HourInParis()) ? 1 : 0;
            }

            return alarms == 0 && told == 1 && missed <= HourlyRhythm.MissedHours && source.WorkingDays.Length <= HourlyRhythm.KeptDays;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    private static int Sweep(Source source, DateTimeOffset now)
    {
        if (!source.FallsSilent(now))
        {
            return 0;
        }

        source.Tell();
        return 1;
    }

    /// <summary>Talks in the wanted ones of so many hours; gives the last of them.</summary>
    private static DateTimeOffset Talk(Source source, DateTimeOffset from, int hours, Func<DateOnly, int, bool> wanted)
    {
        var last = from;
        for (var hour = from; hour < from.AddHours(hours); hour = hour.AddHours(1))
        {
            if (wanted(hour.DayInParis(), hour.HourInParis()))
            {
                source.Report(hour);
                last = hour;
            }
        }

        return last;
    }

    private sealed class Source : HourlyRhythm;
}
