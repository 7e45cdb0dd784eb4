using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Retention;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Deletes what has served: inbox lines (kept for longer than anybody re-drives by hand) and request ids, as the rules of retention say.
/// In small portions, so that no lock lasts.
/// </summary>
internal sealed class Housekeeping(NpgsqlDataSource source, OutboxState state, TimeProvider clock, ILogger<Housekeeping> logger) : BackgroundService
{
    private const int Portion = 5000;

    private static readonly (string Table, string Column, TimeSpan Keep)[] s_rules =
    [
        ("inbox_messages", "received_at", RetentionTable.BuiltIn["INBOX"].Keep.Span),
        ("processed_requests", "created_at", RetentionTable.BuiltIn["REQUESTS"].Keep.Span),
    ];

    /// <summary>Deletes everything that is due now.</summary>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var total = 0;
        foreach (var (table, column, keep) in s_rules)
        {
            int deleted;
            do
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await using var command = new NpgsqlCommand(
                    $"delete from {table} where ctid = any(array(select ctid from {table} where {column} < @before limit {Portion}))", connection, transaction);
                command.Parameters.AddWithValue("before", clock.GetUtcNow() - keep);
                deleted = await command.ExecuteNonQueryAsync(ct);
                if (deleted > 0)
                {
                    await JournalEntry.WriteOwnAsync(connection, "housekeeping", [$"tables/{table}"], ct);
                }

                await transaction.CommitAsync(CancellationToken.None);
                total += deleted;
            }
            while (deleted == Portion);
        }

        return total;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), clock);
        var nextSweep = clock.GetUtcNow().AddMinutes(5);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await state.ReadAsync(stoppingToken);
                if (clock.GetUtcNow() >= nextSweep)
                {
                    nextSweep = clock.GetUtcNow().AddHours(1);
                    await SweepAsync(stoppingToken);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                logger.LogWarning("Housekeeping failed: {Fault}", Redaction.Describe(e));
            }
        }
    }
}
