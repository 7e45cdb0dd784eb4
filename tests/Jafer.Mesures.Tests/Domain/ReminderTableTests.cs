using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Xunit;
using Reminder = Jafer.ServiceDefaults.Reminders.Reminder;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>Who is reminded of which deadline.</summary>
public sealed class ReminderTableTests
{
    [Fact]
    public void Table_EveryKindThatIsGiven_HasALadder() =>
        Assert.Equal(DeadlineTable.Rows.Select(r => r.Kind).Order(), ReminderTable.Kinds.Order());

    [Fact]
    public void Of_AnEscalatedDeadline_LeavesOutWhoWasRemindedBefore() => Assert.All(
        ReminderTable.Kinds.Where(DeadlineTable.Escalates),
        kind => Assert.All(new[] { true, false }, urgent => Assert.DoesNotContain(ReminderRung.MustAct, ReminderTable.Of(kind, urgent).Steps.Select(s => s.Rung))));

    [Fact]
    public void Of_AnyOtherDeadline_BeginsWithWhoMustAct() => Assert.All(
        ReminderTable.Kinds.Where(k => !DeadlineTable.Escalates(k)),
        kind => Assert.Equal(ReminderRung.MustAct, ReminderTable.Of(kind, urgent: false).Steps[0].Rung));

    [Theory]
    [InlineData(DeadlineKind.AcknowledgeDifficulty)]
    [InlineData(DeadlineKind.EscalateDifficulty)]
    [InlineData(DeadlineKind.ExternalAlert)]
    [InlineData(DeadlineKind.EscalateExternalAlert)]
    public void Of_ADanger_RemindsByTheHour(DeadlineKind kind) => Assert.All(ReminderTable.Of(kind, urgent: true).Steps, s => Assert.False(s.Every.InWorkingDays));

    [Fact]
    public void Of_AWarning_IsGivenOnce()
    {
        foreach (var kind in new[] { DeadlineKind.TermInThreeMonths, DeadlineKind.TermInOneMonth, DeadlineKind.TermInTwoMonths, DeadlineKind.Retrieval })
        {
            Assert.Equal([(ReminderRung.MustAct, 1)], ReminderTable.Of(kind, urgent: false).Steps.Select(s => (s.Rung, s.Times)));
        }
    }

    [Fact]
    public void Of_ADangerNobodyTook_ReachesTheOperatorWithinADay()
    {
        var ladder = ReminderTable.Of(DeadlineKind.EscalateDifficulty, urgent: true);
        var reported = new DateTimeOffset(2026, 4, 3, 20, 0, 0, TimeSpan.Zero);
        var calendar = WorkingCalendar.Of(null, "69");
        var reminders = new List<Reminder> { ladder.First(reported.AddHours(12), calendar) };
        while (ladder.After(reminders[^1], calendar) is { } next)
        {
            reminders.Add(next);
        }

        Assert.Equal(reported.AddHours(17), reminders.First(r => r.Rung == ReminderRung.Operator).At);
    }
}
