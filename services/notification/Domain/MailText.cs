using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Notifications.Domain;

/// <summary>One thing that waits for an organisation.</summary>
/// <param name="EventType">Type of the event that brought it about.</param>
/// <param name="About">The mesure, or the espace.</param>
/// <param name="Urgent">Whether it must be looked at at once.</param>
/// <param name="Deadline">Code of the deadline that passed, or of what an espace is reminded of; null where the event is neither.</param>
/// <param name="NoticeId">What the link carries, by which an interface tells that it was opened.</param>
/// <param name="Rung">Who is reminded; unspecified where it is no reminder.</param>
/// <param name="Reminder">Which reminder of that rung, from 1; 0 where it is none.</param>
internal readonly record struct MailLine(
    string EventType, Guid About, bool Urgent, string? Deadline = null, Guid NoticeId = default, ReminderRung Rung = ReminderRung.Unspecified, int Reminder = 0);

/// <summary>A mail in both its forms, which say the same.</summary>
/// <param name="Subject">Subject.</param>
/// <param name="Text">Plain text.</param>
/// <param name="Html">The same as a web page.</param>
internal sealed record MailContent(string Subject, string Text, string Html);

/// <summary>
/// The text of a mail: what kind of act waits and where, nothing of its content. A mailbox is read by whoever has it open, so no
/// name, no number of the court, no reason stands here.
/// </summary>
internal static class MailText
{
    /// <summary>A message in the thread of an espace, which no mesure's address leads to.</summary>
    public const string MessageOfEspace = "ESPACE_MESSAGE";

    /// <summary>A file in the thread of an espace that a scanner refused.</summary>
    public const string RefusedAttachmentOfEspace = "ESPACE_ATTACHMENT_REFUSED";

    /// <summary>What is told of a credential that ends within a month.</summary>
    public const string CredentialInOneMonth = "CREDENTIAL_IN_ONE_MONTH";

    /// <summary>What is told of a credential that ends within a week.</summary>
    public const string CredentialInOneWeek = "CREDENTIAL_IN_ONE_WEEK";

    /// <summary>Software of an organisation reports no more, as the operator is told.</summary>
    public const string SilentSource = "SOURCE_SILENT";

    /// <summary>Software of an organisation reads its feed no more, as the operator is told.</summary>
    public const string SilentConsumer = "CONSUMER_SILENT";

    private const string Other = "Une mesure attend votre intervention";

