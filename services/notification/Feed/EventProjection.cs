using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Mails;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using WebhookDelivery = Jafer.Notifications.Data.WebhookDelivery;

namespace Jafer.Notifications.Feed;

/// <summary>Puts each event into the feeds that it concerns, queues it for their webhooks, and a mail for whoever must act next.</summary>
internal sealed class EventProjection(TimeProvider clock, IOptions<MailOptions> mail, IOptions<EscalationOptions> escalation) : IEventHandler<NotificationsDbContext>
{
    public async Task HandleAsync(NotificationsDbContext db, DomainEvent message, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var type = EventTypes.NameOf(message.GetType());
        var data = EventData.Of(message);
        var audience = Audience.Of(message, escalation.Value.OperatorId);
        var positions = new Dictionary<Guid, long>();
        foreach (var addressee in audience)
        {
            var position = await db.NextPositionAsync(addressee.OrganisationId, ct);
            positions[addressee.OrganisationId] = position;
            if (message is MesureTransmitted transmitted && transmitted.GestionnaireId == addressee.OrganisationId)
            {
                db.UndeliveredTransmissions.Add(new UndeliveredTransmission
                {
                    OrganisationId = addressee.OrganisationId,
                    Position = position,
                    EventId = message.EventId,
                    MesureId = message.AggregateId,
                    MesureVersion = message.AggregateVersion,
                    AppendedAt = now,
                });
            }

            db.Events.Add(new FeedEvent
            {
                OrganisationId = addressee.OrganisationId,
                Position = position,
                EventId = message.EventId,
                Type = type,
                AggregateId = message.AggregateId,
                AggregateVersion = message.AggregateVersion,
                OccurredAt = message.OccurredAt,
                RecordedAt = message.RecordedAt,
                Data = data,
                ActionRequired = addressee.MustAct,
                AppendedAt = now,
            });
        }

        await QueueWebhooksAsync(db, message, type, positions, now, ct);
        if (await DoneAsync(db, message, ct) is { Count: > 0 } done)
        {
            await DropAsync(db, [.. done], ct);
        }

        var detail = Calls.DetailOf(message);
        var dueAt = message switch
        {
            DeadlineDue due => due.DueAt,
            ReminderDue due => due.DueAt,
            _ => (DateTimeOffset?)null,
        };
        if (Calls.For(message, await HeldBeforeAsync(db, message, audience, ct), escalation.Value.OperatorId) is { } call
            && !(call.OnceADay && await WasCalledTodayAsync(db, call, type, detail, now, ct)))
        {
            db.Deliveries.Add(new Delivery
            {
                DeliveryId = Guid.CreateVersion7(now),
                OrganisationId = call.OrganisationId,
                EventId = message.EventId,
                EventType = type,
                MesureId = call.About,
                Urgent = call.Urgent,
                Deadline = detail,
                DeadlineDueAt = dueAt,
                Rung = call.Rung == ReminderRung.Unspecified ? null : call.Rung.ToCode(),
                Reminder = call.Reminder,
                State = DeliveryStates.Queued,
                Attempts = 0,
                NextAttemptAt = call.Urgent ? now : now + mail.Value.GroupingDelay,
                CreatedAt = now,
            });
        }
    }

    /// <summary>What waits to be mailed of something that the event says is done: a deadline that was met, a message that was answered.</summary>
    private static Task<List<Guid>> DoneAsync(NotificationsDbContext db, DomainEvent message, CancellationToken ct) => message switch
    {
        DeadlineLifted lifted => db.Database.SqlQuery<Guid>($"""
            select delivery_id from deliveries
            where mesure_id = {lifted.AggregateId} and deadline = {lifted.Deadline} and deadline_due_at = {lifted.DueAt} and state in ('QUEUED', 'ADDRESSED')
            """).ToListAsync(ct),
        MessagePosted { AnswersMessageId: { } answered } => OfMessageAsync(db, message.AggregateId, answered, ct),
        MessageAcknowledged acknowledged => OfMessageAsync(db, message.AggregateId, acknowledged.MessageId, ct),
        QuestionWithdrawn withdrawn => OfMessageAsync(db, message.AggregateId, withdrawn.MessageId, ct),
        _ => Task.FromResult(new List<Guid>()),
    };

    // The feed's own entry of the event says of which message the mail is.
    private static Task<List<Guid>> OfMessageAsync(NotificationsDbContext db, Guid threadId, Guid messageId, CancellationToken ct) => db.Database.SqlQuery<Guid>($"""
        select d.delivery_id from deliveries d join feed_events e on e.organisation_id = d.organisation_id and e.event_id = d.event_id
        where d.mesure_id = {threadId} and d.state in ('QUEUED', 'ADDRESSED') and d.event_type in ('messaging.message-posted.v1', 'messaging.message-overdue.v1')
          and e.data ->> 'messageId' = {messageId.ToString()}
        """).ToListAsync(ct);

