using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Mails;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Notifications.Tests.Mails;

/// <summary>A mail server that refuses, greylists, is slow or away: what it does to one person concerns that one, and nothing is lost.</summary>
public sealed class MailServerTests(MailFaultFixture fixture) : IClassFixture<MailFaultFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Greylisting_OfOnePerson_IsTriedAgainForThatOneAlone()
    {
        var (organisation, first, second) = TwoContacts();
        await fixture.Smtp.DoAsync(new { greylist = new Dictionary<string, object> { [second] = new { code = 451, times = 2 } } });

        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "2", s => s.StartsWith("SENT", StringComparison.Ordinal));

        Assert.Equal("SENT", await fixture.RecipientAsync(delivery, "1", s => s.Length > 0));
        Assert.Equal("SENT after 2", await fixture.RecipientAsync(delivery, "2", s => s.Length > 0));
        var seen = await fixture.Smtp.SeenAsync();
        Assert.Equal([250], seen.Recipients.Where(r => r.Address == first).Select(r => r.Code));
        Assert.Equal([451, 451, 250], seen.Recipients.Where(r => r.Address == second).Select(r => r.Code));
        Assert.All(seen.Mails, m => Assert.Equal(1, m.Recipients));
    }

    [Fact]
    public async Task Refusal_AfterTheText_IsTriedAgainAsTheSameMailWhateverCameSince()
    {
        var (organisation, address, _) = TwoContacts();
        fixture.Directory.Answer(organisation, new Contact { ExternalId = "1", Email = address });
        await fixture.Smtp.DoAsync(new { data = new Dictionary<string, object> { [address] = new { code = 452, times = 3 } } });

        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "1", s => s.StartsWith("QUEUED SMTP_452", StringComparison.Ordinal));
        var later = await fixture.QueueAsync(organisation);
        await fixture.DeliveryAsync(delivery, "SENT");
        await fixture.DeliveryAsync(later, "SENT");

        var mails = (await fixture.Smtp.SeenAsync()).Mails.Where(m => m.Address == address).ToList();
        Assert.Equal(3, mails.Count(m => m.Code == 452));
        var each = mails.GroupBy(m => m.Message.MessageId).ToList();
        Assert.Equal(2, each.Count);
        Assert.All(each, m => Assert.Single(m, a => a.Code == 250));
        Assert.All(each, m => Assert.Single(m.Select(a => a.Message.TextBody + a.Message.HtmlBody).Distinct()));
    }

    [Fact]
    public async Task Refusal_OfOnePerson_ConcernsThatOneAndIsShownToOperatorsAndTheOrganisation()
    {
        var (organisation, first, second) = TwoContacts();
        await fixture.Smtp.DoAsync(new { refuse = new Dictionary<string, int> { [second] = 550 } });

        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "2", s => s.Contains("SMTP_550", StringComparison.Ordinal));
        await fixture.DeliveryAsync(delivery, "SENT");

        // Somebody else's mail is taken after the refusal: the server means the person.
        await fixture.DeliveryAsync(await fixture.QueueAsync(TestMesure.NewId()), "SENT");
        await fixture.RecipientAsync(delivery, "2", s => s.StartsWith("REFUSED SMTP_550", StringComparison.Ordinal));

        Assert.Single(await fixture.Smtp.TakenAsync(first));
        foreach (var (role, caller) in new[] { (Roles.Operateur, TestMesure.NewId()), (Roles.Espace, organisation), (Roles.Juridiction, organisation) })
        {
            var answer = await Notices(role, caller).ListMailRefusalsAsync(new ListMailRefusalsRequest { OrganisationId = organisation.ToString() }, cancellationToken: Ct);
            var refusal = Assert.Single(answer.Refusals);
            Assert.Equal(
                (organisation.ToString(), "2", NoticeState.Refused, 550, "SMTP_550", "messaging.message-posted.v1"),
                (refusal.OrganisationId, refusal.ContactId, refusal.State, refusal.LastStatus, refusal.LastError, refusal.Type));
            Assert.Null(refusal.NextAttemptTime);
            Assert.DoesNotContain("@", answer.ToString(), StringComparison.Ordinal);
        }

        Assert.Empty((await Notices(Roles.Espace, TestMesure.NewId()).ListMailRefusalsAsync(new ListMailRefusalsRequest(), cancellationToken: Ct)).Refusals);
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>(
            "select (select count(*) from mail_recipients r where r::text like '%@%') + (select count(*) from mail_people p where p::text like '%@%') + (select count(*) from deliveries d where d::text like '%@%')"));
    }

    [Fact]
    public async Task Refusal_OfAllWhoFollow_IsToldToTheRestOfTheOrganisation()
    {
        var organisation = TestMesure.NewId();
        var (follower, director) = ($"suivi.{organisation:N}@association.test", $"direction.{organisation:N}@association.test");
        fixture.Directory.Answer(
            organisation, new Contact { ExternalId = "1", Email = follower, Role = ContactRole.Suivi }, new Contact { ExternalId = "2", Email = director, Role = ContactRole.Direction });
        await fixture.Smtp.DoAsync(new { refuse = new Dictionary<string, int> { [follower] = 550 } });

        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "1", s => s.StartsWith("REFUSED", StringComparison.Ordinal));

        await fixture.DeliveryAsync(delivery, "SENT");
        Assert.Single(await fixture.Smtp.TakenAsync(director));
    }

    [Fact]
    public async Task Bounce_OfAMailThatWasTaken_IsARefusalAndTellsTheRestOfTheOrganisation()
    {
        var organisation = TestMesure.NewId();
        var (follower, director) = ($"suivi.{organisation:N}@association.test", $"direction.{organisation:N}@association.test");
        fixture.Directory.Answer(
            organisation, new Contact { ExternalId = "1", Email = follower, Role = ContactRole.Suivi }, new Contact { ExternalId = "2", Email = director, Role = ContactRole.Direction });
        var (delivery, old) = (await fixture.QueueAsync(organisation), await fixture.QueueAsync(organisation));
        await fixture.DeliveryAsync(delivery, "SENT");
        await fixture.DeliveryAsync(old, "SENT");
        await fixture.Database.RunAsync($"update deliveries set sent_at = sent_at - interval '2 days' where delivery_id = '{old}'");
        var mailId = Guid.Parse((await fixture.Smtp.TakenAsync(follower))[0].Message.MessageId!.Split('@')[0]);
        Assert.Empty(await fixture.Smtp.TakenAsync(director));
        var operators = Notices(Roles.Operateur, TestMesure.NewId());
        RecordBounceRequest Bounce(string status) => new() { MailId = mailId.ToString(), Status = status, RequestId = TestMesure.NewId().ToString() };

        Assert.Equal(0, (await operators.RecordBounceAsync(Bounce("4.2.2"), cancellationToken: Ct)).RefusedCount);
        var told = await fixture.Database.ReadAsync<int>($"select count(*)::int from mail_recipients where mail_id = '{mailId}'");
        Assert.Equal(told, (await operators.RecordBounceAsync(Bounce("5.1.1"), cancellationToken: Ct)).RefusedCount);
        Assert.Equal(0, (await operators.RecordBounceAsync(Bounce("5.1.1"), cancellationToken: Ct)).RefusedCount);

        await Eventually.BecomesAsync(() => fixture.Smtp.TakenAsync(director), m => m.Count == 1, "the director's mail");
        var refusals = (await Notices(Roles.Espace, organisation).ListMailRefusalsAsync(new ListMailRefusalsRequest(), cancellationToken: Ct)).Refusals;
        Assert.All(refusals, r => Assert.Equal(("1", NoticeState.Refused, "BOUNCE_5.1.1"), (r.ContactId, r.State, r.LastError)));
        Assert.NotEmpty(refusals);
        Assert.Equal("SENT", await fixture.Database.ReadAsync<string>($"select state from deliveries where delivery_id = '{old}'"));
        await fixture.Database.RunAsync($"insert into deliveries select gen_random_uuid(), '{organisation}', gen_random_uuid(), event_type, mesure_id, false, 'QUEUED', 0, now() + interval '1 hour', now() - interval '2 hours' from deliveries where delivery_id = '{delivery}'");
        var census = fixture.Host.App.Services.GetRequiredService<MailCensus>();
        await census.CountAsync(Ct);
        var gauges = Gauges.Read("jafer.mail.", census);
        Assert.True(gauges["jafer.mail.refused_contacts"] >= 1 && gauges["jafer.mail.pending"] >= 1 && gauges["jafer.mail.oldest_age"] >= 7000);
        await fixture.Database.RunAsync($"update deliveries set state = 'DROPPED' where organisation_id = '{organisation}' and state = 'QUEUED'");
        Assert.Equal(["status"], (await Refusal.OfAsync(operators.RecordBounceAsync(Bounce("2.0.0"), cancellationToken: Ct))).Fields);
        Assert.Equal(
            Grpc.Core.StatusCode.NotFound,
            (await Refusal.OfAsync(operators.RecordBounceAsync(new() { MailId = TestMesure.NewId().ToString(), Status = "5.0.0", RequestId = TestMesure.NewId().ToString() }, cancellationToken: Ct))).Code);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(Notices(Roles.Espace, organisation).RecordBounceAsync(Bounce("5.1.1"), cancellationToken: Ct))).Reason);
    }

    [Fact]
    public async Task Refusal_OfAllWhoWantSomethingUrgent_IsToldToWhoDoesWithoutIt()
    {
        var organisation = TestMesure.NewId();
        var (wanting, muting) = ($"un.{organisation:N}@association.test", $"deux.{organisation:N}@association.test");
        fixture.Directory.Answer(
            organisation, new Contact { ExternalId = "1", Email = wanting, Role = ContactRole.Suivi },
            new Contact { ExternalId = "2", Email = muting, Role = ContactRole.Suivi, MutedMails = { ContactMail.Difficultes, ContactMail.Messages } });
        await fixture.Smtp.DoAsync(new { refuse = new Dictionary<string, int> { [wanting] = 550 } });

        var (urgent, ordinary) = (await fixture.QueueAsync(organisation, urgent: true), await fixture.QueueAsync(organisation));
        await fixture.DeliveryAsync(urgent, "SENT");
        await fixture.DeliveryAsync(ordinary, "FAILED");

        Assert.Single(await fixture.Smtp.TakenAsync(muting));
        Assert.Equal("SMTP_550", await fixture.Database.ReadAsync<string>($"select last_error from deliveries where delivery_id = '{ordinary}'"));
    }

    [Fact]
    public async Task Person_PutOffForDaysWhileOthersGetTheirMails_IsGivenUp()
    {
        var (organisation, address, _) = TwoContacts();
        fixture.Directory.Answer(organisation, new Contact { ExternalId = "1", Email = address });
        await fixture.Smtp.DoAsync(new { greylist = new Dictionary<string, object> { [address] = new { code = 451, times = 1000 } } });
        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "1", s => s.StartsWith("QUEUED SMTP_451", StringComparison.Ordinal));

        await fixture.Database.RunAsync($"update mail_recipients set failing_since = failing_since - interval '3 days' where delivery_id = '{delivery}'");
        await fixture.DeliveryAsync(await fixture.QueueAsync(TestMesure.NewId()), "SENT");
        await fixture.DeliveryAsync(delivery, "FAILED");

        Assert.StartsWith("FAILED SMTP_451", await fixture.RecipientAsync(delivery, "1", s => s.Length > 0), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("everybody", 550, "SMTP_550")]
    [InlineData("sender", 553, "SMTP_553")]
    [InlineData("banner", 554, "SMTP_554")]
    [InlineData("banner", 421, "SMTP_421")]
    public async Task Server_ThatRefusesEverything_LosesNothingAndSendsEachOnceItIsBack(string rule, int code, string error)
    {
        var organisations = Enumerable.Range(0, 8).Select(_ => TestMesure.NewId()).ToList();
        await fixture.Smtp.DoAsync(new Dictionary<string, object> { [rule] = code });

        var deliveries = new List<Guid>();
        foreach (var organisation in organisations)
        {
            deliveries.Add(await fixture.QueueAsync(organisation));
        }

        await fixture.RecipientAsync(deliveries[0], "1", s => s.StartsWith($"QUEUED {error} after", StringComparison.Ordinal));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select sum(attempts)::int from mail_recipients where delivery_id in ({string.Join(',', deliveries.Select(d => $"'{d}'"))})"), n => n >= 4, "attempts");

        // For however long it does so.
        await fixture.Database.RunAsync($"update mail_recipients set created_at = created_at - interval '30 days' where delivery_id in ({string.Join(',', deliveries.Select(d => $"'{d}'"))})");
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select sum(attempts)::int from mail_recipients where delivery_id in ({string.Join(',', deliveries.Select(d => $"'{d}'"))})"), n => n >= 6, "attempts of that age");
        await fixture.Smtp.DoAsync(new { });
        foreach (var (organisation, delivery) in organisations.Zip(deliveries))
        {
            await fixture.DeliveryAsync(delivery, "SENT");
            Assert.Single(await fixture.Smtp.TakenAsync(StubDirectory.AddressOf(organisation)));
        }
    }

    [Fact]
    public async Task Server_ThatIsSlow_GetsSeveralAtATimeOverFewConnections()
    {
        var before = await fixture.Smtp.SeenAsync();
        await fixture.Smtp.DoAsync(new { delay = 100 });
        var organisations = Enumerable.Range(0, 16).Select(_ => TestMesure.NewId()).ToList();
        await Task.WhenAll(organisations.Select(o => fixture.QueueAsync(o)));

        foreach (var organisation in organisations)
        {
            await Eventually.BecomesAsync(() => fixture.Smtp.TakenAsync(StubDirectory.AddressOf(organisation)), m => m.Count == 1, "its mail");
        }

        var seen = await fixture.Smtp.SeenAsync();
        Assert.InRange(seen.Most, 2, 4);
        Assert.InRange(seen.Connections - before.Connections, 1, 12);
    }

    [Fact]
    public async Task Server_ThatFallsSilent_IsGivenUpInTimeAndTriedAgain()
    {
        var organisation = TestMesure.NewId();
        await fixture.Smtp.DoAsync(new { silent = true });

        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "1", s => s.StartsWith("QUEUED SMTP_TIMEOUT", StringComparison.Ordinal));
        await fixture.Smtp.DoAsync(new { });
        await fixture.DeliveryAsync(delivery, "SENT");

        Assert.Single(await fixture.Smtp.TakenAsync(StubDirectory.AddressOf(organisation)));
    }

    [Fact]
    public async Task Contact_WhoLeft_IsReplacedByWhoIsThere()
    {
        var (organisation, first, second) = TwoContacts();
        fixture.Directory.Answer(organisation, new Contact { ExternalId = "1", Email = first });
        await fixture.Smtp.DoAsync(new { greylist = new Dictionary<string, object> { [first] = new { code = 451, times = 1000 } } });
        var delivery = await fixture.QueueAsync(organisation);
        await fixture.RecipientAsync(delivery, "1", s => s.StartsWith("QUEUED SMTP_451", StringComparison.Ordinal));

        fixture.Directory.Answer(organisation, new Contact { ExternalId = "2", Email = second });
        await fixture.DeliveryAsync(delivery, "SENT");

        Assert.StartsWith("FAILED CONTACT_GONE", await fixture.RecipientAsync(delivery, "1", s => s.Length > 0), StringComparison.Ordinal);
        Assert.Single(await fixture.Smtp.TakenAsync(second));
    }

    [Fact]
    public async Task TwoReplicas_WithManyPeople_ShareThemAndWriteToEachOnce()
    {
        await fixture.Smtp.DoAsync(new { delay = 5 });
        await using var second = await fixture.StartReplicaAsync();
        var organisations = Enumerable.Range(0, 40).Select(_ => TwoContacts()).ToList();

        // Each has three things, two of them on one subject.
        await fixture.Database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), o::uuid, gen_random_uuid(), t, case when t like 'mesure%' then gen_random_uuid() else o::uuid end, false, 'QUEUED', 0, now(), now()
            from unnest(array[{string.Join(',', organisations.Select(o => $"'{o.Organisation}'"))}]) o,
                 unnest(array['messaging.message-posted.v1', 'messaging.message-posted.v1', 'mesure.mesure-transmitted.v1']) t
            """);
        var theirs = string.Join(',', organisations.Select(o => $"'{o.Organisation}'"));
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from mail_recipients where organisation_id in ({theirs}) and state = 'SENT'"), n => n == 240, "all sent");

        var mails = (await fixture.Smtp.SeenAsync()).Mails;
        Assert.All(organisations.SelectMany(o => new[] { o.First, o.Second }), address => Assert.Single(mails, m => m.Address == address));
    }

    private static (Guid Organisation, string First, string Second) TwoContacts(StubDirectory directory)
    {
        var organisation = TestMesure.NewId();
        var (first, second) = ($"un.{organisation:N}@association.test", $"deux.{organisation:N}@association.test");
        directory.Answer(organisation, new Contact { ExternalId = "1", Email = first }, new Contact { ExternalId = "2", Email = second });
        return (organisation, first, second);
    }

    private (Guid Organisation, string First, string Second) TwoContacts() => TwoContacts(fixture.Directory);

    private NoticeService.NoticeServiceClient Notices(string role, Guid organisation) => new(fixture.Host.Channel(role, organisation));
}
