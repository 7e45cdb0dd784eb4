using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Messaging.Domain;

/// <summary>
/// Who is reminded of an answer or an acknowledgement that is overdue, as data. Lengths are Jafer's own: a question counts working
/// days; what somebody called urgent counts hours, also on a Saturday, when rencontres are held.
/// </summary>
internal static class ExpectationLadders
{
    private const ReminderRung MustAct = ReminderRung.MustAct;
    private const ReminderRung Colleague = ReminderRung.Colleague;
    private const ReminderRung Manager = ReminderRung.Manager;

    private static readonly LadderStep[] s_answer = [new(MustAct, 3, Delay.WorkingDays(1)), new(Colleague, 2, Delay.WorkingDays(1)), new(Manager, 1, Delay.WorkingDays(2))];

    private static readonly LadderStep[] s_acknowledgement = [new(MustAct, 3, Delay.Hours(2)), new(Colleague, 2, Delay.Hours(2)), new(Manager, 1, Delay.Hours(2))];

    private static readonly Ladder s_answerOfTheOperator = new(s_answer);
    private static readonly Ladder s_acknowledgementOfTheOperator = new(s_acknowledgement);
    private static readonly Ladder s_answerOfOthers = new([.. s_answer, new(ReminderRung.Operator, 1, Delay.WorkingDays(3))]);
    private static readonly Ladder s_acknowledgementOfOthers = new([.. s_acknowledgement, new(ReminderRung.Operator, 2, Delay.Hours(2))]);

    /// <summary>The ladder of what is expected. The operator stands above everybody but itself.</summary>
    /// <param name="kind">What is expected.</param>
    /// <param name="mustAct">Of whom.</param>
    public static Ladder Of(ExpectationKind kind, AuthorKind mustAct) => (kind, mustAct) switch
    {
        (ExpectationKind.Acknowledgement, AuthorKind.Operateur) => s_acknowledgementOfTheOperator,
        (ExpectationKind.Acknowledgement, _) => s_acknowledgementOfOthers,
        (_, AuthorKind.Operateur) => s_answerOfTheOperator,
        _ => s_answerOfOthers,
    };

    /// <summary>The working days of a side: those of the espace, of the place where the court sits, or for the operator of Paris.</summary>
    /// <param name="side">The side.</param>
    /// <param name="court">Code of the court; null while it is not known.</param>
    /// <param name="timeZone">IANA zone of the espace; null while it is not known.</param>
    /// <param name="departement">Code of its département; null while it is not known.</param>
    public static WorkingCalendar CalendarOf(AuthorKind side, string? court, string? timeZone, string? departement) => side switch
    {
        AuthorKind.Espace => WorkingCalendar.Of(timeZone, departement),
        AuthorKind.Juridiction => WorkingCalendar.OfCourt(Communes.OfCourt(court), departement),
        _ => WorkingCalendar.Of(null, null),
    };
}
