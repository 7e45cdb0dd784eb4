-- Which mesure was last transmitted to whom, as the mesure service tells: identifiers, a code and a date. For the balance of
-- what came against places. Without foreign keys: an event may arrive before the espace that it names.
create table mesure_receptions (
    mesure_id   uuid   not null primary key,
    espace_id   uuid   not null,
    modalite    text   not null,
    received_on date   not null,
    version     bigint not null -- of the mesure: an older event changes nothing
);
create index mesure_receptions_espace on mesure_receptions (espace_id, modalite, received_on);

-- Anonymous questions whether an espace has room. Ages and codes only: nothing that could name a family.
create table capacity_enquiries (
    id               uuid        not null primary key,
    espace_id        uuid        not null references espaces on delete cascade,
    requester_id     uuid        not null,
    modalite         text        not null,
    youngest_age     integer,
    oldest_age       integer,
    child_count      integer     not null,
    situations       text[]      not null,
    protection_order boolean     not null,
    created_at       timestamptz not null,
    expires_at       timestamptz not null,
    answer           text,
    answered_by      text,
    answered_at      timestamptz,
    wait_days        integer,
    waiting_families integer,
    version          bigint      not null,
    constraint capacity_enquiries_answered_whole check (num_nulls(answer, answered_by, answered_at) in (0, 3)),
    constraint capacity_enquiries_figures check (wait_days between 0 and 1500 and waiting_families between 0 and 5000)
);
create index capacity_enquiries_requester on capacity_enquiries (requester_id, created_at);
create index capacity_enquiries_open on capacity_enquiries (espace_id, expires_at) where answered_at is null;
