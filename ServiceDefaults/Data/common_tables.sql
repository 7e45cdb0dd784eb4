-- Messages that were decided in this database and are not yet given to the broker.
create table outbox_messages (
    id              bigint generated always as identity primary key, -- insertion order
    message_id      uuid        not null unique,
    message_type    text        not null, -- 'mesure.mesure-transmitted.v1', never a CLR name
    ordering_key    uuid        not null, -- the aggregate
    payload         jsonb       not null,
    headers         jsonb       not null default '{}',
    occurred_at     timestamptz not null,
    attempts        smallint    not null default 0,
    next_attempt_at timestamptz not null default '-infinity',
    last_error      text,
    parked_at       timestamptz,
    constraint outbox_type_length check (char_length(message_type) between 1 and 200),
    constraint outbox_attempts_positive check (attempts >= 0),
    constraint outbox_parked_has_error check (parked_at is null or last_error is not null)
);
create index outbox_messages_due on outbox_messages (id) where parked_at is null;
create index outbox_messages_retrying on outbox_messages (ordering_key, id) where attempts > 0 and parked_at is null;
create index outbox_messages_parked on outbox_messages (id) where parked_at is not null;

-- Messages already applied by a consumer of this service.
create table inbox_messages (
    message_id  uuid        not null,
    consumer    text        not null,
    received_at timestamptz not null,
    primary key (message_id, consumer)
);
create index inbox_messages_received on inbox_messages (received_at);

-- Requests already answered (AIP-155), kept 24 hours.
create table processed_requests (
    caller       text        not null,
    request_id   uuid        not null,
    method       text        not null,
    request_hash bytea       not null,
    response     bytea       not null,
    created_at   timestamptz not null,
    primary key (caller, request_id)
);
create index processed_requests_created on processed_requests (created_at);

-- Who read or wrote what: identifiers only, append-only.
create table journal_entries (
    id              bigint generated always as identity primary key,
    at              timestamptz not null,
    subject         text        not null,
    role            text        not null,
    organisation_id uuid        not null,
    on_behalf_of    text,
    rpc             text        not null,
    resource        text        not null
);
create index journal_entries_resource on journal_entries (resource, id);
create function journal_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the journal is append-only';
end $$;
create trigger journal_entries_append_only before update on journal_entries
    for each row execute function journal_is_append_only();
