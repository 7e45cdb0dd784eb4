using System.Diagnostics;
using System.Text.Json;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Operations.V1;
using Jafer.Probe;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace Jafer.ServiceDefaults.Tests.Messaging;

public sealed class FlowTests : IAsyncLifetime
{
    private const string Exchange = ".directory.wait-declared.v1";
    private readonly string _prefix = ServiceHost.UniquePrefix();
    private TestDatabase? _database;
    private ServiceHost? _host;

    private TestDatabase Database => _database!;

    private ServiceHost Host => _host!;

    private string Queue => _prefix + ".jafer.probe";

    private ProbeHooks Hooks => Host.App.Services.GetRequiredService<ProbeHooks>();

    private OperationsService.OperationsServiceClient Operator => new(Host.Channel("operateur", Organisations.Operator));

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        _host = await ProbeHost.StartAsync(_database, _prefix);
        await _host.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stop_RunningHandler_GetsItsTimeAndNoMore(bool endsInTime)
    {
        var reached = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        Hooks.BeforeApply = async (_, ct) =>
        {
            reached.TrySetResult();
            await release.Task.WaitAsync(ct);
        };
        var written = await Outbox.WriteAsync(Host, (Organisations.New(), 1L));
        await reached.Task.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        var stopping = Host.App.StopAsync(TestContext.Current.CancellationToken);
        if (endsInTime)
        {
            await Eventually.BecomesAsync(() => Task.FromResult(Host.App.Lifetime.ApplicationStopping.IsCancellationRequested), s => s, "the stop");
            release.SetResult();
        }

        await stopping.WaitAsync(TimeSpan.FromSeconds(6), TestContext.Current.CancellationToken);
        Assert.Equal(endsInTime ? 1L : 0L, await Database.AppliedAsync());

        // What was applied was acknowledged too; what was not comes again to the next process.
        await using var next = await ProbeHost.StartAsync(_database!, _prefix);
        await next.ReadyAsync();
        await Database.FlowsAsync(1);
        await Database.AssertEachOnceInOrderAsync(written);
    }

    [Fact]
    public async Task Deliver_SameMessageManyTimes_AppliesItOnce()
    {
        await using var tap = await Tap.OpenAsync(Servers.RabbitMq, _prefix + Exchange);
        var aggregate = Organisations.New();
        var written = await Outbox.WriteAsync(Host, (aggregate, 1L));
        var delivery = (await tap.SeesAsync(1)).Single();
        Assert.Equal(written[0].EventId, delivery.EventId);

        for (var i = 0; i < 5; i++)
        {
            await tap.DeliverAsync(Queue, delivery);
        }

        // The events of an aggregate are applied one after the other: this one comes after the five.
        written.AddRange(await Outbox.WriteAsync(Host, (aggregate, 2L)));
        await Database.FlowsAsync(2);
        await Database.AssertEachOnceInOrderAsync(written);
        Assert.Equal(2L, await Database.ReadAsync<long>("select count(*) from inbox_messages"));
    }

    [Fact]
    public async Task Apply_FirstAttemptsFail_KeepsTheOrderOfEachAggregate()
    {
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<Guid, int>();
        Hooks.BeforeApply = (message, _) => message.AggregateVersion % 7 == 3 && seen.AddOrUpdate(message.EventId, 1, (_, n) => n + 1) <= 2
            ? throw (message.AggregateVersion % 2 == 0 ? new TimeoutException("planned") : new InvalidOperationException("planned"))
            : Task.CompletedTask;
        var aggregates = Enumerable.Range(0, 6).Select(_ => Organisations.New()).ToList();

        var written = await Outbox.WriteAsync(Host, Enumerable.Range(1, 30).SelectMany(v => aggregates.Select(a => (a, (long)v))));

        await Database.FlowsAsync(written.Count);
        await Database.AssertEachOnceInOrderAsync(written);
        Assert.Equal(6 * 4, seen.Count);
    }

