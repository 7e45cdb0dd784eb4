using System.Globalization;
using Jafer.Contracts.Threads;
using Jafer.ServiceDefaults.Printing;

namespace Jafer.Messaging.Threads;

/// <summary>A thread for reading and printing, in French. It shows what the file for verifying holds, salts apart.</summary>
internal static class ThreadPage
{
    /// <summary>Writes the page.</summary>
    /// <param name="export">The thread.</param>
    public static PrintedDocument Write(ThreadExport export)
    {
        var thread = export.Thread;
        var about = thread.Kind == "ESPACE" ? "de l'espace" : "de la mesure";
        var blocks = new List<Block>
        {
            new Callout(
            [
                "Ce document contient des données personnelles : il est réservé aux personnes qui suivent ce dossier.",
                "Il se lit et s'imprime. Pour prouver que rien n'a été modifié ni retiré, demandez le même fil au format JSON : la commande « jafer verify-thread » le vérifie.",
            ]),
            new Values(
            [
                .. Some(
                    (thread.Kind == "ESPACE" ? "Espace" : "Mesure", thread.ThreadId),
                    ("Juridiction", thread.JuridictionId),
                    ("Gestionnaire", thread.GestionnaireId),
                    ("Opérateur", thread.OperateurId),
                    ("Messages", thread.MessageCount.ToString(CultureInfo.InvariantCulture)),
                    ("Mesure close", Time(thread.CloseTime)),
                    ("Établi", Time(export.ExportTime)),
                    ("Empreinte du dernier message", thread.HeadHash)),
            ]),
        };
        if (export.Participants.Count > 0)
        {
            blocks.Add(new Heading(2, "Interlocuteurs"));
            blocks.Add(new Table(
                "Interlocuteurs désignés par chaque organisation", ["Contact", "Organisation", "Rôle", "Depuis"], [2, 3, 1.5, 2],
                [.. export.Participants.Select(p => (IReadOnlyList<string>)[p.ContactId, p.OrganisationId, RoleName(p.Role), Time(p.AssignTime)!])]));
        }

        blocks.Add(new Heading(2, "Messages"));
        if (export.Messages.Count == 0)
        {
            blocks.Add(new Paragraph("Aucun message."));
        }

        foreach (var message in export.Messages)
        {
            Add(blocks, message);
        }

        return new PrintedDocument(
            $"Fil {about}", $"Messages échangés dans le fil {about} {thread.ThreadId}.",
            $"Jafer, fil {about} {thread.ThreadId}, établi {Time(export.ExportTime)}", DateTimeOffset.Parse(export.ExportTime, CultureInfo.InvariantCulture), blocks);
    }

    private static void Add(List<Block> blocks, ExportedMessage message)
    {
        var number = message.Position.ToString(CultureInfo.InvariantCulture);
        blocks.Add(new Heading(3, $"{number}. {AuthorName(message.AuthorKind)}, {Time(message.CreateTime)}"));
        if (message.Kind is "DIFFICULTE" or "DANGER")
        {
            blocks.Add(new Callout([message.Kind == "DANGER" ? "Urgent : danger" : "Urgent : difficulté"]));
        }

        if (message.ErasedTime is { } erased)
        {
            blocks.Add(new Paragraph($"Texte effacé le {Time(erased)}, au terme de sa durée de conservation."));
        }

        foreach (var paragraph in (message.Body ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            blocks.Add(new Paragraph(paragraph));
        }

        blocks.Add(new Values(
        [
            .. Some(
                ("Étape", message.EventType),
                ("Personne", message.AuthorPersonId),
                ("Corrige le message", message.CorrectsMessageId),
                ("Répond au message", message.AnswersMessageId),
                ("Réponse attendue", Time(message.AnswerDueTime)),
                ("Modèle", message.TemplateCode is null ? null : $"{message.TemplateCode}, version {message.TemplateVersion}"),
                ("Repris de", message.Origin is { } origin ? $"mesure {origin.MesureId}, message {origin.MessageId}, {AuthorName(origin.AuthorKind)}, {Time(origin.CreateTime)}" : null)),
            .. (message.AttachmentDigests ?? []).Select((d, i) => ("Pièce jointe", message.Attachments is { } files ? $"{files[i].FileName}, empreinte {d}{(files[i].State == "REFUSE" ? ", refusée à l'analyse" : "")}" : d)),
            .. (message.Expectations ?? []).Select(e => (e.Kind == "ANSWER" ? "Réponse" : "Accusé de réception", StateOf(e))),
            .. (message.Receipts ?? []).Select(r => ("Lu", $"{Time(r.ReadTime)}, {r.PersonId ?? "logiciel"} ({r.OrganisationId})")),
            ("Identifiant", message.MessageId),
            ("Empreinte", message.Hash!),
        ]));
    }

    private static string StateOf(ExportedExpectation expectation) => expectation.State switch
    {
        "OPEN" => $"attendu jusqu'au {Time(expectation.DueTime)}{(expectation.MustActContactId is { } contact ? $", de {contact}" : "")}",
        "WITHDRAWN" => $"retiré le {Time(expectation.CloseTime)}",
        _ => $"donné le {Time(expectation.CloseTime)}{(expectation.ClosedByPersonId is { } person ? $", {person}" : "")}",
    };

    private static string AuthorName(string kind) => kind switch
    {
        "JURIDICTION" => "Juridiction",
        "ESPACE" => "Espace de rencontre",
        "OPERATEUR" => "Opérateur",
        _ => "Étape de la mesure",
    };

    private static string RoleName(string role) => role switch
    {
        "RESPONSABLE" => "responsable",
        "SUPPLEANT" => "suppléant",
        _ => "lecteur",
    };

    // What is absent is not said.
    private static IEnumerable<(string Name, string Value)> Some(params IEnumerable<(string Name, string? Value)> values) =>
        values.Where(v => v.Value is { Length: > 0 }).Select(v => (v.Name, v.Value!));

    private static string? Time(string? text) => text is null ? null : Shown(French.Local(DateTimeOffset.Parse(text, CultureInfo.InvariantCulture), "Europe/Paris"));

    private static string Shown(DateTimeOffset local) => $"{French.Date(DateOnly.FromDateTime(local.DateTime))} à {French.Hour(local)}";
}
