-- The calendar of deadlines: the département of an espace, and both as they were when a mesure came to it.
alter table espaces add column departement text;
alter table mesures
    add column espace_time_zone   text,
    add column espace_departement text,
    add column delivered_at       timestamptz,
    -- Defaults stay: an older version that runs beside the new one does not know these columns.
    add column next_due_at        timestamptz not null default '9999-12-30T00:00:00Z', -- none
    add column deadlines_version  integer     not null default 0;                      -- not computed yet
update mesures m set espace_time_zone = e.time_zone from espaces e where e.id = m.espace_id and m.gestionnaire_id is not null;

-- When the broker took a transmission: noted by the very statement with which the relay forgets it. No foreign key: the relay
-- must not fail.
create table transmission_relays (
    mesure_id  uuid        primary key,
    event_id   uuid        not null,
    relayed_at timestamptz not null
);
create function note_relayed() returns trigger language plpgsql as $$
begin
    insert into transmission_relays (mesure_id, event_id, relayed_at) values (old.ordering_key, old.message_id, clock_timestamp())
    on conflict do nothing;
    return null;
end $$;
create trigger outbox_messages_relayed after delete on outbox_messages
    for each row when (old.message_type = 'mesure.mesure-transmitted.v1') execute function note_relayed();

-- By when who must act: one row for each mesure and kind, as long as the act is missing. Closed mesures have none.
create table deadlines (
    mesure_id uuid        not null references mesures,
    kind      text        not null,
    must_act  text        not null,
    due_at    timestamptz not null,
    raised_at timestamptz,
    primary key (mesure_id, kind)
);
create index deadlines_to_raise on deadlines (due_at) where raised_at is null;

-- Worklists look at open mesures only, however many are closed: the most urgent first.
create index mesures_open on mesures (next_due_at, holder_since, id) where state <> 'CLOTUREE';
create index mesures_open_of_juridiction on mesures (juridiction_id, next_due_at, holder_since, id) where state <> 'CLOTUREE';
create index mesures_open_of_gestionnaire on mesures (gestionnaire_id, next_due_at, holder_since, id) where state <> 'CLOTUREE' and gestionnaire_id is not null;