    /// <summary>
    /// Drops what nobody waits for any more; what is being sent just now goes out. The second look at the recipients finds those who
    /// were addressed while the first one waited.
    /// </summary>
    private static async Task DropAsync(NotificationsDbContext db, Guid[] done, CancellationToken ct) => await db.Database.ExecuteSqlAsync($"""
        update mail_recipients set state = 'DROPPED' where delivery_id = any({done}) and state = 'QUEUED';
        update deliveries set state = 'DROPPED' where delivery_id = any({done}) and state in ('QUEUED', 'ADDRESSED');
        update mail_recipients set state = 'DROPPED' where delivery_id = any({done}) and state = 'QUEUED'
        """, ct);

    /// <summary>Queues the event for each endpoint that wants it, beside its entry in the feed.</summary>
    private static async Task QueueWebhooksAsync(NotificationsDbContext db, DomainEvent message, string type, Dictionary<Guid, long> positions, DateTimeOffset now, CancellationToken ct)
    {
        var enabled = WebhookEndpointState.Enabled.ToCode();
        Guid[] organisations = [.. positions.Keys];
        var wanted = await db.WebhookEndpoints
            .Where(e => organisations.Contains(e.OrganisationId) && e.State == enabled && (e.Types.Length == 0 || e.Types.Contains(type)))
            .Select(e => new { e.EndpointId, e.OrganisationId }).ToListAsync(ct);
        db.WebhookDeliveries.AddRange(wanted.Select(endpoint => new WebhookDelivery
        {
            DeliveryId = WebhookMessage.DeliveryId(endpoint.EndpointId, message.EventId),
            EndpointId = endpoint.EndpointId,
            Test = false,
            EventId = message.EventId,
            EventType = type,
            AggregateId = message.AggregateId,
            AggregateVersion = message.AggregateVersion,
            Position = positions[endpoint.OrganisationId],
            AboutEspace = message is ThreadEvent { ThreadKind: "ESPACE" },
            OccurredAt = message.OccurredAt,
            State = WebhookDeliveryState.Queued.ToCode(),
            QueuedAt = now,
            NextAttemptAt = now,
            ExpiresAt = now + WebhookSchedule.Lifetime,
        }));
    }

    /// <summary>
    /// Whether such a mail about the same thing was queued in the last 20 hours: a sweep that runs a little earlier tomorrow is
    /// another day. The counter of the organisation's feed is locked by now, so two events cannot both find none.
    /// </summary>
    private static Task<bool> WasCalledTodayAsync(NotificationsDbContext db, Call call, string type, string? detail, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - TimeSpan.FromHours(20);
        var rung = call.Rung == ReminderRung.Unspecified ? null : call.Rung.ToCode();
        return db.Deliveries.AnyAsync(
            d => d.OrganisationId == call.OrganisationId && d.EventType == type && d.MesureId == call.About && d.Deadline == detail && d.Rung == rung && d.CreatedAt > since, ct);
    }

    /// <summary>
    /// The organisation that had to act before this event, and notes the one that has to now. An event older than what is
    /// known changes nothing: it counts as if its holder had been told already.
    /// </summary>
    private static async Task<Guid?> HeldBeforeAsync(NotificationsDbContext db, DomainEvent message, IReadOnlyList<Addressee> audience, CancellationToken ct)
    {
        if (message is not MesureEvent step)
        {
            return null;
        }

        var holder = Audience.Holder(step);
        // A draft is not yet the affair of its espace.
        Guid? gestionnaire = audience.Any(a => a.OrganisationId == step.GestionnaireId) ? step.GestionnaireId : null;
        var known = await db.Holders.SingleOrDefaultAsync(h => h.MesureId == step.AggregateId, ct);
        if (known is null)
        {
            db.Holders.Add(new MesureHolder
            {
                MesureId = step.AggregateId,
                Version = step.AggregateVersion,
                OrganisationId = holder,
                JuridictionId = step.JuridictionId,
                GestionnaireId = gestionnaire,
            });
            return null;
        }

        if (step.AggregateVersion <= known.Version)
        {
            return holder;
        }

        var before = known.OrganisationId;
        known.Version = step.AggregateVersion;
        known.OrganisationId = holder ?? before;
        (known.JuridictionId, known.GestionnaireId) = (step.JuridictionId, gestionnaire ?? known.GestionnaireId);
        return before;
    }
}
