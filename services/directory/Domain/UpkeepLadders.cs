using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Domain;

/// <summary>
/// Who is reminded of what an espace should see to, as data: the gestionnaire first, then who runs it, the operator last. That
/// something went stale or ended is told at once by its own event; the ladder begins a week later.
/// </summary>
internal static class UpkeepLadders
{
    private const int DaysAfterTheNews = 5;

    private static readonly Ladder s_warning = new(new LadderStep(ReminderRung.MustAct, 1, Delay.WorkingDays(1)));

    private static readonly Ladder s_lastWarning = new(new(ReminderRung.MustAct, 1, Delay.WorkingDays(1)), new(ReminderRung.Manager, 1, Delay.WorkingDays(5)));

    private static readonly Ladder s_missed = new(
        new(ReminderRung.MustAct, 2, Delay.WorkingDays(5)), new(ReminderRung.Manager, 1, Delay.WorkingDays(5)), new(ReminderRung.Operator, 1, Delay.WorkingDays(10)));

    /// <summary>The ladder of a kind.</summary>
    /// <param name="kind">The kind.</param>
    public static Ladder Of(UpkeepReminderKind kind) => kind switch
    {
        UpkeepReminderKind.AgrementInThreeMonths => s_warning,
        UpkeepReminderKind.AgrementInOneMonth => s_lastWarning,
        _ => s_missed,
    };

    /// <summary>The first reminder.</summary>
    /// <param name="kind">Of what.</param>
    /// <param name="due">The day on which a wait counts as stale, or the last day of an agrément.</param>
    /// <param name="calendar">Whose days count.</param>
    public static Reminder First(UpkeepReminderKind kind, DateOnly due, WorkingCalendar calendar)
    {
        var ladder = Of(kind);
        return kind switch
        {
            UpkeepReminderKind.AgrementInThreeMonths => ladder.First(calendar.StartOf(due.AddMonths(-3)), calendar),
            UpkeepReminderKind.AgrementInOneMonth => ladder.First(calendar.StartOf(due.AddMonths(-1)), calendar),
            _ => ladder.First(calendar.MorningAfter(calendar.StartOf(due), DaysAfterTheNews), calendar),
        };
    }
}