    [Fact]
    public async Task Apply_PoisonEvent_ParksItWhileOthersGoOnUntilItIsRedriven()
    {
        var poison = Organisations.New();
        var attempts = 0;
        Hooks.BeforeApply = (message, _) => message.AggregateId == poison && message.AggregateVersion == 1 && Interlocked.Increment(ref attempts) > 0
            ? throw new InvalidOperationException("Zéphyrine Planté")
            : Task.CompletedTask;
        var others = Enumerable.Range(1, 20).Select(v => (Organisations.New(), (long)v)).ToList();

        var written = await Outbox.WriteAsync(Host, [(poison, 1L), (poison, 2L), .. others]);

        await Database.FlowsAsync(21);
        var state = await Eventually.BecomesAsync(async () => await Operator.GetOutboxAsync(new()), o => o.FailedCount == 1, "the parked event");
        Assert.Equal((0L, 0L), (state.PendingCount, state.ParkedCount));
        using var http = new HttpClient();
        Assert.Equal("Degraded", await http.GetStringAsync(new Uri(Host.Health, "/health")));
        await using (var tap = await Tap.OpenAsync(Servers.RabbitMq))
        {
            var headers = await tap.PeekAsync(Queue + "_error");
            Assert.Contains(headers, h => h.Key == "MT-Fault-Message" && Text(h.Value) == "not applied: System.InvalidOperationException");
            Assert.DoesNotContain(headers, h => Text(h.Value).Contains("Zéphyrine", StringComparison.Ordinal));
        }

        // Four times by itself, and once before with others where they came together.
        var before = Volatile.Read(ref attempts);
        Assert.InRange(before, 4, 5);

        // It fails again: it must not go round in circles.
        var first = new RedriveParkedMessagesRequest { RequestId = Organisations.New().ToString() };
        Assert.Equal(1, (await Operator.RedriveParkedMessagesAsync(first)).RedrivenCount);
        await Eventually.BecomesAsync(() => Task.FromResult(Volatile.Read(ref attempts)), n => n == before + 4, "four more attempts");
        await Eventually.BecomesAsync(async () => await Operator.GetOutboxAsync(new()), o => o.FailedCount == 1, "the event parked again");

        Hooks.BeforeApply = (_, _) => Task.CompletedTask;
        Assert.Equal(1, (await Operator.RedriveParkedMessagesAsync(first)).RedrivenCount);
        Assert.Equal(0L, await Database.ReadAsync<long>($"select count(*) from applied_events where event_id = '{written[0].EventId}'"));
        Assert.Equal(1, (await Operator.RedriveParkedMessagesAsync(new() { RequestId = Organisations.New().ToString() })).RedrivenCount);

        await Database.FlowsAsync(22);
        Assert.Equal(22L, await Database.AppliedAsync());
        await Eventually.BecomesAsync(async () => await Operator.GetOutboxAsync(new()), o => o.FailedCount == 0, "an empty error queue");
        Assert.Equal("Healthy", await http.GetStringAsync(new Uri(Host.Health, "/health")));
        Assert.Equal(0, (await Operator.RedriveParkedMessagesAsync(new() { RequestId = Organisations.New().ToString() })).RedrivenCount);
    }

    [Fact]
    public async Task Apply_ManyThatWait_ShareTransactionsAndFailAlone()
    {
        var (bad, entered, release) = (Organisations.New(), new TaskCompletionSource(), new TaskCompletionSource());
        Hooks.BeforeApply = async (message, ct) =>
        {
            if (message.AggregateVersion == 0)
            {
                entered.TrySetResult();
                await release.Task.WaitAsync(ct);
            }
            else if (message.AggregateId == bad)
            {
                throw new InvalidOperationException("planned");
            }
        };
        var first = await Outbox.WriteAsync(Host, (Organisations.New(), 0L));
        await entered.Task.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        // Two of three are of one aggregate: the others of their group must not take its order away.
        var (one, two) = (Organisations.New(), Organisations.New());
        var written = await Outbox.WriteAsync(Host, Enumerable.Range(1, 150).Select(v => (v % 3 == 0 ? Organisations.New() : v % 3 == 1 ? one : two, (long)v)));
        await Database.FlowsAsync(150);
        release.SetResult();
        await Database.FlowsAsync(151);
        await Database.AssertEachOnceInOrderAsync([.. first, .. written]);
        Assert.InRange(await Database.ReadAsync<long>("select count(distinct xmin::text) from applied_events"), 2, 100);

        var others = await Outbox.WriteAsync(Host, [(one, 151L), (bad, 1L), (two, 152L), (one, 153L)]);
        await Database.FlowsAsync(154);
        await Database.AssertEachOnceInOrderAsync([.. first, .. written, .. others.Where(e => e.AggregateId != bad)]);
    }

