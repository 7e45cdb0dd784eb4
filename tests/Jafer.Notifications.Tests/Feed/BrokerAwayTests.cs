using Jafer.Contracts.Notification.V1;
using Jafer.Messaging;
using Jafer.Messaging.Data;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

/// <summary>A broker that is away for long, between a service that goes on and the feeds, on a broker of its own.</summary>
public sealed class BrokerAwayTests : IAsyncLifetime
{
    private const int Mesures = 40;
    private const int EventsOfEach = 12;

    // The bus tries to reach a broker that is away again at growing distances, at most 30 seconds.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly string _prefix = ServiceHost.UniquePrefix();
    private OwnServers _own = null!;
    private TestDatabase _feeds = null!;
    private TestDatabase _threads = null!;

    public async ValueTask InitializeAsync()
    {
        _own = await OwnServers.StartNewAsync();
        _feeds = await NotificationsFixture.CloneDatabaseAsync();
        _threads = await MessagingHost.CloneDatabaseAsync();
    }

    [Fact]
    public async Task WatchEvents_AfterAnHourWithoutBroker_CatchesUpInOrderOnBothReplicas()
    {
        var court = TestMesure.NewId();
        var mesures = Enumerable.Range(0, Mesures).Select(_ => new TestMesure(court, TestMesure.NewId())).ToList();
        await using var publisher = await StartAsync(MessagingModule.Name, configure => MessagingModule.Build([], configure), _threads);
        await using var first = await StartAsync(NotificationsModule.Name, configure => NotificationsModule.Build([], configure), _feeds);
        await using var second = await StartAsync(NotificationsModule.Name, configure => NotificationsModule.Build([], configure), _feeds);
        await Task.WhenAll(publisher.ReadyAsync(), first.ReadyAsync(), second.ReadyAsync());
        await publisher.PublishAsync<MessagingDbContext>([.. mesures.Select(m => m.Transmitted())]);
        var feed = new NotificationService.NotificationServiceClient(first.Channel("juridiction", court));
        await Eventually.BecomesAsync(() => feed.AllEventsAsync(), e => e.Count == Mesures, "what came before", s_limit);

        await _own.StopAsync("rabbitmq");
        for (var i = 1; i < EventsOfEach; i++)
        {
            await publisher.PublishAsync<MessagingDbContext>([.. mesures.Select(m => m.Contact("FAMILLE"))]);
        }

        // What was tried and failed by the end of that hour is tried again, however often that was; nothing is given up for an absent broker.
        await _threads.RunAsync("update outbox_messages set payload = jsonb_set(payload, '{recordedAt}', to_jsonb(to_char(now() - interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')))");
        await _own.StartAsync("rabbitmq");

        foreach (var replica in new[] { first, second })
        {
            using var watch = new NotificationService.NotificationServiceClient(replica.Channel("juridiction", court)).WatchEvents(new());
            var events = (await watch.NextEventsAsync(Mesures * EventsOfEach, s_limit)).Select(r => r.Event).ToList();
            Assert.Equal(events.Count, events.DistinctBy(e => e.EventId).Count());
            Assert.All(
                events.GroupBy(e => e.AggregateId),
                mesure => Assert.Equal(Enumerable.Range(1, EventsOfEach).Select(v => v + mesure.First().AggregateVersion - 1), mesure.Select(e => e.AggregateVersion)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _feeds.DisposeAsync();
        await _threads.DisposeAsync();
        await _own.DisposeAsync();
    }

    private Task<ServiceHost> StartAsync(string name, Func<Action<Microsoft.AspNetCore.Builder.WebApplicationBuilder>, Microsoft.AspNetCore.Builder.WebApplication> build, TestDatabase database) =>
        ServiceHost.StartAsync(build, ServiceHost.Settings(name, database.ConnectionString, _prefix, new Dictionary<string, string?> { ["ConnectionStrings:rabbitmq"] = _own.RabbitMq }));
}
