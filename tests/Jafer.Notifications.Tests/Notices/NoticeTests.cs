using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Feed;
using Jafer.Notifications.Notices;
using Jafer.Notifications.Tests.Mails;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using WebhookEndpoint = Jafer.Contracts.Notification.V1.WebhookEndpoint;

namespace Jafer.Notifications.Tests.Notices;

/// <summary>The way of each notice about a mesure: by feed, webhook and mail, to whoever holds it.</summary>
public sealed class NoticeTests(MailFaultFixture fixture) : IClassFixture<MailFaultFixture>
{
    private const string Transmitted = "mesure.mesure-transmitted.v1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListNotices_OfATransmission_ShowsItsWayByFeedWebhookAndMail()
    {
        var mesure = TestMesure.Create();
        await using var receiver = await WebhookReceiver.StartAsync();
        await new WebhookService.WebhookServiceClient(fixture.Host.Channel(Roles.Espace, mesure.GestionnaireId)).CreateEndpointAsync(
            new CreateEndpointRequest
            {
                Endpoint = new WebhookEndpoint { Url = receiver.Address.ToString(), ContactEmail = "si@association.test" },
                RequestId = NewId(),
            },
            cancellationToken: Ct);
        await fixture.ApplyAsync(mesure.Created(), mesure.Completed());
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted);
        var espace = fixture.Espace(mesure);
        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = await espace.EndAsync() }, cancellationToken: Ct);

        var notices = await Eventually.BecomesAsync(
            () => AllAsync(Roles.Espace, mesure.GestionnaireId, mesure.Id), n => n.All(x => x.State is NoticeState.Sent or NoticeState.Delivered || x.OrganisationId != $"{mesure.GestionnaireId}"), "the way");

        // Of the draft the espace sees nothing.
        Assert.All(notices, n => Assert.Equal((transmitted.EventId.ToString(), Transmitted), (n.EventId, n.Type)));
        Assert.Equal(
            [
                (NoticeChannel.Feed, mesure.GestionnaireId.ToString(), NoticeState.Delivered), (NoticeChannel.Feed, mesure.JuridictionId.ToString(), NoticeState.Queued),
                (NoticeChannel.Webhook, mesure.GestionnaireId.ToString(), NoticeState.Delivered), (NoticeChannel.Mail, mesure.GestionnaireId.ToString(), NoticeState.Sent),
            ],
            notices.Select(n => (n.Channel, n.OrganisationId, n.State)).OrderBy(n => n.Channel).ThenByDescending(n => n.State));
        var mail = notices.Single(n => n.Channel == NoticeChannel.Mail);
        Assert.Equal(("1", "", 0), (mail.ContactId, mail.LastError, mail.LastStatus));
        Assert.NotNull(mail.SendTime);

        // A mail server that took a mail has delivered nothing.
        Assert.Null(mail.DeliverTime);
        var webhook = notices.Single(n => n.Channel == NoticeChannel.Webhook);
        Assert.Equal((receiver.Calls.Single().Id, 204), (webhook.NoticeId, webhook.LastStatus));
        Assert.NotNull(webhook.DeliverTime);

        // The court sees its own draft besides, but not who is who at the espace.
        var court = await AllAsync(Roles.Juridiction, mesure.JuridictionId, mesure.Id);
        Assert.Equal(notices.Count + 2, court.Count);
        Assert.All(court.Where(n => n.OrganisationId == $"{mesure.GestionnaireId}"), n => Assert.Equal(("", ""), (n.ContactId, n.EndpointId)));
        Assert.Equal(court.Count, (await AllAsync(Roles.Operateur, TestMesure.NewId(), mesure.Id)).Count);
        Assert.Equal(court, await AllAsync(Roles.Juridiction, mesure.JuridictionId, mesure.Id, pageSize: 1));
        Assert.Equal(court.OrderByDescending(n => n.QueueTime.ToDateTimeOffset()).Select(n => n.QueueTime), court.Select(n => n.QueueTime));
    }

    [Fact]
    public async Task ListNotices_OfWhoDoesNotHoldTheMesure_IsRefusedWhetherThereIsOneOrNot()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Created());

        foreach (var (role, organisation, id) in new[]
        {
            (Roles.Espace, TestMesure.NewId(), mesure.Id), (Roles.Juridiction, TestMesure.NewId(), mesure.Id), (Roles.Espace, TestMesure.NewId(), TestMesure.NewId()),

            // Not yet the affair of its espace.
            (Roles.Espace, mesure.GestionnaireId, mesure.Id),
        })
        {
            var refusal = await Refusal.OfAsync(() => AllAsync(role, organisation, id));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        Assert.Equal(StatusCode.NotFound, (await Refusal.OfAsync(() => AllAsync(Roles.Operateur, TestMesure.NewId(), TestMesure.NewId()))).Code);
        foreach (var role in new[] { "statisticien", "systeme", "partenaire", "prefecture" })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(() => AllAsync(role, mesure.JuridictionId, mesure.Id))).Reason);
        }
    }

    [Fact]
    public async Task Requests_ThatCannotBe_NameTheField()
    {
        var notices = Client(Roles.Juridiction, TestMesure.NewId());

        Assert.Equal(["mesure_id", "page_size"], (await Refusal.OfAsync(notices.ListNoticesAsync(new ListNoticesRequest { MesureId = "x", PageSize = -1 }, cancellationToken: Ct))).Fields);
        Assert.Equal(["page_token"], (await Refusal.OfAsync(notices.ListNoticesAsync(new ListNoticesRequest { MesureId = NewId(), PageToken = "x" }, cancellationToken: Ct))).Fields);
        Assert.Equal(["notice_id", "request_id"], (await Refusal.OfAsync(notices.MarkNoticeOpenedAsync(new MarkNoticeOpenedRequest { NoticeId = "x" }, cancellationToken: Ct))).Fields);
        Assert.Equal(
            ["organisation_id", "page_token"],
            (await Refusal.OfAsync(notices.ListMailRefusalsAsync(new ListMailRefusalsRequest { OrganisationId = "x", PageToken = "x" }, cancellationToken: Ct))).Fields);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(notices.ListMailRefusalsAsync(new ListMailRefusalsRequest { OrganisationId = NewId() }, cancellationToken: Ct))).Reason);
    }

    [Fact]
    public async Task MarkNoticeOpened_OfATransmission_StandsFromTheFirstAndProvesItOnce()
    {
        await KeepAsync();
        var mesure = TestMesure.Create();
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted);
        var mail = (await Eventually.BecomesAsync(
            () => AllAsync(Roles.Espace, mesure.GestionnaireId, mesure.Id), n => n.Any(x => x is { Channel: NoticeChannel.Mail, State: NoticeState.Sent }), "the mail")).Single(n => n.Channel == NoticeChannel.Mail);
        var request = new MarkNoticeOpenedRequest { NoticeId = mail.NoticeId, RequestId = NewId() };
        foreach (var (role, other) in new[] { (Roles.Juridiction, mesure.JuridictionId), (Roles.Espace, TestMesure.NewId()) })
        {
            var refusal = await Refusal.OfAsync(Client(role, other).MarkNoticeOpenedAsync(request, cancellationToken: Ct));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }

        Assert.Empty(await ToldAsync(mesure));
        var espace = Client(Roles.Espace, mesure.GestionnaireId);
        var first = await espace.MarkNoticeOpenedAsync(request, cancellationToken: Ct);
        var others = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => espace.MarkNoticeOpenedAsync(
            i == 0 ? request : new MarkNoticeOpenedRequest { NoticeId = mail.NoticeId, RequestId = NewId() }, cancellationToken: Ct).ResponseAsync));

        Assert.All(others, o => Assert.Equal(first, o));
        Assert.Equal([$"{transmitted.EventId} {mesure.GestionnaireId} {Transmitted} NOTICE"], await ToldAsync(mesure));
        var opened = (await AllAsync(Roles.Juridiction, mesure.JuridictionId, mesure.Id)).Single(n => n.Channel == NoticeChannel.Mail);
        Assert.Equal((NoticeState.Opened, first.OpenTime), (opened.State, opened.OpenTime));
    }

    [Fact]
    public async Task MarkNoticeOpened_OfALineThatStandsForSeveral_OpensAllOfThem()
    {
        var mesure = TestMesure.Create();
        await fixture.Database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), '{mesure.GestionnaireId}', gen_random_uuid(), t, '{mesure.Id}', false, 'QUEUED', 0, now(), now()
            from unnest(array['messaging.message-posted.v1', 'messaging.message-posted.v1', 'mesure.mesure-modified.v1']) t
            """);
        var sent = await Eventually.BecomesAsync(
            () => fixture.Database.ReadAllAsync<string>($"select notice_id || ' ' || event_type from mail_recipients where subject_id = '{mesure.Id}' and state = 'SENT' order by event_type, notice_id"), n => n.Count == 3, "one mail");
        Assert.Equal(1L, await fixture.Database.ReadAsync<long>($"select count(distinct mail_id) from mail_recipients where subject_id = '{mesure.Id}'"));

        var opened = sent[0].Split(' ')[0];
        await Client(Roles.Espace, mesure.GestionnaireId).MarkNoticeOpenedAsync(new MarkNoticeOpenedRequest { NoticeId = opened, RequestId = NewId() }, cancellationToken: Ct);

        Assert.Equal(
            sent.Where(s => s.EndsWith("message-posted.v1", StringComparison.Ordinal)).Select(s => s.Split(' ')[0]).Order(StringComparer.Ordinal),
            (await fixture.Database.ReadAllAsync<string>($"select notice_id::text from notice_openings where organisation_id = '{mesure.GestionnaireId}'")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task ListNotices_OfWhatNobodyWants_IsDroppedAndSaysWhy()
    {
        var mesure = TestMesure.Create();
        fixture.Directory.Answer(
            mesure.GestionnaireId,
            new Contracts.Directory.V1.Contact { ExternalId = "1", Email = StubDirectory.AddressOf(mesure.GestionnaireId), MutedMails = { Contracts.Directory.V1.ContactMail.Mesures } });
        await fixture.ApplyAsync(mesure.Transmitted());

        var notice = await Eventually.BecomesAsync(
            async () => (await AllAsync(Roles.Espace, mesure.GestionnaireId, mesure.Id)).Single(n => n.Channel == NoticeChannel.Mail), n => n.State != NoticeState.Queued, "its end");

        Assert.Equal((NoticeState.Dropped, "MUTED", ""), (notice.State, notice.LastError, notice.ContactId));
        Assert.Empty(await fixture.Smtp.TakenAsync(StubDirectory.AddressOf(mesure.GestionnaireId)));
    }

    [Fact]
    public async Task MarkNoticeOpened_OfWhatTheFeedTold_IsByItsEvent()
    {
        var mesure = TestMesure.Create();
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted);

        await Client(Roles.Juridiction, mesure.JuridictionId).MarkNoticeOpenedAsync(
            new MarkNoticeOpenedRequest { NoticeId = transmitted.EventId.ToString(), RequestId = NewId() }, cancellationToken: Ct);

        // One's own: the espace has opened nothing.
        var feed = (await AllAsync(Roles.Espace, mesure.GestionnaireId, mesure.Id)).Where(n => n.Channel == NoticeChannel.Feed).ToDictionary(n => n.OrganisationId, n => n.State);
        Assert.Equal(NoticeState.Opened, feed[mesure.JuridictionId.ToString()]);
        Assert.Equal(NoticeState.Queued, feed[mesure.GestionnaireId.ToString()]);
    }

    [Fact]
    public async Task ListNotices_OfAFeedReadByTypes_IsDeliveredOnlyByWhoLeavesNoneOut()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged());
        var espace = fixture.Espace(mesure);
        var end = await espace.EndAsync();

        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = end, Types_ = { Transmitted } }, cancellationToken: Ct);
        Assert.All(await OwnFeedAsync(), n => Assert.Equal(NoticeState.Queued, n.State));

        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = end }, cancellationToken: Ct);
        Assert.All(await OwnFeedAsync(), n => Assert.Equal(NoticeState.Delivered, n.State));

        async Task<List<Notice>> OwnFeedAsync() =>
            [.. (await AllAsync(Roles.Espace, mesure.GestionnaireId, mesure.Id)).Where(n => n.Channel == NoticeChannel.Feed && n.OrganisationId == $"{mesure.GestionnaireId}")];
    }

    [Fact]
    public async Task ListNotices_OfWhatWasReplayedDeletedAndOutlivedItsLogAndFeed_StaysProvenUntilThePurge()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var webhooks = new WebhookService.WebhookServiceClient(fixture.Host.Channel(Roles.Espace, mesure.GestionnaireId));
        var id = (await webhooks.CreateEndpointAsync(
            new CreateEndpointRequest { Endpoint = new WebhookEndpoint { Url = receiver.Address.ToString(), ContactEmail = "si@association.test" }, RequestId = NewId() },
            cancellationToken: Ct)).Endpoint.EndpointId;
        await fixture.ApplyAsync(mesure.Transmitted());
        var espace = fixture.Espace(mesure);
        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = await espace.EndAsync() }, cancellationToken: Ct);
        var first = await Eventually.BecomesAsync(
            OwnAsync, n => n.Count == 3 && n.TrueForAll(x => x.State is NoticeState.Sent or NoticeState.Delivered), "the way");
        var webhook = first.Single(n => n.Channel == NoticeChannel.Webhook);

        // A replay that fails takes nothing back, nor does the end of the endpoint.
        receiver.AnswerWith(500);
        var replay = new ReplayEventsRequest { EndpointId = id, StartTime = TimeProvider.System.GetUtcNow().AddHours(-1).ToProto(), RequestId = NewId() };
        Assert.Equal(1, (await webhooks.ReplayEventsAsync(replay, cancellationToken: Ct)).QueuedCount);
        await Eventually.BecomesAsync(
            async () => (await webhooks.ListDeliveriesAsync(new ListDeliveriesRequest { EndpointId = id }, cancellationToken: Ct)).Deliveries.Single(), d => d.LastStatus == 500, "the refusal");
        await AssertProvenAsync();
        await webhooks.DeleteEndpointAsync(new DeleteEndpointRequest { EndpointId = id, RequestId = NewId() }, cancellationToken: Ct);
        await AssertProvenAsync();

        // The log ends, and the endpoint with it; then the feed, the mails and what was noted of them.
        await fixture.Database.RunAsync($"update webhook_deliveries set queued_at = queued_at - interval '31 days' where endpoint_id = '{id}'");
        await SweepAsync();
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from webhook_endpoints where endpoint_id = '{id}'"));
        await AssertProvenAsync();
        var court = (await AllAsync(Roles.Juridiction, mesure.JuridictionId, mesure.Id)).Select(n => (n.Channel, n.OrganisationId, n.State));
        await fixture.Database.RunAsync($"""
            update feed_events set appended_at = appended_at - interval '91 days' where aggregate_id = '{mesure.Id}';
            update deliveries set created_at = created_at - interval '91 days' where mesure_id = '{mesure.Id}';
            update feed_resumptions set resumed_at = resumed_at - interval '91 days' where organisation_id = '{mesure.GestionnaireId}'
            """);
        await SweepAsync();
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from feed_events where aggregate_id = '{mesure.Id}'"));
        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from deliveries where mesure_id = '{mesure.Id}'"));
        Assert.Equal(first.Select(Way).Order(), (await OwnAsync()).Select(Way).Order());
        Assert.Equal(court.Order(), (await AllAsync(Roles.Juridiction, mesure.JuridictionId, mesure.Id)).Select(n => (n.Channel, n.OrganisationId, n.State)).Order());

        // A link that is opened late is noted for good.
        var mail = first.Single(n => n.Channel == NoticeChannel.Mail);
        var opened = await Client(Roles.Espace, mesure.GestionnaireId).MarkNoticeOpenedAsync(new MarkNoticeOpenedRequest { NoticeId = mail.NoticeId, RequestId = NewId() }, cancellationToken: Ct);
        await fixture.Database.RunAsync($"update notice_openings set opened_at = opened_at - interval '91 days' where notice_id = '{mail.NoticeId}'");
        await SweepAsync();
        Assert.Equal((NoticeState.Opened, opened.OpenTime), (await OwnAsync()).Where(n => n.Channel == NoticeChannel.Mail).Select(n => (n.State, n.OpenTime)).Single());

        await using (var scope = fixture.Host.App.Services.CreateAsyncScope())
        {
            await NoticeProofs.PurgeAsync(scope.ServiceProvider.GetRequiredService<NotificationsDbContext>(), mesure.Id, Ct);
        }

        Assert.Equal(0L, await fixture.Database.ReadAsync<long>($"select count(*) from notice_proofs where mesure_id = '{mesure.Id}'"));
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(OwnAsync)).Reason);

        async Task<List<Notice>> OwnAsync() => [.. (await AllAsync(Roles.Espace, mesure.GestionnaireId, mesure.Id)).Where(n => n.OrganisationId == $"{mesure.GestionnaireId}")];

        async Task AssertProvenAsync()
        {
            var now = (await OwnAsync()).Single(n => n.Channel == NoticeChannel.Webhook);
            Assert.Equal((NoticeState.Delivered, webhook.DeliverTime, webhook.QueueTime, webhook.EndpointId), (now.State, now.DeliverTime, now.QueueTime, now.EndpointId));
        }

        Task<long> SweepAsync() => fixture.Host.App.Services.GetServices<IHostedService>().OfType<FeedRetention>().Single().SweepAsync(Ct);

        static (NoticeChannel, NoticeState, string, string, bool) Way(Notice notice) => (notice.Channel, notice.State, notice.NoticeId, notice.ContactId, notice.DeliverTime is not null);
    }

    private static string NewId() => TestMesure.NewId().ToString();

    private NoticeService.NoticeServiceClient Client(string role, Guid organisation) => new(fixture.Host.Channel(role, organisation));

    private async Task<IReadOnlyList<Notice>> AllAsync(string role, Guid organisation, Guid mesureId, int pageSize = 0)
    {
        var (all, token) = (new List<Notice>(), "");
        do
        {
            var page = await Client(role, organisation).ListNoticesAsync(new ListNoticesRequest { MesureId = mesureId.ToString(), PageSize = pageSize, PageToken = token }, cancellationToken: Ct);
            all.AddRange(page.Notices);
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        return all;
    }

    private async Task KeepAsync() => await fixture.Database.RunAsync("""
        create schema if not exists probe;
        create table if not exists probe.told (type text, payload jsonb);
        create or replace function probe.keep() returns trigger language plpgsql security definer as $$ begin insert into probe.told values (new.message_type, new.payload); return new; end $$;
        create or replace trigger keep after insert on outbox_messages for each row execute function probe.keep();
        """);

    private Task<IReadOnlyList<string>> ToldAsync(TestMesure mesure) => fixture.Database.ReadAllAsync<string>($"""
        select concat_ws(' ', payload->>'deliveredEventId', payload->>'organisationId', payload->>'eventType', payload->>'channel')
        from probe.told where type = 'notification.event-delivered.v1' and payload->>'aggregateId' = '{mesure.Id}'
        """);
}
