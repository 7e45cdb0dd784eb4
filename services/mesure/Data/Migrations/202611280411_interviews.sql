-- Slots for first interviews, one row for each family's place. A hold that ran out is free without a sweep.
create table interview_slots (
    id               uuid        primary key,
    espace_id        uuid        not null,
    gestionnaire_id  uuid        not null,
    external_id      text        not null,
    place            integer     not null,
    starts_at        timestamptz not null,
    duration_minutes integer     not null check (duration_minutes between 5 and 240),
    time_zone        text        not null,
    lieu_id          uuid,
    party_role       text        not null,
    state            text        not null,
    mesure_id        uuid        references mesures,
    held_for_role    text        not null,
    held_until       timestamptz,
    unique (espace_id, external_id, place),
    constraint interview_slots_taken_by_a_mesure check ((state in ('ON_HOLD', 'BOOKED')) = (mesure_id is not null)),
    constraint interview_slots_held_until check ((state = 'ON_HOLD') = (held_until is not null))
);
create index interview_slots_of_espace on interview_slots (espace_id, starts_at, id);
create index interview_slots_of_mesure on interview_slots (mesure_id) where mesure_id is not null;

-- Interviews with a date. A slot has one taker, a party one interview that is booked.
create table interviews (
    id               uuid        primary key,
    mesure_id        uuid        not null references mesures,
    party_role       text        not null,
    slot_id          uuid        references interview_slots,
    starts_at        timestamptz not null,
    duration_minutes integer     not null check (duration_minutes between 5 and 240),
    time_zone        text        not null,
    lieu_id          uuid,
    state            text        not null,
    release_reason   text        not null,
    constraint interviews_released_for_a_reason check ((state = 'RELEASED') = (release_reason <> 'UNSPECIFIED'))
);
create index interviews_of_mesure on interviews (mesure_id, starts_at);
create unique index interviews_booked_slot on interviews (slot_id) where state = 'BOOKED';
create unique index interviews_booked_party on interviews (mesure_id, party_role) where state = 'BOOKED';

-- The days before the queue: part of the fold of the facts.
alter table mesures
    add column first_attempt_at    timestamptz,
    add column interview_booked_at timestamptz;
update mesures m set first_attempt_at = f.at
    from (select mesure_id, min(occurred_at) as at from mesure_facts where act in ('CONTACT_REACHED', 'CONTACT_ATTEMPTED') group by mesure_id) f
    where f.mesure_id = m.id;
