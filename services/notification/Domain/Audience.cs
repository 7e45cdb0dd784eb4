using Jafer.Contracts.Events;

namespace Jafer.Notifications.Domain;

/// <summary>An organisation that an event concerns.</summary>
/// <param name="OrganisationId">The organisation.</param>
/// <param name="MustAct">Whether it is the one that must act next.</param>
internal readonly record struct Addressee(Guid OrganisationId, bool MustAct);

/// <summary>Into whose feed an event goes.</summary>
internal static class Audience
{
    private const string Operator = "OPERATOR";

    /// <summary>
    /// The organisations that an event concerns: its two sides, but for drafts, which are their author's own affair. The author
    /// of a message gets it too, since one organisation may run several systems; the operator what is escalated, what has fallen silent, and that nothing is erased. A
    /// reminder goes to the rung that it is for alone. In the order of ids, so that two events never wait for each other's counters.
    /// </summary>
    /// <param name="message">The event.</param>
    /// <param name="operatorId">The operator as an organisation; null for none.</param>
    public static IReadOnlyList<Addressee> Of(DomainEvent message, Guid? operatorId = null) =>
    [
        .. Sides(message)
            .Append(ConcernsTheOperator(message) ? operatorId : null)
            .Where(s => s is not null)
            .Select(s => s!.Value)
            .Distinct()
            .Order()
            .Select(s => new Addressee(s, MustAct(message, s))),
    ];

    private static bool ConcernsTheOperator(DomainEvent message) => message is SourceSilent or ConsumerSilent or RetentionOverdue or SessionsRequested or SessionsAnswered or MessageOverdue { Escalated: true }
        or DeadlineDue { Escalated: true } or DeadlineLifted { Escalated: true } or ReminderDue { Rung: Operator } or UpkeepReminderDue { Rung: Operator };

    private static Guid?[] Sides(DomainEvent message) => message switch
    {
        MesureCreated or MesureUpdated or MesureCompleted or DeadlineDue { Deadline: "TRANSMIT" } or DeadlineLifted { Deadline: "TRANSMIT" } =>
            [((MesureEvent)message).JuridictionId ?? ((MesureEvent)message).GestionnaireId],
        ReminderDue { Rung: Operator } or UpkeepReminderDue { Rung: Operator } or MessageOverdue { Rung: Operator } => [],
        ReminderDue due => [WhoMustAct(due)],
        MesureEvent step => [step.JuridictionId, step.GestionnaireId],
        // Nobody but whoever must act is reminded.
        MessageOverdue overdue => [overdue.MustActOrganisationId],
        // What no message names yet is its uploader's own affair.
        AttachmentCleared { MessageId: null } cleared => [cleared.UploaderOrganisationId],
        AttachmentRefused { MessageId: null } refused => [refused.UploaderOrganisationId],
        ThreadEvent said => [said.JuridictionId, said.GestionnaireId, said.OperateurId],
        SlotFreed freed => [freed.GestionnaireId],
        SlotTaken taken => [taken.GestionnaireId],
        SlotOffered offered => [offered.GestionnaireId],
        SlotOfferExpired expired => [expired.GestionnaireId],
        SessionsRequested asked => [asked.GestionnaireId],
        SessionsAnswered answered => [answered.GestionnaireId],
        EspaceGroupStale stale => [stale.GestionnaireId],
        UpkeepReminderDue due => [due.GestionnaireId],
        AgrementEnded ended => [ended.GestionnaireId],
        AgrementLieuEnded ended => [ended.GestionnaireId],
        CapacityEnquiryOpened opened => [opened.GestionnaireId],
        CapacityEnquiryAnswered answered => [answered.RequesterId],
        SourceSilent silent => [silent.GestionnaireId],
        SurveyOpened asked => [asked.GestionnaireId],
        SurveyReminderDue due => [due.GestionnaireId],
        ConsumerSilent silent => [silent.OrganisationId],
        CredentialEnding ending => [ending.OrganisationId],
        _ => [],
    };

    private static bool MustAct(DomainEvent message, Guid organisationId) => message switch
    {
        DifficultyReported difficulty when difficulty.JuridictionId == organisationId => true,
        ClosureProposed proposed when proposed.JuridictionId == organisationId => true,
        MesureModified modified when modified.GestionnaireId == organisationId => true,
        AgrementRetired retired when retired.JuridictionId == organisationId => true,
        DeadlineDue due => WhoMustAct(due) == organisationId,
        DeadlineLifted => false,
        // It goes to nobody else.
        ReminderDue or UpkeepReminderDue => true,
        MesureEvent step => Holder(step) == organisationId,
        MessagePosted posted => posted.AuthorOrganisationId != organisationId || WaitsWithin(posted),
        MessageOverdue overdue => overdue.MustActOrganisationId == organisationId,
        MessagesHandedOver handedOver => handedOver.GestionnaireId == organisationId,
        AttachmentRefused refused => refused.UploaderOrganisationId == organisationId,
        SourceSilent silent => silent.GestionnaireId == organisationId,
        ConsumerSilent silent => silent.OrganisationId == organisationId,
        SessionsRequested asked => asked.GestionnaireId == organisationId,
        EspaceGroupStale or CredentialEnding or AgrementEnded or AgrementLieuEnded or CapacityEnquiryOpened or SlotFreed or SlotOffered or RetentionOverdue or SurveyOpened or SurveyReminderDue => true,
        _ => false,
    };

    /// <summary>Whether a message expects something of its author's own organisation: somebody else of it must act where a thread has one side.</summary>
    /// <param name="posted">The event.</param>
    public static bool WaitsWithin(MessagePosted posted) =>
        posted is { JuridictionId: null, OperateurId: null } and ({ MessageKind: "DIFFICULTE" or "DANGER" } or { AnswerDueAt: not null });

    /// <summary>The organisation that has missed a deadline; null when there is none on that side.</summary>
    /// <param name="due">The event.</param>
    public static Guid? WhoMustAct(DeadlineDue due) => Side(due, due.MustAct);

    /// <summary>The organisation that has missed the deadline of a reminder; null when there is none on that side.</summary>
    /// <param name="due">The event.</param>
    public static Guid? WhoMustAct(ReminderDue due) => Side(due, due.MustAct);

    private static Guid? Side(MesureEvent message, string mustAct) => mustAct == "JURIDICTION" ? message.JuridictionId : message.GestionnaireId;

    /// <summary>The organisation that holds a mesure after an event; null when it is the family or nobody.</summary>
    /// <param name="step">The event.</param>
    public static Guid? Holder(MesureEvent step) => step.Holder switch
    {
        "JURIDICTION" => step.JuridictionId,
        "ESPACE" => step.GestionnaireId,
        _ => null,
    };
}