    [Fact]
    public async Task Stop_WhileTheStoreIsAway_LeavesTheEventToTheNextProcess()
    {
        var reached = new TaskCompletionSource();
        Hooks.BeforeApply = (_, _) =>
        {
            reached.TrySetResult();
            throw new TimeoutException("planned");
        };
        var written = await Outbox.WriteAsync(Host, (Organisations.New(), 1L));
        await reached.Task.WaitAsync(Eventually.Limit);

        await Host.App.StopAsync();
        await using var next = await ProbeHost.StartAsync(Database, _prefix);

        await Database.FlowsAsync(1);
        await Database.AssertEachOnceInOrderAsync(written);
        var operations = new OperationsService.OperationsServiceClient(next.Channel("operateur", Organisations.Operator));
        Assert.Equal(0, (await operations.GetOutboxAsync(new())).FailedCount);
    }

    [Theory]
    [InlineData("absent.unknown-thing.v9", "{}", "unknown message type")]
    [InlineData("directory.wait-declared.v1", """{"eventId":"no uuid"}""", "payload cannot be read")]
    [InlineData("directory.wait-declared.v1", "null", "payload cannot be read")]
    public async Task Relay_UnreadableMessage_ParksItAtOnceAndRedrivesIt(string type, string payload, string error)
    {
        var aggregate = Organisations.New();
        await Database.RunAsync($"""
            insert into outbox_messages (message_id, message_type, ordering_key, payload, occurred_at)
            values ('{Organisations.New()}', '{type}', '{aggregate}', '{payload}', now())
            """);
        var written = await Outbox.WriteAsync(Host, (aggregate, 2L));

        await Eventually.BecomesAsync(() => Database.AppliedAsync(aggregate), n => n == 1, "the event behind the parked one");
        Assert.Equal(
            $"1 {error}", await Database.ReadAsync<string>("select attempts || ' ' || last_error from outbox_messages where parked_at is not null"));
        // The relay notes what the broker took a moment after the consumer may have it.
        await Eventually.BecomesAsync(async () => await Operator.GetOutboxAsync(new()), o => (o.PendingCount, o.ParkedCount) == (0, 1), "only the parked one");
        using (var http = new HttpClient())
        {
            // It still takes calls: 200, in words that somebody should look.
            Assert.Equal("Degraded", await http.GetStringAsync(new Uri(Host.Health, "/health")));
        }

        Assert.Equal(1, (await Operator.RedriveParkedMessagesAsync(new() { RequestId = Organisations.New().ToString() })).RedrivenCount);
        await Eventually.BecomesAsync(() => Database.ReadAsync<long>("select count(*) from outbox_messages where parked_at is not null"), n => n == 1, "the message parked again");
        await Database.AssertEachOnceInOrderAsync(written);
    }

