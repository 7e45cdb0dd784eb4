using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Notifications.Notices;

/// <summary>Where a page of notices ended.</summary>
internal sealed record NoticeCursor(DateTimeOffset QueuedAt, Guid NoticeId, Guid OrganisationId);

/// <summary>Reads what was told of a mesure by feed, webhook and mail.</summary>
internal sealed class NoticeReader(NpgsqlDataSource source)
{
    // What proved a delivery stands, whatever a replay does. What is kept no longer is in the proofs, unless a replay brought it back.
    // A side sees what the other was told of the events that its own feed has: of a draft, the espace has none.
    private const string Page = """
        select n.* from (
            select e.event_id as notice_id, 'FEED' as channel, e.organisation_id, e.event_id, e.type,
                   case when o.opened_at is not null then 'OPENED' when r.resumed_at is not null then 'DELIVERED' else 'QUEUED' end as state,
                   e.appended_at as queued_at, null::timestamptz as sent_at, r.resumed_at as delivered_at, o.opened_at,
                   0 as attempts, null::integer as last_status, null as last_error, null as contact_id, null::uuid as endpoint_id
            from feed_events e
            left join lateral (
                select resumed_at from feed_resumptions f where f.organisation_id = e.organisation_id and f.position >= e.position order by f.position limit 1) r on true
            left join notice_openings o on o.organisation_id = e.organisation_id and o.notice_id = e.event_id
            where e.aggregate_id = @mesure
            union all
            select d.delivery_id, 'WEBHOOK', e.organisation_id, d.event_id, d.event_type,
                   case when o.opened_at is not null then 'OPENED' when d.first_delivered_at is not null then 'DELIVERED' else d.state end,
                   coalesce(d.first_queued_at, d.queued_at), least(d.last_attempt_at, d.first_delivered_at), d.first_delivered_at, o.opened_at,
                   d.attempts, d.last_status, case when d.first_delivered_at is null then d.last_error end, null, d.endpoint_id
            from webhook_deliveries d
            join webhook_endpoints e using (endpoint_id)
            left join notice_openings o on o.organisation_id = e.organisation_id and o.notice_id = d.delivery_id
            where d.aggregate_id = @mesure and not d.test
            union all
            select coalesce(r.notice_id, d.delivery_id), 'MAIL', d.organisation_id, d.event_id, d.event_type,
                   case when o.opened_at is not null then 'OPENED' when coalesce(r.state, d.state) = 'ADDRESSED' then 'QUEUED' else coalesce(r.state, d.state) end,
                   d.created_at, r.sent_at, null, o.opened_at, coalesce(r.attempts, d.attempts), r.last_status, coalesce(r.last_error, d.last_error), r.contact_id, null
            from deliveries d
            left join mail_recipients r using (delivery_id)
            left join notice_openings o on o.organisation_id = d.organisation_id and o.notice_id = r.notice_id
            where d.mesure_id = @mesure
            union all
            select p.notice_id, p.channel, p.organisation_id, p.event_id, p.event_type, case when p.opened_at is not null then 'OPENED' else p.state end,
                   p.queued_at, p.sent_at, p.delivered_at, p.opened_at, p.attempts, p.last_status, p.last_error, p.contact_id, p.endpoint_id
            from notice_proofs p
            where p.mesure_id = @mesure and not (p.channel = 'WEBHOOK' and exists (select from webhook_deliveries d where d.delivery_id = p.notice_id))) n
        where (@all or exists (select from feed_events own where own.organisation_id = @organisation and own.event_id = n.event_id)
                    or exists (
                        select from notice_proofs own
                        where own.mesure_id = @mesure and own.notice_id = n.event_id and own.organisation_id = @organisation and own.channel = 'FEED'))
          and (@queued_at::timestamptz is null or (n.queued_at, n.notice_id, n.organisation_id) < (@queued_at, @notice, @told))
        order by n.queued_at desc, n.notice_id desc, n.organisation_id desc
        limit @limit
        """;

    /// <summary>Reads a page of the notices about a mesure, the latest first.</summary>
    /// <param name="mesureId">The mesure.</param>
    /// <param name="caller">Who asks; holds the mesure, or may read all.</param>
    /// <param name="after">Where the page before ended; null for the first.</param>
    /// <param name="limit">Most notices.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<IReadOnlyList<Notice>> ReadAsync(Guid mesureId, Caller caller, NoticeCursor? after, int limit, CancellationToken ct)
    {
        await using var command = source.CreateCommand(Page);
        command.Parameters.AddWithValue("mesure", mesureId);
        command.Parameters.AddWithValue("all", caller.Tenancy != Tenancy.Own);
        command.Parameters.AddWithValue("organisation", caller.OrganisationId);
        command.Parameters.AddWithValue("queued_at", NpgsqlDbType.TimestampTz, (object?)after?.QueuedAt ?? DBNull.Value);
        command.Parameters.AddWithValue("notice", NpgsqlDbType.Uuid, (object?)after?.NoticeId ?? DBNull.Value);
        command.Parameters.AddWithValue("told", NpgsqlDbType.Uuid, (object?)after?.OrganisationId ?? DBNull.Value);
        command.Parameters.AddWithValue("limit", limit);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var notices = new List<Notice>();
        while (await reader.ReadAsync(ct))
        {
            // Who is who at the other side is its own affair.
            var own = caller.Tenancy != Tenancy.Own || caller.MayTouch(reader.GetGuid(2));
            notices.Add(new Notice
            {
                NoticeId = reader.GetGuid(0).ToString(),
                Channel = ProtoConversions.FromCode<NoticeChannel>(reader.GetString(1)),
                OrganisationId = reader.GetGuid(2).ToString(),
                EventId = reader.GetGuid(3).ToString(),
                Type = reader.GetString(4),
                State = ProtoConversions.FromCode<NoticeState>(reader.GetString(5)),
                QueueTime = Time(reader, 6).ToProto(),
                SendTime = Time(reader, 7).ToProto(),
                DeliverTime = Time(reader, 8).ToProto(),
                OpenTime = Time(reader, 9).ToProto(),
                AttemptCount = reader.GetInt32(10),
                LastStatus = reader.IsDBNull(11) ? 0 : reader.GetInt32(11),
                LastError = reader.IsDBNull(12) ? "" : reader.GetString(12),
                ContactId = own && !reader.IsDBNull(13) ? reader.GetString(13) : "",
                EndpointId = own && !reader.IsDBNull(14) ? reader.GetGuid(14).ToString() : "",
            });
        }

        return notices;
    }

    private static DateTimeOffset? Time(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);
}
