using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Tests.Mails;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;

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
        foreach (var role in new[] { "statisticien", "systeme", "partenaire", "prefecture", "inconnu" })
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
