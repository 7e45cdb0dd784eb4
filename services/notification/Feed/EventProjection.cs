using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Mails;
using Jafer.Notifications.Notices;
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
    // The group of declared waits, which are not confirmed but declared anew.
    private const string Attente = "ATTENTE";

    // Of the events of the transaction: the next position of each feed, who wants webhooks, and whether several are applied together.
    private Dictionary<Guid, long> _next = [];
    private List<(Guid EndpointId, Guid OrganisationId, string[] Types)> _endpoints = [];
    private bool _together;

    public async Task PrepareAsync(NotificationsDbContext db, IReadOnlyList<DomainEvent> messages, CancellationToken ct)
    {
        _together = messages.Count > 1;
        var entries = messages.SelectMany(m => Audience.Of(m, escalation.Value.OperatorId)).CountBy(a => a.OrganisationId).ToDictionary();
        Guid[] mesures = [.. messages.OfType<MesureEvent>().Select(m => m.AggregateId).Distinct()];
        (_next, _endpoints) = entries.Count + mesures.Length == 0 ? new FeedPlaces([], []) : await db.TakePlacesAsync(entries, mesures, ct);
    }

    public async Task HandleAsync(NotificationsDbContext db, DomainEvent message, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var type = EventTypes.NameOf(message.GetType());
        var data = EventData.Of(message);
        var audience = Audience.Of(message, escalation.Value.OperatorId);
        var positions = audience.ToDictionary(a => a.OrganisationId, a => _next[a.OrganisationId]++);
        foreach (var addressee in audience)
        {
            var position = positions[addressee.OrganisationId];
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

        QueueWebhooks(db, message, type, positions, now);
        if (message is MesurePurged { Scope: "CONTENT" })
        {
            await SaveEarlierAsync(db, ct);
            // Of the mesure this alone is left, for those who must erase it too.
            await NoticeProofs.PurgeAsync(db, message.AggregateId, ct);
            return;
        }

        if (Ends(message))
        {
            await SaveEarlierAsync(db, ct);
        }

        if (await DoneAsync(db, message, ct) is { Count: > 0 } done)
        {
            await DropAsync(db, [.. done], ct);
        }

        var detail = Calls.DetailOf(message);
        var item = message switch
        {
            EspaceGroupStale stale => ItemOf(stale.Group, stale.Key),
            UpkeepReminderDue { Kind: "WAIT_STALE" } due => ItemOf(Attente, due.Key),
            AgrementLieuEnded ended => LieuItem(ended),
            _ => null,
        };
        var dueAt = message switch
        {
            DeadlineDue due => due.DueAt,
            ReminderDue due => due.DueAt,
            MessageOverdue overdue => overdue.DueAt,
            MessagePosted posted => posted.AnswerDueAt,
            UpkeepReminderDue due => StartOf(due.DueDate),
            AgrementEnded ended => StartOf(ended.LastDay),
            AgrementLieuEnded ended => StartOf(ended.LastDay),
            SurveyOpened asked => StartOf(asked.DueDate),
            SurveyReminderDue due => StartOf(due.DueDate),
            _ => (DateTimeOffset?)null,
        };
        // Who holds a mesure is noted without mails too.
        var heldBefore = HeldBefore(db, message, audience);
        foreach (var call in mail.Value.Enabled ? Calls.Of(message, heldBefore, escalation.Value.OperatorId) : [])
        {
            var told = call.Detail ?? detail;
            if (call.OnceADay)
            {
                await SaveEarlierAsync(db, ct);
                if (await WasCalledTodayAsync(db, call, type, told, item, now, ct))
                {
                    continue;
                }
            }

            db.Deliveries.Add(new Delivery
            {
                DeliveryId = Guid.CreateVersion7(now),
                OrganisationId = call.OrganisationId,
                EventId = message.EventId,
                EventType = type,
                MesureId = call.About,
                Urgent = call.Urgent,
                Deadline = told,
                DeadlineDueAt = dueAt,
                Items = item is null ? null : [item],
                Rung = call.Rung == ReminderRung.Unspecified ? null : call.Rung.ToCode(),
                Reminder = call.Reminder,
                State = DeliveryStates.Queued,
                Attempts = 0,
                NextAttemptAt = call.Urgent ? now : now + mail.Value.GroupingDelay,
                CreatedAt = now,
            });
        }
    }

    // What is asked of the database must know what earlier events of the same transaction queued.
    private Task SaveEarlierAsync(NotificationsDbContext db, CancellationToken ct) => _together ? db.SaveChangesAsync(ct) : Task.CompletedTask;

    private static bool Ends(DomainEvent message) => message is DeadlineLifted or MessagePosted { AnswersMessageId: not null } or MessageAcknowledged
        or QuestionWithdrawn or EspaceGroupConfirmed or WaitDeclared or EspacePublished;

    /// <summary>
    /// What waits to be mailed of something that the event says is done: a deadline that was met, a message that was answered, what was
    /// stale of an espace, its agrément.
    /// </summary>
    private static Task<List<Guid>> DoneAsync(NotificationsDbContext db, DomainEvent message, CancellationToken ct) => message switch
    {
        DeadlineLifted lifted => db.Database.SqlQuery<Guid>($"""
            select delivery_id from deliveries
            where mesure_id = {lifted.AggregateId} and deadline = {lifted.Deadline} and deadline_due_at = {lifted.DueAt} and state in ('QUEUED', 'ADDRESSED')
            """).ToListAsync(ct),
        MessagePosted { AnswersMessageId: { } answered } posted => OfMessagesAsync(db, message.AggregateId, [answered, .. posted.MetMessageIds ?? []], ct),
        MessageAcknowledged acknowledged => OfMessagesAsync(db, message.AggregateId, [acknowledged.MessageId], ct),
        QuestionWithdrawn withdrawn => OfMessagesAsync(db, message.AggregateId, [withdrawn.MessageId], ct),
        EspaceGroupConfirmed confirmed => OfItemAsync(db, message.AggregateId, ItemOf(confirmed.Group, confirmed.Key), ct),
        WaitDeclared declared => OfItemAsync(db, message.AggregateId, ItemOf(Attente, declared.Modalite), ct),
        EspacePublished espace => OfAgrementAsync(db, espace, ct),
        _ => Task.FromResult(new List<Guid>()),
    };

    // The feed's own entry of the event says of which message the mail is.
    private static Task<List<Guid>> OfMessagesAsync(NotificationsDbContext db, Guid threadId, Guid[] messageIds, CancellationToken ct) => db.Database.SqlQuery<Guid>($"""
        select d.delivery_id from deliveries d join feed_events e on e.organisation_id = d.organisation_id and e.event_id = d.event_id
        where d.mesure_id = {threadId} and d.state in ('QUEUED', 'ADDRESSED') and d.event_type in ('messaging.message-posted.v1', 'messaging.message-overdue.v1')
          and (e.data ->> 'messageId')::uuid = any({messageIds})
        """).ToListAsync(ct);

    /// <summary>Takes what was seen to out of the mails about the espace; those that remind of nothing any more.</summary>
    private static Task<List<Guid>> OfItemAsync(NotificationsDbContext db, Guid espaceId, string item, CancellationToken ct) => db.Database.SqlQuery<Guid>($"""
        with less as (
            update deliveries set items = array_remove(items, {item})
            where mesure_id = {espaceId} and state in ('QUEUED', 'ADDRESSED') and {item} = any(items) returning delivery_id, items)
        select delivery_id from less where cardinality(items) = 0
        """).ToListAsync(ct);

    /// <summary>
    /// What tells that an agrément, of the espace or of one lieu, ends or has ended which another one follows by now. A lieu that is not
    /// listed is covered whenever its espace is; the feed's own entry says which lieu a mail is about.
    /// </summary>
    private static Task<List<Guid>> OfAgrementAsync(NotificationsDbContext db, EspacePublished espace, CancellationToken ct)
    {
        var listed = espace.LieuAgrements ?? [];
        (Guid? Lieu, AgrementPeriod Period)[] covered =
        [
            .. espace.AgrementPeriods.Select(p => ((Guid?)null, p)), .. listed.SelectMany(l => l.Periods.Select(p => ((Guid?)l.LieuId, p))),
        ];
        Guid[] lieux = [.. listed.Select(l => l.LieuId)];
        Guid?[] lieu = [.. covered.Select(c => c.Lieu)];
        DateOnly[] from = [.. covered.Select(c => c.Period.From)];
        DateOnly[] to = [.. covered.Select(c => c.Period.To ?? DateOnly.MaxValue)];
        return db.Database.SqlQuery<Guid>($"""
            with waiting as (
                select d.delivery_id, item, coalesce(split_part(item, ' ', 3)::date, (d.deadline_due_at at time zone 'UTC')::date) as last_day,
                    case when d.event_type = 'directory.agrement-lieu-ended.v1' then coalesce(split_part(item, ' ', 2)::uuid, (
                        select (e.data ->> 'lieuId')::uuid from feed_events e where e.organisation_id = d.organisation_id and e.event_id = d.event_id)) end as lieu_id
                from deliveries d left join lateral unnest(d.items) as item on true
                where d.mesure_id = {espace.AggregateId} and d.state in ('QUEUED', 'ADDRESSED')
                  and (d.event_type in ('directory.agrement-ended.v1', 'directory.agrement-lieu-ended.v1')
                    or (d.event_type = 'directory.upkeep-reminder-due.v1' and d.deadline like 'AGREMENT%'))),
            seen_to as (
                select w.delivery_id, w.item from waiting w
                where exists (
                    select from unnest({lieu}, {from}, {to}) as p (lieu_id, first_day, last_day)
                    where p.first_day <= w.last_day + 1 and p.last_day > w.last_day
                      and p.lieu_id is not distinct from case when w.lieu_id = any({lieux}) then w.lieu_id end)),
            less as (
                update deliveries d set items = (
                    select coalesce(array_agg(i), array[]::text[]) from unnest(d.items) i
                    where not exists (select from seen_to s where s.delivery_id = d.delivery_id and s.item = i))
                where d.items is not null and d.delivery_id in (select delivery_id from seen_to) returning d.delivery_id, d.items)
            select delivery_id from less where cardinality(items) = 0
            union
            select delivery_id from seen_to where item is null
            """).ToListAsync(ct);
    }

    private static string ItemOf(string group, string? key) => key is null ? group : $"{group} {key}";

    // Several lieux are told in one mail: which, and since when each.
    private static string LieuItem(AgrementLieuEnded ended) => $"LIEU {ended.LieuId} {ended.LastDay:yyyy-MM-dd}";

    private static DateTimeOffset StartOf(DateOnly day) => new(day, TimeOnly.MinValue, TimeSpan.Zero);

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
    private void QueueWebhooks(NotificationsDbContext db, DomainEvent message, string type, Dictionary<Guid, long> positions, DateTimeOffset now)
    {
        var wanted = _endpoints.Where(e => positions.ContainsKey(e.OrganisationId) && (e.Types.Length == 0 || e.Types.Contains(type)));
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
    /// another day. The counter of the organisation's feed is locked by now, so two events cannot both find none. What still waits
    /// reminds of this item as well.
    /// </summary>
    private static async Task<bool> WasCalledTodayAsync(NotificationsDbContext db, Call call, string type, string? detail, string? item, DateTimeOffset now, CancellationToken ct)
    {
        var since = now - TimeSpan.FromHours(20);
        var rung = call.Rung == ReminderRung.Unspecified ? null : call.Rung.ToCode();
        var today = db.Deliveries.Where(d =>
            d.OrganisationId == call.OrganisationId && d.EventType == type && d.MesureId == call.About && d.Deadline == detail && d.Rung == rung && d.CreatedAt > since
            && d.State != DeliveryStates.Dropped);
        if (item is not null)
        {
            var waiting = await today.Where(d => d.State == DeliveryStates.Queued || d.State == DeliveryStates.Addressed).Select(d => d.DeliveryId).ToArrayAsync(ct);
            await db.Database.ExecuteSqlAsync(
                $"update deliveries set items = array_append(items, {item}) where delivery_id = any({waiting}) and items is not null and not {item} = any(items)", ct);
        }

        return await today.AnyAsync(ct);
    }

    /// <summary>
    /// The organisation that had to act before this event, and notes the one that has to now. An event older than what is
    /// known changes nothing: it counts as if its holder had been told already.
    /// </summary>
    private static Guid? HeldBefore(NotificationsDbContext db, DomainEvent message, IReadOnlyList<Addressee> audience)
    {
        if (message is not MesureEvent step)
        {
            return null;
        }

        var holder = Audience.Holder(step);
        // A draft is not yet the affair of its espace.
        Guid? gestionnaire = audience.Any(a => a.OrganisationId == step.GestionnaireId) ? step.GestionnaireId : null;
        var known = db.Holders.Local.FindEntry(step.AggregateId)?.Entity;
        if (known is null)
        {
            db.Holders.Add(new MesureHolder
            {
                MesureId = step.AggregateId,
                Version = step.AggregateVersion,
                OrganisationId = holder,
                JuridictionId = step.JuridictionId,
                GestionnaireId = gestionnaire,
                EspaceId = step.EspaceId,
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
        (known.JuridictionId, known.GestionnaireId, known.EspaceId) = (step.JuridictionId, gestionnaire ?? known.GestionnaireId, step.EspaceId);
        return before;
    }
}
