using System.Diagnostics.Metrics;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

public sealed class WatchEventsTests(NotificationsFixture fixture) : IClassFixture<NotificationsFixture>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WatchEvents_FromTheBeginning_GivesWhatStandsAndThenWhatComes()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.Transmitted());
        using var watch = fixture.Espace(mesure).WatchEvents(new WatchEventsRequest(), cancellationToken: Ct);

        var standing = await watch.NextEventsAsync(1);
        await fixture.PublishAsync(mesure.Acknowledged(), mesure.Closed());
        var coming = await watch.NextEventsAsync(2);

        Assert.Equal(["mesure.mesure-transmitted.v1", "mesure.mesure-acknowledged.v1", "mesure.mesure-closed.v1"], standing.Concat(coming).Select(r => r.Event.Type));
        Assert.Equal(await fixture.Espace(mesure).AllEventsAsync(), standing.Concat(coming).Select(r => r.Event));
    }

    [Fact]
    public async Task WatchEvents_OfSomeTypes_LeavesTheOthersOut()
    {
        var mesure = TestMesure.Create();
        var request = new WatchEventsRequest { Types_ = { "mesure.mesure-closed.v1" } };
        using var watch = fixture.Court(mesure).WatchEvents(request, cancellationToken: Ct);

        await fixture.PublishAsync(mesure.Transmitted(), mesure.Acknowledged(), mesure.Closed());

        Assert.Equal("mesure.mesure-closed.v1", (await watch.NextEventsAsync(1))[0].Event.Type);
    }

    [Fact]
    public async Task WatchEvents_WithoutNews_SendsHeartbeatsWithAUsableToken()
    {
        await using var quick = await fixture.StartReplicaAsync(("Feed:Heartbeat", "00:00:00.200"));
        var mesure = TestMesure.Create();
        var client = new NotificationService.NotificationServiceClient(quick.Channel("espace", mesure.GestionnaireId));
        using var watch = client.WatchEvents(new WatchEventsRequest { Types_ = { "mesure.mesure-closed.v1" } }, cancellationToken: Ct);
        Assert.Null((await watch.NextAsync()).Event);

        await fixture.ApplyAsync(mesure.Transmitted());
        var token = await Eventually.BecomesAsync(
            async () => (await watch.NextAsync()).ResumeToken,
            t => client.ListEvents(new ListEventsRequest { ResumeToken = t }, cancellationToken: Ct).Events.Count == 0,
            "a heartbeat past the event of another type");

        await fixture.ApplyAsync(mesure.Acknowledged());
        Assert.Equal("mesure.mesure-acknowledged.v1", Assert.Single(await client.AllEventsAsync(resumeToken: token)).Type);
    }

    [Fact]
    public async Task WatchEvents_ResumedAgainAndAgain_MissesAndRepeatsNothing()
    {
        var mesure = TestMesure.Create();
        var events = new List<DomainEvent> { mesure.Transmitted() };
        events.AddRange(Enumerable.Range(0, 59).Select(_ => mesure.Contact("FAMILLE")));
        var client = fixture.Espace(mesure);
        var publishing = Task.Run(async () =>
        {
            foreach (var batch in events.Chunk(7))
            {
                await fixture.PublishAsync(batch);
            }
        }, Ct);

        var (received, token) = (new List<string>(), "");
        while (received.Count < events.Count)
        {
            // The call is dropped with messages under way, as by a client that dies.
            using var watch = client.WatchEvents(new WatchEventsRequest { ResumeToken = token }, cancellationToken: Ct);
            for (var i = 0; i < 1 + (received.Count % 9) && received.Count < events.Count; i++)
            {
                var message = await watch.NextAsync(r => r.Event is not null);
                received.Add(message.Event.EventId);
                token = message.ResumeToken;
            }
        }

        await publishing;
        Assert.Equal(events.Select(e => e.EventId.ToString()), received);
    }

    [Fact]
    public async Task WatchEvents_OnAServiceThatStops_EndsUnavailableAndResumesOnAnother()
    {
        var mesure = TestMesure.Create();
        var first = await fixture.StartReplicaAsync();
        using var watch = new NotificationService.NotificationServiceClient(first.Channel("espace", mesure.GestionnaireId)).WatchEvents(new WatchEventsRequest(), cancellationToken: Ct);
        await fixture.PublishAsync(mesure.Transmitted());
        var token = (await watch.NextEventsAsync(1))[0].ResumeToken;

        await first.App.StopAsync(Ct);
        var refusal = await Refusal.OfAsync(() => watch.NextAsync());
        await first.DisposeAsync();
        await fixture.PublishAsync(mesure.Acknowledged());

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), (refusal.Code, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
        using var again = fixture.Espace(mesure).WatchEvents(new WatchEventsRequest { ResumeToken = token }, cancellationToken: Ct);
        Assert.Equal("mesure.mesure-acknowledged.v1", (await again.NextEventsAsync(1))[0].Event.Type);
    }

    [Fact]
    public async Task WatchEvents_WhenTheTokenExpires_EndsUnauthenticated()
    {
        var mesure = TestMesure.Create();
        var token = TestIssuer.Shared.Token("espace", mesure.GestionnaireId, expires: TimeProvider.System.GetUtcNow().AddSeconds(2));
        using var watch = new NotificationService.NotificationServiceClient(fixture.Host.Channel(token)).WatchEvents(new WatchEventsRequest(), cancellationToken: Ct);
        await watch.ResponseHeadersAsync;

        var refusal = await Refusal.OfAsync(() => watch.NextAsync(r => r.Event is not null));

        Assert.Equal((StatusCode.Unauthenticated, "TOKEN_INVALID"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task WatchEvents_OnTwoReplicas_BothSeeWhatEitherConsumes()
    {
        await using var second = await fixture.StartReplicaAsync(("Feed:PollInterval", "00:00:00.100"));
        var mesure = TestMesure.Create();
        using var here = fixture.Espace(mesure).WatchEvents(new WatchEventsRequest(), cancellationToken: Ct);
        using var there = new NotificationService.NotificationServiceClient(second.Channel("espace", mesure.GestionnaireId)).WatchEvents(new WatchEventsRequest(), cancellationToken: Ct);
        await Task.WhenAll(here.ResponseHeadersAsync, there.ResponseHeadersAsync);

        await fixture.PublishAsync([mesure.Transmitted(), .. Enumerable.Range(0, 20).Select(_ => mesure.Contact("FAMILLE"))]);

        Assert.Equal((await here.NextEventsAsync(21)).Select(r => r.Event), (await there.NextEventsAsync(21)).Select(r => r.Event));
    }

    [Fact]
    public async Task WatchEvents_WithBadInput_NamesEveryField()
    {
        var client = fixture.Client("espace", TestMesure.NewId());
        using var types = client.WatchEvents(new WatchEventsRequest { Types_ = { "ok.ok.v1", "non" } }, cancellationToken: Ct);
        using var token = client.WatchEvents(new WatchEventsRequest { ResumeToken = "non" }, cancellationToken: Ct);

        Assert.Equal(["types[1]"], (await Refusal.OfAsync(() => types.NextAsync())).Fields);
        Assert.Equal("RESUME_TOKEN_INVALID", (await Refusal.OfAsync(() => token.NextAsync())).Reason);
    }
}

/// <summary>Runs alone: it counts what all watchers of the process take, and the memory that they hold.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class SlowWatcherTests(NotificationsFixture fixture) : IClassFixture<NotificationsFixture>
{
    private const int Events = 6000;
    private const int Slow = 20;

    [Fact]
    public async Task WatchEvents_ByClientsThatDoNotRead_HoldsNeitherMemoryNorOthersNorTheShutdown()
    {
        var ct = TestContext.Current.CancellationToken;
        var (idle, busy) = (TestMesure.NewId(), TestMesure.NewId());
        foreach (var organisation in new[] { idle, busy })
        {
            await fixture.Database.RunAsync($"""
                insert into feed_heads values ('{organisation}', {Events}, 0);
                insert into feed_events
                select '{organisation}', n, gen_random_uuid(), 'mesure.contact-recorded.v1', gen_random_uuid(), n, now(), now(),
                       jsonb_build_object('state', 'PRISE_EN_CHARGE', 'filler', repeat('x', 500)), false, now()
                from generate_series(1, {Events}) n
                """);
        }

        var host = await fixture.StartReplicaAsync();
        var taken = new System.Collections.Concurrent.ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument is { Name: "jafer.feed.watched", Meter.Name: JaferMetrics.Name })
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, n, _, _) => taken.AddOrUpdate("all", n, (_, sum) => sum + n));
        listener.Start();

        var before = GC.GetTotalMemory(forceFullCollection: true);
        var watches = Enumerable.Range(0, Slow)
            .Select(_ => new NotificationService.NotificationServiceClient(host.Channel("espace", idle)).WatchEvents(new WatchEventsRequest(), cancellationToken: ct)).ToList();
        await Task.WhenAll(watches.Select(w => w.ResponseHeadersAsync));
        using var quick = new NotificationService.NotificationServiceClient(host.Channel("espace", busy)).WatchEvents(new WatchEventsRequest(), cancellationToken: ct);
        var all = await quick.NextEventsAsync(Events);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;

        // 6000 events of some 900 bytes each: unread, 20 watchers would hold over 100 MB.
        var bySlow = taken["all"] - Events;
        Assert.Equal(Events, all.Count);
        Assert.InRange(bySlow, Slow, Slow * Events / 10);
        Assert.InRange(grown, long.MinValue, 60L * 1024 * 1024);

        // The slow one comes back: nothing is missing.
        Assert.Equal(Events, (await watches[0].NextEventsAsync(Events)).Select(r => r.Event.AggregateVersion).Where((v, i) => v == i + 1).Count());

        var start = TimeProvider.System.GetTimestamp();
        await host.App.StopAsync(ct);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        await host.DisposeAsync();
        watches.ForEach(w => w.Dispose());
    }
}
