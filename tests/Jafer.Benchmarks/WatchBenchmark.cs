using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Notifications;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Benchmarks;

/// <summary>
/// From the commit of a transaction of the mesure service that leaves an event in the outbox, over the broker and the notification
/// service's own transaction, to a client of WatchEvents having it: against a raw confirmed publish until its consumer is called.
/// </summary>
internal static class WatchBenchmark
{
    public const string Name = "watch";

    private const double Goal = 6;
    private const int WarmUps = 2;
    private const int RoundCount = 9;
    private const int SamplesOfARound = 60;

    // Events of a court come one by one: the next one when the one before has left the outbox.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(15);

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var mesures = await TestDatabase.CloneAsync("watch_mesure", connection =>
            Hosts.MigrateAsync(MesuresModule.Name, connection, b => MesuresModule.Build([], b), app => app.MigrateAsync<MesuresDbContext>()));
        await using var feeds = await TestDatabase.CloneAsync("watch_notification", connection =>
            Hosts.MigrateAsync(NotificationsModule.Name, connection, b => NotificationsModule.Build([], b), NotificationsModule.MigrateAsync));
        var prefix = ServiceHost.UniquePrefix();
        await using var producer = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), ServiceHost.Settings(MesuresModule.Name, mesures.ConnectionString, prefix));
        await using var consumer = await ServiceHost.StartAsync(b => NotificationsModule.Build([], b), ServiceHost.Settings(NotificationsModule.Name, feeds.ConnectionString, prefix));
        await producer.ReadyAsync();
        await consumer.ReadyAsync();

        var mesure = TestMesure.Create();
        using var watch = new NotificationService.NotificationServiceClient(consumer.Channel("espace", mesure.GestionnaireId)).WatchEvents(new(), cancellationToken: ct);
        await watch.ResponseHeadersAsync;
        await using var raw = await RawBroker.ConnectAsync(prefix, () => WatchAsync(producer, mesure, watch, ct), ct);
        var (values, floors) = (new List<double>(), new List<double>());
        var rounds = await Rounds.SampleAsync(
            WarmUps, RoundCount, SamplesOfARound, () => PausedAsync(() => WatchAsync(producer, mesure, watch, ct), values), () => PausedAsync(() => raw.RoundTripAsync(ct), floors));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  p99: {P99(values):0.##} ms, floor {P99(floors):0.##} ms"));
        return Result.AtMost(Name, "ms", rounds, Goal);

        async Task<double> PausedAsync(Func<Task<double>> sample, List<double> samples)
        {
            await Task.Delay(s_pause, TimeProvider.System, ct);
            var taken = await sample();
            samples.Add(taken);
            return taken;
        }
    }

    // As a command saves: commit, then wake the relay.
    private static async Task<double> WatchAsync(ServiceHost producer, TestMesure mesure, AsyncServerStreamingCall<WatchEventsResponse> watch, CancellationToken ct)
    {
        await using var scope = producer.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        DomainEvent told = mesure.Transmitted();
        db.Publish(told);
        await db.SaveChangesAsync(ct);
        var committed = Stopwatch.GetTimestamp();
        producer.App.Services.GetRequiredService<OutboxSignal>().Notify();
        while (await watch.ResponseStream.MoveNext(ct))
        {
            if (watch.ResponseStream.Current.Event?.EventId == told.EventId.ToString())
                return Stopwatch.GetElapsedTime(committed).TotalMilliseconds;
        }

        throw new InvalidOperationException("the stream ended");
    }

    private static double P99(List<double> samples) => samples.Skip(WarmUps * SamplesOfARound).Order().ElementAt((int)((samples.Count - (WarmUps * SamplesOfARound)) * 0.99));
}
