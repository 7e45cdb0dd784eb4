using Microsoft.Extensions.Configuration;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>The queue of the messages that this service could not apply. Looked at when an operator asks.</summary>
internal sealed class ErrorQueue(InboxQueue queue, IConfiguration configuration)
{
    private const ushort Prefetch = 50;

    // The broker's count of a quorum queue may lag by a moment: what does not come is not waited for long.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private const string FaultHeaders = "MT-Fault-";
    private const string ReasonHeader = "MT-Reason";

    private string Name => queue.Name + "_error";

    /// <summary>Messages in it.</summary>
    /// <exception cref="TimeoutException">The broker does not answer.</exception>
    public async Task<long> CountAsync(CancellationToken ct)
    {
        await using var connection = await ConnectAsync(ct);
        return await CountAsync(connection, ct);
    }

    /// <summary>
    /// Moves what is in it now back to the service's queue. A message is taken away here only once it is safe there; one that
    /// is moved twice is applied once.
    /// </summary>
    /// <returns>Messages moved.</returns>
    /// <exception cref="TimeoutException">The broker does not answer.</exception>
    public async Task<long> RedriveAsync(CancellationToken ct)
    {
        await using var connection = await ConnectAsync(ct);
        var count = await CountAsync(connection, ct);
        if (count == 0)
        {
            return 0;
        }

        // The queue has a single active consumer, hence messages are consumed, not fetched one by one.
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), ct);
        await channel.BasicQosAsync(0, Prefetch, global: false, ct);
        var moved = 0L;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, message) =>
        {
            // Not more than there were: one that fails again at once must not be moved in a circle.
            if (all.Task.IsCompleted)
            {
                return;
            }

            try
            {
                await MoveAsync(channel, message, ct);
                if (++moved == count)
                {
                    all.SetResult();
                }
            }
            catch (Exception e)
            {
                all.TrySetException(e);
            }
        };
        await channel.BasicConsumeAsync(Name, autoAck: false, consumer, ct);
        long before;
        do
        {
            before = Interlocked.Read(ref moved);
            await Task.WhenAny(all.Task, Task.Delay(s_patience, TimeProvider.System, ct));
        }
        while (!all.Task.IsCompleted && Interlocked.Read(ref moved) > before);

        if (all.Task.IsFaulted)
        {
            await all.Task;
        }

        return Interlocked.Read(ref moved);
    }

    private async Task MoveAsync(IChannel channel, BasicDeliverEventArgs message, CancellationToken ct)
    {
        var properties = new BasicProperties(message.BasicProperties) { Persistent = true };
        foreach (var header in properties.Headers?.Keys.Where(k => k.StartsWith(FaultHeaders, StringComparison.Ordinal) || k == ReasonHeader).ToList() ?? [])
        {
            properties.Headers!.Remove(header);
        }

        await channel.BasicPublishAsync("", queue.Name, mandatory: true, properties, message.Body, ct);
        await channel.BasicAckAsync(message.DeliveryTag, multiple: false, CancellationToken.None);
    }

    private async Task<long> CountAsync(IConnection connection, CancellationToken ct)
    {
        // A question about a queue that does not exist closes the channel.
        await using var channel = await connection.CreateChannelAsync(cancellationToken: ct);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(Name, ct)).MessageCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return 0;
        }
    }

    private async Task<IConnection> ConnectAsync(CancellationToken ct)
    {
        var factory = new ConnectionFactory
        {
            Uri = new Uri(configuration.GetConnectionString("rabbitmq") ?? throw new InvalidOperationException("ConnectionStrings:rabbitmq is not configured")),
            ClientProvidedName = queue.Name + " operations",
            RequestedConnectionTimeout = TimeSpan.FromSeconds(3),
            AutomaticRecoveryEnabled = false,
        };
        try
        {
            return await factory.CreateConnectionAsync(ct);
        }
        catch (BrokerUnreachableException e)
        {
            throw new TimeoutException("the broker does not answer", e);
        }
    }
}