    private static readonly FrozenDictionary<string, string> s_acts = new Dictionary<string, string>
    {
        ["mesure.mesure-transmitted.v1"] = "Une mesure vous a été transmise",
        ["mesure.information-requested.v1"] = "Une précision vous est demandée",
        ["mesure.information-provided.v1"] = "Une précision vous a été donnée",
        ["mesure.difficulty-reported.v1"] = "Une difficulté vous est signalée",
        ["mesure.difficulty-answered.v1"] = "Une réponse est donnée à une difficulté",
        ["mesure.closure-proposed.v1"] = "Un espace vous propose de clore une mesure sans suite",
        ["mesure.mesure-modified.v1"] = "Une mesure a été modifiée par le juge",
        ["mesure.mesure-resumed.v1"] = "Une mesure suspendue reprend",
        ["mesure.mesure-reopened.v1"] = "Une mesure close par erreur est rouverte",
        ["messaging.message-posted.v1"] = "Un message vous attend",
        ["messaging.messages-handed-over.v1"] = "Des messages du dossier précédent vous sont remis",
        ["messaging.attachment-refused.v1"] = "Une pièce jointe a été refusée : transmettez-la autrement",
        ["directory.espace-group-stale.v1"] = "Des informations de votre espace sont à confirmer ou à corriger",
        ["directory.agrement-ended.v1"] = "L'agrément de votre espace prend fin ou a pris fin",
        ["directory.agrement-lieu-ended.v1"] = "Un lieu de votre espace n'est plus ou ne sera plus couvert par un agrément",
        ["directory.capacity-enquiry-opened.v1"] = "Une juridiction demande si vous avez de la place",
        ["directory.capacity-enquiry-answered.v1"] = "Un espace a répondu à votre demande de place",
        ["mesure.source-silent.v1"] = "Votre logiciel n'a plus rien transmis à Jafer depuis plus longtemps que d'habitude",
        ["notification.consumer-silent.v1"] = "Votre logiciel ne lit plus le fil de Jafer depuis plus longtemps que d'habitude",
        ["mesure.retention-overdue.v1"] = "L'effacement des données conservées trop longtemps n'aboutit plus",
        ["mesure.survey-opened.v1"] = "L'enquête annuelle du ministère est ouverte : votre retour est prérempli, à vérifier et à valider",
        ["mesure.survey-reminder-due.v1"] = "Votre retour à l'enquête annuelle du ministère est à valider",
        ["mesure.agrement-retired.v1"] = "L'agrément d'un espace désigné dans vos mesures prend fin ou a pris fin",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // What was due; a kind that a later version adds is a deadline all the same.
    private const string OtherDeadline = "Une échéance est passée";

    private static readonly FrozenDictionary<string, string> s_deadlines = new Dictionary<string, string>
    {
        ["TRANSMIT"] = "Une mesure est à transmettre",
        ["DELIVERY_WARNING"] = "Une mesure transmise n'a pas encore atteint l'espace de rencontre",
        ["DELIVERY_FAILED"] = "Une mesure transmise n'a pas atteint l'espace de rencontre : joignez-le autrement",
        ["RETRIEVAL"] = "Une mesure transmise n'a pas été consultée",
        ["ACKNOWLEDGE"] = "Une mesure attend votre accusé de réception",
        ["TAKE_CHARGE"] = "Une mesure attend sa prise en charge",
        ["PROVIDE_INFORMATION"] = "Une précision demandée est attendue",
        ["FIRST_CONTACT"] = "Une famille attend votre premier appel",
        ["CONTACT_DEADLINE"] = "Le délai donné aux parents pour prendre contact est passé",
        ["INTERVIEW"] = "Un premier entretien est attendu",
        ["RENCONTRE_OUTCOME"] = "L'issue d'une rencontre est à renseigner",
        ["ACKNOWLEDGE_DIFFICULTY"] = "Une difficulté attend votre accusé de réception",
        ["ESCALATE_DIFFICULTY"] = "Une difficulté n'a pas été prise en compte",
        ["ANSWER_DIFFICULTY"] = "Une difficulté attend la réponse du juge",
        ["EXTERNAL_ALERT"] = "Un danger est à signaler : aucune alerte extérieure n'est renseignée",
        ["ESCALATE_EXTERNAL_ALERT"] = "Un danger n'a toujours pas été signalé à l'extérieur",
        ["EXPIRES_BEFORE_VISIT"] = "Une mesure risque de prendre fin avant la première rencontre",
        ["TERM_IN_THREE_MONTHS"] = "Une mesure prend fin dans trois mois",
        ["TERM_IN_TWO_MONTHS"] = "Une mesure prend fin dans deux mois",
        ["TERM_IN_ONE_MONTH"] = "Une mesure prend fin dans un mois",
        ["TERM_IN_ONE_WEEK"] = "Une mesure prend fin dans une semaine",
        ["TERM_PASSED"] = "Le terme d'une mesure est passé",
        [MessageOfEspace] = "Un message vous attend",
        [RefusedAttachmentOfEspace] = "Une pièce jointe a été refusée : transmettez-la autrement",
        ["DIFFICULTE_MESSAGE"] = "Un message urgent vous attend",
        ["ESPACE_DIFFICULTE_MESSAGE"] = "Un message urgent vous attend",
        ["DANGER_MESSAGE"] = "Un message signale un danger",
        ["ESPACE_DANGER_MESSAGE"] = "Un message signale un danger",
        ["ANSWER_OVERDUE"] = "Un message attend votre réponse",
        ["ACKNOWLEDGEMENT_OVERDUE"] = "Un message urgent attend votre accusé de réception",
        ["ESPACE_ANSWER_OVERDUE"] = "Un message attend votre réponse",
        ["ESPACE_ACKNOWLEDGEMENT_OVERDUE"] = "Un message urgent attend votre accusé de réception",
        ["WAIT_STALE"] = "Un délai d'attente déclaré n'est plus à jour",
        ["AGREMENT_IN_THREE_MONTHS"] = "L'agrément d'un espace prend fin dans trois mois",
        ["AGREMENT_IN_ONE_MONTH"] = "L'agrément d'un espace prend fin dans un mois",
        ["AGREMENT_ENDED"] = "Un espace n'a plus d'agrément valide",
        [CredentialInOneMonth] = "L'accès d'un logiciel de votre organisation prend fin dans un mois : renouvelez-le",
        [CredentialInOneWeek] = "L'accès d'un logiciel de votre organisation prend fin dans une semaine : renouvelez-le",
        [SilentSource] = "Le logiciel d'une organisation n'a plus rien transmis à Jafer depuis plus longtemps que d'habitude",
        [SilentConsumer] = "Le logiciel d'une organisation ne lit plus le fil de Jafer depuis plus longtemps que d'habitude",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // These name an espace or the organisation itself, those of enquiries the enquiry, all others a mesure.
    private static readonly FrozenSet<string> s_aboutOrganisations = new[] { "mesure.source-silent.v1", "mesure.retention-overdue.v1", "notification.consumer-silent.v1", "mesure.survey-opened.v1", "mesure.survey-reminder-due.v1" }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenSet<string> s_aboutEspaces =
        new[] { "directory.espace-group-stale.v1", "directory.agrement-ended.v1", "directory.agrement-lieu-ended.v1", "directory.upkeep-reminder-due.v1", "mesure.agrement-retired.v1" }.ToFrozenSet(StringComparer.Ordinal);

    // What is missing while somebody is in danger, and what nobody took.
    private static readonly FrozenSet<string> s_dangers = new[] { "EXTERNAL_ALERT", "ESCALATE_EXTERNAL_ALERT", "DANGER_MESSAGE", "ESPACE_DANGER_MESSAGE" }.ToFrozenSet(StringComparer.Ordinal);
    private static readonly FrozenSet<string> s_difficulties = new[] { "ACKNOWLEDGE_DIFFICULTY", "ESCALATE_DIFFICULTY" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The kind of mail of an event, by which contacts may say that they do not want it.</summary>
    /// <param name="eventType">Type of the event.</param>
    /// <param name="urgent">Whether it must be looked at at once.</param>
    /// <param name="deadline">Code of the deadline that passed; null where the event is none.</param>
    public static ContactMail KindOf(string eventType, bool urgent = false, string? deadline = null) =>
        deadline is not null && s_dangers.Contains(deadline) ? ContactMail.Dangers
        : IsOfThread(eventType) ? urgent ? ContactMail.Difficultes : deadline?.EndsWith("_OVERDUE", StringComparison.Ordinal) == true ? ContactMail.Rappels : ContactMail.Messages
        : (deadline is not null && s_difficulties.Contains(deadline)) || (urgent && deadline is null) ? ContactMail.Difficultes
        : deadline is not null && !eventType.StartsWith("directory.", StringComparison.Ordinal) ? ContactMail.Rappels
        : IsOfEnquiry(eventType) ? ContactMail.Demandes
        : eventType.StartsWith("directory.", StringComparison.Ordinal) || IsOfSurvey(eventType) ? ContactMail.Donnees
        : ContactMail.Mesures;

    /// <summary>Writes a mail, in French.</summary>
    /// <param name="waiting">What waits, oldest first; the same twice is said once.</param>
    /// <param name="mesureUrl">Address of a mesure with {0} for its id and, if wanted, {1} for the notice's; null to name the id alone.</param>
    public static MailContent Compose(IEnumerable<MailLine> waiting, string? mesureUrl)
    {
        var lines = waiting.DistinctBy(l => l with { NoticeId = default }).OrderByDescending(l => l.Urgent).ToList();
        var subject = (lines[0].Urgent ? "[Jafer] URGENT : " : "[Jafer] ")
            + (lines.Count == 1 ? Act(lines[0]) : string.Create(CultureInfo.InvariantCulture, $"{lines.Count} éléments attendent votre organisation"));
        return Write(
            subject, "Votre organisation est attendue sur Jafer",
            [.. lines.Select(l => new Item(l.Urgent, Act(l), Where(l), Link(l, mesureUrl)))],
            ["Ce message ne dit rien du dossier : le détail se lit dans Jafer, avec vos accès habituels.", "Merci de ne pas y répondre."]);
    }

    /// <summary>Writes the mail about an endpoint that Jafer disabled, in French.</summary>
    /// <param name="endpointId">The endpoint.</param>
    /// <param name="gone">Whether it said itself that it is no more; else it failed for 3 days.</param>
    public static MailContent WebhookDisabled(Guid endpointId, bool gone) => Write(
        "[Jafer] Un webhook de votre organisation est désactivé", "Jafer n'envoie plus rien à un webhook de votre organisation",
        [
            new Item(
                false, gone ? "Il a répondu qu'il n'existe plus (410)" : "Il n'a pas répondu correctement depuis trois jours", $"webhook {endpointId}", null),
        ],
        [
            "Une fois corrigé, il se réactive (EnableEndpoint), et ce qui est passé entre-temps se renvoie (ReplayEvents).",
            "Les événements restent lisibles dans le fil de votre organisation.", "Merci de ne pas répondre à ce message.",
        ]);

    /// <summary>Writes both forms of the same. Nothing is loaded, nothing is told to anybody, and without its style the page reads the same.</summary>
    private static MailContent Write(string subject, string heading, IReadOnlyList<Item> items, IReadOnlyList<string> notes)
    {
        var text = new StringBuilder($"Bonjour,\n\n{heading} :\n\n");
        foreach (var item in items)
        {
            text.Append("- ").Append(item.Urgent ? "URGENT : " : "").Append(item.What).Append(", ").Append(item.Link ?? item.Where).Append('\n');
        }

        text.Append('\n').AppendJoin('\n', notes).Append('\n');
        var html = new StringBuilder()
            .Append("<!DOCTYPE html>\n<html lang=\"fr\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
            .Append("<title>").Append(Encode(subject)).Append("</title>\n<style>").Append(Style).Append("</style>\n</head>\n<body>\n<main>\n")
            .Append("<h1>").Append(Encode(heading)).Append("</h1>\n<p>Bonjour,</p>\n");
        foreach (var part in items.GroupBy(i => i.Urgent))
        {
            html.Append(part.Key ? "<h2>Urgent</h2>\n" : items[0].Urgent ? "<h2>Autres éléments</h2>\n" : "").Append("<ul>\n");
            foreach (var item in part)
            {
                html.Append("<li>").Append(item.Link is { } link
                    ? $"<a href=\"{Encode(link)}\">{Encode(item.What)}, {Encode(item.Where)}</a>"
                    : $"{Encode(item.What)}, {Encode(item.Where)}").Append("</li>\n");
            }

            html.Append("</ul>\n");
        }

        html.AppendJoin('\n', notes.Select(n => $"<p>{Encode(n)}</p>")).Append("\n</main>\n</body>\n</html>\n");
        return new MailContent(subject, text.ToString(), html.ToString());
    }

    private static readonly HtmlEncoder s_encoder = HtmlEncoder.Create(UnicodeRanges.All);

    // Dark on white, links underlined; ids break where the screen is narrow.
    private const string Style =
        "body { background-color: #ffffff; color: #161616; font: 16px/1.5 sans-serif; margin: 16px; overflow-wrap: anywhere; } "
        + "h1 { font-size: 22px; } h2 { font-size: 18px; } a { color: #000091; text-decoration: underline; }";

    private static string Encode(string text) => s_encoder.Encode(text);

    /// <summary>Whether what waits after an event is about a mesure; else about an espace, an enquiry, a credential or the organisation itself.</summary>
    /// <param name="eventType">Type of the event.</param>
    public static bool IsAboutMesure(string eventType) => !s_aboutEspaces.Contains(eventType) && !s_aboutOrganisations.Contains(eventType) && !IsOfEnquiry(eventType) && !IsOfCredential(eventType);

    private static bool IsOfCredential(string eventType) => eventType == "directory.credential-ending.v1";

    private static bool IsOfSurvey(string eventType) => eventType.StartsWith("mesure.survey-", StringComparison.Ordinal);

    private static bool IsOfThread(string eventType) => eventType.StartsWith("messaging.", StringComparison.Ordinal);

    /// <summary>Whether a message waits in the thread of an espace: messages may be about either.</summary>
    /// <param name="detail">What is waited for.</param>
    public static bool IsOfEspacesThread(string? detail) => detail?.StartsWith("ESPACE_", StringComparison.Ordinal) == true;

    /// <summary>Whether it tells of a question, or that its answer is overdue. What is urgent as well is everybody's.</summary>
    /// <param name="eventType">Type of the event.</param>
    /// <param name="detail">What is waited for; null for none.</param>
    public static bool IsOfQuestion(string eventType, string? detail) => eventType switch
    {
        "messaging.message-posted.v1" => detail is null or MessageOfEspace,
        "messaging.message-overdue.v1" => detail?.EndsWith("ANSWER_OVERDUE", StringComparison.Ordinal) == true,
        _ => false,
    };

    private static bool IsOfEnquiry(string eventType) => eventType.StartsWith("directory.capacity-enquiry-", StringComparison.Ordinal);

    private static string Act(MailLine line) => (line.Deadline is { } deadline
        ? s_deadlines.GetValueOrDefault(deadline, OtherDeadline)
        : s_acts.GetValueOrDefault(line.EventType, Other)) + Reminded(line);

    // The first mail to who must act tells it as news; all others say that somebody was told before.
    private static string Reminded(MailLine line) => line.Rung switch
    {
        ReminderRung.Unspecified or ReminderRung.MustAct => line.Reminder > 1 ? $" (rappel {line.Reminder})" : "",
        ReminderRung.Colleague => $" (vos collègues n'y ont pas répondu, rappel {line.Reminder})",
        ReminderRung.Manager => $" (signalé à la direction, rappel {line.Reminder})",
        _ => $" (signalé à l'opérateur, rappel {line.Reminder})",
    };

    private static string Where(MailLine line) => IsOfEspace(line) ? $"espace {line.About}"
        : IsOfCredential(line.EventType) ? $"accès {line.About}"
        : IsOfEnquiry(line.EventType) ? $"demande {line.About}"
        : s_aboutOrganisations.Contains(line.EventType) ? $"organisation {line.About}"
        : $"mesure {line.About}";

    private static bool IsOfEspace(MailLine line) => s_aboutEspaces.Contains(line.EventType) || IsOfEspacesThread(line.Deadline);

    private static string? Link(MailLine line, string? mesureUrl) =>
        IsAboutMesure(line.EventType) && !IsOfEspace(line) ? Links.To(mesureUrl, line.About, line.NoticeId) : null;

    private sealed record Item(bool Urgent, string What, string Where, string? Link);
}
