using System.Runtime.CompilerServices;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Lets the messages of one aggregate reach the inbox one after the other, in the order in which the broker delivered them; those of
/// different ones do not wait for each other. The transport takes several deliveries at once and hands them on in no certain order
/// (two neighbours of a thousand changed places); the broker's delivery numbers tell the order again.
/// </summary>
/// <param name="logger">Log.</param>
internal sealed class AggregateOrder(ILogger<AggregateOrder> logger) : IFilter<ReceiveContext>
{
    // A delivery that never shows up (the endpoint stops) must not hold the others for ever; a cold process on a busy machine may take seconds.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();

    // By channel, whose numbers they are. The consumer's tag would not do: the first delivery may overtake the answer that tells
    // it (in a cold process), and a consumer takes its old tag along to a new channel, where numbers begin again.
    private readonly ConditionalWeakTable<IChannel, Gate> _gates = [];
    private readonly Dictionary<string, Task> _last = [];

    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        var delivery = context.GetPayload<RabbitMqBasicConsumeContext>();
        var aggregate = delivery.Properties.CorrelationId ?? "";
        var gate = _gates.GetOrAdd(context.GetPayload<ChannelContext>().Channel, _ => new Gate());
        await ItsTurnAsync(gate, delivery.DeliveryTag);
        var turn = context.GetOrAddPayload(() => new Turn());
        Task before;
        lock (_lock)
        {
            before = _last.GetValueOrDefault(aggregate, Task.CompletedTask);
            _last[aggregate] = turn.IsTaken;
        }

        Entered(gate, delivery.DeliveryTag);
        try
        {
            await before;
            await next.Send(context);
        }
        finally
        {
            lock (_lock)
            {
                if (_last.GetValueOrDefault(aggregate) == turn.IsTaken)
                {
                    _last.Remove(aggregate);
                }
            }

            turn.Taken();
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("aggregateOrder");

    /// <summary>Waits until every earlier delivery of the same channel has taken its place.</summary>
    private async Task ItsTurnAsync(Gate gate, ulong number)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (number <= gate.Next)
            {
                return;
            }

            gate.Waiting[number] = turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        try
        {
            await turn.Task.WaitAsync(s_patience);
        }
        catch (TimeoutException)
        {
            logger.LogWarning("A delivery before number {Number} did not show up; the order of an aggregate may have changed", number);
        }
    }

    private void Entered(Gate gate, ulong number)
    {
        lock (_lock)
        {
            gate.Waiting.Remove(number);
            if (number < gate.Next)
            {
                return;
            }

            gate.Next = number + 1;
            if (gate.Waiting.Remove(gate.Next, out var turn))
            {
                turn.SetResult();
            }
        }
    }

    /// <summary>The deliveries of one channel, numbered from 1.</summary>
    private sealed class Gate
    {
        public ulong Next { get; set; } = 1;

        public Dictionary<ulong, TaskCompletionSource> Waiting { get; } = [];
    }
}
