using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Privacy;
using MassTransit;

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

    /// <summary>
    /// Reads at once, with few round trips, what the events of a transaction need; they are handled one after the other thereafter, and
    /// saved together at the end: a handler that asks the database for what an earlier one may have changed saves before.
    /// </summary>
    /// <param name="db">The context, with an open transaction.</param>
    /// <param name="messages">The events in their order; several may be of one aggregate.</param>
    /// <param name="ct">Cancellation.</param>
    Task PrepareAsync(TContext db, IReadOnlyList<DomainEvent> messages, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>
/// Applies each message once: a delivery whose id stands in the inbox is acknowledged and dropped. Failures are tried again behind
/// this door, inside the order of the aggregate, so that no later event of the same aggregate overtakes one that is tried again.
/// </summary>
internal sealed class InboxConsumer<TContext, TEvent>(InboxGroup<TContext> group) : IConsumer<TEvent>
    where TContext : JaferDbContext
    where TEvent : DomainEvent
{
    public Task Consume(ConsumeContext<TEvent> context) =>
        group.ApplyAsync(context.Message, context.TryGetPayload<Turn>(out var turn) ? turn : null, context.CancellationToken);
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
