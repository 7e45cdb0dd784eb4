using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Entity = Jafer.Notifications.Data.WebhookDelivery;
using WebhookDelivery = Jafer.Contracts.Notification.V1.WebhookDelivery;

namespace Jafer.Notifications.Webhooks;

/// <summary>What is posted to endpoints.</summary>
internal sealed partial class WebhookGrpcService
{
    public override async Task<SendTestEventResponse> SendTestEvent(SendTestEventRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("endpoint_id", request.EndpointId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        var response = await commands.RunAsync(context, request, requestId, async ct =>
        {
            await OwnAsync(db.WebhookEndpoints.AsNoTracking(), id, context.Caller(), ct);
            var now = clock.GetStoredNow();
            var eventId = Guid.CreateVersion7(now);
            var delivery = new Entity
            {
                DeliveryId = WebhookMessage.DeliveryId(id, eventId),
                EndpointId = id,
                Test = true,
                EventId = eventId,
                EventType = WebhookMessage.TestType,
                AggregateId = id,
                OccurredAt = now,
                State = WebhookDeliveryState.Queued.ToCode(),
                QueuedAt = now,
                NextAttemptAt = now,
                ExpiresAt = now + WebhookSchedule.Lifetime,
            };
            db.WebhookDeliveries.Add(delivery);
            return new SendTestEventResponse { DeliveryId = delivery.DeliveryId.ToString() };
        }, _ => Name(id.ToString()));
        signal.Notify();
        return response;
    }

    public override async Task<ReplayEventsResponse> ReplayEvents(ReplayEventsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("endpoint_id", request.EndpointId);
        var requestId = check.RequestId(request.RequestId);
        check.That(request.StartTime is not null, "start_time", "is required");
        var start = check.OptionalTime("start_time", request.StartTime);
        var end = check.OptionalTime("end_time", request.EndTime);
        check.That(start is null || start < (end ?? clock.GetStoredNow()), "end_time", "must be later than start_time");
        check.ThrowIfAny();
        var response = await commands.RunAsync(context, request, requestId, async ct =>
        {
            var endpoint = await OwnAsync(db.WebhookEndpoints.AsNoTracking(), id, context.Caller(), ct);
            if (endpoint.State != WebhookEndpointState.Enabled.ToCode())
            {
                throw DomainError.StateForbids(endpoint.State, "REPLAY_EVENTS");
            }

            var now = clock.GetStoredNow();
            var expiry = now + WebhookSchedule.Lifetime;
            await db.Database.BeginTransactionAsync(ct);

            // The id is that of WebhookMessage.DeliveryId, in the database's words. What was given up within the range was recorded before
            // it: the first failure comes after its event.
            var queued = await db.Database.ExecuteSqlAsync($"""
                insert into webhook_deliveries (
                    delivery_id, endpoint_id, test, event_id, event_type, aggregate_id, aggregate_version, position, about_espace, occurred_at, state, attempts,
                    queued_at, next_attempt_at, expires_at, first_queued_at, first_delivered_at)
                select i.delivery_id, {id}, false, f.event_id, f.type, f.aggregate_id, f.aggregate_version, f.position,
                       f.type like 'messaging.%' and coalesce(f.data->>'threadKind', '') = 'ESPACE', f.occurred_at, 'QUEUED', 0,
                       {now}, {now}, {expiry}, p.queued_at, p.delivered_at
                from feed_events f
                cross join lateral (select encode(substring(sha256(uuid_send({id}) || uuid_send(f.event_id)) for 16), 'hex')::uuid as delivery_id) i
                left join notice_proofs p on p.mesure_id = f.aggregate_id and p.notice_id = i.delivery_id and p.organisation_id = f.organisation_id
                where f.organisation_id = {endpoint.OrganisationId}
                  and ((f.recorded_at >= {start} and f.recorded_at < {end ?? now}) or f.event_id = any(array(
                      select d.event_id from webhook_deliveries d
                      where d.endpoint_id = {id} and d.state = 'FAILED' and not d.test
                        and coalesce(d.last_attempt_at, d.expires_at) >= {start} and coalesce(d.last_attempt_at, d.expires_at) < {end ?? now})))
                  and (cardinality({endpoint.Types}) = 0 or f.type = any({endpoint.Types}))
                order by f.position
                on conflict (delivery_id) do update
                set state = 'QUEUED', attempts = 0, queued_at = excluded.queued_at, next_attempt_at = excluded.next_attempt_at, expires_at = excluded.expires_at, delivered_at = null,
                    first_queued_at = coalesce(webhook_deliveries.first_queued_at, webhook_deliveries.queued_at)
                where webhook_deliveries.state <> 'QUEUED'
                """, ct);
            return new ReplayEventsResponse { QueuedCount = queued };
        }, _ => Name(id.ToString()));
        signal.Notify();
        return response;
    }

    public override async Task<ListDeliveriesResponse> ListDeliveries(ListDeliveriesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var state = check.KnownOrUnspecified("state", request.State);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var cursor = tokens.Read<DeliveryCursor>(check, request.PageToken, binding);
        var endpoint = await ReadAsync(check, request.EndpointId, context);
        var deliveries = db.WebhookDeliveries.AsNoTracking().Where(d => d.EndpointId == endpoint.EndpointId);
        if (state != WebhookDeliveryState.Unspecified)
        {
            var code = state.ToCode();
            deliveries = deliveries.Where(d => d.State == code);
        }

        if (cursor is not null)
        {
            deliveries = deliveries.Where(d => EF.Functions.LessThan(ValueTuple.Create(d.QueuedAt, d.DeliveryId), ValueTuple.Create(cursor.QueuedAt, cursor.Id)));
        }

        var page = await deliveries.OrderByDescending(d => d.QueuedAt).ThenByDescending(d => d.DeliveryId).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListDeliveriesResponse();
        response.Deliveries.AddRange(page.Take(size).Select(ToProto));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new DeliveryCursor(page[size - 1].QueuedAt, page[size - 1].DeliveryId), binding);
        }

        return response;
    }

    private static WebhookDelivery ToProto(Entity delivery)
    {
        var state = ProtoConversions.FromCode<WebhookDeliveryState>(delivery.State);
        return new WebhookDelivery
        {
            DeliveryId = delivery.DeliveryId.ToString(),
            EventId = delivery.EventId.ToString(),
            Type = delivery.EventType,
            AggregateId = delivery.AggregateId.ToString(),
            State = state,
            AttemptCount = delivery.Attempts,
            QueueTime = delivery.QueuedAt.ToProto(),
            NextAttemptTime = state == WebhookDeliveryState.Queued ? delivery.NextAttemptAt.ToProto() : null,
            LastAttemptTime = delivery.LastAttemptAt.ToProto(),
            LastStatus = delivery.LastStatus ?? 0,
            LastError = delivery.LastError ?? "",
            LastDurationMilliseconds = delivery.LastDurationMs ?? 0,
            DeliverTime = delivery.DeliveredAt.ToProto(),
        };
    }

    private sealed record DeliveryCursor(DateTimeOffset QueuedAt, Guid Id);
}
