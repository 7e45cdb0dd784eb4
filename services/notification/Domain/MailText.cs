using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Notifications.Domain;

/// <summary>One thing that waits for an organisation.</summary>
/// <param name="EventType">Type of the event that brought it about.</param>
/// <param name="About">The mesure, or the espace.</param>
/// <param name="Urgent">Whether it must be looked at at once.</param>
internal readonly record struct MailLine(string EventType, Guid About, bool Urgent);

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
        ["mesure.agrement-retired.v1"] = "L'agrément d'un espace désigné dans vos mesures prend fin ou a pris fin",
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
            text.Append("- ").Append(line.Urgent ? "URGENT : " : "").Append(Act(line.EventType)).Append(", ").Append(Where(line, mesureUrl)).Append('\n');
        }

        text.Append("\nCe message ne dit rien du dossier : le détail se lit dans Jafer, avec vos accès habituels.\nMerci de ne pas y répondre.\n");
        var subject = (lines[0].Urgent ? "[Jafer] URGENT : " : "[Jafer] ")
            + (lines.Count == 1 ? Act(lines[0].EventType) : string.Create(CultureInfo.InvariantCulture, $"{lines.Count} éléments attendent votre organisation"));
        return (subject, text.ToString());
    }

    private static string Act(string eventType) => s_acts.GetValueOrDefault(eventType, Other);

    private static string Where(MailLine line, string? mesureUrl) => s_aboutEspaces.Contains(line.EventType)
        ? $"espace {line.About}"
        : line.EventType.StartsWith("directory.capacity-enquiry-", StringComparison.Ordinal)
        ? $"demande {line.About}"
        : line.EventType == "mesure.source-silent.v1"
        ? $"organisation {line.About}"
        : mesureUrl is null
            ? $"mesure {line.About}"
            : mesureUrl.Replace("{0}", line.About.ToString(), StringComparison.Ordinal);
}
