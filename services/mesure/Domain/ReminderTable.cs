using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>
/// Who is reminded of a deadline that has passed, as data: a ladder for each kind. Lengths are Jafer's own. What a later deadline
/// takes up, such as the escalation of a difficulty that nobody took, the ladder of the earlier one leaves to it.
/// </summary>
internal static class ReminderTable
{
    private const ReminderRung MustAct = ReminderRung.MustAct;
    private const ReminderRung Colleague = ReminderRung.Colleague;
    private const ReminderRung Manager = ReminderRung.Manager;
    private const ReminderRung Operator = ReminderRung.Operator;

    // A warning, or a step of which the next deadline reminds.
    private static readonly Ladder s_once = new(new LadderStep(MustAct, 1, Delay.WorkingDays(1)));

    // A side waits for the other: the operator learns it in the end.
    private static readonly Ladder s_answer = new(
        new(MustAct, 3, Delay.WorkingDays(2)), new(Colleague, 2, Delay.WorkingDays(2)), new(Manager, 1, Delay.WorkingDays(3)), new(Operator, 1, Delay.WorkingDays(5)));

    // A step of the way to the first rencontre.
    private static readonly Ladder s_step = new(new(MustAct, 3, Delay.WorkingDays(2)), new(Colleague, 1, Delay.WorkingDays(2)), new(Manager, 1, Delay.WorkingDays(3)));

    // What takes weeks by its nature.
    private static readonly Ladder s_slow = new(new(MustAct, 2, Delay.WorkingDays(5)), new(Colleague, 1, Delay.WorkingDays(5)), new(Manager, 1, Delay.WorkingDays(5)));

    // A danger of which nobody took notice, before and after the escalation.
    private static readonly Ladder s_byTheHour = new(new LadderStep(MustAct, 3, Delay.Hours(2)));
    private static readonly Ladder s_escalatedByTheHour = new(new(Colleague, 2, Delay.Hours(1)), new(Manager, 1, Delay.Hours(2)), new(Operator, 2, Delay.Hours(2)));

    private static readonly Dictionary<DeadlineKind, (Ladder Usual, Ladder? Urgent)> s_ladders = new()
    {
        [DeadlineKind.Transmit] = (s_step, null),
        [DeadlineKind.DeliveryWarning] = (new(new LadderStep(MustAct, 1, Delay.Hours(12))), null),
        [DeadlineKind.DeliveryFailed] = (new(new(Colleague, 1, Delay.Hours(24)), new(Operator, 2, Delay.Hours(24))), null),
        [DeadlineKind.Retrieval] = (s_once, null),
        [DeadlineKind.Acknowledge] = (s_answer, null),
        [DeadlineKind.TakeCharge] = (s_slow, null),
        [DeadlineKind.ProvideInformation] = (s_answer, null),
        [DeadlineKind.FirstContact] = (s_step, null),
        [DeadlineKind.ContactDeadline] = (s_slow, null),
        [DeadlineKind.Interview] = (s_slow, null),
        [DeadlineKind.RencontreOutcome] = (s_answer, null),
        [DeadlineKind.AcknowledgeDifficulty] = (new(new LadderStep(MustAct, 2, Delay.WorkingDays(1))), s_byTheHour),
        [DeadlineKind.EscalateDifficulty] = (
            new(new(Colleague, 2, Delay.WorkingDays(1)), new(Manager, 1, Delay.WorkingDays(1)), new(Operator, 1, Delay.WorkingDays(2))), s_escalatedByTheHour),
        [DeadlineKind.AnswerDifficulty] = (
            s_answer, new(new(MustAct, 3, Delay.WorkingDays(1)), new(Colleague, 1, Delay.WorkingDays(1)), new(Manager, 1, Delay.WorkingDays(1)), new(Operator, 1, Delay.WorkingDays(1)))),
        [DeadlineKind.ExternalAlert] = (s_byTheHour, null),
        [DeadlineKind.EscalateExternalAlert] = (s_escalatedByTheHour, null),
        [DeadlineKind.ExpiresBeforeVisit] = (s_slow, null),
        [DeadlineKind.TermInThreeMonths] = (s_once, null),
        [DeadlineKind.TermInOneMonth] = (s_once, null),
        [DeadlineKind.TermInOneWeek] = (new(new(MustAct, 1, Delay.WorkingDays(1)), new(Colleague, 1, Delay.WorkingDays(2))), null),
        [DeadlineKind.TermPassed] = (s_slow, null),
    };

    /// <summary>The kinds that have a ladder.</summary>
    public static IEnumerable<DeadlineKind> Kinds => s_ladders.Keys;

    /// <summary>The ladder of a deadline; that of a warning for a kind that is no longer given.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="urgent">Whether somebody may be in danger.</param>
    public static Ladder Of(DeadlineKind kind, bool urgent) =>
        !s_ladders.TryGetValue(kind, out var ladders) ? s_once : urgent && ladders.Urgent is { } sooner ? sooner : ladders.Usual;
}
