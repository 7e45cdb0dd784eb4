using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

[assembly: AssemblyFixture(typeof(Jafer.Notifications.Tests.NotificationsFixture))]

namespace Jafer.Notifications.Tests;

/// <summary>
/// The notification service with its own database and queue: one for all test classes that only look at what is theirs, one for each
/// class that asks for its own.
/// </summary>
public class NotificationsFixture : IAsyncLifetime
{
    public string Prefix { get; } = ServiceHost.UniquePrefix();

    public ServiceHost Host { get; private set; } = null!;

    public TestDatabase Database { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        Database = await CloneDatabaseAsync();
        Host = await StartReplicaAsync();
    }

    /// <summary>A migrated database of its own.</summary>
    public static Task<TestDatabase> CloneDatabaseAsync() => TestDatabase.CloneAsync(NotificationsModule.Name, async connection =>
    {
        await using var app = Build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(NotificationsModule.Name, connection, "none")));
        await NotificationsModule.MigrateAsync(app);
    });

    /// <summary>A further replica on the same database and queue.</summary>
    /// <param name="more">Further settings.</param>
    public Task<ServiceHost> StartReplicaAsync(params IReadOnlyList<(string Key, string Value)> more) => StartReplicaAsync(null, more);

    /// <summary>A further replica on the same database and queue, changed by the test.</summary>
    /// <param name="configure">What the test changes.</param>
    /// <param name="more">Further settings.</param>
    public Task<ServiceHost> StartReplicaAsync(Action<WebApplicationBuilder>? configure, params IReadOnlyList<(string Key, string Value)> more)
    {
        var settings = Settings();
        foreach (var (key, value) in more)
        {
            settings[key] = value;
        }

        return ServiceHost.StartAsync(Build, ServiceHost.Settings(NotificationsModule.Name, Database.ConnectionString, Prefix, settings), configure);
    }

    public Task PublishAsync(params IReadOnlyList<DomainEvent> events) => Host.PublishAsync<NotificationsDbContext>(events);

    /// <summary>Publishes events and waits until they are applied.</summary>
    public async Task ApplyAsync(params IReadOnlyList<DomainEvent> events)
    {
        await PublishAsync(events);
        var ids = string.Join(',', events.Select(e => $"'{e.EventId}'"));
        await Eventually.BecomesAsync(
            () => Database.ReadAsync<long>($"select count(*) from inbox_messages where message_id in ({ids})"),
            n => n == events.Count,
            $"{events.Count} events applied");
    }

    public NotificationService.NotificationServiceClient Court(TestMesure mesure) => Client(Roles.Juridiction, mesure.JuridictionId);

    public NotificationService.NotificationServiceClient Espace(TestMesure mesure) => Client(Roles.Espace, mesure.GestionnaireId);

    public NotificationService.NotificationServiceClient Client(string role, Guid organisation) => new(Host.Channel(role, organisation));

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await StopOthersAsync();
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected virtual Dictionary<string, string?> Settings() => [];

    protected virtual ValueTask StopOthersAsync() => ValueTask.CompletedTask;

    private static WebApplication Build(Action<WebApplicationBuilder> configure) => NotificationsModule.Build([], configure);
}

internal static class Feeds
{
    /// <summary>The whole feed, page by page.</summary>
    public static async Task<List<Event>> AllEventsAsync(
        this NotificationService.NotificationServiceClient client, int pageSize = 0, string resumeToken = "", params string[] types)
    {
        var all = new List<Event>();
        while (true)
        {
            var request = new ListEventsRequest { ResumeToken = resumeToken, PageSize = pageSize };
            request.Types_.AddRange(types);
            var page = await client.ListEventsAsync(request);
            all.AddRange(page.Events);
            resumeToken = page.ResumeToken;
            if (!page.More)
            {
                return all;
            }
        }
    }

    /// <summary>The token at the end of the feed.</summary>
    public static async Task<string> EndAsync(this NotificationService.NotificationServiceClient client)
    {
        var token = "";
        while (true)
        {
            var page = await client.ListEventsAsync(new ListEventsRequest { ResumeToken = token, PageSize = 500 });
            token = page.ResumeToken;
            if (!page.More)
            {
                return token;
            }
        }
    }

    /// <summary>The next message that satisfies a condition; fails when it does not come in time.</summary>
    public static async Task<WatchEventsResponse> NextAsync(
        this AsyncServerStreamingCall<WatchEventsResponse> call, Func<WatchEventsResponse, bool>? wanted = null, TimeSpan? atMost = null)
    {
        using var limit = new CancellationTokenSource(atMost ?? Eventually.Limit, TimeProvider.System);
        while (await call.ResponseStream.MoveNext(limit.Token))
        {
            if (wanted is null || wanted(call.ResponseStream.Current))
            {
                return call.ResponseStream.Current;
            }
        }

        throw new InvalidOperationException("the stream ended");
    }

    /// <summary>The next so many events, heartbeats left out.</summary>
    public static async Task<List<WatchEventsResponse>> NextEventsAsync(this AsyncServerStreamingCall<WatchEventsResponse> call, int count, TimeSpan? atMost = null)
    {
        var events = new List<WatchEventsResponse>();
        while (events.Count < count)
        {
            events.Add(await call.NextAsync(r => r.Event is not null, atMost));
        }

        return events;
    }
}
