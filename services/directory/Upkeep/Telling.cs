using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Directory.Upkeep;

/// <summary>
/// Tells what is due by a statement that notes it as told and returns it. The note stands in the transaction of the events, so that any
/// replica may do it, nothing is told twice and nothing is lost.
/// </summary>
/// <param name="source">The database.</param>
/// <param name="outbox">Told that there are events.</param>
/// <param name="clock">Time.</param>
internal sealed class Telling(NpgsqlDataSource source, OutboxSignal outbox, TimeProvider clock)
{
    /// <summary>Rows of one transaction: a statement notes no more, and is asked again while it notes as many.</summary>
    public const int Portion = 500;

    // One replica tells at a time; the lock ends with its transaction, whatever happens to the process.
    private const string Lock = "select pg_advisory_xact_lock(hashtextextended('directory:upkeep', 0))";

    /// <summary>Tells everything that is due.</summary>
    /// <param name="sql">The statement, of <c>@today</c> and <c>@now</c>.</param>
    /// <param name="toEvent">The event of a row.</param>
    /// <param name="ct">Cancellation.</param>
    /// <param name="rules">What else the statement asks for; null for nothing.</param>
    /// <returns>Events published.</returns>
    public async Task<int> TellAsync(string sql, Func<NpgsqlDataReader, DateTimeOffset, DomainEvent> toEvent, CancellationToken ct, Func<NpgsqlParameter[]>? rules = null)
    {
        var total = 0;
        int told;
        do
        {
            told = await TellPortionAsync(sql, toEvent, rules, ct);
            total += told;
        }
        while (told == Portion);
        return total;
    }

    private async Task<int> TellPortionAsync(string sql, Func<NpgsqlDataReader, DateTimeOffset, DomainEvent> toEvent, Func<NpgsqlParameter[]>? rules, CancellationToken ct)
    {
        // By plain commands: EF's model would stay in the memory of a service of which nothing has been asked yet.
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var enter = new NpgsqlCommand(Lock, connection, transaction))
            await enter.ExecuteNonQueryAsync(ct);
        var now = clock.GetStoredNow();
        var events = new List<DomainEvent>();
        await using (var command = new NpgsqlCommand(sql, connection, transaction)
        {
            Parameters = { new("today", clock.TodayInParis()), new("now", now) },
        })
        {
            command.Parameters.AddRange(rules?.Invoke() ?? []);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                events.Add(toEvent(reader, now));
        }
        if (events.Count == 0)
            return 0;
        await Outbox.PublishAsync(transaction, events, ct);
        await transaction.CommitAsync(CancellationToken.None);
        outbox.Notify();
        return events.Count;
    }
}
