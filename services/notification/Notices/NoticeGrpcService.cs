using System.Text.RegularExpressions;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Feed;
using Jafer.Notifications.Mails;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Notices;

/// <summary>What was told to whom, and what became of it.</summary>
internal sealed partial class NoticeGrpcService(
    NotificationsDbContext db, Commands<NotificationsDbContext> commands, NoticeReader notices, DeliveryProofs proofs, PageTokens tokens, TimeProvider clock)
    : NoticeService.NoticeServiceBase
{
    public override async Task<ListNoticesResponse> ListNotices(ListNoticesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var size = check.PageSize(request.PageSize, 50, 200);
        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<NoticeCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        var mesure = await db.Holders.AsNoTracking().SingleOrDefaultAsync(h => h.MesureId == mesureId, context.CancellationToken);
        if (!caller.MayTouch(mesure?.JuridictionId) && !caller.MayTouch(mesure?.GestionnaireId) && !caller.HasInTerritory(mesure?.EspaceId, mesure?.JuridictionId))
        {
            throw DomainError.Forbidden();
        }

        if (mesure is null)
        {
            throw DomainError.NotFound($"mesures/{mesureId}");
        }

        var page = await notices.ReadAsync(mesureId, caller, cursor, size + 1, context.CancellationToken);
        var response = new ListNoticesResponse { Notices = { page.Take(size) } };
        if (page.Count > size)
        {
            var last = page[size - 1];
            response.NextPageToken = tokens.Protect(
                new NoticeCursor(last.QueueTime.ToDateTimeOffset(), Guid.Parse(last.NoticeId), Guid.Parse(last.OrganisationId)), binding);
        }

        return response;
    }

    public override Task<MarkNoticeOpenedResponse> MarkNoticeOpened(MarkNoticeOpenedRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var noticeId = check.Uuid("notice_id", request.NoticeId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var organisationId = context.Caller().OrganisationId;
            if (await EventOfAsync(noticeId, organisationId, ct) is not { } eventId)
            {
                throw DomainError.Forbidden();
            }

            await db.Database.BeginTransactionAsync(ct);
            var now = clock.GetStoredNow();
            await db.Database.ExecuteSqlAsync($"""
                insert into notice_openings (organisation_id, notice_id, event_id, opened_at)
                select {organisationId}, {noticeId}, {eventId},
                       coalesce((select opened_at from notice_proofs where notice_id = {noticeId} and organisation_id = {organisationId}), {now})
                on conflict do nothing;
                update notice_proofs set opened_at = {now} where notice_id = {noticeId} and organisation_id = {organisationId} and opened_at is null
                """, ct);
            await proofs.NoteHadAsync(db, organisationId, eventId, DeliveryChannel.Notice, ct);
            foreach (var other in await OpenSameLineAsync(noticeId, organisationId, now, ct))
            {
                await proofs.NoteHadAsync(db, organisationId, other, DeliveryChannel.Notice, ct);
            }

            var opened = await db.NoticeOpenings.AsNoTracking().SingleAsync(o => o.OrganisationId == organisationId && o.NoticeId == noticeId, ct);
            return new MarkNoticeOpenedResponse { OpenTime = opened.OpenedAt.ToProto() };
        }, _ => $"notices/{noticeId}");
    }

    public override async Task<ListMailRefusalsResponse> ListMailRefusals(ListMailRefusalsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var wanted = check.OptionalUuid("organisation_id", request.OrganisationId);
        var size = check.PageSize(request.PageSize, 50, 200);
        var caller = context.Caller();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<RefusalCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        if (caller.Tenancy == Tenancy.Own)
        {
            wanted ??= caller.OrganisationId;
        }

        if (wanted is not null)
        {
            caller.RequireOrganisation(wanted);
        }

        var refused = db.MailRecipients.AsNoTracking()
            .Where(r => r.LastError != null && r.State != RecipientStates.Sent && (r.LastStatus != null || r.State != RecipientStates.Queued));
        refused = wanted is { } organisationId ? refused.Where(r => r.OrganisationId == organisationId) : refused;
        if (wanted is null && caller.OrganisationsWithin is { } organisations)
        {
            refused = refused.Where(r => organisations.Contains(r.OrganisationId));
        }

        refused = cursor is null ? refused : refused.Where(r => r.NoticeId < cursor.NoticeId);

        // The ids are of version 7: the latest is the greatest.
        var page = await refused.OrderByDescending(r => r.NoticeId).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListMailRefusalsResponse { Refusals = { page.Take(size).Select(ToProto) } };
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new RefusalCursor(page[size - 1].NoticeId), binding);
        }

        return response;
    }

    public override Task<RecordBounceResponse> RecordBounce(RecordBounceRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var mailId = check.Uuid("mail_id", request.MailId);
        var requestId = check.RequestId(request.RequestId);
        check.That(EnhancedStatus.IsMatch(request.Status), "status", "must be a status such as 5.1.1, of class 4 or 5");
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            await db.Database.BeginTransactionAsync(ct);
            var known = await db.MailRecipients.AsNoTracking().AnyAsync(r => r.MailId == mailId, ct);
            if (!known)
            {
                throw DomainError.NotFound($"mails/{mailId}");
            }

            var refused = request.Status[0] == '4' ? 0 : await Bounces.NoteAsync(db, mailId, request.Status, clock.GetStoredNow(), ct);
            return new RecordBounceResponse { RefusedCount = refused };
        }, _ => $"mails/{mailId}");
    }

    [GeneratedRegex(@"^[45]\.\d{1,3}\.\d{1,3}\z")]
    private static partial Regex EnhancedStatus { get; }

    /// <summary>The event of a notice of the organisation: of a mail, a webhook or the feed, kept or proven; null when it has no such notice.</summary>
    private async Task<Guid?> EventOfAsync(Guid noticeId, Guid organisationId, CancellationToken ct) => (await db.Database.SqlQuery<Guid>($"""
        select d.event_id as "Value" from mail_recipients r join deliveries d using (delivery_id) where r.notice_id = {noticeId} and r.organisation_id = {organisationId}
        union all
        select d.event_id from webhook_deliveries d join webhook_endpoints e using (endpoint_id) where d.delivery_id = {noticeId} and e.organisation_id = {organisationId} and not d.test
        union all
        select event_id from feed_events where organisation_id = {organisationId} and event_id = {noticeId}
        union all
        select event_id from notice_proofs where organisation_id = {organisationId} and notice_id = {noticeId}
        """).ToListAsync(ct)) is [var eventId, ..] ? eventId : null;

    /// <summary>A mail says the same once: who opens its link has opened all that the line stands for. The events of the others.</summary>
    private Task<List<Guid>> OpenSameLineAsync(Guid noticeId, Guid organisationId, DateTimeOffset now, CancellationToken ct) => db.Database.SqlQuery<Guid>($"""
        insert into notice_openings (organisation_id, notice_id, event_id, opened_at)
        select o.organisation_id, o.notice_id, d.event_id, {now}
        from mail_recipients r
        join mail_recipients o on o.organisation_id = r.organisation_id and o.contact_id = r.contact_id and o.mail_id = r.mail_id and o.state = 'SENT' and o.notice_id <> r.notice_id
            and o.subject_id = r.subject_id and o.event_type = r.event_type and o.urgent = r.urgent and o.deadline is not distinct from r.deadline
            and o.rung is not distinct from r.rung and o.reminder = r.reminder
        join deliveries d on d.delivery_id = o.delivery_id
        where r.notice_id = {noticeId} and r.organisation_id = {organisationId}
        on conflict do nothing returning event_id as "Value"
        """).ToListAsync(ct);

    private static MailRefusal ToProto(MailRecipient recipient) => new()
    {
        NoticeId = recipient.NoticeId.ToString(),
        OrganisationId = recipient.OrganisationId.ToString(),
        ContactId = recipient.ContactId,
        Type = recipient.EventType,
        State = ProtoConversions.FromCode<NoticeState>(recipient.State),
        LastStatus = recipient.LastStatus ?? 0,
        LastError = recipient.LastError,
        AttemptCount = recipient.Attempts,
        QueueTime = recipient.CreatedAt.ToProto(),
        LastAttemptTime = recipient.LastAttemptAt.ToProto(),
        NextAttemptTime = recipient.State == RecipientStates.Queued ? recipient.NextAttemptAt.ToProto() : null,
    };

    private sealed record RefusalCursor(Guid NoticeId);
}
