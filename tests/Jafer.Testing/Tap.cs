using System.Collections.Concurrent;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Jafer.Testing;

/// <summary>A message as the broker holds it.</summary>
public sealed record TappedMessage(Guid EventId, Guid AggregateId, long Version, IReadOnlyBasicProperties Properties, byte[] Body);

/// <summary>Stands beside the services on the broker: sees what is published, and publishes what it likes.</summary>
public sealed class Tap : IAsyncDisposable
{
    private readonly ConcurrentQueue<TappedMessage> _seen = new();
    private readonly IConnection _connection;
    private readonly IChannel _channel;

    private Tap(IConnection connection, IChannel channel)
    {
        _connection = connection;
        _channel = channel;
    }

    public IChannel Channel => _channel;

    public IReadOnlyCollection<TappedMessage> Seen => _seen;

    /// <summary>Listens to exchanges of events.</summary>
    /// <param name="address">Address of the broker.</param>
    /// <param name="exchanges">Names of the exchanges, declared as the services do.</param>
    public static async Task<Tap> OpenAsync(string address, params string[] exchanges)
    {
        var factory = new ConnectionFactory { Uri = new Uri(address), AutomaticRecoveryEnabled = false };
        var connection = await factory.CreateConnectionAsync();
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        var tap = new Tap(connection, channel);
        if (exchanges.Length == 0)
        {
            return tap;
        }

        var queue = (await channel.QueueDeclareAsync()).QueueName;
        foreach (var exchange in exchanges)
        {
            await channel.ExchangeDeclareAsync(exchange, ExchangeType.Fanout, durable: true);
            await channel.QueueBindAsync(queue, exchange, "");
        }

        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            var body = delivery.Body.ToArray();
            using var envelope = JsonDocument.Parse(body);
            var message = envelope.RootElement.GetProperty("message");
            tap._seen.Enqueue(new TappedMessage(
                message.GetProperty("eventId").GetGuid(), message.GetProperty("aggregateId").GetGuid(), message.GetProperty("aggregateVersion").GetInt64(),
                new BasicProperties(delivery.BasicProperties), body));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue, autoAck: true, consumer);
        return tap;
    }

    /// <summary>Waits until a number of deliveries were seen.</summary>
    public Task<IReadOnlyCollection<TappedMessage>> SeesAsync(int count) =>
        Eventually.BecomesAsync(() => Task.FromResult(Seen), s => s.Count >= count, $"{count} deliveries");

    /// <summary>Delivers a message to a queue once more.</summary>
    public Task DeliverAsync(string queue, TappedMessage delivery) =>
        _channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties(delivery.Properties), delivery.Body).AsTask();

    /// <summary>The headers of a queue's first message, which goes back there. A queue of what failed is there from the first of it on.</summary>
    public async Task<IDictionary<string, object?>> PeekAsync(string queue)
    {
        await Eventually.BecomesAsync(() => IsThereAsync(queue), there => there, $"a queue {queue}");
        await using var channel = await _connection.CreateChannelAsync();
        var first = new TaskCompletionSource<IDictionary<string, object?>>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            first.TrySetResult(new Dictionary<string, object?>(delivery.BasicProperties.Headers!));
            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer);
        return await first.Task.WaitAsync(Eventually.Limit);
    }

    private async Task<bool> IsThereAsync(string queue)
    {
        // The broker closes a channel that asks for what is not there.
        await using var channel = await _connection.CreateChannelAsync();
        try
        {
            await channel.QueueDeclarePassiveAsync(queue);
            return true;
        }
        catch (OperationInterruptedException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
