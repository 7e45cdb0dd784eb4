using Jafer.Contracts;
using Jafer.Contracts.Events;
using Jafer.Contracts.Type.V1;

namespace Jafer.Notifications.Domain;

/// <summary>An organisation that is to be told by mail.</summary>
/// <param name="OrganisationId">The organisation.</param>
/// <param name="About">What the mail names: the mesure, or the espace where all its mesures are meant.</param>
/// <param name="Urgent">Whether it must look at once.</param>
/// <param name="OnceADay">Whether one mail of this kind about this thing is enough for a day: what comes together is told together.</param>
/// <param name="Rung">Who of the organisation is reminded; unspecified where it is no reminder: then who follows mesures is told.</param>
/// <param name="Reminder">Which reminder of that rung, from 1; 0 where it is none.</param>
/// <param name="Detail">What is waited for, where it is told in other words than to others; null where it is not.</param>
internal readonly record struct Call(
    Guid OrganisationId, Guid About, bool Urgent = false, bool OnceADay = false, ReminderRung Rung = ReminderRung.Unspecified, int Reminder = 0, string? Detail = null);

/// <summary>Who is told by mail: only whoever must act next, and only when somebody else brought it about; of silence, and of what is not erased, the operator too.</summary>
internal static class Calls
{
    /// <summary>The organisations to be told of an event, each once.</summary>
    /// <param name="message">The event.</param>
    /// <param name="heldBefore">The organisation that had to act before the event; null when none ever had.</param>
    /// <param name="operatorId">The operator as an organisation; null for none.</param>
    public static IReadOnlyList<Call> Of(DomainEvent message, Guid? heldBefore, Guid? operatorId)
    {
        var (first, second) = (For(message, heldBefore, operatorId), ForOperator(message, operatorId));
        return [.. new[] { first, second?.OrganisationId == first?.OrganisationId ? null : second }.OfType<Call>()];
    }

    /// <summary>What the operator is told of besides who must act; null for nothing.</summary>
    /// <param name="message">The event.</param>
    /// <param name="operatorId">The operator as an organisation; null for none.</param>
    private static Call? ForOperator(DomainEvent message, Guid? operatorId) => (message, operatorId) switch
    {
        (SourceSilent silent, { } id) => new(id, silent.GestionnaireId, Detail: MailText.SilentSource),
        (ConsumerSilent silent, { } id) => new(id, silent.OrganisationId, Detail: MailText.SilentConsumer),
        (RetentionOverdue, { } id) => new(id, id, OnceADay: true),
        _ => null,
    };

