using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Notifications.Mails;

/// <summary>Counts what waits to be mailed and whose address is refused, for the metrics.</summary>
internal sealed class MailCensus : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(15);

    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _clock;
    private readonly ILogger<MailCensus> _logger;
    private readonly Meter _meter = new(JaferMetrics.Name);
    private Counts _counts = new(0, 0, 0);

    public MailCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<MailCensus> logger)
    {
        (_source, _clock, _logger) = (source, clock, logger);
        _meter.CreateObservableGauge("jafer.mail.pending", () => Volatile.Read(ref _counts).Pending, "{mail}", "Mails to be addressed, or to be sent to one person");
        _meter.CreateObservableGauge("jafer.mail.oldest_age", () => Volatile.Read(ref _counts).OldestAge, "s", "Age of the oldest of them");
        _meter.CreateObservableGauge("jafer.mail.refused_contacts", () => Volatile.Read(ref _counts).Refused, "{contact}", "Contacts whose address was refused for good within a week");
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
            select count(*), min(created_at),
                   (select count(distinct (organisation_id, contact_id)) from mail_recipients where state = 'REFUSED' and last_error is not null and last_attempt_at > @week)
            from (
                select created_at from deliveries where state = 'QUEUED'
                union all select created_at from mail_recipients where state = 'QUEUED') waiting
            """);
        command.Parameters.AddWithValue("week", _clock.GetStoredNow() - TimeSpan.FromDays(7));
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        var age = reader.IsDBNull(1) ? TimeSpan.Zero : _clock.GetUtcNow() - reader.GetFieldValue<DateTimeOffset>(1);
        Volatile.Write(ref _counts, new Counts(reader.GetInt64(0), Math.Max(0, age.TotalSeconds), reader.GetInt64(2)));
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _clock.RepeatAsync(s_interval, CountAsync, _logger, "mails could not be counted", stoppingToken);

    private sealed record Counts(long Pending, double OldestAge, long Refused);
}
