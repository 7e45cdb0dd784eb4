-- The counter of each organisation's feed: locked by whoever appends, so positions have no gap and commit in order.
-- Updated at every event: room in the page keeps the updates off the index.
create table feed_heads (
    organisation_id uuid   primary key,
    last_position   bigint not null,
    trimmed_to      bigint not null,
    constraint feed_heads_order check (trimmed_to >= 0 and last_position >= trimmed_to)
) with (fillfactor = 50);

create table feed_events (
    organisation_id   uuid        not null references feed_heads,
    position          bigint      not null,
    event_id          uuid        not null,
    type              text        not null,
    aggregate_id      uuid        not null,
    aggregate_version bigint      not null,
    occurred_at       timestamptz not null,
    recorded_at       timestamptz not null,
    data              jsonb       not null,
    action_required   boolean     not null,
    appended_at       timestamptz not null,
    primary key (organisation_id, position),
    constraint feed_events_once unique (organisation_id, event_id),
    constraint feed_events_data_is_object check (jsonb_typeof(data) = 'object')
);

create table mesure_holders (
    mesure_id       uuid   primary key,
    version         bigint not null,
    organisation_id uuid
);

create table deliveries (
    delivery_id     uuid        primary key,
    organisation_id uuid        not null,
    event_id        uuid        not null,
    event_type      text        not null,
    mesure_id       uuid        not null,
    urgent          boolean     not null,
    state           text        not null,
    attempts        integer     not null,
    next_attempt_at timestamptz not null,
    created_at      timestamptz not null,
    sent_at         timestamptz,
    last_error      text,
    constraint deliveries_once unique (organisation_id, event_id),
    constraint deliveries_state check (state in ('QUEUED', 'SENT', 'FAILED')),
    constraint deliveries_sent_has_time check ((state = 'SENT') = (sent_at is not null)),
    constraint deliveries_failed_has_error check (state <> 'FAILED' or last_error is not null)
);
create index deliveries_due on deliveries (next_attempt_at) where state = 'QUEUED';
create index deliveries_of_organisation on deliveries (organisation_id) where state = 'QUEUED';
create index deliveries_done on deliveries (created_at) where state <> 'QUEUED';
