using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Messaging.Attachments;

/// <summary>Removes files that no message named in time.</summary>
internal sealed class AttachmentUpkeep(NpgsqlDataSource source, IOptions<AttachmentOptions> options, TimeProvider clock, ILogger<AttachmentUpkeep> logger) : BackgroundService
{
    private const int Portion = 100;

    /// <summary>Removes everything that is due now, in portions; how many files.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var total = 0;
        int removed;
        do
        {
            removed = await RemoveAsync(ct);
            total += removed;
        }
        while (removed == Portion);
        return total;
    }

    private async Task<int> RemoveAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var removed = new List<(Guid Id, Guid Thread)>();
        await using (var command = new NpgsqlCommand($"""
            delete from attachments where message_id is null and attachment_id = any(array(
                select attachment_id from attachments where message_id is null and created_at <= @before order by created_at limit {Portion} for update skip locked))
            returning attachment_id, thread_id
            """, connection, transaction))
        {
            command.Parameters.AddWithValue("before", clock.GetUtcNow() - options.Value.UnnamedLifetime);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                removed.Add((reader.GetGuid(0), reader.GetGuid(1)));
            }
        }

        await JournalEntry.WriteOwnAsync(connection, "attachment upkeep", removed.SelectMany(r => new[] { $"attachments/{r.Id}", $"threads/{r.Thread}" }), ct);
        await transaction.CommitAsync(CancellationToken.None);
        return removed.Count;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SweepInterval, SweepAsync, logger, "attachments that no message names could not be removed", stoppingToken);
}
