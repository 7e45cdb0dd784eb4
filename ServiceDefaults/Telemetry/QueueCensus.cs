using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Jafer.ServiceDefaults.Telemetry;

/// <summary>A figure that a census counts.</summary>
/// <param name="Name">Name of the metric.</param>
/// <param name="Unit">Its unit, such as "{mail}".</param>
/// <param name="Description">What it counts.</param>
public readonly record struct CensusGauge(string Name, string Unit, string Description);

/// <summary>
/// Counts now and then what waits in a queue of rows, how old the oldest of it is, and one thing more, for the metrics of whatever
/// replica is asked.
/// </summary>
public abstract class QueueCensus : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(15);

    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly Meter _meter;
    private Counts _counts = new(0, 0, 0);

    /// <summary>A census.</summary>
    /// <param name="source">The database.</param>
    /// <param name="clock">Time.</param>
    /// <param name="logger">Where failures are told.</param>
    /// <param name="queue">Begin of the names of its metrics, such as "jafer.mail".</param>
    /// <param name="waiting">What waits; its name and that of the age follow the begin.</param>
    /// <param name="other">The one thing more.</param>
    protected QueueCensus(NpgsqlDataSource source, TimeProvider clock, ILogger logger, string queue, CensusGauge waiting, CensusGauge other)
    {
        // The meter knows whose it is, where several services are in one process.
        (_source, _clock, _logger, _meter) = (source, clock, logger, new Meter(JaferMetrics.Name, version: null, tags: null, scope: this));
        _meter.CreateObservableGauge($"{queue}.{waiting.Name}", () => Volatile.Read(ref _counts).Waiting, waiting.Unit, waiting.Description);
        _meter.CreateObservableGauge($"{queue}.oldest_age", () => Volatile.Read(ref _counts).OldestAge, "s", "Age of the oldest of them");
        _meter.CreateObservableGauge($"{queue}.{other.Name}", () => Volatile.Read(ref _counts).Other, other.Unit, other.Description);
    }

    /// <summary>The query: how many wait, since when the oldest does, and how many there are of the other. @now is the time.</summary>
    protected abstract string Query { get; }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Counts now.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task CountAsync(CancellationToken ct)
    {
        await using var command = _source.CreateCommand(Query);
        command.Parameters.AddWithValue("now", _clock.GetStoredNow());
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var age = reader.IsDBNull(1) ? TimeSpan.Zero : _clock.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1);
        Volatile.Write(ref _counts, new Counts(reader.GetInt64(0), Math.Max(0, age.TotalSeconds), reader.GetInt64(2)));
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _clock.RepeatAsync(s_interval, CountAsync, _logger, "what waits could not be counted", stoppingToken);

    private sealed record Counts(long Waiting, double OldestAge, long Other);
}
