using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Reminders;

public class LadderTests
{
    private static readonly WorkingCalendar s_paris = WorkingCalendar.Of(null, "69");

    private static readonly Ladder s_days = new(
        new(ReminderRung.MustAct, 2, Delay.WorkingDays(2)), new(ReminderRung.Manager, 1, Delay.WorkingDays(3)), new(ReminderRung.Operator, 1, Delay.Hours(5)));

    private static readonly Ladder s_hours = new(new(ReminderRung.MustAct, 3, Delay.Hours(2)), new(ReminderRung.Colleague, 1, Delay.Hours(1)));

    [Fact]
    public void Reminders_InWorkingDays_ComeInTheMorningOfOneAndGoUp()
    {
        // The day ends with Thursday 2 April 2026; Easter Monday is the 6th.
        var first = s_days.First(Paris("2026-04-02T22:00:00Z"), s_paris);
        var second = s_days.After(first, s_paris)!.Value;
        var third = s_days.After(second, s_paris)!.Value;
        var fourth = s_days.After(third, s_paris)!.Value;

        Assert.Equal(new Reminder(ReminderRung.MustAct, 1, Paris("2026-04-03T06:00:00Z")), first);
        Assert.Equal(new Reminder(ReminderRung.MustAct, 2, Paris("2026-04-08T06:00:00Z")), second);
        Assert.Equal(new Reminder(ReminderRung.Manager, 1, Paris("2026-04-13T06:00:00Z")), third);
        Assert.Equal(new Reminder(ReminderRung.Operator, 1, Paris("2026-04-13T11:00:00Z")), fourth);
        Assert.Null(s_days.After(fourth, s_paris));
    }

    [Fact]
    public void Reminders_ThatNobodySentInTheirTime_WaitUntilPeopleWorkAndPutOffTheNext()
    {
        var first = s_days.First(Paris("2026-04-02T22:00:00Z"), s_paris);
        var saturday = Paris("2026-04-04T09:00:00Z");

        Assert.Equal(first.At, s_days.NotBefore(first, first.At.AddHours(-1), s_paris));
        Assert.Equal(Paris("2026-04-07T06:00:00Z"), s_days.NotBefore(first, saturday, s_paris));
        Assert.Equal(Paris("2026-05-07T12:00:00Z"), s_days.NotBefore(first, Paris("2026-05-07T12:00:00Z"), s_paris));
        Assert.Equal(Paris("2026-05-12T06:00:00Z"), s_days.After(first with { At = Paris("2026-05-07T12:00:00Z") }, s_paris)!.Value.At);

        // Hours run through nights and weekends.
        Assert.Equal(saturday, s_hours.First(saturday, s_paris).At);
        Assert.Equal(saturday.AddHours(3), s_hours.NotBefore(s_hours.First(saturday, s_paris), saturday.AddHours(3), s_paris));
    }

    [Fact]
    public void Ladder_ThatGoesDownOrRemindsTooOften_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new Ladder());
        Assert.Throws<ArgumentException>(() => new Ladder(new LadderStep(ReminderRung.MustAct, 4, Delay.Hours(1))));
        Assert.Throws<ArgumentException>(() => new Ladder(new LadderStep(ReminderRung.MustAct, 1, Delay.None)));
        Assert.Throws<ArgumentException>(() => new Ladder(new LadderStep(ReminderRung.Manager, 1, Delay.Hours(1)), new LadderStep(ReminderRung.MustAct, 1, Delay.Hours(1))));
    }

    [Fact]
    public void AnyLadder_AnywhereAndAnyTime_RemindsNobodyMoreThanThreeTimesNorOnADayOff()
    {
        var step = from rung in Gen.Elements(ReminderRung.MustAct, ReminderRung.Colleague, ReminderRung.Manager, ReminderRung.Operator)
                   from times in Gen.Choose(1, 3)
                   from amount in Gen.Choose(1, 10)
                   from days in Gen.Elements(true, false)
                   select new LadderStep(rung, times, days ? Delay.WorkingDays(amount) : Delay.Hours(amount));
        var ladders = step.NonEmptyListOf().Select(steps => new Ladder([.. steps.DistinctBy(s => s.Rung).OrderBy(s => s.Rung)]));
        var places = Gen.Elements(("Europe/Paris", "69"), ("Europe/Paris", "67"), ("Indian/Reunion", "974"), ("America/Cayenne", "973"), ("Pacific/Noumea", "988"));

        Prop.ForAll(ladders.ToArbitrary(), places.ToArbitrary(), Gen.Choose(0, 4_000_000).ToArbitrary(), (ladder, place, minutes) =>
        {
            var calendar = WorkingCalendar.Of(place.Item1, place.Item2);
            var zone = TimeZoneInfo.FindSystemTimeZoneById(place.Item1);
            var due = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMinutes(minutes);
            var reminders = new List<Reminder>();
            for (Reminder? next = ladder.First(due, calendar); next is { } reminder; next = ladder.After(reminder, calendar))
            {
                reminders.Add(reminder);
            }

            return reminders[0].At >= due
                && reminders.Zip(reminders.Skip(1)).All(p => p.First.At < p.Second.At && p.First.Rung <= p.Second.Rung)
                && reminders.GroupBy(r => r.Rung).All(g => g.Count() <= 3 && g.Select(r => r.Number).SequenceEqual(Enumerable.Range(1, g.Count())))
                && reminders.Count == ladder.Steps.Sum(s => s.Times)
                && reminders.TrueForAll(r => !ladder.Steps.Single(s => s.Rung == r.Rung).Every.InWorkingDays
                    || (calendar.IsWorking(zone.DayOf(r.At)) && ladder.NotBefore(r, r.At, calendar) == r.At));
        }).QuickCheckThrowOnFailure();
    }

    private static DateTimeOffset Paris(string instant) => DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture);
}
