using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Messaging;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Benchmarks;

/// <summary>
/// From the commit of a transaction of the mesure service that leaves an event in the outbox, to the messaging service's
/// consumer being called with it: against a raw confirmed publish to a quorum queue until its consumer is called.
/// </summary>
internal static class RelayBenchmark
{
    public const string Name = "relay";

    private const double Goal = 3;
    private const int WarmUps = 2;
    private const int RoundCount = 9;
    private const int SamplesOfARound = 60;

    // Events of a court come one by one: the next one when the one before has left the outbox.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(15);
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var mesures = await TestDatabase.CloneAsync("relay_mesure", connection =>
            Hosts.MigrateAsync(MesuresModule.Name, connection, b => MesuresModule.Build([], b), app => app.MigrateAsync<MesuresDbContext>()));
        await using var threads = await TestDatabase.CloneAsync("relay_messaging", connection =>
            Hosts.MigrateAsync(MessagingModule.Name, connection, b => MessagingModule.Build([], b), MessagingModule.MigrateAsync));
        ct.ThrowIfCancellationRequested();
        var prefix = ServiceHost.UniquePrefix();
        await using var producer = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), ServiceHost.Settings(MesuresModule.Name, mesures.ConnectionString, prefix));
        await using var consumer = await ServiceHost.StartAsync(b => MessagingModule.Build([], b), ServiceHost.Settings(MessagingModule.Name, threads.ConnectionString, prefix));
        foreach (var host in new[] { producer, consumer })
            await host.App.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, ct).WaitAsync(s_limit, ct);

        using var arrival = new Arrival(consumer.App.Services.GetRequiredService<IBusControl>());
        await using var raw = await RawBroker.ConnectAsync(prefix, () => RelayAsync(producer, arrival, [], ct), ct);
        var applied = new List<double>();
        var rounds = await Rounds.SampleAsync(
            WarmUps, RoundCount, SamplesOfARound, () => PausedAsync(() => RelayAsync(producer, arrival, applied, ct)), () => PausedAsync(() => raw.RoundTripAsync(ct)));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  until the consumer's own transaction has committed: {Rounds.Median(applied[(WarmUps * SamplesOfARound)..]):0.##} ms"));
        return Result.AtMost(Name, "ms", rounds, Goal);

        async Task<double> PausedAsync(Func<Task<double>> sample)
        {
            await Task.Delay(s_pause, TimeProvider.System, ct);
            return await sample();
        }
    }

    // As a command saves: commit, then wake the relay.
    private static async Task<double> RelayAsync(ServiceHost producer, Arrival arrival, List<double> applied, CancellationToken ct)
    {
        await using var scope = producer.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        db.Publish(TestMesure.Create().Transmitted());
        var done = arrival.NextAsync();
        await db.SaveChangesAsync(ct);
        var committed = Stopwatch.GetTimestamp();
        producer.App.Services.GetRequiredService<OutboxSignal>().Notify();
        applied.Add(Stopwatch.GetElapsedTime(committed, await done.WaitAsync(s_limit, ct)).TotalMilliseconds);
        return Stopwatch.GetElapsedTime(committed, arrival.CalledAt).TotalMilliseconds;
    }

    /// <summary>Hears when the consumer is called, and when it has committed: its service counts the event then.</summary>
    private sealed class Arrival : IConsumeObserver, IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConnectHandle _observer;
        private TaskCompletionSource<long>? _applied;

        public Arrival(IBus consumer)
        {
            _observer = consumer.ConnectConsumeObserver(this);
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "jafer.inbox.handled")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Interlocked.Exchange(ref _applied, null)?.TrySetResult(Stopwatch.GetTimestamp()));
            _listener.Start();
        }

        /// <summary>When the consumer was last called.</summary>
        public long CalledAt { get; private set; }

        /// <summary>When the next event will have been applied.</summary>
        public Task<long> NextAsync()
        {
            var next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            _applied = next;
            return next.Task;
        }

        public Task PreConsume<T>(ConsumeContext<T> context)
            where T : class
        {
            CalledAt = Stopwatch.GetTimestamp();
            return Task.CompletedTask;
        }

        public Task PostConsume<T>(ConsumeContext<T> context)
            where T : class => Task.CompletedTask;

        public Task ConsumeFault<T>(ConsumeContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;

        public void Dispose()
        {
            _observer.Disconnect();
            _listener.Dispose();
        }
    }
}
