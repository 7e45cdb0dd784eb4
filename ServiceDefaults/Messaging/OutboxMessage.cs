using System.Diagnostics;
using System.Text.Json;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Privacy;
using Npgsql;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>An event that was decided and is not yet given to the broker. The relay deletes it once the broker has taken it.</summary>
[Holds(DataCategory.Technical, Processing.Operation, Kept.UntilDone)]
internal sealed class OutboxMessage : IAppended
{
    public long Id { get; private init; }

    public required Guid MessageId { get; init; }

    public required string MessageType { get; init; }

    public required Guid OrderingKey { get; init; }

    [InClear(DataCategory.CaseLife, "identifiers, codes and dates only, as every event")]
    public required string Payload { get; init; }

    public required string Headers { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    public NpgsqlBatchCommand ToInsert() => Inserts.With(
        "insert into outbox_messages (message_id, message_type, ordering_key, payload, headers, occurred_at) values ($1, $2, $3, $4, $5, $6)",
        Inserts.Value(MessageId), Inserts.Value(MessageType), Inserts.Value(OrderingKey), Inserts.Json(Payload), Inserts.Json(Headers),
        Inserts.Value(OccurredAt));

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
