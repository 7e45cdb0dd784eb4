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
            await using var command = source.CreateCommand($"""
                delete from attachments where message_id is null and attachment_id = any(array(
                    select attachment_id from attachments where message_id is null and created_at <= @before order by created_at limit {Portion} for update skip locked))
                """);
            command.Parameters.AddWithValue("before", clock.GetUtcNow() - options.Value.UnnamedLifetime);
            removed = await command.ExecuteNonQueryAsync(ct);
            total += removed;
        }
        while (removed == Portion);
        return total;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SweepInterval, SweepAsync, logger, "attachments that no message names could not be removed", stoppingToken);
}
