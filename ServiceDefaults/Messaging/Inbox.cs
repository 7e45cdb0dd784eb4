using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Telemetry;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// What a service does with the events of others. It changes tracked entities; the inbox saves them in one transaction with
/// the note that the event was applied. Effects outside the database (mail) are rows that a job performs later.
/// </summary>
/// <typeparam name="TContext">The service's context.</typeparam>
public interface IEventHandler<in TContext>
    where TContext : JaferDbContext
{
    /// <summary>Applies an event.</summary>
    /// <param name="db">The context, with an open transaction.</param>
    /// <param name="message">The event.</param>
    /// <param name="ct">Cancellation.</param>
    Task HandleAsync(TContext db, DomainEvent message, CancellationToken ct);
}

/// <summary>Applies each message once: a delivery whose id stands in the inbox is acknowledged and dropped.</summary>
internal sealed class InboxConsumer<TContext, TEvent>(
    TContext db, IEventHandler<TContext> handler, OutboxSignal signal, InboxQueue queue, TimeProvider clock) : IConsumer<TEvent>
    where TContext : JaferDbContext
    where TEvent : DomainEvent
{
    public async Task Consume(ConsumeContext<TEvent> context)
    {
        var ct = context.CancellationToken;
        var message = context.Message;
        db.ChangeTracker.Clear();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var isNew = await db.Database.ExecuteSqlAsync(
            $"insert into inbox_messages (message_id, consumer, received_at) values ({message.EventId}, {queue.Name}, {clock.GetUtcNow()}) on conflict do nothing", ct);
        var type = new KeyValuePair<string, object?>("type", EventTypes.NameOf(typeof(TEvent)));
        if (isNew == 0)
        {
            JaferMetrics.InboxDuplicates.Add(1, type);
            return;
        }

        await handler.HandleAsync(db, message, ct);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        signal.Notify();
        JaferMetrics.InboxHandled.Add(1, type);
        JaferMetrics.InboxLag.Record((clock.GetUtcNow() - message.RecordedAt).TotalSeconds, type);
    }
}

/// <summary>Name of the service's queue, which is also its consumer name in the inbox.</summary>
/// <param name="Name">Name.</param>
internal sealed record InboxQueue(string Name);
