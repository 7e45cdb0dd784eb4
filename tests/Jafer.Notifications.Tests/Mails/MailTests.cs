using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>Mails through the real chain: broker, deliveries, directory over gRPC, SMTP. In one class, so that they share the servers one after another.</summary>
public sealed class MailTests(MailFixture fixture) : IClassFixture<MailFixture>
{
    [Fact]
    public async Task Transmission_ToAnEspace_SendsOneMailWithoutContent()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.GestionnaireId);

        await fixture.ApplyAsync(mesure.Created(), mesure.Completed(), mesure.Transmitted(), mesure.Acknowledged(), mesure.Contact("FAMILLE"), mesure.Contact("ESPACE"));
        await SettledAsync(mesure);

        var mail = Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Equal([address], mail.To);
        Assert.Equal("ne-pas-repondre@jafer.example", mail.From);
        Assert.Equal("[Jafer] Une mesure vous a été transmise", mail.Subject);
        Assert.Contains($"https://jafer.test/mesures/{mesure.Id}", mail.Text, StringComparison.Ordinal);
        Assert.Contains("auto-generated", mail.Headers, StringComparison.Ordinal);
        Assert.Equal(["SENT"], await StatesAsync(mesure));
    }

    [Fact]
    public async Task AnyMail_ForAScreenReader_SaysItsLanguageAndTheSameInBothForms()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.GestionnaireId);

        await fixture.ApplyAsync(mesure.Created(), mesure.Completed(), mesure.Transmitted());
        await SettledAsync(mesure);

        var mail = Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Matches("\"content-language\":\\s*\"fr\"", mail.Headers);
        Assert.Matches("\"list-id\":\\s*\"Avis de Jafer <avis.jafer.example>\"", mail.Headers);
        Assert.Contains("multipart/alternative", mail.Headers, StringComparison.Ordinal);
        Assert.DoesNotMatch("<[a-zA-Z/]", mail.Text);
        Assert.StartsWith("<!DOCTYPE html>\n<html lang=\"fr\">", mail.Html, StringComparison.Ordinal);
        Assert.DoesNotMatch("<(img|script|link|iframe)|url\\(", mail.Html);
        Assert.Contains($"<a href=\"https://jafer.test/mesures/{mesure.Id}\">Une mesure vous a été transmise, mesure {mesure.Id}</a>", mail.Html, StringComparison.Ordinal);

        // Whose address was looked up, and who was written to about the mesure, is on record.
        foreach (var work in new[] { "mail addressing", "mail" })
        {
            Assert.NotEqual(0L, await fixture.Database.ReadAsync<long>($"select count(*) from journal.entries where subject = 'jafer' and rpc = '{work}' and 'mesures/{mesure.Id}' = any(resources)"));
        }
    }

    [Fact]
    public async Task SecondEvent_OfOneSubjectWithinTheWindow_IsHeldAndGoesWithTheOthersOnceItIsOver()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.JuridictionId);
        await fixture.ApplyAsync(mesure.Message(mesure.GestionnaireId, 1));
        await SettledAsync(mesure);

        // Another subject does not wait, and takes nothing along that is held.
        var other = new TestMesure(mesure.JuridictionId, mesure.GestionnaireId);
        await fixture.ApplyAsync(mesure.Message(mesure.GestionnaireId, 2), mesure.Difficulty(urgent: false), other.Message(mesure.GestionnaireId, 1));
        await SettledAsync(other);
        Assert.Equal(2, (await fixture.Catcher.MailsToAsync(address)).Count);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from mail_recipients where subject_id = '{mesure.Id}' and state = 'QUEUED'"), n => n == 2, "two that are held");
        Assert.Equal(2, (await fixture.Catcher.MailsToAsync(address)).Count);

        await fixture.OverAsync(mesure.Id);
        await SettledAsync(mesure);

        var mails = await fixture.Catcher.MailsToAsync(address);
        Assert.Equal(3, mails.Count);
        Assert.Equal("[Jafer] 2 éléments attendent votre organisation", mails[2].Subject);
        Assert.DoesNotContain(other.Id.ToString(), mails[2].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UrgentDifficulties_OfOneMesure_AreToldAtOnceButNotTwiceWithinMinutes()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.JuridictionId);
        await fixture.ApplyAsync(mesure.Message(mesure.GestionnaireId, 1));
        await SettledAsync(mesure);

        // Urgent over the window, with what it held.
        await fixture.ApplyAsync(mesure.Difficulty(urgent: true));
        await SettledAsync(mesure);
        Assert.Equal(2, (await fixture.Catcher.MailsToAsync(address)).Count);

        // The same again is held; another urgent kind is news and takes it along.
        await fixture.ApplyAsync(mesure.Difficulty(urgent: true));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from mail_recipients where subject_id = '{mesure.Id}' and state = 'QUEUED'"), n => n == 1, "the second held");
        Assert.Equal(2, (await fixture.Catcher.MailsToAsync(address)).Count);
        await fixture.ApplyAsync(mesure.DeadlineDue("ACKNOWLEDGE_DIFFICULTY", "JURIDICTION") with { Urgent = true });
        await SettledAsync(mesure);

        var mails = await fixture.Catcher.MailsToAsync(address);
        Assert.Equal(3, mails.Count);
        Assert.Equal("[Jafer] URGENT : 2 éléments attendent votre organisation", mails[2].Subject);
    }

    [Fact]
    public async Task Danger_AfterAnUrgentMessage_IsNewsAndTheSameAgainIsNot()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.JuridictionId);
        MessagePosted Message(long position, string kind) => mesure.Message(mesure.GestionnaireId, position) with { MessageKind = kind };

        foreach (var (i, kind) in new[] { "DIFFICULTE", "DANGER" }.Index())
        {
            await fixture.ApplyAsync(Message(i + 1, kind));
            await SettledAsync(mesure);
        }

        await fixture.ApplyAsync(Message(3, "DANGER"));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from mail_recipients where subject_id = '{mesure.Id}' and state = 'QUEUED'"), n => n == 1, "the second held");
        Assert.Equal(
            ["[Jafer] URGENT : Un message urgent vous attend", "[Jafer] URGENT : Un message signale un danger"], (await fixture.Catcher.MailsToAsync(address)).Select(m => m.Subject));
    }

    [Fact]
    public async Task SeveralEvents_ForOneOrganisation_GoInOneMail()
    {
        var gestionnaire = TestMesure.NewId();
        var address = await fixture.AddContactsAsync(gestionnaire);
        var mesures = Enumerable.Range(0, 5).Select(_ => new TestMesure(TestMesure.NewId(), gestionnaire)).ToList();
        await fixture.Database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), '{gestionnaire}', gen_random_uuid(), t, m::uuid, false, 'QUEUED', 0, now() - interval '1 second', now() - interval '1 second'
            from unnest(array[{string.Join(',', mesures.Select(m => $"'{m.Id}'"))}]) m, unnest(array['mesure.mesure-transmitted.v1', 'messaging.message-posted.v1']) t
            """);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from deliveries where organisation_id = '{gestionnaire}' and state = 'SENT'"), n => n == 10, "all sent");

        var mail = Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Equal("[Jafer] 10 éléments attendent votre organisation", mail.Subject);
        Assert.All(mesures, m => Assert.Contains(m.Id.ToString(), mail.Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task UrgentDifficulty_OverWaitingMails_GoesAtOnceAndTakesThemAlong()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.JuridictionId);
        await fixture.Database.RunAsync($"""
            insert into deliveries values
                (gen_random_uuid(), '{mesure.JuridictionId}', gen_random_uuid(), 'messaging.message-posted.v1', '{mesure.Id}', false, 'QUEUED', 0, now() + interval '1 hour', now())
            """);

        await fixture.ApplyAsync(mesure.Difficulty(urgent: true));
        await SettledAsync(mesure);

        var mail = Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Equal("[Jafer] URGENT : 2 éléments attendent votre organisation", mail.Subject);
        Assert.Contains("URGENT : Une difficulté vous est signalée", mail.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_OfASource_IsMailedToTheContactsThatTheOperatorGave()
    {
        var (operatorId, gestionnaire) = (new ServiceDefaults.EscalationOptions().OperatorId, TestMesure.NewId());
        var address = $"astreinte.{gestionnaire:N}@operateur.test";
        await new DirectoryService.DirectoryServiceClient(fixture.Directory.Channel(Roles.Operateur, operatorId)).ReplaceContactsAsync(
            new ReplaceContactsRequest
            {
                OrganisationId = operatorId.ToString(),
                Contacts = { new Contact { ExternalId = "astreinte", Email = address, Role = ContactRole.Suivi } },
                RequestId = TestMesure.NewId().ToString(),
            },
            cancellationToken: TestContext.Current.CancellationToken);

        await fixture.ApplyAsync(TestEspace.SourceSilent(gestionnaire));

        var mails = await Eventually.BecomesAsync(() => fixture.Catcher.MailsToAsync(address), m => m.Count > 0, "the mail");
        Assert.Contains(mails, m => m.Text.Contains($"Le logiciel d'une organisation n'a plus rien transmis à Jafer depuis plus longtemps que d'habitude, organisation {gestionnaire}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Reminders_OfEachRung_GoToThatRungAlone()
    {
        var mesure = TestMesure.Create();
        var other = new TestMesure(mesure.JuridictionId, mesure.GestionnaireId);
        var follower = await fixture.AddContactsAsync(mesure.GestionnaireId);
        var manager = follower.Replace("suivi", "direction", StringComparison.Ordinal);

        await fixture.ApplyAsync(mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "MUST_ACT", 2), other.ReminderDue("ACKNOWLEDGE", "ESPACE", "MANAGER", 1));
        await SettledAsync(mesure);
        await SettledAsync(other);

        Assert.Equal("[Jafer] Une mesure attend votre accusé de réception (rappel 2)", Assert.Single(await fixture.Catcher.MailsToAsync(follower)).Subject);
        Assert.Equal("[Jafer] Une mesure attend votre accusé de réception (signalé à la direction, rappel 1)", Assert.Single(await fixture.Catcher.MailsToAsync(manager)).Subject);
    }

    [Fact]
    public async Task Deadline_LiftedBeforeItsMailIsSent_IsNotMailedAndOthersAre()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.GestionnaireId);
        await fixture.Database.RunAsync($"""
            insert into deliveries (delivery_id, organisation_id, event_id, event_type, mesure_id, urgent, deadline, deadline_due_at, rung, reminder, state, attempts, next_attempt_at, created_at)
            select gen_random_uuid(), '{mesure.GestionnaireId}', gen_random_uuid(), 'mesure.deadline-due.v1', '{mesure.Id}', false, d, at::timestamptz, 'MUST_ACT', 1, 'QUEUED', 0,
                now() + interval '1 hour', now()
            from (values ('ACKNOWLEDGE', '2026-11-21T09:30:00Z'), ('ACKNOWLEDGE', '2026-11-22T09:30:00Z'), ('TERM_PASSED', '2026-11-21T09:30:00Z')) v (d, at);
            with addressed as (
                insert into deliveries (delivery_id, organisation_id, event_id, event_type, mesure_id, urgent, deadline, deadline_due_at, rung, reminder, state, attempts, next_attempt_at, created_at)
                values (gen_random_uuid(), '{mesure.GestionnaireId}', gen_random_uuid(), 'mesure.reminder-due.v1', '{mesure.Id}', false, 'ACKNOWLEDGE', '2026-11-21T09:30:00Z', 'MUST_ACT', 2,
                    'ADDRESSED', 0, now(), now())
                returning *)
            insert into mail_recipients (delivery_id, contact_id, notice_id, organisation_id, subject_id, event_type, deadline, urgent, state, attempts, created_at, next_attempt_at)
            select delivery_id, '2', gen_random_uuid(), organisation_id, mesure_id, event_type, deadline, urgent, 'QUEUED', 0, now(), now() + interval '1 hour' from addressed;
            """);

        await fixture.ApplyAsync(mesure.DeadlineLifted("ACKNOWLEDGE", "ESPACE"));

        Assert.Equal(
            ["ACKNOWLEDGE DROPPED", "ACKNOWLEDGE DROPPED", "ACKNOWLEDGE QUEUED", "TERM_PASSED QUEUED"],
            await fixture.Database.ReadAllAsync<string>($"select deadline || ' ' || state from deliveries where mesure_id = '{mesure.Id}' order by 1"));
        Assert.Equal(["DROPPED"], await fixture.Database.ReadAllAsync<string>($"select state from mail_recipients where subject_id = '{mesure.Id}'"));
        Assert.Empty(await fixture.Catcher.MailsToAsync(address));
    }

    [Fact]
    public async Task Message_OfOneSide_IsToldToTheOther()
    {
        var mesure = TestMesure.Create();
        var (court, espace) = (await fixture.AddContactsAsync(mesure.JuridictionId), await fixture.AddContactsAsync(mesure.GestionnaireId));

        await fixture.ApplyAsync(mesure.Message(mesure.GestionnaireId, 2));
        await SettledAsync(mesure);

        Assert.Equal("[Jafer] Un message vous attend", Assert.Single(await fixture.Catcher.MailsToAsync(court)).Subject);
        Assert.Empty(await fixture.Catcher.MailsToAsync(espace));
    }

    [Fact]
    public async Task Events_DeliveredAgain_AreNotMailedAgain()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.GestionnaireId);
        await using var second = await fixture.StartReplicaAsync();
        var transmitted = mesure.Transmitted();

        await fixture.ApplyAsync(transmitted);
        await SettledAsync(mesure);
        await fixture.PublishAsync(transmitted);
        await fixture.ApplyAsync(mesure.Acknowledged());
        await SettledAsync(mesure);

        Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Equal(["SENT"], await StatesAsync(mesure));
    }

    [Fact]
    public async Task StaleGroups_OfOneEspace_AreToldByOneMailADay()
    {
        var (espace, gestionnaire) = (TestMesure.NewId(), TestMesure.NewId());
        var address = await fixture.AddContactsAsync(gestionnaire);

        await fixture.ApplyAsync([.. new[] { "LIEUX", "ACCUEIL", "OUVERTURES" }.Select(g => TestEspace.GroupStale(espace, gestionnaire, g))]);
        await SettledAsync(espace);
        await fixture.ApplyAsync(TestEspace.GroupStale(espace, gestionnaire, "ATTENTE", "VISITE"));
        await SettledAsync(espace);

        var mail = Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Equal("[Jafer] Des informations de votre espace sont à confirmer ou à corriger", mail.Subject);
        Assert.DoesNotContain("LIEUX", mail.Text, StringComparison.Ordinal);
        Assert.Equal(4, (await fixture.Client(ServiceDefaults.Access.Roles.Espace, gestionnaire).AllEventsAsync()).Count(e => e.ActionRequired && e.Type == "directory.espace-group-stale.v1"));

        await fixture.Database.RunAsync($"update deliveries set created_at = created_at - interval '1 day' where mesure_id = '{espace}'");
        await fixture.OverAsync(espace);
        await fixture.ApplyAsync(TestEspace.GroupStale(espace, gestionnaire, "CONTACTS"));
        await SettledAsync(espace);
        Assert.Equal(2, (await fixture.Catcher.MailsToAsync(address)).Count);
    }

    [Fact]
    public async Task Mails_ThatAContactDoesNotWant_GoToTheOthersAndTheRestAsBefore()
    {
        var mesure = TestMesure.Create();
        var espace = TestMesure.NewId();
        var address = await fixture.AddContactsAsync(mesure.GestionnaireId);
        var direction = await fixture.MuteAsync(mesure.GestionnaireId, "DONNEES", "DEMANDES");

        await fixture.ApplyAsync(TestEspace.GroupStale(espace, mesure.GestionnaireId, "LIEUX"));
        await SettledAsync(espace);

        Assert.Empty(await fixture.Catcher.MailsToAsync(address));
        Assert.Single(await fixture.Catcher.MailsToAsync(direction));
        await fixture.ApplyAsync(mesure.Transmitted());
        await SettledAsync(mesure.Id);
        Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Single(await fixture.Catcher.MailsToAsync(direction));
    }

    [Fact]
    public async Task ManyMesures_OfAnEspaceWithoutAgrement_AreToldToTheirCourtByOneMail()
    {
        var (court, espace) = (TestMesure.NewId(), TestMesure.NewId());
        var address = await fixture.AddContactsAsync(court);

        await fixture.ApplyAsync([.. Enumerable.Range(0, 20).Select(_ => new TestMesure(court, TestMesure.NewId()).AgrementRetired() with { EspaceId = espace })]);
        await SettledAsync(espace);

        var mail = Assert.Single(await fixture.Catcher.MailsToAsync(address));
        Assert.Equal("[Jafer] L'agrément d'un espace désigné dans vos mesures prend fin ou a pris fin", mail.Subject);
    }

    [Fact]
    public async Task TwoReplicas_WithManyMails_SendEachOnce()
    {
        await using var second = await fixture.StartReplicaAsync();
        var mesures = Enumerable.Range(0, 15).Select(_ => TestMesure.Create()).ToList();
        var addresses = new List<string>();
        foreach (var mesure in mesures)
        {
            addresses.Add(await fixture.AddContactsAsync(mesure.GestionnaireId));
        }

        await fixture.ApplyAsync([.. mesures.Select(m => m.Transmitted())]);
        foreach (var mesure in mesures)
        {
            await SettledAsync(mesure);
        }

        foreach (var address in addresses)
        {
            Assert.Single(await fixture.Catcher.MailsToAsync(address));
        }
    }

    [Fact]
    public async Task Mail_WithTheServerAway_GoesOnceItIsBack()
    {
        var mesure = TestMesure.Create();
        var address = await fixture.AddContactsAsync(mesure.GestionnaireId);
        var port = fixture.Catcher.SmtpPort;
        await fixture.Catcher.DisposeAsync();

        await fixture.ApplyAsync(mesure.Transmitted());
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select coalesce(max(attempts), 0) from mail_recipients where subject_id = '{mesure.Id}'"), n => n >= 2, "two failed attempts");
        Assert.Equal("SMTP_CONNECTION", await fixture.Database.ReadAsync<string>($"select last_error from mail_recipients where subject_id = '{mesure.Id}'"));
        fixture.Catcher = await MailCatcher.StartAsync(port);
        await SettledAsync(mesure);

        Assert.Single(await fixture.Catcher.MailsToAsync(address));
    }

    [Fact]
    public async Task Mail_ToAnOrganisationWithoutAddress_IsTriedAgainAndGivenUpInTheEnd()
    {
        var mesure = TestMesure.Create();

        await fixture.ApplyAsync(mesure.Transmitted());
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select attempts from deliveries where mesure_id = '{mesure.Id}'"), n => n >= 2, "two failed attempts");
        // Not by its age: for so long the directory may have had no answer.
        await fixture.Database.RunAsync($"update deliveries set created_at = created_at - interval '3 days' where mesure_id = '{mesure.Id}'");
        var attempts = await fixture.Database.ReadAsync<int>($"select attempts from deliveries where mesure_id = '{mesure.Id}'");
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select attempts from deliveries where mesure_id = '{mesure.Id}'"), n => n > attempts, "a further attempt");
        Assert.Equal(["QUEUED"], await StatesAsync(mesure));

        await fixture.Database.RunAsync($"update deliveries set failing_since = failing_since - interval '3 days' where mesure_id = '{mesure.Id}'");
        await SettledAsync(mesure);

        Assert.Equal(["FAILED"], await StatesAsync(mesure));
        Assert.Equal("NO_ADDRESS", await fixture.Database.ReadAsync<string>($"select last_error from deliveries where mesure_id = '{mesure.Id}'"));
    }

    /// <summary>Waits until no mail of a mesure is due any more.</summary>
    private Task<long> SettledAsync(TestMesure mesure) => SettledAsync(mesure.Id);

    private Task<long> SettledAsync(Guid about) => Eventually.BecomesAsync(
        () => fixture.Database.ReadAsync<long>($"select count(*) from deliveries where mesure_id = '{about}' and state in ('QUEUED', 'ADDRESSED')"), n => n == 0, "mails sent");

    private Task<IReadOnlyList<string>> StatesAsync(TestMesure mesure) =>
        fixture.Database.ReadAllAsync<string>($"select state from deliveries where mesure_id = '{mesure.Id}'");
}
