using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Messaging.Attachments;

/// <summary>Removes files that no message named in time, and counts those in quarantine for the metrics.</summary>
internal sealed class AttachmentUpkeep : BackgroundService
{
    private const int Portion = 100;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(15);

    private readonly NpgsqlDataSource _source;
    private readonly IOptions<AttachmentOptions> _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<AttachmentUpkeep> _logger;
    private readonly Meter _meter = new(JaferMetrics.Name);
    private Counts _counts = new(0, 0, 0);

    public AttachmentUpkeep(NpgsqlDataSource source, IOptions<AttachmentOptions> options, TimeProvider clock, ILogger<AttachmentUpkeep> logger)
    {
        (_source, _options, _clock, _logger) = (source, options, clock, logger);
        _meter.CreateObservableGauge("jafer.attachments.quarantined", () => Volatile.Read(ref _counts).Waiting, "{file}", "Attachments that wait for a verdict");
        _meter.CreateObservableGauge("jafer.attachments.oldest_age", () => Volatile.Read(ref _counts).OldestAge, "s", "Age of the oldest of them");
        _meter.CreateObservableGauge("jafer.attachments.refused", () => Volatile.Read(ref _counts).Refused, "{file}", "Attachments that a scanner refused");
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    /// <summary>Removes everything that is due now, in portions; how many files.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var total = 0;
        int removed;
        do
        {
            await using var command = _source.CreateCommand($"""
                delete from attachments where message_id is null and attachment_id = any(array(
                    select attachment_id from attachments where message_id is null and created_at <= @before order by created_at limit {Portion} for update skip locked))
                """);
            command.Parameters.AddWithValue("before", _clock.GetUtcNow() - _options.Value.UnnamedLifetime);
            removed = await command.ExecuteNonQueryAsync(ct);
            total += removed;
        }
        while (removed == Portion);
        return total;
    }

    /// <summary>Counts now.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task CountAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand("""
            select count(*), min(created_at), (select count(*) from attachments where state = 'REFUSE') from attachments where next_check_at is not null
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var age = reader.IsDBNull(1) ? TimeSpan.Zero : _clock.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1);
        Volatile.Write(ref _counts, new Counts(reader.GetInt64(0), Math.Max(0, age.TotalSeconds), reader.GetInt64(2)));
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
        _clock.RepeatAsync(s_interval, CountAsync, _logger, "attachments could not be counted", stoppingToken),
        _clock.RepeatAsync(_options.Value.SweepInterval, SweepAsync, _logger, "attachments that no message names could not be removed", stoppingToken));

    private sealed record Counts(long Waiting, double OldestAge, long Refused);
}
