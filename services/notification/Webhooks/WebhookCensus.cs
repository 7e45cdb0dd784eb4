using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Notifications.Webhooks;

/// <summary>Counts what waits and what is disabled, for the metrics.</summary>
internal sealed class WebhookCensus : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(15);

    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly ILogger<WebhookCensus> _logger;
    private readonly Meter _meter = new(JaferMetrics.Name);
    private Counts _counts = new(0, 0, 0);

    public WebhookCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<WebhookCensus> logger)
    {
        (_source, _clock, _logger) = (source, clock, logger);
        _meter.CreateObservableGauge("jafer.webhook.pending", () => Volatile.Read(ref _counts).Pending, "{event}", "Events not yet posted to enabled endpoints");
        _meter.CreateObservableGauge("jafer.webhook.oldest_age", () => Volatile.Read(ref _counts).OldestAge, "s", "Age of the oldest of them");
        _meter.CreateObservableGauge("jafer.webhook.disabled_endpoints", () => Volatile.Read(ref _counts).Disabled, "{endpoint}", "Endpoints that Jafer disabled");
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    /// <summary>Counts now.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task CountAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand("""
            select count(*), min(d.queued_at), (select count(*) from webhook_endpoints where state like 'DISABLED%')
            from webhook_deliveries d join webhook_endpoints e using (endpoint_id)
            where d.state = 'QUEUED' and e.state = 'ENABLED'
            """);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var age = reader.IsDBNull(1) ? TimeSpan.Zero : _clock.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1);
        Volatile.Write(ref _counts, new Counts(reader.GetInt64(0), Math.Max(0, age.TotalSeconds), reader.GetInt64(2)));
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _clock.RepeatAsync(s_interval, CountAsync, _logger, "webhooks could not be counted", stoppingToken);

    private sealed record Counts(long Pending, double OldestAge, long Disabled);
}
