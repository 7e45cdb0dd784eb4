using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Feed;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static Jafer.Notifications.Tests.Webhooks.WebhookFixture;

namespace Jafer.Notifications.Tests.Webhooks;

public sealed class DeliveryTests(WebhookFixture fixture) : IClassFixture<WebhookFixture>
{
    private const string Transmitted = "mesure.mesure-transmitted.v1";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Event_OfTheFeed_IsPostedSignedAndWithoutContent()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var endpoint = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted);

        var call = Assert.Single(await receiver.ReceivedAsync(1));
        Assert.Equal("/hook?key=confidentiel", call.Path);
        Assert.True(call.IsSignedBy(endpoint.Secret));
        Assert.Equal(["data", "timestamp", "type"], call.Json.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal(["aggregateId", "aggregateVersion", "eventId", "link", "mesureId", "organisationId", "position"], call.Json.GetProperty("data").EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Equal((Transmitted, transmitted.OccurredAt), (call.Json.GetProperty("type").GetString(), call.Json.GetProperty("timestamp").GetDateTimeOffset()));
        Assert.Equal(
            (transmitted.EventId.ToString(), mesure.Id.ToString(), mesure.GestionnaireId.ToString(), $"https://jafer.test/mesures/{mesure.Id}"),
            (call.Data("eventId"), call.Data("mesureId"), call.Data("organisationId"), call.Data("link")));
        Assert.Equal((transmitted.AggregateVersion, 1L), (Number(call, "aggregateVersion"), Number(call, "position")));
        Assert.DoesNotContain(call.Headers, h => h.Equals("traceparent", StringComparison.OrdinalIgnoreCase));

        var delivery = await fixture.DeliveryAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId, d => d.State == WebhookDeliveryState.Delivered, "delivered");
        Assert.Equal((call.Id, 1, 204, ""), (delivery.DeliveryId, delivery.AttemptCount, delivery.LastStatus, delivery.LastError));
        Assert.NotNull(delivery.DeliverTime);
        Assert.Null(delivery.NextAttemptTime);
    }

    [Fact]
    public async Task Event_OfAnotherTypeOrOrganisationOrForAPausedEndpoint_IsNotPosted()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        await fixture.CreateAsync(mesure.GestionnaireId, receiver, Transmitted);
        await fixture.CreateAsync(TestMesure.NewId(), receiver);
        var paused = Endpoint(receiver.Address.ToString());
        paused.Paused = true;
        await fixture.Webhooks(mesure.GestionnaireId).CreateEndpointAsync(new CreateEndpointRequest { Endpoint = paused, RequestId = NewId() }, cancellationToken: Ct);

        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged(), mesure.Closed());

        Assert.Equal(1L, await fixture.Database.ReadAsync<long>($"select count(*) from webhook_deliveries where aggregate_id = '{mesure.Id}'"));
        Assert.Single(await receiver.ReceivedAsync(1));
    }

    [Fact]
    public async Task Event_ThatWasRefused_IsPostedAgainUnderTheSameId()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (_, http) =>
        {
            http.Response.StatusCode = receiver.Calls.Count < 3 ? 503 : 200;
            return Task.CompletedTask;
        };
        var mesure = TestMesure.Create();
        var endpoint = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        await fixture.ApplyAsync(mesure.Transmitted());

        var calls = await receiver.ReceivedAsync(3);
        var delivery = await fixture.DeliveryAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId, d => d.State == WebhookDeliveryState.Delivered, "delivered");

        Assert.Equal([delivery.DeliveryId], calls.Select(c => c.Id).Distinct());
        Assert.Single(calls.Select(c => c.Body).Distinct());
        Assert.All(calls, c => Assert.True(c.IsSignedBy(endpoint.Secret)));
        Assert.Equal(3, delivery.AttemptCount);
        Assert.Null((await fixture.GetAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId)).FailingSinceTime);
    }

    [Fact]
    public async Task Answers_ThatAreNoProgramsYes_AreFailures()
    {
        await using var elsewhere = await WebhookReceiver.StartAsync();
        var slow = new TaskCompletionSource();
        foreach (var (answer, status, error) in new (Func<HttpContext, Task>, int, string)[]
        {
            (http => Write(http, 200, "text/html", "<p>maintenance"), 200, "HTML_ANSWER"),
            (http => Write(http, 200, "text/plain", " \n<!DOCTYPE HTML><title>Portail"), 200, "HTML_ANSWER"),
            (http => { http.Response.Redirect(elsewhere.Address.ToString(), permanent: false, preserveMethod: true); return Task.CompletedTask; }, 307, "REDIRECT"),
            (http => Write(http, 400, "application/json", "{}"), 400, "HTTP_400"),
            (http => slow.Task.WaitAsync(http.RequestAborted), 0, "TIMEOUT"),
            (http => Drip(http, "<html>", slow.Task), 200, "HTML_ANSWER"),
            (http => { http.Abort(); return Task.CompletedTask; }, 0, "CONNECTION_BROKEN"),
        })
        {
            await using var receiver = await WebhookReceiver.StartAsync();
            receiver.Answer = (_, http) => answer(http);
            var mesure = TestMesure.Create();
            var endpoint = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
            await fixture.ApplyAsync(mesure.Transmitted());

            var delivery = await fixture.DeliveryAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId, d => d.AttemptCount > 0, error);
            Assert.Equal((WebhookDeliveryState.Queued, status, error), (delivery.State, delivery.LastStatus, delivery.LastError));
            Assert.NotNull(delivery.NextAttemptTime);
            Assert.NotNull((await fixture.GetAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId)).FailingSinceTime);
            await fixture.Webhooks(mesure.GestionnaireId).DeleteEndpointAsync(new DeleteEndpointRequest { EndpointId = endpoint.Endpoint.EndpointId, RequestId = NewId() }, cancellationToken: Ct);
        }

        slow.SetResult();
        Assert.Empty(elsewhere.Calls);

        static async Task Write(HttpContext http, int status, string type, string body)
        {
            (http.Response.StatusCode, http.Response.ContentType) = (status, type);
            await http.Response.WriteAsync(body);
        }
    }

    [Fact]
    public async Task Answer_2xxWithABodyThatNeverEnds_IsADeliveryAndPostedOnce()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var slow = new TaskCompletionSource();
        receiver.Answer = (_, http) => Drip(http, "{", slow.Task);
        var mesure = TestMesure.Create();
        var endpoint = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        await fixture.ApplyAsync(mesure.Transmitted());

        var delivery = await fixture.DeliveryAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId, d => d.AttemptCount > 0, "noted");
        Assert.Equal((WebhookDeliveryState.Delivered, 200, ""), (delivery.State, delivery.LastStatus, delivery.LastError));
        Assert.Single(receiver.Calls);
        slow.SetResult();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RetryAfter_OfABusyReceiver_HoldsBackAllThatIsForIt(bool asDate)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (_, http) =>
        {
            http.Response.StatusCode = 429;
            http.Response.Headers.RetryAfter = asDate ? TimeProvider.System.GetUtcNow().AddHours(1).ToString("R") : "3600";
            return Task.CompletedTask;
        };
        var mesure = TestMesure.Create();
        var endpoint = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        await fixture.ApplyAsync(mesure.Transmitted());
        var delivery = await fixture.DeliveryAsync(mesure.GestionnaireId, endpoint.Endpoint.EndpointId, d => d.AttemptCount > 0, "refused");

        var wait = delivery.NextAttemptTime.ToDateTimeOffset() - delivery.LastAttemptTime.ToDateTimeOffset();
        Assert.InRange(wait, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));

        // Another mesure waits too: a test alone goes through, and its success says that the receiver is well again.
        await fixture.ApplyAsync(new TestMesure(mesure.JuridictionId, mesure.GestionnaireId).Acknowledged());
        receiver.AnswerWith(200);
        await fixture.Webhooks(mesure.GestionnaireId).SendTestEventAsync(new SendTestEventRequest { EndpointId = endpoint.Endpoint.EndpointId, RequestId = NewId() }, cancellationToken: Ct);
        var calls = await receiver.ReceivedAsync(3);
        Assert.Equal([Transmitted, "notification.webhook-test.v1", "mesure.mesure-acknowledged.v1"], calls.Select(c => c.Json.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Endpoint_ThatIsGone_IsDisabledWithOneMailWithoutContent()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(410);
        var mesure = TestMesure.Create();
        var created = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        var id = created.Endpoint.EndpointId;
        await fixture.ApplyAsync(mesure.Transmitted());

        var endpoint = await Eventually.BecomesAsync(() => fixture.GetAsync(mesure.GestionnaireId, id), e => e.State == WebhookEndpointState.DisabledGone, "disabled");
        Assert.NotNull(endpoint.DisableTime);
        await fixture.ApplyAsync(mesure.Acknowledged());
        var mail = Assert.Single(await Eventually.BecomesAsync(() => fixture.Catcher.MailsToAsync(endpoint.ContactEmail), m => m.Count > 0, "the mail"));
        Assert.Contains(id, mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(mesure.Id.ToString(), mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("confidentiel", mail.Text, StringComparison.Ordinal);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from webhook_endpoints where endpoint_id = '{id}' and notice_at is null"), n => n == 1, "that no other mail is due");

        // Enabled, what waits goes at once; what came meanwhile by a replay, each with its own id, and twice asked is once sent.
        receiver.AnswerWith(200);
        var client = fixture.Webhooks(mesure.GestionnaireId);
        await client.EnableEndpointAsync(new EnableEndpointRequest { EndpointId = id, RequestId = NewId() }, cancellationToken: Ct);
        var first = (await receiver.ReceivedAsync(2))[1];
        Assert.Equal(receiver.Calls[0].Id, first.Id);
        await Eventually.BecomesAsync(() => fixture.LogAsync(mesure.GestionnaireId, id, WebhookDeliveryState.Delivered), l => l.Count == 1, "delivered");
        var replay = new ReplayEventsRequest { EndpointId = id, StartTime = TimeProvider.System.GetUtcNow().AddHours(-1).ToProto(), RequestId = NewId() };
        Assert.Equal(2, (await client.ReplayEventsAsync(replay, cancellationToken: Ct)).QueuedCount);
        Assert.Equal(2, (await client.ReplayEventsAsync(replay, cancellationToken: Ct)).QueuedCount);
        await Eventually.BecomesAsync(() => fixture.LogAsync(mesure.GestionnaireId, id, WebhookDeliveryState.Delivered), l => l.Count == 2, "replayed");
        Assert.Equal(4, receiver.Calls.Count);
        Assert.Equal(2, receiver.Calls.Select(c => c.Id).Distinct().Count());

        replay.StartTime = TimeProvider.System.GetUtcNow().AddDays(-2).ToProto();
        replay.EndTime = TimeProvider.System.GetUtcNow().AddDays(-1).ToProto();
        replay.RequestId = NewId();
        Assert.Equal(0, (await client.ReplayEventsAsync(replay, cancellationToken: Ct)).QueuedCount);
    }

    [Fact]
    public async Task Endpoint_ThatFailedForThreeDays_IsDisabledAndWhatWaitsIsGivenUp()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500);
        var mesure = TestMesure.Create();
        var id = (await fixture.CreateAsync(mesure.GestionnaireId, receiver)).Endpoint.EndpointId;
        await fixture.ApplyAsync(mesure.Transmitted());
        await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.AttemptCount > 1, "refused twice");
        await fixture.Database.RunAsync($"update webhook_endpoints set failing_since = failing_since - interval '3 days' where endpoint_id = '{id}'");

        var endpoint = await Eventually.BecomesAsync(() => fixture.GetAsync(mesure.GestionnaireId, id), e => e.State == WebhookEndpointState.DisabledFailing, "disabled");
        Assert.Single(await Eventually.BecomesAsync(() => fixture.Catcher.MailsToAsync(endpoint.ContactEmail), m => m.Count > 0, "the mail"));

        await fixture.Database.RunAsync($"update webhook_deliveries set expires_at = now() - interval '2 days', next_attempt_at = now() - interval '2 days' where endpoint_id = '{id}'");
        await fixture.Host.App.Services.GetServices<IHostedService>().OfType<FeedRetention>().Single().SweepAsync(Ct);
        Assert.Equal(WebhookDeliveryState.Failed, Assert.Single(await fixture.LogAsync(mesure.GestionnaireId, id)).State);
        await fixture.Database.RunAsync($"update webhook_deliveries set queued_at = now() - interval '31 days' where endpoint_id = '{id}'");
        await fixture.Host.App.Services.GetServices<IHostedService>().OfType<FeedRetention>().Single().SweepAsync(Ct);
        Assert.Empty(await fixture.LogAsync(mesure.GestionnaireId, id));
    }

    [Fact]
    public async Task Delivery_AtTheEndOfItsLife_IsGivenUp()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500);
        var mesure = TestMesure.Create();
        var id = (await fixture.CreateAsync(mesure.GestionnaireId, receiver)).Endpoint.EndpointId;
        await fixture.ApplyAsync(mesure.Transmitted());
        await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.AttemptCount > 0, "refused");
        await fixture.Database.RunAsync($"update webhook_deliveries set expires_at = now(), queued_at = queued_at - interval '3 days' where endpoint_id = '{id}'");

        var delivery = await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.State == WebhookDeliveryState.Failed, "given up");
        Assert.Null(delivery.NextAttemptTime);

        // Its event is older than its first failure, and still goes again from there on.
        var since = (await fixture.GetAsync(mesure.GestionnaireId, id)).FailingSinceTime;
        receiver.AnswerWith(200);
        var replay = new ReplayEventsRequest { EndpointId = id, StartTime = since, RequestId = NewId() };
        Assert.Equal(1, (await fixture.Webhooks(mesure.GestionnaireId).ReplayEventsAsync(replay, cancellationToken: Ct)).QueuedCount);
        Assert.Equal(delivery.DeliveryId, (await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.State == WebhookDeliveryState.Delivered, "replayed")).DeliveryId);
    }

    [Fact]
    public async Task DeadEndpoint_WithManyEvents_DelaysNoOther()
    {
        await using var dead = await WebhookReceiver.StartAsync();
        var never = new TaskCompletionSource();
        dead.Answer = (_, http) => never.Task.WaitAsync(http.RequestAborted);
        await using var alive = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var deadId = (await fixture.CreateAsync(mesure.GestionnaireId, dead)).Endpoint.EndpointId;
        await fixture.CreateAsync(mesure.JuridictionId, alive);

        await fixture.ApplyAsync([.. Enumerable.Range(0, 41).Select(_ => new TestMesure(mesure.JuridictionId, mesure.GestionnaireId).Transmitted())]);

        var most = 0L;
        await Eventually.BecomesAsync(
            async () =>
            {
                most = Math.Max(most, await fixture.Database.ReadAsync<long>($"select count(*) from webhook_deliveries where endpoint_id = '{deadId}' and lease is not null"));
                return alive.Calls.Select(c => c.Id).Distinct().Count();
            },
            n => n == 41, "everything at the one that is alive");
        Assert.InRange(most, 0, 4);

        // After some failures it rests, and then one attempt at a time looks whether it is back.
        await Eventually.BecomesAsync(() => fixture.Database.ReadAsync<long>($"select count(*) from webhook_endpoints where endpoint_id = '{deadId}' and failures >= 5 and rest_until is not null"), n => n == 1, "the rest");
        Assert.InRange(dead.Calls.Count, 5, 8);
        dead.AnswerWith(204);
        never.SetResult();
        await Eventually.BecomesAsync(() => fixture.LogAsync(mesure.GestionnaireId, deadId, WebhookDeliveryState.Delivered), l => l.Count == 41, "everything, once it is back");
    }

    [Fact]
    public async Task Events_BehindOneThatWaits_ArePutOffWithItAndFollowItAtOnce()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var failing = true;
        receiver.Answer = (_, http) =>
        {
            http.Response.StatusCode = Volatile.Read(ref failing) ? 500 : 204;
            return Task.CompletedTask;
        };
        var mesure = TestMesure.Create();
        await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        await fixture.ApplyAsync(mesure.Transmitted());
        await receiver.ReceivedAsync(1);
        await Eventually.BecomesAsync(
            () => fixture.Database.RunAsync($"update webhook_deliveries set next_attempt_at = now() + interval '1 hour' where aggregate_id = '{mesure.Id}' and attempts > 0 and lease is null"),
            n => n == 1, "the failure noted");

        // What would be looked at in vain by each claim, for as long as the first one waits.
        await fixture.ApplyAsync(mesure.Acknowledged(), mesure.Closed());
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<string>($"select count(*) || ' ' || count(distinct next_attempt_at) from webhook_deliveries where aggregate_id = '{mesure.Id}'"),
            s => s == "3 1", "all put off until the first one's next attempt");

        Volatile.Write(ref failing, false);
        var before = receiver.Calls.Count;
        await fixture.Database.RunAsync($"update webhook_deliveries set next_attempt_at = now() where aggregate_id = '{mesure.Id}' and attempts > 0");
        var calls = await receiver.ReceivedAsync(before + 3);
        Assert.Equal([1L, 2L, 3L], calls.Skip(before).Select(c => Number(c, "position")));
    }

    [Fact]
    public async Task RotatedSecret_UntilItExpires_SignsBesideTheNewOne()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var created = await fixture.CreateAsync(mesure.GestionnaireId, receiver);
        var client = fixture.Webhooks(mesure.GestionnaireId);
        var rotated = await client.RotateSecretAsync(new RotateSecretRequest { EndpointId = created.Endpoint.EndpointId, RequestId = NewId() }, cancellationToken: Ct);

        await fixture.ApplyAsync(mesure.Transmitted());
        var both = Assert.Single(await receiver.ReceivedAsync(1));
        Assert.True(both.IsSignedBy(created.Secret));
        Assert.True(both.IsSignedBy(rotated.Secret));

        var last = await client.RotateSecretAsync(
            new RotateSecretRequest { EndpointId = created.Endpoint.EndpointId, PreviousSecretExpireTime = new Timestamp { Seconds = 1 }, RequestId = NewId() }, cancellationToken: Ct);
        await fixture.ApplyAsync(mesure.Acknowledged());
        var one = (await receiver.ReceivedAsync(2))[1];
        Assert.True(one.IsSignedBy(last.Secret));
        Assert.False(one.IsSignedBy(created.Secret));
        Assert.False(one.IsSignedBy(rotated.Secret));
    }

    [Fact]
    public async Task TestEvent_OfADisabledEndpoint_IsTriedOnceAndChangesNothing()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500);
        var organisation = TestMesure.NewId();
        var content = Endpoint(receiver.Address.ToString());
        content.Paused = true;
        var client = fixture.Webhooks(organisation);
        var created = await client.CreateEndpointAsync(new CreateEndpointRequest { Endpoint = content, RequestId = NewId() }, cancellationToken: Ct);
        var request = new SendTestEventRequest { EndpointId = created.Endpoint.EndpointId, RequestId = NewId() };

        var id = (await client.SendTestEventAsync(request, cancellationToken: Ct)).DeliveryId;
        Assert.Equal(id, (await client.SendTestEventAsync(request, cancellationToken: Ct)).DeliveryId);

        var delivery = await fixture.DeliveryAsync(organisation, created.Endpoint.EndpointId, d => d.State == WebhookDeliveryState.Failed, "the failure");
        Assert.Equal((id, 1, "HTTP_500"), (delivery.DeliveryId, delivery.AttemptCount, delivery.LastError));
        Assert.Single(receiver.Calls);
        Assert.Equal(created.Endpoint, await fixture.GetAsync(organisation, created.Endpoint.EndpointId));
    }

    [Fact]
    public async Task ListDeliveries_ByStateAndPage_ShowsEachOnceAndTheLatestFirst()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var id = (await fixture.CreateAsync(mesure.GestionnaireId, receiver)).Endpoint.EndpointId;
        await fixture.ApplyAsync(mesure.Transmitted(), mesure.Acknowledged(), mesure.Contact("FAMILLE"), mesure.Closed());
        await Eventually.BecomesAsync(() => fixture.LogAsync(mesure.GestionnaireId, id, WebhookDeliveryState.Delivered), l => l.Count == 4, "delivered");

        var (all, token) = (new List<WebhookDelivery>(), "");
        do
        {
            var page = await fixture.Webhooks(mesure.GestionnaireId).ListDeliveriesAsync(
                new ListDeliveriesRequest { EndpointId = id, State = WebhookDeliveryState.Delivered, PageSize = 3, PageToken = token }, cancellationToken: Ct);
            all.AddRange(page.Deliveries);
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(4, all.Select(d => d.EventId).Distinct().Count());
        Assert.Equal(all.OrderByDescending(d => d.QueueTime.ToDateTimeOffset()).Select(d => d.DeliveryId), all.Select(d => d.DeliveryId));
        Assert.Empty(await fixture.LogAsync(mesure.GestionnaireId, id, WebhookDeliveryState.Queued));
    }

    [Fact]
    public async Task TwoReplicas_WithOneQueue_PostEachOnce()
    {
        await using var second = await fixture.StartReplicaAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var id = (await fixture.CreateAsync(mesure.GestionnaireId, receiver)).Endpoint.EndpointId;

        await fixture.ApplyAsync([mesure.Transmitted(), .. Enumerable.Range(0, 60).Select(_ => mesure.Contact("FAMILLE"))]);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from webhook_deliveries where endpoint_id = '{id}' and state = 'DELIVERED'"), n => n == 61, "delivered");

        Assert.Equal(61, receiver.Calls.Count);
        Assert.Equal(61, receiver.Calls.Select(c => c.Id).Distinct().Count());
    }

    [Fact]
    public async Task Events_OfOneMesureByTwoReplicas_ArePostedAndReplayedInTheOrderOfTheFeedAndHoldUpNoOther()
    {
        await using var second = await fixture.StartReplicaAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        var others = Enumerable.Range(0, 3).Select(_ => new TestMesure(mesure.JuridictionId, mesure.GestionnaireId)).ToList();
        var (refusing, attempts) = (true, 0);
        receiver.Answer = (call, http) =>
        {
            // The first event of the mesure is refused until told otherwise, and one in seven others once.
            var first = call.Data("aggregateId") == mesure.Id.ToString() && Number(call, "position") == 1;
            http.Response.StatusCode = (first && refusing) || (!first && Interlocked.Increment(ref attempts) % 7 == 0) ? 500 : 200;
            return Task.CompletedTask;
        };
        var id = (await fixture.CreateAsync(mesure.GestionnaireId, receiver)).Endpoint.EndpointId;
        await fixture.ApplyAsync(mesure.Transmitted());
        await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.AttemptCount > 0, "refused");
        await fixture.ApplyAsync([.. Enumerable.Range(0, 10).SelectMany(_ => others.Prepend(mesure)).Select(m => m.Contact("FAMILLE"))]);

        await BecomesDeliveredAsync(30);
        Assert.All(receiver.Calls.Where(c => c.Data("aggregateId") == mesure.Id.ToString()), c => Assert.Equal(1, Number(c, "position")));
        refusing = false;
        await BecomesDeliveredAsync(41);
        AssertOrder(receiver.Calls);

        var before = receiver.Calls.Count;
        var replay = new ReplayEventsRequest { EndpointId = id, StartTime = TimeProvider.System.GetUtcNow().AddHours(-1).ToProto(), RequestId = NewId() };
        Assert.Equal(41, (await fixture.Webhooks(mesure.GestionnaireId).ReplayEventsAsync(replay, cancellationToken: Ct)).QueuedCount);
        await BecomesDeliveredAsync(41);
        AssertOrder(receiver.Calls.Skip(before));

        Task<long> BecomesDeliveredAsync(int count) => Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from webhook_deliveries where endpoint_id = '{id}' and state = 'DELIVERED'"), n => n == count, $"{count} delivered");

        // What was refused comes again, before anything later of its mesure.
        static void AssertOrder(IEnumerable<WebhookCall> calls) =>
            Assert.All(calls.GroupBy(c => c.Data("aggregateId")), c => Assert.Equal(c.Select(x => Number(x, "position")).Order(), c.Select(x => Number(x, "position"))));
    }

    [Fact]
    public async Task Transmission_AnsweredByTheEspacesWebhook_IsToldOnceAsDelivered()
    {
        await fixture.Database.RunAsync("""
            create schema if not exists probe;
            create table if not exists probe.told (type text, payload jsonb);
            create or replace function probe.keep() returns trigger language plpgsql security definer as $$ begin insert into probe.told values (new.message_type, new.payload); return new; end $$;
            create or replace trigger keep after insert on outbox_messages for each row execute function probe.keep();
            """);
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(500);
        var mesure = TestMesure.Create();
        var id = (await fixture.CreateAsync(mesure.GestionnaireId, receiver)).Endpoint.EndpointId;
        await using var court = await WebhookReceiver.StartAsync();
        await fixture.CreateAsync(mesure.JuridictionId, court);
        var transmitted = mesure.Transmitted();
        await fixture.ApplyAsync(transmitted);
        await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.AttemptCount > 0, "refused");

        // The court's own webhook proves nothing, nor does a refusal.
        await court.ReceivedAsync(1);
        Assert.Empty(await ToldAsync(mesure));

        receiver.AnswerWith(200);
        await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.State == WebhookDeliveryState.Delivered, "delivered");
        Assert.Equal([$"{transmitted.EventId} {mesure.GestionnaireId} {Transmitted} 1 WEBHOOK"], await ToldAsync(mesure));

        // Neither a replay nor the feed tells it again.
        await fixture.Webhooks(mesure.GestionnaireId).ReplayEventsAsync(
            new ReplayEventsRequest { EndpointId = id, StartTime = TimeProvider.System.GetUtcNow().AddHours(-1).ToProto(), RequestId = NewId() }, cancellationToken: Ct);
        await fixture.DeliveryAsync(mesure.GestionnaireId, id, d => d.State == WebhookDeliveryState.Delivered && d.AttemptCount == 1, "replayed");
        var espace = fixture.Espace(mesure);
        await espace.ListEventsAsync(new ListEventsRequest { ResumeToken = await espace.EndAsync() }, cancellationToken: Ct);
        Assert.Single(await ToldAsync(mesure));
    }

    private static long Number(WebhookCall call, string name) => call.Json.GetProperty("data").GetProperty(name).GetInt64();

    /// <summary>Answers with a beginning, and leaves the rest of the body open.</summary>
    private static async Task Drip(HttpContext http, string beginning, Task end)
    {
        await http.Response.WriteAsync(beginning);
        await http.Response.Body.FlushAsync();
        await end.WaitAsync(http.RequestAborted);
    }

    private Task<IReadOnlyList<string>> ToldAsync(TestMesure mesure) => fixture.Database.ReadAllAsync<string>($"""
        select concat_ws(' ', payload->>'deliveredEventId', payload->>'organisationId', payload->>'eventType', payload->>'aggregateVersion', payload->>'channel')
        from probe.told where type = 'notification.event-delivered.v1' and payload->>'aggregateId' = '{mesure.Id}'
        """);
}
