using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Jafer.Contracts.Events;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Feed;

/// <summary>
/// Learns when each organisation reads its feed, and tells of those that have fallen silent while something waits for
/// them. Any replica may tell: the note that it was told stands in the transaction of the event.
/// </summary>
internal sealed class FeedConsumers : BackgroundService
{
    private const int Portion = 500;

    // Whose webhook takes everything reads no feed, and is told of otherwise when that fails.
    private const string Silent = """
        from feed_consumers c
        where not c.silence_told and c.silent_at <= {0}
            and (select e.appended_at from feed_events e where e.organisation_id = c.organisation_id order by e.position desc limit 1) >= c.last_hour + interval '1 hour'
            and not exists (
                select from webhook_endpoints w
                where w.organisation_id = c.organisation_id and w.state = 'ENABLED' and w.failing_since is null and cardinality(w.types) = 0)
        """;

    private readonly NpgsqlDataSource _source;
    private readonly IServiceScopeFactory _scopes;
    private readonly OutboxSignal _outbox;
    private readonly FeedOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<FeedConsumers> _logger;
    private readonly Meter _meter = new(JaferMetrics.Name);
    private readonly ConcurrentDictionary<Guid, DateTimeOffset> _noted = [];
    private long _silent;

    public FeedConsumers(
        NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal outbox, IOptions<FeedOptions> options, TimeProvider clock, ILogger<FeedConsumers> logger)
    {
        (_source, _scopes, _outbox, _options, _clock, _logger) = (source, scopes, outbox, options.Value, clock, logger);
        _meter.CreateObservableGauge("jafer.feed.silent_consumers", () => Volatile.Read(ref _silent), "{organisation}", "Organisations that read their feed no more, as told");
    }

    /// <summary>Notes that an organisation reads its feed; written once an hour for each.</summary>
    /// <param name="organisationId">The organisation.</param>
    /// <param name="ct">Cancellation.</param>
    public async ValueTask NoteAsync(Guid organisationId, CancellationToken ct)
    {
        var now = _clock.GetStoredNow();
        var hour = HourlyRhythm.StartOfHour(now);
        if (_noted.TryGetValue(organisationId, out var noted) && noted >= hour)
        {
            return;
        }

        await using var scope = _scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotificationsDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into feed_consumers (organisation_id, last_day, gaps, silent_after, silences, silence_told, hours, working_days, saturdays, sundays)
            values ({organisationId}, '0001-01-01', array[]::integer[], '0001-01-01', 0, false, 0, array[]::integer[], array[]::integer[], array[]::integer[]) on conflict do nothing
            """, ct);
        var consumer = (await db.Consumers.FromSql($"select * from feed_consumers where organisation_id = {organisationId} for update").ToListAsync(ct))[0];
        if (consumer.Report(now))
        {
            await db.SaveChangesAsync(ct);
        }

        await transaction.CommitAsync(ct);
        _noted[organisationId] = hour;
    }

    /// <summary>Tells of every consumer that has fallen silent, and counts those that are.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Silences told.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var total = 0;
        var now = _clock.GetStoredNow();
        while (await _source.AnyAsync($"select {Silent.Replace("{0}", "$1", StringComparison.Ordinal)}", [now], ct))
        {
            var told = await TellAsync(now, ct);
            total += told;
            if (told == 0)
            {
                break;
            }
        }

        await using var count = _source.CreateCommand("select count(*) from feed_consumers where silence_told");
        Volatile.Write(ref _silent, (long)(await count.ExecuteScalarAsync(ct))!);
        return total;
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _clock.RepeatAsync(_options.SilenceInterval, SweepAsync, _logger, "silent consumers could not be told", stoppingToken);

    private async Task<int> TellAsync(DateTimeOffset now, CancellationToken ct)
    {
        await using var scope = _scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotificationsDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var silent = await db.Consumers.FromSqlRaw($"select c.* {Silent} order by c.organisation_id limit {Portion} for update of c skip locked", now).ToListAsync(ct);
        foreach (var consumer in silent)
        {
            consumer.Tell();
            db.Publish(new ConsumerSilent
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = StableIds.For($"feed-consumer:{consumer.OrganisationId}"),
                AggregateVersion = consumer.Silences,
                OccurredAt = now,
                RecordedAt = now,
                OrganisationId = consumer.OrganisationId,
                LastDay = consumer.LastDay,
                UsualDays = consumer.UsualDays,
            });
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        if (silent.Count > 0)
        {
            _outbox.Notify();
        }

        return silent.Count;
    }
}
