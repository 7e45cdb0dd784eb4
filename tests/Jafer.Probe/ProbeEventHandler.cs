using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;

namespace Jafer.Probe;

public sealed class ProbeEventHandler(ProbeHooks hooks) : IEventHandler<ProbeDbContext>
{
    public async Task HandleAsync(ProbeDbContext db, DomainEvent message, CancellationToken ct)
    {
        await hooks.BeforeApply(message, ct);
        db.AppliedEvents.Add(new AppliedEvent
        {
            EventId = message.EventId,
            AggregateId = message.AggregateId,
            AggregateVersion = message.AggregateVersion,
            Process = Environment.ProcessId,
        });
    }
}