    [Fact]
    public async Task Relay_BlockedHead_HoldsOnlyItsOwnAggregate()
    {
        var prefix = ServiceHost.UniquePrefix();
        await using var database = await ProbeHost.CloneAsync();
        await using var tap = await Tap.OpenAsync(Servers.RabbitMq, prefix + Exchange);

        // An exchange of another kind in the place of MessagePosted's: the broker refuses to take that event.
        var wrong = prefix + ".messaging.message-posted.v1";
        await tap.Channel.ExchangeDeclareAsync(wrong, ExchangeType.Direct, durable: true);
        await using var publisher = await ProbeHost.StartPublisherAsync(database, prefix);
        var blocked = Organisations.New();
        var free = Organisations.New();
        var now = TimeProvider.System.GetUtcNow();
        var head = new MessagePosted
        {
            EventId = Organisations.New(),
            AggregateId = blocked,
            AggregateVersion = 1,
            OccurredAt = now,
            RecordedAt = now,
            MessageId = Organisations.New(),
            GestionnaireId = blocked,
            AuthorOrganisationId = blocked,
        };

        await Outbox.WriteAsync(publisher, [head, ProbeGrpcService.Event(blocked, 2, now, "VISITE"), ProbeGrpcService.Event(free, 1, now, "VISITE")]);

        Assert.Equal(free, (await tap.SeesAsync(1)).First().AggregateId);
        Assert.Equal("messaging.message-posted.v1 tried,directory.wait-declared.v1 untried", await Eventually.BecomesAsync(
            () => database.ReadAsync<string>($"select coalesce(string_agg(message_type || case when attempts > 0 then ' tried' else ' untried' end, ',' order by id), '') from outbox_messages"),
            s => s.Contains(" tried", StringComparison.Ordinal) && s.Split(',').Length == 2, "the blocked head and its follower alone"));

        await tap.Channel.ExchangeDeleteAsync(wrong);
        await Eventually.BecomesAsync(database.CountAsync, n => n == 0, "an empty outbox");
        Assert.Equal([(free, 1L), (blocked, 2L)], (await tap.SeesAsync(2)).Select(d => (d.AggregateId, d.Version)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwoReplicas_ShareTheWork_EachEventIsAppliedOnce(bool oneStops)
    {
        await using var second = await ProbeHost.StartAsync(Database, _prefix);
        await second.ReadyAsync();
        var aggregates = Enumerable.Range(0, 5).Select(_ => Organisations.New()).ToList();
        var written = new List<DomainEvent>();
        for (var version = 1; version <= 40; version++)
        {
            var host = version > 20 || version % 2 == 0 ? second : Host;
            written.AddRange(await Outbox.WriteAsync(host, aggregates.Select(a => (a, (long)version))));
            if (version == 20 && oneStops)
            {
                await Host.App.StopAsync();
            }
        }

        await Database.FlowsAsync(written.Count);
        Assert.Equal((long)written.Count, await Database.AppliedAsync());
        Assert.Equal((long)written.Count, await Database.ReadAsync<long>("select count(distinct event_id) from applied_events"));
        if (!oneStops)
        {
            // While the queue goes from one replica to the other, what the first has in hand and what the second gets run
            // side by side: then only versions tell the order.
            await Database.AssertEachOnceInOrderAsync(written);
        }
    }

    [Fact]
    public async Task Relay_BacklogOfAThousand_IsDrainedInOrder()
    {
        var aggregates = Enumerable.Range(0, 20).Select(_ => Organisations.New()).ToList();

        var written = await Outbox.WriteAsync(Host, Enumerable.Range(1, 50).SelectMany(v => aggregates.Select(a => (a, (long)v))));

        await Database.FlowsAsync(written.Count);
        await Database.AssertEachOnceInOrderAsync(written);
    }

    [Fact]
    public async Task Apply_EventOfACall_BelongsToItsTrace()
    {
        var traces = new TaskCompletionSource<ActivityTraceId>();
        Hooks.BeforeApply = (_, _) =>
        {
            traces.TrySetResult(Activity.Current?.TraceId ?? default);
            return Task.CompletedTask;
        };
        using var activity = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        activity.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        var client = new Jafer.Probe.V1.ProbeService.ProbeServiceClient(Host.Channel("juridiction", Organisations.Court));

        await client.WriteNoteAsync(new()
        {
            RequestId = Organisations.New().ToString(),
            NoteId = Organisations.New().ToString(),
            Text = "traced",
            EventCount = 1,
            Modalite = "VISITE",
        });

        Assert.Equal(activity.TraceId, await traces.Task.WaitAsync(Eventually.Limit));
    }

    [Fact]
    public async Task Publish_Event_GoesToItsOwnExchangeUnderItsOwnId()
    {
        await using var tap = await Tap.OpenAsync(Servers.RabbitMq, _prefix + Exchange);

        var written = await Outbox.WriteAsync(Host, (Organisations.New(), 1L));

        var delivery = (await tap.SeesAsync(1)).Single();
        Assert.Equal(written[0].EventId.ToString(), delivery.Properties.MessageId);
        Assert.Equal(written[0].AggregateId.ToString(), delivery.Properties.CorrelationId);
        Assert.True(delivery.Properties.Persistent);

        using var envelope = JsonDocument.Parse(delivery.Body);
        Assert.True(JsonElement.DeepEquals(JsonSerializer.SerializeToElement(written[0], EventTypes.Json), envelope.RootElement.GetProperty("message")));
        Assert.Equal(["urn:message:directory.wait-declared.v1", "urn:message:domain-event.v1"], envelope.RootElement.GetProperty("messageType").EnumerateArray().Select(t => t.GetString()!));
        foreach (var absent in (string[])[typeof(DomainEvent).FullName!, typeof(WaitDeclared).FullName!])
        {
            await using var other = await Tap.OpenAsync(Servers.RabbitMq);
            var error = await Assert.ThrowsAsync<RabbitMQ.Client.Exceptions.OperationInterruptedException>(() => other.Channel.ExchangeDeclarePassiveAsync($"{_prefix}.{absent}"));
            Assert.Equal(404, error.ShutdownReason!.ReplyCode);
        }
    }

    [Fact]
    public async Task Operations_RoleWithoutRight_IsForbidden()
    {
        var client = new OperationsService.OperationsServiceClient(Host.Channel("espace", Organisations.Court));

        var refusal = await Refusal.OfAsync(client.RedriveParkedMessagesAsync(new() { RequestId = Organisations.New().ToString() }));

        Assert.Equal(StatusCode.PermissionDenied, refusal.Code);
    }

    private static string Text(object? value) => value is byte[] bytes ? System.Text.Encoding.UTF8.GetString(bytes) : $"{value}";

}
