using System.Diagnostics;
using System.Diagnostics.Metrics;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Messaging;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Jafer.Benchmarks;

/// <summary>
/// From the commit of a transaction of the mesure service that leaves an event in the outbox, to the commit of the transaction
/// in which the messaging service has applied it: against a raw publish to a quorum queue until its consumer has it.
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

        using var applied = new Applied();
        await using var raw = await RawBroker.ConnectAsync(await BodyAsync(producer, prefix, applied, ct), ct);
        return Result.AtMost(
            Name, "ms",
            await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(() => RelayAsync(producer, applied, ct)), () => RoundAsync(() => raw.RoundTripAsync(ct))), Goal);

        async Task<double> RoundAsync(Func<Task<double>> sample)
        {
            var samples = new double[SamplesOfARound];
            for (var i = 0; i < samples.Length; i++)
            {
                samples[i] = await sample();
                await Task.Delay(s_pause, TimeProvider.System, ct);
            }

            return Rounds.Median(samples);
        }
    }

    // As a command saves: commit, then wake the relay.
    private static async Task<double> RelayAsync(ServiceHost producer, Applied applied, CancellationToken ct)
    {
        await using var scope = producer.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        db.Publish(TestMesure.Create().Transmitted());
        var done = applied.Next();
        await db.SaveChangesAsync(ct);
        var committed = Stopwatch.GetTimestamp();
        producer.App.Services.GetRequiredService<OutboxSignal>().Notify();
        return Stopwatch.GetElapsedTime(committed, await done.WaitAsync(s_limit, ct)).TotalMilliseconds;
    }

    // What the relay sends, byte for byte, so that the floor carries as much.
    private static async Task<byte[]> BodyAsync(ServiceHost producer, string prefix, Applied applied, CancellationToken ct)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(Servers.RabbitMq) }.CreateConnectionAsync(ct);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: ct)).QueueName;
        await channel.QueueBindAsync(queue, $"{prefix}.mesure.mesure-transmitted.v1", "", cancellationToken: ct);
        await RelayAsync(producer, applied, ct);
        return (await channel.BasicGetAsync(queue, autoAck: true, ct))!.Body.ToArray();
    }

    /// <summary>Hears when a consumer has committed: its service counts it then.</summary>
    private sealed class Applied : IDisposable
    {
        private readonly MeterListener _listener = new();
        private TaskCompletionSource<long>? _next;

        public Applied()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "jafer.inbox.handled")
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, _, _, _) => Interlocked.Exchange(ref _next, null)?.TrySetResult(Stopwatch.GetTimestamp()));
            _listener.Start();
        }

        public Task<long> Next()
        {
            var next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            _next = next;
            return next.Task;
        }

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>The floor: RabbitMQ.Client alone, a persistent message to a quorum queue with publisher confirms, consumer acks.</summary>
    private sealed class RawBroker : IAsyncDisposable
    {
        private const string Queue = "jafer-bench-floor";

        private readonly byte[] _body;
        private readonly IConnection _publishing;
        private readonly IConnection _consuming;
        private readonly IChannel _publisher;
        private readonly IChannel _consumer;
        private TaskCompletionSource<long>? _next;

        private RawBroker(byte[] body, IConnection publishing, IConnection consuming, IChannel publisher, IChannel consumer) =>
            (_body, _publishing, _consuming, _publisher, _consumer) = (body, publishing, consuming, publisher, consumer);

        public static async Task<RawBroker> ConnectAsync(byte[] body, CancellationToken ct)
        {
            var factory = new ConnectionFactory { Uri = new Uri(Servers.RabbitMq) };
            var (publishing, consuming) = (await factory.CreateConnectionAsync(ct), await factory.CreateConnectionAsync(ct));
            var publisher = await publishing.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), ct);
            var consumer = await consuming.CreateChannelAsync(cancellationToken: ct);
            var raw = new RawBroker(body, publishing, consuming, publisher, consumer);
            await consumer.QueueDeclareAsync(
                Queue, durable: true, exclusive: false, autoDelete: false, arguments: new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }, cancellationToken: ct);
            await consumer.BasicQosAsync(0, 64, global: false, ct);
            var handler = new AsyncEventingBasicConsumer(consumer);
            handler.ReceivedAsync += async (_, delivery) =>
            {
                Interlocked.Exchange(ref raw._next, null)?.TrySetResult(Stopwatch.GetTimestamp());
                await consumer.BasicAckAsync(delivery.DeliveryTag, multiple: false);
            };
            await consumer.BasicConsumeAsync(Queue, autoAck: false, handler, ct);
            return raw;
        }

        public async Task<double> RoundTripAsync(CancellationToken ct)
        {
            var next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            _next = next;
            var start = Stopwatch.GetTimestamp();
            await _publisher.BasicPublishAsync("", Queue, mandatory: false, new BasicProperties { Persistent = true }, _body, ct);
            return Stopwatch.GetElapsedTime(start, await next.Task.WaitAsync(s_limit, ct)).TotalMilliseconds;
        }

        public async ValueTask DisposeAsync()
        {
            await _consumer.QueueDeleteAsync(Queue);
            await _publishing.DisposeAsync();
            await _consuming.DisposeAsync();
        }
    }
}
