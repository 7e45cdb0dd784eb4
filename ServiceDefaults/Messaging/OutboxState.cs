using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>What is in the outbox, for metrics, health and operators.</summary>
/// <param name="Pending">Messages not yet given to the broker, parked ones apart.</param>
/// <param name="OldestAge">Age of the oldest of them.</param>
/// <param name="Parked">Messages that wait for a person.</param>
public sealed record OutboxCounts(long Pending, TimeSpan OldestAge, long Parked);

/// <summary>Reads the outbox's counts; they are read at most once in 5 seconds for metrics and health.</summary>
public sealed class OutboxState
{
    private static readonly TimeSpan s_freshness = TimeSpan.FromSeconds(5);
    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly ObservableGauge<long>[] _gauges;
    private readonly ObservableGauge<double> _age;
    private OutboxCounts _counts = new(0, TimeSpan.Zero, 0);
    private long _readAt;

    /// <summary>Registers the gauges.</summary>
    public OutboxState(NpgsqlDataSource source, TimeProvider clock)
    {
        _source = source;
        _clock = clock;
        _gauges =
        [
            JaferMetrics.Meter.CreateObservableGauge("jafer.outbox.pending", () => Volatile.Read(ref _counts).Pending, "{message}", "Messages not yet given to the broker"),
            JaferMetrics.Meter.CreateObservableGauge("jafer.outbox.parked", () => Volatile.Read(ref _counts).Parked, "{message}", "Messages that wait for a person"),
        ];
        _age = JaferMetrics.Meter.CreateObservableGauge("jafer.outbox.oldest_age", () => Volatile.Read(ref _counts).OldestAge.TotalSeconds, "s", "Age of the oldest pending message");
    }

    /// <summary>The counts, now.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task<OutboxCounts> ReadAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand("""
            select (select count(*) from outbox_messages where parked_at is null),
                   (select (payload->>'recordedAt')::timestamptz from outbox_messages where parked_at is null order by id limit 1),
                   (select count(*) from outbox_messages where parked_at is not null)
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var age = reader.IsDBNull(1) ? TimeSpan.Zero : _clock.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1);
        var counts = new OutboxCounts(reader.GetInt64(0), age > TimeSpan.Zero ? age : TimeSpan.Zero, reader.GetInt64(2));
        Volatile.Write(ref _counts, counts);
        Volatile.Write(ref _readAt, _clock.GetTimestamp());
        return counts;
    }

    internal async Task<OutboxCounts> ReadRecentAsync(CancellationToken ct) =>
        Volatile.Read(ref _readAt) is var at && at != 0 && _clock.GetElapsedTime(at) < s_freshness
            ? Volatile.Read(ref _counts)
            : await ReadAsync(ct);
}

/// <summary>Degraded when the outbox does not flow.</summary>
internal sealed class OutboxHealthCheck(OutboxState state, IOptions<OutboxOptions> options) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var counts = await state.ReadRecentAsync(cancellationToken);
        return counts.Parked > 0 ? HealthCheckResult.Degraded($"{counts.Parked} parked messages")
            : counts.OldestAge > options.Value.DegradedAge ? HealthCheckResult.Degraded($"oldest message is {counts.OldestAge.TotalSeconds:F0} s old")
            : HealthCheckResult.Healthy();
    }
}