    /// <summary>The organisation that must act after an event, or is reminded by it; null for none.</summary>
    /// <param name="message">The event.</param>
    /// <param name="heldBefore">The organisation that had to act before the event; null when none ever had.</param>
    /// <param name="operatorId">The operator as an organisation, the highest rung; null for none.</param>
    public static Call? For(DomainEvent message, Guid? heldBefore, Guid? operatorId = null) => message switch
    {
        // A difficulty stands beside the state of the mesure: it never changes the holder, and still each side waits for the other.
        DifficultyReported difficulty => Told(message, difficulty.JuridictionId, difficulty.Urgent),
        ClosureProposed proposed => Told(message, proposed.JuridictionId),
        DifficultyAnswered answered => Told(message, answered.GestionnaireId),

        // New terms: the espace has plans to change. Without a judge it is the espace itself that acted.
        MesureModified { JuridictionId: null } => null,
        MesureModified modified => Told(message, modified.GestionnaireId),
        MessagePosted posted => Told(
            message, posted.AuthorOrganisationId != posted.GestionnaireId || Audience.WaitsWithin(posted) ? posted.GestionnaireId : posted.JuridictionId ?? posted.OperateurId,
            posted.MessageKind is "DIFFICULTE" or "DANGER"),
        MessagesHandedOver handedOver => Told(message, handedOver.GestionnaireId),
        MessageOverdue overdue => Reminded(
            overdue.MustActOrganisationId, message, overdue.Expectation == "ACKNOWLEDGEMENT",
            overdue.Rung is { } rung ? RungOf(rung) : overdue.Escalated ? ReminderRung.Colleague : ReminderRung.MustAct, overdue.Number, operatorId),
        // What it sent does not arrive.
        AttachmentRefused refused => Told(message, refused.UploaderOrganisationId),

        // Many groups of one espace, or many mesures of one espace: one mail.
        EspaceGroupStale stale => new(stale.GestionnaireId, stale.AggregateId, OnceADay: true),
        AgrementEnded ended => new(ended.GestionnaireId, ended.AggregateId, OnceADay: true),
        AgrementLieuEnded ended => new(ended.GestionnaireId, ended.AggregateId, OnceADay: true),
        AgrementRetired { JuridictionId: { } court, EspaceId: { } espace } => new(court, espace, OnceADay: true),
        AgrementRetired => null,
        // Each silence is told once: of several together the window of mails makes one.
        SourceSilent silent => new(silent.GestionnaireId, silent.GestionnaireId),
        SurveyOpened asked => new(asked.GestionnaireId, asked.GestionnaireId, OnceADay: true),
        SurveyReminderDue due => new(due.GestionnaireId, due.GestionnaireId, OnceADay: true),
        ConsumerSilent silent => new(silent.OrganisationId, silent.OrganisationId),

        // Of other organisations no contact is known: they have it in their list of credentials.
        CredentialEnding { Role: "juridiction" or "espace" } ending => new(ending.OrganisationId, ending.AggregateId),
        CredentialEnding => null,

        // Somebody waits for the answer before choosing.
        CapacityEnquiryOpened opened => Told(message, opened.GestionnaireId),
        CapacityEnquiryAnswered answered => Told(message, answered.RequesterId),

        // Whoever drafts has the draft before them.
        MesureCreated or MesureUpdated or MesureCompleted => null,
        // Only whoever has missed a deadline is reminded, and then the rungs above, each alone. Older versions named no rung.
        DeadlineDue due => Reminded(
            Audience.WhoMustAct(due), message, due.Escalated || due.Urgent == true,
            due.Rung is { } rung ? RungOf(rung) : due.Escalated ? ReminderRung.Colleague : ReminderRung.MustAct, due.Reminder ?? 1, operatorId),
        ReminderDue due => Reminded(Audience.WhoMustAct(due), message, due.Urgent, RungOf(due.Rung), due.Reminder, operatorId),
        UpkeepReminderDue due =>
            Reminded(due.GestionnaireId, message, urgent: false, RungOf(due.Rung), due.Reminder, operatorId) is { } call ? call with { OnceADay = true } : null,
        // What somebody waited for is there.
        DeadlineLifted => null,
        // A proof, for whoever looks for it.
        MesureDelivered => null,
        MesureEvent step when Audience.Holder(step) is { } holder && holder != heldBefore => Told(message, holder),
        _ => null,
    };

    /// <summary>What is waited for, where the type of the event does not say: the deadline, what an espace is reminded of, or what of a message; null else.</summary>
    /// <param name="message">The event.</param>
    public static string? DetailOf(DomainEvent message) => message switch
    {
        DeadlineDue due => due.Deadline,
        ReminderDue due => due.Deadline,
        UpkeepReminderDue due => due.Kind,
        CredentialEnding { DaysAhead: > 7 } => MailText.CredentialInOneMonth,
        CredentialEnding => MailText.CredentialInOneWeek,
        MessageOverdue { ThreadKind: "ESPACE" } overdue => $"ESPACE_{overdue.Expectation}_OVERDUE",
        MessageOverdue overdue => $"{overdue.Expectation}_OVERDUE",
        AttachmentRefused { ThreadKind: "ESPACE" } => MailText.RefusedAttachmentOfEspace,
        // Of another kind than the last one it is news, however soon it comes.
        MessagePosted { MessageKind: "DIFFICULTE" or "DANGER" } posted => $"{(posted.ThreadKind == "ESPACE" ? "ESPACE_" : "")}{posted.MessageKind}_MESSAGE",
        ThreadEvent { ThreadKind: "ESPACE" } => MailText.MessageOfEspace,
        _ => null,
    };

    /// <summary>The rung of a code; the lowest for one that a later version adds.</summary>
    /// <param name="code">The code.</param>
    public static ReminderRung RungOf(string code) => EnumCodes.ByCode<ReminderRung>().GetValueOrDefault(code, ReminderRung.MustAct);

    private static Call? Reminded(Guid? mustAct, DomainEvent message, bool urgent, ReminderRung rung, int reminder, Guid? operatorId) =>
        Told(message, rung == ReminderRung.Operator ? operatorId : mustAct, urgent) is { } call ? call with { Rung = rung, Reminder = reminder } : null;

    private static Call? Told(DomainEvent message, Guid? organisationId, bool urgent = false) =>
        organisationId is { } id ? new Call(id, message.AggregateId, urgent) : null;
}
