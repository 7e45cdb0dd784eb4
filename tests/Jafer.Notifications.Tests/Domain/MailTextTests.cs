using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Domain;

public sealed class MailTextTests
{
    private static readonly Guid s_mesure = TestMesure.NewId();

    [Fact]
    public void Compose_OfOneAct_SaysItsKindAndWhereToLook()
    {
        var (subject, text, _) = MailText.Compose([new MailLine("mesure.mesure-transmitted.v1", s_mesure, false)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] Une mesure vous a été transmise", subject);
        Assert.Equal($"""
            Bonjour,

            Votre organisation est attendue sur Jafer :

            - Une mesure vous a été transmise, https://jafer.test/mesures/{s_mesure}

            Ce message ne dit rien du dossier : le détail se lit dans Jafer, avec vos accès habituels.
            Merci de ne pas y répondre.

            """, text);
    }

    [Fact]
    public void Compose_OfSeveral_SaysEachOnceAndTheUrgentFirst()
    {
        var message = new MailLine("messaging.message-posted.v1", s_mesure, false);

        var (subject, text, _) = MailText.Compose([message, message, new MailLine("mesure.difficulty-reported.v1", s_mesure, true)], null);

        Assert.Equal("[Jafer] URGENT : 2 éléments attendent votre organisation", subject);
        Assert.Equal(
            [$"- URGENT : Une difficulté vous est signalée, mesure {s_mesure}", $"- Un message vous attend, mesure {s_mesure}"],
            text.Split('\n').Where(l => l.StartsWith('-')));
    }

    [Theory]
    [InlineData("mesure.source-silent.v1", MailText.SilentSource, "Le logiciel d'une organisation n'a plus rien transmis à Jafer depuis plus longtemps que d'habitude")]
    [InlineData("notification.consumer-silent.v1", MailText.SilentConsumer, "Le logiciel d'une organisation ne lit plus le fil de Jafer depuis plus longtemps que d'habitude")]
    public void Compose_OfSilenceForTheOperator_NamesTheOrganisation(string type, string detail, string act)
    {
        var (subject, text, _) = MailText.Compose([new MailLine(type, s_mesure, false, detail)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] " + act, subject);
        Assert.Contains($"- {act}, organisation {s_mesure}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_OfDeadlines_SaysWhatIsMissing()
    {
        var (_, text, _) = MailText.Compose(
            [
                .. Enum.GetValues<Contracts.Mesure.V1.DeadlineKind>().Where(k => k != Contracts.Mesure.V1.DeadlineKind.Unspecified)
                    .Select(k => new MailLine("mesure.deadline-due.v1", s_mesure, false, ServiceDefaults.Grpc.ProtoConversions.ToCode(k))),
                new MailLine("mesure.deadline-due.v1", s_mesure, false, "ADDED_LATER"),
            ],
            null);

        var lines = text.Split('\n').Where(l => l.StartsWith('-')).ToList();
        Assert.Equal(lines.Count, lines.Distinct().Count());
        Assert.Contains($"- Une mesure attend votre accusé de réception, mesure {s_mesure}", lines);
        Assert.Equal($"- Une échéance est passée, mesure {s_mesure}", Assert.Single(lines, l => l.Contains("échéance", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(ReminderRung.MustAct, 1, "Une mesure attend votre accusé de réception")]
    [InlineData(ReminderRung.MustAct, 2, "Une mesure attend votre accusé de réception (rappel 2)")]
    [InlineData(ReminderRung.Colleague, 1, "Une mesure attend votre accusé de réception (vos collègues n'y ont pas répondu, rappel 1)")]
    [InlineData(ReminderRung.Manager, 1, "Une mesure attend votre accusé de réception (signalé à la direction, rappel 1)")]
    [InlineData(ReminderRung.Operator, 3, "Une mesure attend votre accusé de réception (signalé à l'opérateur, rappel 3)")]
    public void Compose_OfAReminder_SaysWhichOneItIs(ReminderRung rung, int reminder, string act)
    {
        var mail = MailText.Compose([new MailLine("mesure.reminder-due.v1", s_mesure, false, "ACKNOWLEDGE", Rung: rung, Reminder: reminder)], null);

        Assert.Equal("[Jafer] " + act, mail.Subject);
        Assert.Contains($"- {act}, mesure {s_mesure}", mail.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("WAIT_STALE", "Un délai d'attente déclaré n'est plus à jour")]
    [InlineData("AGREMENT_IN_THREE_MONTHS", "L'agrément d'un espace prend fin dans trois mois")]
    [InlineData("AGREMENT_IN_ONE_MONTH", "L'agrément d'un espace prend fin dans un mois")]
    [InlineData("AGREMENT_ENDED", "Un espace n'a plus d'agrément valide")]
    public void Compose_OfAReminderOfAnEspace_NamesTheEspace(string kind, string act)
    {
        var mail = MailText.Compose([new MailLine("directory.upkeep-reminder-due.v1", s_mesure, false, kind, Rung: ReminderRung.MustAct, Reminder: 1)], null);

        Assert.Equal("[Jafer] " + act, mail.Subject);
        Assert.Contains($"espace {s_mesure}", mail.Text, StringComparison.Ordinal);
        Assert.Equal(ContactMail.Donnees, MailText.KindOf("directory.upkeep-reminder-due.v1", deadline: kind));
    }

    [Fact]
    public void Compose_OfACredentialThatEnds_NamesItsIdAlone()
    {
        var mail = MailText.Compose([new MailLine("directory.credential-ending.v1", s_mesure, false, MailText.CredentialInOneWeek)], "https://example.org/{0}");

        Assert.Equal("[Jafer] L'accès d'un logiciel de votre organisation prend fin dans une semaine : renouvelez-le", mail.Subject);
        Assert.Contains($"accès {s_mesure}", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("example.org", mail.Text, StringComparison.Ordinal);
        Assert.Equal(ContactMail.Donnees, MailText.KindOf("directory.credential-ending.v1", deadline: MailText.CredentialInOneWeek));
    }

    [Fact]
    public void Compose_OfAnUnknownType_SaysThatSomethingWaits()
    {
        var (subject, _, _) = MailText.Compose([new MailLine("mesure.mesure-moved.v2", s_mesure, false)], null);

        Assert.Equal("[Jafer] Une mesure attend votre intervention", subject);
    }

    [Theory]
    [InlineData("directory.espace-group-stale.v1", "Des informations de votre espace sont à confirmer ou à corriger")]
    [InlineData("directory.agrement-ended.v1", "L'agrément de votre espace prend fin ou a pris fin")]
    [InlineData("directory.agrement-lieu-ended.v1", "Un lieu de votre espace n'est plus ou ne sera plus couvert par un agrément")]
    [InlineData("mesure.agrement-retired.v1", "L'agrément d'un espace désigné dans vos mesures prend fin ou a pris fin")]
    public void Compose_OfWhatConcernsAnEspace_NamesTheEspaceAndNoMesure(string type, string said)
    {
        var (subject, text, _) = MailText.Compose([new MailLine(type, s_mesure, false)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] " + said, subject);
        Assert.Contains($"- {said}, espace {s_mesure}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_OfMessagesThatWait_SaysForWhatAndWhere()
    {
        var id = TestMesure.NewId();
        foreach (var (type, detail, said, where) in new[]
        {
            ("messaging.message-overdue.v1", "ANSWER_OVERDUE", "Un message attend votre réponse", $"mesure {id}"),
            ("messaging.message-overdue.v1", "ESPACE_ACKNOWLEDGEMENT_OVERDUE", "Un message urgent attend votre accusé de réception", $"espace {id}"),
            ("messaging.message-posted.v1", MailText.MessageOfEspace, "Un message vous attend", $"espace {id}"),
            ("messaging.messages-handed-over.v1", null, "Des messages du dossier précédent vous sont remis", $"mesure {id}"),
        })
        {
            var (_, text, _) = MailText.Compose([new MailLine(type, id, false, detail)], null);
            Assert.Contains($"- {said}, {where}\n", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Compose_OfAnEnquiry_NamesIt()
    {
        var (subject, text, _) = MailText.Compose([new MailLine("directory.capacity-enquiry-opened.v1", s_mesure, false)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] Une juridiction demande si vous avez de la place", subject);
        Assert.Contains($", demande {s_mesure}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_OfASilentSource_NamesTheOrganisation()
    {
        var (subject, text, _) = MailText.Compose([new MailLine("mesure.source-silent.v1", s_mesure, false)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] Votre logiciel n'a plus rien transmis à Jafer depuis plus longtemps que d'habitude", subject);
        Assert.Contains($", organisation {s_mesure}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_OfTheSurvey_NamesTheOrganisationAndIsOfItsData()
    {
        var (subject, text, _) = MailText.Compose([new MailLine("mesure.survey-reminder-due.v1", s_mesure, false)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] Votre retour à l'enquête annuelle du ministère est à valider", subject);
        Assert.Contains($", organisation {s_mesure}\n", text, StringComparison.Ordinal);
        Assert.Equal(ContactMail.Donnees, MailText.KindOf("mesure.survey-opened.v1"));
    }

    [Fact]
    public void Compose_OfRetentionThatIsOverdue_SaysSo()
    {
        var (subject, text, _) = MailText.Compose([new MailLine("mesure.retention-overdue.v1", s_mesure, false)], "https://jafer.test/mesures/{0}");

        Assert.Equal("[Jafer] L'effacement des données conservées trop longtemps n'aboutit plus", subject);
        Assert.Contains($", organisation {s_mesure}\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_AsAWebPage_SaysTheSameWithHeadingsAndLists()
    {
        var notice = TestMesure.NewId();
        var (subject, text, html) = MailText.Compose(
            [new MailLine("messaging.message-posted.v1", s_mesure, false, null, notice), new MailLine("mesure.difficulty-reported.v1", s_mesure, true, null, notice)],
            "https://jafer.test/mesures/{0}?avis={1}");

        Assert.Contains($"<title>{subject}</title>", html, StringComparison.Ordinal);
        Assert.Contains($"https://jafer.test/mesures/{s_mesure}?avis={notice}\n", text, StringComparison.Ordinal);
        Assert.Matches(
            $"(?s)<h1>.+</h1>.+<h2>Urgent</h2>\\s*<ul>\\s*<li><a href=\"https://jafer.test/mesures/{s_mesure}\\?avis={notice}\">Une difficulté vous est signalée, mesure {s_mesure}</a></li>\\s*</ul>"
            + $".*<h2>Autres éléments</h2>\\s*<ul>\\s*<li>.+Un message vous attend, mesure {s_mesure}</a></li>\\s*</ul>",
            html);
    }

    [Theory]
    [InlineData("mesure.difficulty-reported.v1", true, null, ContactMail.Difficultes)]
    [InlineData("mesure.difficulty-reported.v1", false, null, ContactMail.Mesures)]
    [InlineData("mesure.deadline-due.v1", true, "ESCALATE_DIFFICULTY", ContactMail.Difficultes)]
    [InlineData("mesure.deadline-due.v1", true, "ESCALATE_EXTERNAL_ALERT", ContactMail.Dangers)]
    [InlineData("mesure.deadline-due.v1", false, "EXTERNAL_ALERT", ContactMail.Dangers)]
    [InlineData("mesure.deadline-due.v1", false, "ACKNOWLEDGE", ContactMail.Rappels)]
    [InlineData("mesure.deadline-due.v1", true, "DELIVERY_FAILED", ContactMail.Rappels)]
    [InlineData("messaging.message-posted.v1", false, null, ContactMail.Messages)]
    [InlineData("messaging.message-posted.v1", false, "ESPACE_MESSAGE", ContactMail.Messages)]
    [InlineData("messaging.message-posted.v1", true, "DIFFICULTE_MESSAGE", ContactMail.Difficultes)]
    [InlineData("messaging.message-posted.v1", true, "ESPACE_DANGER_MESSAGE", ContactMail.Dangers)]
    [InlineData("messaging.message-overdue.v1", false, "ANSWER_OVERDUE", ContactMail.Rappels)]
    [InlineData("messaging.message-overdue.v1", true, "ACKNOWLEDGEMENT_OVERDUE", ContactMail.Difficultes)]
    [InlineData("directory.capacity-enquiry-opened.v1", false, null, ContactMail.Demandes)]
    [InlineData("directory.agrement-ended.v1", false, null, ContactMail.Donnees)]
    [InlineData("mesure.mesure-transmitted.v1", false, null, ContactMail.Mesures)]
    public void KindOf_AnEvent_IsWhatContactsKnow(string type, bool urgent, string? deadline, ContactMail kind) => Assert.Equal(kind, MailText.KindOf(type, urgent, deadline));

    [Fact]
    public void After_EachFailure_WaitsLongerUpToAnHour()
    {
        var first = TimeSpan.FromSeconds(10);
        for (var failures = 0; failures < 40; failures++)
        {
            var exact = Math.Min(10 * Math.Pow(2, failures), 3600);
            Assert.InRange(Backoff.After(first, failures).TotalSeconds, exact * 0.8, exact * 1.2);
        }
    }
}
