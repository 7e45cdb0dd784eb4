using Jafer.Notifications.Data;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Notices;

/// <summary>
/// The ways of notices that outlive what they were told by: retention moves them here as it deletes the feed (90 days), the log of
/// webhooks (30) and the mails. Only what is about a mesure that is known: nothing else is asked for by mesure.
/// </summary>
internal static class NoticeProofs
{
    /// <summary>
    /// Keeps the proofs of <c>@portion</c> mails that are over, deletes them and counts them; <c>@before</c> is when the youngest was queued.
    /// </summary>
    public const string ArchiveMails = """
        with gone as (
            delete from deliveries where delivery_id in (
                select delivery_id from deliveries where state <> 'QUEUED' and state <> 'ADDRESSED' and created_at < @before limit @portion) returning *),
        kept as (insert into notice_proofs (
            mesure_id, notice_id, organisation_id, channel, event_id, event_type, state, queued_at, sent_at, opened_at, attempts, last_status, last_error, contact_id)
        select g.mesure_id, coalesce(r.notice_id, g.delivery_id), g.organisation_id, 'MAIL', g.event_id, g.event_type,
               case when coalesce(r.state, g.state) = 'ADDRESSED' then 'QUEUED' else coalesce(r.state, g.state) end,
               g.created_at, r.sent_at, o.opened_at, coalesce(r.attempts, g.attempts), r.last_status, coalesce(r.last_error, g.last_error), r.contact_id
        from gone g
        join mesure_holders h on h.mesure_id = g.mesure_id
        left join mail_recipients r on r.delivery_id = g.delivery_id
        left join notice_openings o on o.organisation_id = g.organisation_id and o.notice_id = r.notice_id
        on conflict do nothing)
        select count(*) from gone
        """;

    /// <summary>
    /// Keeps the proofs of <c>@portion</c> webhooks whose log is over, deletes it and counts them; <c>@logged</c> is when the youngest was
    /// queued. A replay brings one back.
    /// </summary>
    public const string ArchiveWebhooks = """
        with gone as (
            delete from webhook_deliveries where delivery_id in (
                select delivery_id from webhook_deliveries where state <> 'QUEUED' and queued_at < @logged limit @portion) returning *),
        kept as (insert into notice_proofs (
            mesure_id, notice_id, organisation_id, channel, event_id, event_type, state, queued_at, sent_at, delivered_at, opened_at, attempts, last_status, last_error, endpoint_id)
        select g.aggregate_id, g.delivery_id, e.organisation_id, 'WEBHOOK', g.event_id, g.event_type,
               case when g.first_delivered_at is not null then 'DELIVERED' else g.state end,
               coalesce(g.first_queued_at, g.queued_at), least(g.last_attempt_at, g.first_delivered_at), g.first_delivered_at, o.opened_at,
               g.attempts, g.last_status, case when g.first_delivered_at is null then g.last_error end, g.endpoint_id
        from gone g
        join webhook_endpoints e on e.endpoint_id = g.endpoint_id
        join mesure_holders h on h.mesure_id = g.aggregate_id
        left join notice_openings o on o.organisation_id = e.organisation_id and o.notice_id = g.delivery_id
        where not g.test
        on conflict (mesure_id, notice_id, organisation_id) do update
        set state = excluded.state, sent_at = excluded.sent_at, delivered_at = excluded.delivered_at, opened_at = coalesce(notice_proofs.opened_at, excluded.opened_at),
            attempts = excluded.attempts, last_status = excluded.last_status, last_error = excluded.last_error)
        select count(*) from gone
        """;

    /// <summary>Keeps the proofs of the entries of a feed that <c>gone</c> holds, as a further part of the statement that deletes them.</summary>
    public const string ArchiveFeed = """
        insert into notice_proofs (mesure_id, notice_id, organisation_id, channel, event_id, event_type, state, queued_at, delivered_at, opened_at, attempts)
        select g.aggregate_id, g.event_id, g.organisation_id, 'FEED', g.event_id, g.type, case when r.resumed_at is null then 'QUEUED' else 'DELIVERED' end,
               g.appended_at, r.resumed_at, o.opened_at, 0
        from gone g
        join mesure_holders h on h.mesure_id = g.aggregate_id
        left join lateral (
            select resumed_at from feed_resumptions f where f.organisation_id = g.organisation_id and f.position >= g.position order by f.position limit 1) r on true
        left join notice_openings o on o.organisation_id = g.organisation_id and o.notice_id = g.event_id
        on conflict do nothing
        """;

    /// <summary>
    /// Deletes what is kept of a mesure whose own retention has ended, logs and mails as well, in the transaction that was begun. Without
    /// its holder nothing of it is kept again. The feed, whose entries are identifiers, codes and dates, ends by itself; so does what
    /// tells the other holders to erase.
    /// </summary>
    /// <param name="db">The context.</param>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="ct">Cancellation.</param>
    public static Task PurgeAsync(NotificationsDbContext db, Guid mesureId, CancellationToken ct) => db.Database.ExecuteSqlAsync($"""
        delete from notice_openings o using notice_proofs p where p.mesure_id = {mesureId} and o.organisation_id = p.organisation_id and o.notice_id = p.notice_id;
        delete from notice_openings o using webhook_deliveries d where d.aggregate_id = {mesureId} and o.notice_id = d.delivery_id;
        delete from notice_openings o using deliveries d join mail_recipients r on r.delivery_id = d.delivery_id where d.mesure_id = {mesureId} and o.notice_id = r.notice_id;
        delete from webhook_deliveries where aggregate_id = {mesureId} and event_type <> 'mesure.mesure-purged.v1';
        delete from deliveries where mesure_id = {mesureId};
        delete from undelivered_transmissions where mesure_id = {mesureId};
        delete from notice_proofs where mesure_id = {mesureId};
        delete from mesure_holders where mesure_id = {mesureId}
        """, ct);
}
