using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Notifications.Domain;

/// <summary>One thing that waits for an organisation.</summary>
/// <param name="EventType">Type of the event that brought it about.</param>
/// <param name="About">The mesure, or the espace.</param>
/// <param name="Urgent">Whether it must be looked at at once.</param>
/// <param name="Deadline">Code of the deadline that passed; null where the event is none.</param>
internal readonly record struct MailLine(string EventType, Guid About, bool Urgent, string? Deadline = null);

/// <summary>
/// The text of a mail: what kind of act waits and where, nothing of its content. A mailbox is read by whoever has it open, so no
/// name, no number of the court, no reason stands here.
/// </summary>
internal static class MailText
{
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
        ["directory.espace-group-stale.v1"] = "Des informations de votre espace sont à confirmer ou à corriger",
        ["directory.agrement-ended.v1"] = "L'agrément de votre espace prend fin ou a pris fin",
        ["directory.agrement-lieu-ended.v1"] = "Un lieu de votre espace n'est plus ou ne sera plus couvert par un agrément",
        ["directory.capacity-enquiry-opened.v1"] = "Une juridiction demande si vous avez de la place",
        ["directory.capacity-enquiry-answered.v1"] = "Un espace a répondu à votre demande de place",
        ["mesure.source-silent.v1"] = "Votre logiciel n'a plus rien transmis à Jafer depuis plus longtemps que d'habitude",
        ["notification.consumer-silent.v1"] = "Votre logiciel ne lit plus le fil de Jafer depuis plus longtemps que d'habitude",
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
        ["TERM_IN_TWO_MONTHS"] = "Une mesure prend fin dans deux mois",
        ["TERM_IN_ONE_MONTH"] = "Une mesure prend fin dans un mois",
        ["TERM_PASSED"] = "Le terme d'une mesure est passé",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    // These name an espace, those of enquiries the enquiry, all others a mesure.
    private static readonly FrozenSet<string> s_aboutEspaces =
        new[] { "directory.espace-group-stale.v1", "directory.agrement-ended.v1", "directory.agrement-lieu-ended.v1", "mesure.agrement-retired.v1" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The kind of mail of an event, by which contacts may say that they do not want it.</summary>
    public static ContactMail KindOf(string eventType) =>
        eventType.StartsWith("messaging.", StringComparison.Ordinal) ? ContactMail.Messages
        : eventType.StartsWith("directory.capacity-enquiry-", StringComparison.Ordinal) ? ContactMail.Demandes
        : eventType.StartsWith("directory.", StringComparison.Ordinal) ? ContactMail.Donnees
        : ContactMail.Mesures;

    /// <summary>Writes a mail.</summary>
    /// <param name="waiting">What waits, oldest first; the same twice is said once.</param>
    /// <param name="mesureUrl">Address of a mesure with {0} for its id; null to name the id alone.</param>
    /// <returns>Subject and plain text, in French.</returns>
    public static (string Subject, string Text) Compose(IEnumerable<MailLine> waiting, string? mesureUrl)
    {
        var lines = waiting.Distinct().OrderByDescending(l => l.Urgent).ToList();
        var text = new StringBuilder("Bonjour,\n\nVotre organisation est attendue sur Jafer :\n\n");
        foreach (var line in lines)
        {
            text.Append("- ").Append(line.Urgent ? "URGENT : " : "").Append(Act(line)).Append(", ").Append(Where(line, mesureUrl)).Append('\n');
        }

        text.Append("\nCe message ne dit rien du dossier : le détail se lit dans Jafer, avec vos accès habituels.\nMerci de ne pas y répondre.\n");
        var subject = (lines[0].Urgent ? "[Jafer] URGENT : " : "[Jafer] ")
            + (lines.Count == 1 ? Act(lines[0]) : string.Create(CultureInfo.InvariantCulture, $"{lines.Count} éléments attendent votre organisation"));
        return (subject, text.ToString());
    }

    /// <summary>Writes the mail about an endpoint that Jafer disabled.</summary>
    /// <param name="endpointId">The endpoint.</param>
    /// <param name="gone">Whether it said itself that it is no more; else it failed for 3 days.</param>
    /// <returns>Subject and plain text, in French.</returns>
    public static (string Subject, string Text) WebhookDisabled(Guid endpointId, bool gone) => (
        "[Jafer] Un webhook de votre organisation est désactivé",
        $"Bonjour,\n\n{(gone ? "Un webhook de votre organisation a répondu qu'il n'existe plus (410)" : "Un webhook de votre organisation n'a pas répondu correctement depuis trois jours")} :\n"
        + "Jafer ne lui envoie plus rien.\n\n"
        + $"- webhook {endpointId}\n\n"
        + "Une fois corrigé, il se réactive (EnableEndpoint), et ce qui est passé entre-temps se renvoie (ReplayEvents).\n"
        + "Les événements restent lisibles dans le fil de votre organisation.\nMerci de ne pas répondre à ce message.\n");

    private static string Act(MailLine line) => line.Deadline is { } deadline
        ? s_deadlines.GetValueOrDefault(deadline, OtherDeadline)
        : s_acts.GetValueOrDefault(line.EventType, Other);

    private static string Where(MailLine line, string? mesureUrl) => s_aboutEspaces.Contains(line.EventType)
        ? $"espace {line.About}"
        : line.EventType.StartsWith("directory.capacity-enquiry-", StringComparison.Ordinal)
        ? $"demande {line.About}"
        : line.EventType is "mesure.source-silent.v1" or "notification.consumer-silent.v1"
        ? $"organisation {line.About}"
        : mesureUrl is null
            ? $"mesure {line.About}"
            : mesureUrl.Replace("{0}", line.About.ToString(), StringComparison.Ordinal);
}
