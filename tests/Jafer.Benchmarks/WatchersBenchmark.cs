using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.Messaging;
using Jafer.Messaging.Data;
using Jafer.Notifications;
using Jafer.Testing;

namespace Jafer.Benchmarks;

/// <summary>
/// What 2,000 watchers of 200 organisations cost a notification service in memory: resident KiB for each, in a process of its own,
/// before and after, once each of them has an event of its organisation. There is no floor.
/// </summary>
internal static class WatchersBenchmark
{
    public const string Name = "watchers";

    private const double GoalKib = 64;
    private const int Organisations = 200;
    private const int EachOrganisation = 10;

    // HTTP/2 gives a connection a hundred streams.
    private const int OrganisationsOfAConnection = 10;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var feeds = await TestDatabase.CloneAsync(NotificationsModule.Name, connection =>
            Hosts.MigrateAsync(NotificationsModule.Name, connection, b => NotificationsModule.Build([], b), NotificationsModule.MigrateAsync));
        await using var threads = await TestDatabase.CloneAsync(MessagingModule.Name, connection =>
            Hosts.MigrateAsync(MessagingModule.Name, connection, b => MessagingModule.Build([], b), MessagingModule.MigrateAsync));
        var prefix = ServiceHost.UniquePrefix();
        await using var publisher = await ServiceHost.StartAsync(b => MessagingModule.Build([], b), ServiceHost.Settings(MessagingModule.Name, threads.ConnectionString, prefix));
        await publisher.ReadyAsync();
        var (grpc, health) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
        using var service = await ServiceProcess.StartAsync(NotificationsModule.Name, "Jafer.Notifications", feeds, prefix, grpc, health);
        try
        {
            return await MeasureAsync(publisher, service, new Uri($"http://127.0.0.1:{grpc}"), ct);
        }
        finally
        {
            service.Kill(entireProcessTree: true);
            await service.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task<Result> MeasureAsync(ServiceHost publisher, Process service, Uri address, CancellationToken ct)
    {
        var mesures = Enumerable.Range(0, Organisations / 2).Select(_ => TestMesure.Create()).ToList();
        var organisations = mesures.SelectMany(m => new[] { ("juridiction", m.JuridictionId), ("espace", m.GestionnaireId) }).ToList();

        // One watcher first: what every process has once it was called is no watcher's cost.
        var connections = organisations.Chunk(OrganisationsOfAConnection).Select(chunk => (Channel: GrpcChannel.ForAddress(address), Organisations: chunk)).ToList();
        var watches = new List<AsyncServerStreamingCall<WatchEventsResponse>> { await OpenAsync(connections[0].Channel, organisations[0], ct) };
        await PublishAsync(publisher, [mesures[0].Transmitted()], watches, ct);
        var before = Resident(service);
        foreach (var (channel, chunk) in connections)
        {
            foreach (var organisation in chunk)
            {
                for (var i = 0; i < EachOrganisation; i++)
                    watches.Add(await OpenAsync(channel, organisation, ct));
            }
        }

        watches[0].Dispose();
        watches.RemoveAt(0);
        var opened = Resident(service);
        var start = Stopwatch.GetTimestamp();
        await PublishAsync(publisher, [.. mesures.Select(m => m.Acknowledged())], watches, ct);
        var told = Stopwatch.GetElapsedTime(start);
        var after = Resident(service);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {watches.Count} watchers: {before / 1024.0:0} MiB before, {opened / 1024.0:0} open, {after / 1024.0:0} once each was told; {mesures.Count} events reached all in {told.TotalMilliseconds:0} ms"));
        foreach (var watch in watches)
            watch.Dispose();
        foreach (var (channel, _) in connections)
            channel.Dispose();
        var kib = (double)(after - before) / watches.Count;
        return new Result(Name, "KiB/watcher", Math.Round(kib, 1), 0, 0, GoalKib, kib <= GoalKib);
    }

    private static async Task<AsyncServerStreamingCall<WatchEventsResponse>> OpenAsync(GrpcChannel channel, (string Role, Guid Id) organisation, CancellationToken ct)
    {
        var watch = new NotificationService.NotificationServiceClient(channel).WatchEvents(
            new(), new Metadata { { "authorization", "Bearer " + TestIssuer.Shared.Token(organisation.Role, organisation.Id) } }, cancellationToken: ct);
        await watch.ResponseHeadersAsync;
        return watch;
    }

    /// <summary>Publishes events and waits until each watcher has the newest of its organisation.</summary>
    private static async Task PublishAsync(ServiceHost publisher, List<DomainEvent> events, List<AsyncServerStreamingCall<WatchEventsResponse>> watches, CancellationToken ct)
    {
        var ids = events.Select(e => e.EventId.ToString()).ToHashSet();
        var all = watches.Select(async watch =>
        {
            while (await watch.ResponseStream.MoveNext(ct))
            {
                if (watch.ResponseStream.Current.Event is { } told && ids.Contains(told.EventId))
                    return;
            }

            throw new InvalidOperationException("a stream ended");
        }).ToList();
        await publisher.PublishAsync<MessagingDbContext>(events);
        await Task.WhenAll(all).WaitAsync(TimeSpan.FromMinutes(2), ct);
    }

    /// <summary>Resident memory in KiB.</summary>
    private static long Resident(Process process)
    {
        process.Refresh();
        return process.WorkingSet64 / 1024;
    }
}
