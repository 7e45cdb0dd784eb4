using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;

namespace Jafer.Messaging.Tests;

public sealed class QuestionTests(MessagingFixture fixture)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Timestamp Tomorrow => Timestamp.FromDateTimeOffset(TimeProvider.System.GetStoredNow().AddDays(1));

    [Fact]
    public async Task Question_UntilItIsAnswered_SaysWhoMustAnswerAndByWhen()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Person(Roles.Espace, mesure.GestionnaireId, "anne"));
        var due = Tomorrow;

        var question = await court.SayAsync(mesure, "Où en est la mesure ?", r => r.AnswerDueTime = due);

        var thread = await espace.ThreadAsync(mesure);
        var open = Assert.Single(thread.Expectations);
        Assert.Equal(
            (question.MessageId, ExpectationKind.Answer, AuthorKind.Espace, mesure.GestionnaireId.ToString(), due, ExpectationState.Open),
            (open.MessageId, open.Kind, open.MustAct, open.MustActOrganisationId, open.DueTime, open.State));
        Assert.Equal((1, 0), (thread.OpenQuestionCount, thread.UnacknowledgedCount));

        var answer = await espace.SayAsync(mesure, "Deux rencontres tenues.", r => r.AnswersMessageId = question.MessageId);

        Assert.Empty((await court.ThreadAsync(mesure)).Expectations);
        var asked = (await court.AllMessagesAsync(mesure)).Single(m => m.MessageId == question.MessageId);
        var met = Assert.Single(asked.Expectations);
        Assert.Equal(
            (ExpectationState.Met, answer.MessageId, mesure.GestionnaireId.ToString(), "anne", answer.CreateTime),
            (met.State, met.AnswerMessageId, met.ClosedByOrganisationId, met.ClosedByPersonId, met.CloseTime));
    }

    [Fact]
    public async Task Question_ToAContactOfTheOtherSide_IsShownListedAndExportedAsTheirsUntilItIsAnswered()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        foreach (var (contact, role) in new[] { ("anne", ParticipantRole.Responsable), ("bruno", ParticipantRole.Suppleant), ("chloe", ParticipantRole.Lecteur) })
        {
            await espace.AssignParticipantAsync(
                new AssignParticipantRequest { MesureId = mesure.Id.ToString(), ContactId = contact, Role = role, RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct);
        }

        var due = Tomorrow;
        await court.SayAsync(mesure, "Qui que ce soit ?", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(due.ToDateTimeOffset().AddDays(1)));
        var question = await court.SayAsync(mesure, "Bruno ?", r => (r.AnswerDueTime, r.AnswerByContactId) = (due, "bruno"));

        var open = (await court.ThreadAsync(mesure)).Expectations[0];
        Assert.Equal((question.MessageId, "bruno", due), (open.MessageId, open.MustActContactId, open.DueTime));
        Assert.Equal(["anne ", $"bruno {due}", "chloe "], (await espace.ListParticipantsAsync(new() { MesureId = mesure.Id.ToString() }, cancellationToken: Ct)).Participants
            .Select(p => $"{p.ContactId} {string.Join(' ', p.AnswerDueTimes)}"));
        Assert.Equal([question.MessageId], await OfAsync(espace, r => r.MustActContactId = "bruno"));
        Assert.Equal([question.MessageId], await OfAsync(court, r => r.DueBeforeTime = Timestamp.FromDateTimeOffset(due.ToDateTimeOffset().AddHours(1))));
        Assert.Empty(await OfAsync(espace, r => r.MustActContactId = "anne"));
        Assert.Empty(await OfAsync(court, r => r.MustActContactId = "bruno"));
        Assert.Single((await espace.ListThreadsAsync(new() { MustActContactId = "bruno" }, cancellationToken: Ct)).Threads);
        Assert.Empty((await espace.ListThreadsAsync(new() { MustActContactId = "bruno", DueBeforeTime = due }, cancellationToken: Ct)).Threads);
        Assert.Equal("bruno", (await court.FileAsync(mesure)).Messages[^1].Expectations![0].MustActContactId);
        Assert.Contains(", de bruno", System.Net.WebUtility.HtmlDecode(System.Text.Encoding.UTF8.GetString(await court.ExportAsync(mesure, ExportFormat.Html))), StringComparison.Ordinal);
        foreach (var (who, at) in new[] { ("chloe", due), ("personne", due), ("bruno", null), (new string('x', 101), due) })
        {
            Assert.Equal(["answer_by_contact_id"], (await Refusal.OfAsync(() => court.SayAsync(mesure, "?", r => (r.AnswerDueTime, r.AnswerByContactId) = (at, who)))).Fields);
        }

        // A colleague's answer is the side's.
        await espace.SayAsync(mesure, "Je réponds pour lui.", r => r.AnswersMessageId = question.MessageId);
        Assert.Empty(await OfAsync(espace, r => r.MustActContactId = "bruno"));

        async Task<List<string>> OfAsync(MessagingService.MessagingServiceClient client, Action<ListMessagesRequest> filter)
        {
            var request = new ListMessagesRequest { MesureId = mesure.Id.ToString() };
            filter(request);
            return [.. (await client.ListMessagesAsync(request, cancellationToken: Ct)).Messages.Select(m => m.MessageId)];
        }
    }

    [Fact]
    public async Task UrgentMessage_Acknowledged_ShowsWhoAndWhenOnce()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, anne, bruno) = (fixture.Court(mesure), fixture.Person(Roles.Espace, mesure.GestionnaireId, "anne"), fixture.Person(Roles.Espace, mesure.GestionnaireId, "bruno"));
        var urgent = await court.SayAsync(mesure, "Suspendre la visite de demain.", r => r.Kind = MessageKind.Danger);
        Assert.Equal(1, (await anne.ThreadAsync(mesure)).UnacknowledgedCount);

        var request = Messages.Acknowledge(mesure, urgent.MessageId);
        var first = await anne.AcknowledgeMessageAsync(request, cancellationToken: Ct);

        Assert.Equal(first, await anne.AcknowledgeMessageAsync(request, cancellationToken: Ct));
        Assert.Equal(first, await bruno.AcknowledgeMessageAsync(Messages.Acknowledge(mesure, urgent.MessageId), cancellationToken: Ct));
        Assert.Equal((ExpectationState.Met, "anne"), (first.Expectation.State, first.Expectation.ClosedByPersonId));
        Assert.Equal(first.Expectation, (await court.AllMessagesAsync(mesure))[^1].Expectations.Single());
        Assert.Equal(0, (await anne.ThreadAsync(mesure)).UnacknowledgedCount);
        var own = await Refusal.OfAsync(court.AcknowledgeMessageAsync(Messages.Acknowledge(mesure, urgent.MessageId), cancellationToken: Ct));
        Assert.Equal((StatusCode.InvalidArgument, "message_id"), (own.Code, Assert.Single(own.Fields)));
        var ordinary = await court.SayAsync(mesure, "ordinaire");
        Assert.Equal(["message_id"], (await Refusal.OfAsync(anne.AcknowledgeMessageAsync(Messages.Acknowledge(mesure, ordinary.MessageId), cancellationToken: Ct))).Fields);
    }

    [Fact]
    public async Task Answer_ToAnUrgentQuestion_AcknowledgesItToo()
    {
        var mesure = await fixture.OpenThreadAsync();
        var urgent = await fixture.Espace(mesure).SayAsync(mesure, "?", r => { r.Kind = MessageKind.Difficulte; r.AnswerDueTime = Tomorrow; });

        Assert.Equal(2, (await fixture.Court(mesure).ThreadAsync(mesure)).Expectations.Count);
        await fixture.Court(mesure).SayAsync(mesure, "!", r => r.AnswersMessageId = urgent.MessageId);

        Assert.Empty((await fixture.Court(mesure).ThreadAsync(mesure)).Expectations);
    }

    [Fact]
    public async Task WithdrawQuestion_OfTheOwnSide_EndsTheWaitingAndAnAnsweredOneStays()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        var question = await court.SayAsync(mesure, "une question", r => r.AnswerDueTime = Tomorrow);
        var answered = await court.SayAsync(mesure, "une autre", r => r.AnswerDueTime = Tomorrow);
        await espace.SayAsync(mesure, "réponse", r => r.AnswersMessageId = answered.MessageId);

        var others = await Refusal.OfAsync(espace.WithdrawQuestionAsync(Messages.Withdraw(mesure, question.MessageId), cancellationToken: Ct));
        var first = await court.WithdrawQuestionAsync(Messages.Withdraw(mesure, question.MessageId), cancellationToken: Ct);
        var again = await court.WithdrawQuestionAsync(Messages.Withdraw(mesure, question.MessageId), cancellationToken: Ct);
        var late = await Refusal.OfAsync(court.WithdrawQuestionAsync(Messages.Withdraw(mesure, answered.MessageId), cancellationToken: Ct));

        Assert.Equal(["message_id"], others.Fields);
        Assert.Equal(ExpectationState.Withdrawn, first.Expectation.State);
        Assert.Equal(first, again);
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (late.Code, late.Reason));
        Assert.Equal(0, (await court.ThreadAsync(mesure)).OpenQuestionCount);
    }

    [Fact]
    public async Task Correction_OfAnOwnMessage_LeavesItAndIsShown()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        var question = await court.SayAsync(mesure, "Le 12 ou le 13 ?", r => r.AnswerDueTime = Tomorrow);

        var correction = await court.SayAsync(mesure, "Le 13 ou le 14 ?", r => r.CorrectsMessageId = question.MessageId);

        var messages = await espace.AllMessagesAsync(mesure);
        Assert.Equal(("Le 12 ou le 13 ?", correction.MessageId), (messages[1].Body, messages[1].CorrectedByMessageId));
        Assert.Equal(question.MessageId, messages[2].CorrectsMessageId);
        Assert.Equal(1, (await espace.ThreadAsync(mesure)).OpenQuestionCount);
        var twice = await Refusal.OfAsync(() => court.SayAsync(mesure, "encore", r => r.CorrectsMessageId = question.MessageId));
        Assert.Equal(["corrects_message_id"], twice.Fields);

        await espace.SayAsync(mesure, "Le 14.", r => r.AnswersMessageId = correction.MessageId);
        Assert.Equal(0, (await espace.ThreadAsync(mesure)).OpenQuestionCount);
    }

    [Fact]
    public async Task PostMessage_WithReferencesThatDoNotFit_IsRefusedAtTheField()
    {
        var (mesure, other) = (await fixture.OpenThreadAsync(), await fixture.OpenThreadAsync());
        var court = fixture.Court(mesure);
        var own = await court.SayAsync(mesure, "du greffe");
        var theirs = await fixture.Espace(mesure).SayAsync(mesure, "de l'espace");
        var elsewhere = await fixture.Court(other).SayAsync(other, "ailleurs");
        var step = (await court.AllMessagesAsync(mesure))[0].MessageId;

        foreach (var (field, change) in new (string, Action<PostMessageRequest>)[]
        {
            ("answers_message_id", r => r.AnswersMessageId = own.MessageId),
            ("answers_message_id", r => r.AnswersMessageId = step),
            ("answers_message_id", r => r.AnswersMessageId = elsewhere.MessageId),
            ("answers_message_id", r => r.AnswersMessageId = "x"),
            ("corrects_message_id", r => r.CorrectsMessageId = theirs.MessageId),
            ("corrects_message_id", r => r.CorrectsMessageId = step),
            ("corrects_message_id", r => r.CorrectsMessageId = elsewhere.MessageId),
            ("kind", r => { r.CorrectsMessageId = own.MessageId; r.Kind = MessageKind.Danger; }),
            ("answers_message_id", r => { r.CorrectsMessageId = own.MessageId; r.AnswersMessageId = theirs.MessageId; }),
            ("answer_due_time", r => { r.CorrectsMessageId = own.MessageId; r.AnswerDueTime = Tomorrow; }),
            ("answer_due_time", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddMinutes(-1))),
            ("answer_due_time", r => r.AnswerDueTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(400))),
            ("kind", r => r.Kind = (MessageKind)99),
            ("espace_id", r => r.EspaceId = mesure.EspaceId.ToString()),
            ("template_code", r => { r.TemplateCode = "INCONNU"; r.TemplateVersion = 1; }),
            ("template_version", r => r.TemplateCode = "PRECISION_APPORTEE"),
            ("template_version", r => r.TemplateVersion = 1),
            ("template_code", r => { r.TemplateCode = "INCIDENT"; r.TemplateVersion = 1; }),
        })
        {
            var refusal = await Refusal.OfAsync(() => court.SayAsync(mesure, "texte", change));
            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID", field), (refusal.Code, refusal.Reason, Assert.Single(refusal.Fields)));
        }

        Assert.Equal(3, (await court.ThreadAsync(mesure)).MessageCount);
    }

    [Fact]
    public async Task Templates_OfASide_AreNotedInTheMessage()
    {
        var mesure = await fixture.OpenThreadAsync();
        var espace = fixture.Espace(mesure);
        var templates = (await espace.ListTemplatesAsync(new ListTemplatesRequest { ThreadKind = ThreadKind.Mesure }, cancellationToken: Ct)).Templates;
        Assert.All(templates, t => Assert.Equal((AuthorKind.Espace, ThreadKind.Mesure), (t.AuthorKind, t.ThreadKind)));
        var incident = templates.Single(t => t.Code == "INCIDENT");
        Assert.Equal(["date_de_la_rencontre", "date_prevue", "maintenue_ou_suspendue"], incident.Placeholders);

        await espace.SayAsync(mesure, "Un incident est survenu.", r => { r.Kind = incident.MessageKind; r.TemplateCode = incident.Code; r.TemplateVersion = incident.Version; });

        var message = (await fixture.Court(mesure).AllMessagesAsync(mesure))[^1];
        Assert.Equal(("INCIDENT", 1, MessageKind.Difficulte), (message.TemplateCode, message.TemplateVersion, message.Kind));
        var page = await espace.ListTemplatesAsync(new ListTemplatesRequest { PageSize = 3 }, cancellationToken: Ct);
        var next = await espace.ListTemplatesAsync(new ListTemplatesRequest { PageSize = 200, PageToken = page.NextPageToken }, cancellationToken: Ct);
        Assert.Equal(
            (await espace.ListTemplatesAsync(new ListTemplatesRequest(), cancellationToken: Ct)).Templates.Select(t => t.Code),
            page.Templates.Concat(next.Templates).Select(t => t.Code));
    }

    [Fact]
    public async Task Participants_OfEachSide_AreNamedByItAndSeenByBoth()
    {
        var mesure = await fixture.OpenThreadAsync();
        var (court, espace) = (fixture.Court(mesure), fixture.Espace(mesure));
        await court.AssignParticipantAsync(Messages.Assign(mesure, "greffe-1"), cancellationToken: Ct);
        await court.AssignParticipantAsync(Messages.Assign(mesure, "greffe-2", ParticipantRole.Lecteur), cancellationToken: Ct);
        await espace.AssignParticipantAsync(Messages.Assign(mesure, "equipe", ParticipantRole.Suppleant), cancellationToken: Ct);
        await court.AssignParticipantAsync(Messages.Assign(mesure, "greffe-2", ParticipantRole.Suppleant), cancellationToken: Ct);
        await espace.RemoveParticipantAsync(Messages.Remove(mesure, "greffe-1"), cancellationToken: Ct);

        var list = new ListParticipantsRequest { MesureId = mesure.Id.ToString() };
        var seen = (await espace.ListParticipantsAsync(list, cancellationToken: Ct)).Participants;
        Assert.Equal(
            new[] { (mesure.JuridictionId, "greffe-1", ParticipantRole.Responsable), (mesure.JuridictionId, "greffe-2", ParticipantRole.Suppleant), (mesure.GestionnaireId, "equipe", ParticipantRole.Suppleant) }.Order(),
            seen.Select(p => (Guid.Parse(p.OrganisationId), p.ContactId, p.Role)).Order());
        var system = fixture.Client("systeme", TestMesure.NewId());
        Assert.Equal(seen, (await system.ListParticipantsAsync(list, cancellationToken: Ct)).Participants);
        Assert.Empty((await system.ListParticipantsAsync(new ListParticipantsRequest { MesureId = TestMesure.NewId().ToString() }, cancellationToken: Ct)).Participants);

        for (var i = 3; i <= 20; i++)
        {
            await court.AssignParticipantAsync(Messages.Assign(mesure, $"greffe-{i}"), cancellationToken: Ct);
        }

        Assert.Equal(["contact_id"], (await Refusal.OfAsync(court.AssignParticipantAsync(Messages.Assign(mesure, "greffe-21"), cancellationToken: Ct))).Fields);
        Assert.Equal(["contact_id", "role"], (await Refusal.OfAsync(court.AssignParticipantAsync(Messages.Assign(mesure, "", ParticipantRole.Unspecified), cancellationToken: Ct))).Fields);
        var paged = await court.ListParticipantsAsync(new ListParticipantsRequest { MesureId = mesure.Id.ToString(), PageSize = 7 }, cancellationToken: Ct);
        Assert.Equal(7, paged.Participants.Count);
        list.PageToken = paged.NextPageToken;
        Assert.Equal(14, (await court.ListParticipantsAsync(list, cancellationToken: Ct)).Participants.Count);
    }

    [Fact]
    public async Task Reading_ByPersons_IsProvenForEachAndCountedForEach()
    {
        var mesure = await fixture.OpenThreadAsync();
        var court = fixture.Person(Roles.Juridiction, mesure.JuridictionId, "greffiere");
        var (anne, bruno) = (fixture.Person(Roles.Espace, mesure.GestionnaireId, "anne"), fixture.Person(Roles.Espace, mesure.GestionnaireId, "bruno"));
        var first = await court.SayAsync(mesure, "un");
        var second = await court.SayAsync(mesure, "deux");

        await anne.MarkThreadReadAsync(Messages.Read(mesure, second.MessageId), cancellationToken: Ct);
        var bruns = (await bruno.MarkThreadReadAsync(Messages.Read(mesure, first.MessageId), cancellationToken: Ct)).Thread;

        Assert.Equal((0L, 1L), (bruns.UnreadCount, bruns.PersonUnreadCount));
        Assert.Equal((0L, 0L), (await anne.ThreadAsync(mesure)) is var t ? (t.UnreadCount, t.PersonUnreadCount) : default);
        var messages = await court.AllMessagesAsync(mesure);
        Assert.Equal("greffiere", messages[1].AuthorPersonId);
        Assert.Equal(["anne", "bruno"], messages[1].Receipts.Select(r => r.PersonId));
        Assert.Equal(["anne"], messages[2].Receipts.Select(r => r.PersonId));
        Assert.Equal(0, (await court.ThreadAsync(mesure)).PersonUnreadCount);
    }

    [Fact]
    public async Task NonJudicialMesure_WithinTheEspace_IsAConversationOfPersons()
    {
        var mesure = new TestMesure(null, TestMesure.NewId());
        await fixture.PublishAsync(mesure.Created());
        await fixture.EntriesAsync(mesure, 1);
        var (anne, bruno) = (fixture.Person(Roles.Espace, mesure.GestionnaireId, "anne"), fixture.Person(Roles.Espace, mesure.GestionnaireId, "bruno"));

        var question = await anne.SayAsync(mesure, "Qui accueille samedi ?", r => { r.AnswerDueTime = Tomorrow; r.Kind = MessageKind.Difficulte; });

        Assert.Equal(mesure.GestionnaireId.ToString(), (await anne.ThreadAsync(mesure)).Expectations[0].MustActOrganisationId);
        Assert.Equal(1, (await bruno.ThreadAsync(mesure)).PersonUnreadCount);
        Assert.Single((await bruno.ListThreadsAsync(new() { State = Attention.PersonUnread }, cancellationToken: Ct)).Threads);
        Assert.Equal([question.MessageId], (await bruno.ListMessagesAsync(new() { State = Attention.PersonUnread }, cancellationToken: Ct)).Messages.Select(m => m.MessageId));
        Assert.Empty((await anne.ListThreadsAsync(new() { State = Attention.PersonUnread }, cancellationToken: Ct)).Threads);
        Assert.Empty((await anne.ListMessagesAsync(new() { MesureId = mesure.Id.ToString(), State = Attention.PersonUnread }, cancellationToken: Ct)).Messages);
        var software = fixture.Client(Roles.Espace, mesure.GestionnaireId);
        Assert.Equal(["state"], (await Refusal.OfAsync(software.ListThreadsAsync(new() { State = Attention.PersonUnread }, cancellationToken: Ct))).Fields);
        Assert.Equal(["state"], (await Refusal.OfAsync(software.ListMessagesAsync(new() { State = Attention.PersonUnread }, cancellationToken: Ct))).Fields);
        Assert.Equal(["message_id"], (await Refusal.OfAsync(anne.AcknowledgeMessageAsync(Messages.Acknowledge(mesure, question.MessageId), cancellationToken: Ct))).Fields);
        Assert.Equal(["answers_message_id"], (await Refusal.OfAsync(() => anne.SayAsync(mesure, "moi", r => r.AnswersMessageId = question.MessageId))).Fields);
        await bruno.SayAsync(mesure, "Moi.", r => r.AnswersMessageId = question.MessageId);
        Assert.Empty((await anne.ThreadAsync(mesure)).Expectations);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => fixture.Client("juridiction", TestMesure.NewId()).SayAsync(mesure, "?"))).Reason);
    }
}
