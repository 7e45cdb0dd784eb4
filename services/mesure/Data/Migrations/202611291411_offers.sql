-- The offer of a free slot. The defaults stay: a replica of the version before may free a slot while this one starts.
alter table free_slots
    add column offered_at       timestamptz,
    add column offer_expires_at timestamptz,
    add column offer_candidates integer     not null default 0,
    add column offer_due_at     timestamptz default now(),
    add constraint free_slots_offered_whole check ((offered_at is null) = (offer_expires_at is null));
update free_slots set offer_due_at = null where taken_at is not null or starts_at <= now();
create index free_slots_offers_due on free_slots (offer_due_at) where offer_due_at is not null;

-- What espaces ask of their gestionnaires: figures and codes alone.
create table session_requests (
    id                uuid        primary key,
    espace_id         uuid        not null,
    gestionnaire_id   uuid        not null,
    modalite          text        not null,
    sessions_per_week integer     not null,
    wanted_until      date        not null,
    requested_at      timestamptz not null,
    state             text        not null,
    answered_at       timestamptz,
    version           bigint      not null,
    constraint session_requests_answered_whole check ((state = 'ASKED') = (answered_at is null))
);
create unique index session_requests_open on session_requests (espace_id, modalite) where state = 'ASKED';
create index session_requests_of_gestionnaire on session_requests (gestionnaire_id, requested_at desc, id desc);
select secure_rows('session_requests', 'coalesce(gestionnaire_id = (select tenant()), false)');
revoke delete on session_requests from jafer_calls;
