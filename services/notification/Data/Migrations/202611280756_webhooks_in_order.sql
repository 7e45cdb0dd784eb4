-- The events of a mesure are posted in the order of the feed: one that waits holds back the later ones of its own.
alter table webhook_deliveries
    add column position           bigint not null default 0, -- in the organisation's feed; 0 for a test
    add column aggregate_version  bigint not null default 0,
    -- A replay queues again: what was proven and when it was first queued stay.
    add column first_queued_at    timestamptz,
    add column first_delivered_at timestamptz;
update webhook_deliveries set first_delivered_at = delivered_at where delivered_at is not null;
update webhook_deliveries d
set position = f.position, aggregate_version = f.aggregate_version
from webhook_endpoints e, feed_events f
where e.endpoint_id = d.endpoint_id and f.organisation_id = e.organisation_id and f.event_id = d.event_id;
drop index webhook_deliveries_due;
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_attempt_at, position) where state = 'QUEUED' and not test;
create index webhook_deliveries_in_order on webhook_deliveries (endpoint_id, aggregate_id, position) where state = 'QUEUED' and not test;

-- A deleted endpoint keeps its log, without its address and secrets.
alter table webhook_endpoints
    drop constraint webhook_endpoints_state,
    add constraint webhook_endpoints_state check (state in ('ENABLED', 'PAUSED', 'DISABLED_GONE', 'DISABLED_FAILING', 'DELETED')),
    add constraint webhook_endpoints_deleted_is_bare check (state <> 'DELETED' or (url = '' and contact_email = '' and secret = '' and previous_secret is null and notice_at is null));
