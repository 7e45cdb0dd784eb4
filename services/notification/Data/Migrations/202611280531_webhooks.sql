create table webhook_endpoints (
    endpoint_id                uuid        primary key,
    organisation_id            uuid        not null,
    url                        text        not null,
    types                      text[]      not null,
    contact_email              text        not null,
    state                      text        not null,
    secret_id                  uuid        not null,
    secret                     text        not null,
    previous_secret_id         uuid,
    previous_secret            text,
    previous_secret_expires_at timestamptz,
    created_at                 timestamptz not null,
    updated_at                 timestamptz not null,
    version                    bigint      not null,
    disabled_at                timestamptz,
    failures                   integer     not null,
    failing_since              timestamptz,
    rest_until                 timestamptz,
    notice_at                  timestamptz,
    notice_attempts            integer     not null,
    constraint webhook_endpoints_state check (state in ('ENABLED', 'PAUSED', 'DISABLED_GONE', 'DISABLED_FAILING')),
    constraint webhook_endpoints_disabled_has_time check ((state like 'DISABLED%') = (disabled_at is not null)),
    constraint webhook_endpoints_previous_is_whole check (
        (previous_secret is null) = (previous_secret_id is null) and (previous_secret is null) = (previous_secret_expires_at is null))
);
create index webhook_endpoints_of_organisation on webhook_endpoints (organisation_id);
create index webhook_endpoints_notice on webhook_endpoints (notice_at) where notice_at is not null;

-- Updated at every attempt: room in the page keeps what can be off the indexes.
create table webhook_deliveries (
    delivery_id      uuid        primary key,
    endpoint_id      uuid        not null references webhook_endpoints on delete cascade,
    test             boolean     not null,
    event_id         uuid        not null,
    event_type       text        not null,
    aggregate_id     uuid        not null,
    occurred_at      timestamptz not null,
    state            text        not null,
    attempts         integer     not null,
    queued_at        timestamptz not null,
    next_attempt_at  timestamptz not null,
    expires_at       timestamptz not null,
    lease            uuid,
    last_attempt_at  timestamptz,
    delivered_at     timestamptz,
    last_status      integer,
    last_error       text,
    last_duration_ms integer,
    constraint webhook_deliveries_state check (state in ('QUEUED', 'DELIVERED', 'FAILED')),
    constraint webhook_deliveries_delivered_has_time check ((state = 'DELIVERED') = (delivered_at is not null))
) with (fillfactor = 70);
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_attempt_at) where state = 'QUEUED' and not test;
create index webhook_deliveries_tests on webhook_deliveries (next_attempt_at) where state = 'QUEUED' and test;
create index webhook_deliveries_of_endpoint on webhook_deliveries (endpoint_id, queued_at desc, delivery_id desc);
create index webhook_deliveries_expiring on webhook_deliveries (expires_at) where state = 'QUEUED';
create index webhook_deliveries_done on webhook_deliveries (queued_at) where state <> 'QUEUED';
