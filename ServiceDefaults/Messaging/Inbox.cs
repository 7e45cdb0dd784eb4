using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Telemetry;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// What a service does with the events of others. It changes tracked entities; the inbox saves them in one transaction with
/// the note that the event was applied. Effects outside the database (mail) are rows that a job performs later.
/// </summary>
/// <typeparam name="TContext">The service's context.</typeparam>
public interface IEventHandler<in TContext>
    where TContext : JaferDbContext
{
    /// <summary>
    /// Applies an event. It may run more than once for one event, since what it throws makes the inbox try again and a
    /// duplicate is noticed last; what it did is rolled back then.
    /// </summary>
    /// <param name="db">The context, with an open transaction.</param>
    /// <param name="message">The event.</param>
    /// <param name="ct">Cancellation.</param>
    Task HandleAsync(TContext db, DomainEvent message, CancellationToken ct);
}

/// <summary>
/// Applies each message once: a delivery whose id stands in the inbox is acknowledged and dropped. It tries again here, inside
/// the partition of the aggregate, so that no later event of the same aggregate overtakes one that is tried again.
/// </summary>
internal sealed class InboxConsumer<TContext, TEvent>(
    IServiceScopeFactory scopes, OutboxSignal signal, InboxQueue queue, TimeProvider clock, ILogger<InboxConsumer<TContext, TEvent>> logger) : IConsumer<TEvent>
    where TContext : JaferDbContext
    where TEvent : DomainEvent
{
    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    public async Task Consume(ConsumeContext<TEvent> context)
    {
        var ct = context.CancellationToken;
        var message = context.Message;
        var faults = 0;
        var pause = s_pauses[0];
        while (true)
        {
            try
            {
                await ApplyAsync(message, ct);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (!RpcErrors.IsTransient(e) && await IsAppliedAsync(message, ct))
                {
                    JaferMetrics.InboxDuplicates.Add(1, Type);
                    return;
                }

                if (RpcErrors.IsTransient(e))
                {
                    // The store is away: not the message's fault, so it waits however long that lasts. Should the broker lose
                    // patience, it delivers again and the inbox drops what was applied meanwhile.
                    pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
                }
                else if (faults == s_pauses.Length)
                {
                    JaferMetrics.InboxParked.Add(1, Type);
                    logger.LogError(
                        "{Queue} could not apply event {EventId} of type {MessageType}, version {Version} of {AggregateId}; it waits in the error queue: {Fault}",
                        queue.Name, message.EventId, EventTypes.NameOf(typeof(TEvent)), message.AggregateVersion, message.AggregateId, Redaction.Describe(e));

                    // The broker keeps this text beside the message.
                    throw new EventNotAppliedException(e.GetType().FullName!);
                }
                else
                {
                    pause = s_pauses[faults++];
                }

                // Real time, whatever clock the service lives by: broker and store live by it too.
                await Task.Delay(pause, TimeProvider.System, ct);
            }
        }
    }

    private static KeyValuePair<string, object?> Type => new("type", EventTypes.NameOf(typeof(TEvent)));

    /// <summary>
    /// The note that the event was applied is written last, with the handler's changes and without a round trip of its own: a
    /// duplicate fails on its key, and everything that was done for it is rolled back.
    /// </summary>
    private async Task ApplyAsync(TEvent message, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await scope.ServiceProvider.GetRequiredService<IEventHandler<TContext>>().HandleAsync(db, message, ct);
        db.InboxMessages.Add(new InboxMessage { MessageId = message.EventId, Consumer = queue.Name, ReceivedAt = clock.GetUtcNow() });
        var type = EventTypes.NameOf(typeof(TEvent));
        db.JournalOwnWork(type, null, JournalEntry.ResourceOf(type, message.AggregateId));
        var publishes = db.Publishes;
        await db.SaveAndCommitAsync(ct);
        if (publishes)
        {
            signal.Notify();
        }

        JaferMetrics.InboxHandled.Add(1, Type);
        JaferMetrics.InboxLag.Record((clock.GetUtcNow() - message.RecordedAt).TotalSeconds, Type);
    }

    private async Task<bool> IsAppliedAsync(TEvent message, CancellationToken ct)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<TContext>().InboxMessages
                .AnyAsync(m => m.MessageId == message.EventId && m.Consumer == queue.Name, ct);
        }
        catch (Exception e) when (RpcErrors.IsTransient(e))
        {
            // Not known: the next attempt tells.
            return false;
        }
    }
}

/// <summary>A message that a consumer of this service has applied.</summary>
[Holds(DataCategory.Technical, Processing.Operation, Kept.UntilDone)]
internal sealed class InboxMessage
{
    public required Guid MessageId { get; init; }

    public required string Consumer { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }
}

/// <summary>An event was given up. Says the type of the fault only: the broker and its tools show the text.</summary>
internal sealed class EventNotAppliedException(string fault) : Exception("not applied: " + fault);

/// <summary>Name of the service's queue, which is also its consumer name in the inbox.</summary>
/// <param name="Name">Name.</param>
internal sealed record InboxQueue(string Name);
