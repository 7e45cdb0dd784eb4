using Jafer.Notifications.Data;
using Jafer.Notifications.Notices;
using Jafer.Notifications.Webhooks;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Feed;

/// <summary>
/// Deletes events and done deliveries that are older than what is kept, in portions, but keeps what they prove of a mesure. Every
/// replica tries, one works: the advisory lock dies with its connection.
/// </summary>
internal sealed class FeedRetention(NpgsqlDataSource source, IOptions<FeedOptions> options, IOptions<WebhookOptions> webhooks, TimeProvider clock, ILogger<FeedRetention> logger) : BackgroundService
{
    private const int Portion = 5000;

    // In this order, each until it finds nothing, every portion in a transaction of its own.
    private static readonly string[] s_old =
    [
        NoticeProofs.ArchiveMails,
        Counted("delete from undelivered_transmissions where (organisation_id, position) in (select organisation_id, position from undelivered_transmissions where appended_at < @before limit @portion)"),
        Counted("""
            delete from mail_people where (organisation_id, contact_id) in (
                select organisation_id, contact_id from mail_people p where due_at is null
                    and not exists (select from mail_recipients r where r.organisation_id = p.organisation_id and r.contact_id = p.contact_id and r.state = 'QUEUED')
                limit @portion)
                and due_at is null
            """),
        Counted("delete from feed_resumptions where (organisation_id, position) in (select organisation_id, position from feed_resumptions where resumed_at < @before limit @portion)"),
        Counted("""
            update webhook_deliveries set state = 'FAILED', last_error = coalesce(last_error, 'EXPIRED')
            where state = 'QUEUED' and delivery_id in (
                select delivery_id from webhook_deliveries where state = 'QUEUED' and expires_at < @given_up and next_attempt_at < @given_up limit @portion)
            """),
        NoticeProofs.ArchiveWebhooks,
        Counted($"""
            delete from webhook_endpoints where endpoint_id in (
                select endpoint_id from webhook_endpoints e where state = '{WebhookEndpoint.Deleted}'
                    and not exists (select from webhook_deliveries d where d.endpoint_id = e.endpoint_id) limit @portion)
            """),
        Counted("""
            delete from notice_openings where (organisation_id, notice_id) in (
                select organisation_id, notice_id from notice_openings o where opened_at < @before
                    and not exists (select from webhook_deliveries d where d.delivery_id = o.notice_id)
                    and not exists (select from mail_recipients r where r.notice_id = o.notice_id) limit @portion)
            """),
    ];

    /// <summary>Deletes everything that is due now; the number of events deleted, 0 when another replica is at it.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task<long> SweepAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using (var tryLock = new NpgsqlCommand("select pg_try_advisory_lock(hashtextextended('jafer:feed-retention', 0))", connection))
        {
            if (await tryLock.ExecuteScalarAsync(ct) is not true)
            {
                return 0;
            }
        }

        try
        {
            var before = clock.GetUtcNow() - options.Value.Retention;
            var total = 0L;
            foreach (var organisationId in await OrganisationsAsync(connection, before, ct))
            {
                long deleted;
                do
                {
                    deleted = await TrimAsync(connection, organisationId, before, ct);
                    total += deleted;
                }
                while (deleted > 0);
            }

            foreach (var statement in s_old)
            {
                await using var portion = new NpgsqlCommand(statement, connection);
                portion.Parameters.AddWithValue("portion", Portion);
                portion.Parameters.AddWithValue("before", before);
                // What an endpoint that is not enabled left over; an enabled one is a day behind at most.
                portion.Parameters.AddWithValue("given_up", clock.GetUtcNow() - TimeSpan.FromDays(1));
                portion.Parameters.AddWithValue("logged", clock.GetUtcNow() - webhooks.Value.LogRetention);
                while (await portion.ExecuteScalarAsync(ct) is > 0L)
                {
                }
            }

            return total;
        }
        finally
        {
            // Pooled connections live on: give the lock back.
            await using var unlock = new NpgsqlCommand("select pg_advisory_unlock_all()", connection);
            await unlock.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private static string Counted(string change) => $"with gone as ({change} returning 1) select count(*) from gone";

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.RetentionInterval, SweepAsync, logger, "old events could not be deleted", stoppingToken);

    /// <summary>Feeds whose oldest event is due: the first row of each in the primary key, not a scan of all events.</summary>
    private static async Task<List<Guid>> OrganisationsAsync(NpgsqlConnection connection, DateTimeOffset before, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("""
            select h.organisation_id from feed_heads h
            cross join lateral (select appended_at from feed_events e where e.organisation_id = h.organisation_id order by e.position limit 1) oldest
            where oldest.appended_at < @before
            """, connection);
        command.Parameters.AddWithValue("before", before);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var organisations = new List<Guid>();
        while (await reader.ReadAsync(ct))
        {
            organisations.Add(reader.GetGuid(0));
        }

        return organisations;
    }

    /// <summary>
    /// Deletes one portion, keeps its proofs and tells in the same statement how far the feed is trimmed, so that no reader can take
    /// a trimmed feed for a whole one. Stops at the first event that is not due, so that what is kept has no hole.
    /// </summary>
    private static async Task<long> TrimAsync(NpgsqlConnection connection, Guid organisationId, DateTimeOffset before, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"""
            with oldest as (
                select position, appended_at from feed_events where organisation_id = @organisation order by position limit {Portion}),
            due as (
                select max(position) as position from oldest
                where position < coalesce((select min(position) from oldest where appended_at >= @before), 9223372036854775807)),
            trimmed as (
                update feed_heads h set trimmed_to = due.position from due
                where h.organisation_id = @organisation and due.position is not null returning h.trimmed_to),
            gone as (
                delete from feed_events e using trimmed where e.organisation_id = @organisation and e.position <= trimmed.trimmed_to returning e.*),
            kept as ({NoticeProofs.ArchiveFeed})
            select count(*) from gone
            """, connection);
        command.Parameters.AddWithValue("organisation", organisationId);
        command.Parameters.AddWithValue("before", before);
        return (long)(await command.ExecuteScalarAsync(ct))!;
    }
}
