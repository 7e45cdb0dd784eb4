using System.Diagnostics;
using System.Text.Json;
using Jafer.Contracts.Events;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>An event that was decided and is not yet given to the broker. The relay deletes it once the broker has taken it.</summary>
internal sealed class OutboxMessage
{
    public long Id { get; private init; }

    public required Guid MessageId { get; init; }

    public required string MessageType { get; init; }

    public required Guid OrderingKey { get; init; }

    public required string Payload { get; init; }

    public required string Headers { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    public static OutboxMessage From(DomainEvent message) => new()
    {
        MessageId = message.EventId,
        MessageType = EventTypes.NameOf(message.GetType()),
        OrderingKey = message.AggregateId,
        Payload = JsonSerializer.Serialize(message, message.GetType(), EventTypes.Json),
        Headers = Activity.Current is { } activity
            ? JsonSerializer.Serialize(new Dictionary<string, string> { ["traceparent"] = activity.Id! })
            : "{}",
        OccurredAt = message.OccurredAt,
    };
}
