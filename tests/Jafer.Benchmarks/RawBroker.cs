using System.Diagnostics;
using Jafer.Testing;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Jafer.Benchmarks;

/// <summary>The floor: RabbitMQ.Client alone, a persistent message to a quorum queue with publisher confirms, consumer acks.</summary>
internal sealed class RawBroker : IAsyncDisposable
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

    /// <summary>Connects.</summary>
    /// <param name="prefix">Broker prefix of the services.</param>
    /// <param name="transmit">Sends a MesureTransmitted through them: the floor carries what the relay sends, byte for byte.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<RawBroker> ConnectAsync(string prefix, Func<Task> transmit, CancellationToken ct)
    {
        var factory = new ConnectionFactory { Uri = new Uri(Servers.RabbitMq) };
        var body = await BodyAsync(factory, prefix, transmit, ct);
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

    /// <summary>Milliseconds from a publish to its consumer being called.</summary>
    public async Task<double> RoundTripAsync(CancellationToken ct)
    {
        var next = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _next = next;
        var start = Stopwatch.GetTimestamp();
        await _publisher.BasicPublishAsync("", Queue, mandatory: false, new BasicProperties { Persistent = true }, _body, ct);
        return Stopwatch.GetElapsedTime(start, await next.Task.WaitAsync(Eventually.Limit, ct)).TotalMilliseconds;
    }

    public async ValueTask DisposeAsync()
    {
        await _consumer.QueueDeleteAsync(Queue);
        await _publishing.DisposeAsync();
        await _consuming.DisposeAsync();
    }

    private static async Task<byte[]> BodyAsync(ConnectionFactory factory, string prefix, Func<Task> transmit, CancellationToken ct)
    {
        await using var connection = await factory.CreateConnectionAsync(ct);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
        var queue = (await channel.QueueDeclareAsync(cancellationToken: ct)).QueueName;
        await channel.QueueBindAsync(queue, $"{prefix}.mesure.mesure-transmitted.v1", "", cancellationToken: ct);
        await transmit();
        return (await channel.BasicGetAsync(queue, autoAck: true, ct))!.Body.ToArray();
    }
}
