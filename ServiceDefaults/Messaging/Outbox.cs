using Jafer.Contracts.Events;
using Npgsql;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>The outbox for whoever writes by plain commands, without a context.</summary>
public static class Outbox
{
    /// <summary>Adds events to the outbox; they are published once the transaction is committed.</summary>
    /// <param name="transaction">The transaction that makes them true.</param>
    /// <param name="events">The events, in the order of their publication.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task PublishAsync(NpgsqlTransaction transaction, IEnumerable<DomainEvent> events, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        ArgumentNullException.ThrowIfNull(events);
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        foreach (var message in events)
        {
            batch.BatchCommands.Add(OutboxMessage.From(message).ToInsert());
        }

        await batch.ExecuteNonQueryAsync(ct);
    }
}
