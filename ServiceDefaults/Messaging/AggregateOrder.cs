using MassTransit;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Lets the messages of different aggregates run side by side and those of one aggregate one after the other, in the order in
/// which the broker delivered them. The transport takes several deliveries at once and hands them on in no certain order
/// (two neighbours of a thousand changed places); the broker's delivery numbers tell the order again.
/// </summary>
/// <param name="logger">Log.</param>
internal sealed class AggregateOrder(ILogger<AggregateOrder> logger) : IFilter<ReceiveContext>
{
    // A delivery that never shows up (the endpoint stops) must not hold the others for ever; a cold process on a busy machine may take seconds.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Gate> _gates = [];
    private readonly Dictionary<string, Task> _last = [];

    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        var delivery = context.GetPayload<RabbitMqBasicConsumeContext>();
        var aggregate = delivery.Properties.CorrelationId ?? "";
        await ItsTurnAsync(delivery.ConsumerTag, delivery.DeliveryTag);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task before;
        lock (_lock)
        {
            before = _last.GetValueOrDefault(aggregate, Task.CompletedTask);
            _last[aggregate] = done.Task;
        }

        Entered(delivery.ConsumerTag, delivery.DeliveryTag);
        try
        {
            await before;
            await next.Send(context);
        }
        finally
        {
            lock (_lock)
            {
                if (_last[aggregate] == done.Task)
                {
                    _last.Remove(aggregate);
                }
            }

            done.SetResult();
        }
    }

    public void Probe(ProbeContext context) => context.CreateFilterScope("aggregateOrder");

    /// <summary>Waits until every earlier delivery of the same consumer has taken its place.</summary>
    private async Task ItsTurnAsync(string consumer, ulong number)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (!_gates.TryGetValue(consumer, out var gate))
            {
                _gates[consumer] = gate = new Gate();
            }

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

    private void Entered(string consumer, ulong number)
    {
        lock (_lock)
        {
            var gate = _gates[consumer];
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

    /// <summary>The deliveries of one consumer, numbered from 1. Each connection makes a new one; a few bytes stay of the old.</summary>
    private sealed class Gate
    {
        public ulong Next { get; set; } = 1;

        public Dictionary<ulong, TaskCompletionSource> Waiting { get; } = [];
    }
}
