-- The segments of the way to the first rencontre held: one definition for what is counted once and for what still waits. Days
-- are those of Paris, as in the national statistics. A mesure that national statistics leave out is in no delay.
create view delay_segments as
select m.id as mesure_id, date_trunc('month', m.decision_date)::date as month, m.juridiction_id,
    coalesce(m.espace_id, '00000000-0000-0000-0000-000000000000') as espace_id, m.decision_modalite as modalite,
    m.state <> 'CLOTUREE' as open, s.segment, s.began, s.ended, s.passed
from mesures m
    cross join lateral (select
        m.decision_date as t0,
        (m.transmitted_at at time zone 'Europe/Paris')::date as t2,
        (least(m.retrieved_at, m.acknowledged_at) at time zone 'Europe/Paris')::date as t3,
        (least(m.visiteur_contact_at, m.hote_contact_at) at time zone 'Europe/Paris')::date as t4,
        (m.first_scheduling_at at time zone 'Europe/Paris')::date as t6,
        (m.first_held_rencontre_at at time zone 'Europe/Paris')::date as t8) t
    cross join lateral (values
        -- Where a later step is there and this one is not, it was skipped: neither passed nor waited for.
        (1::smallint, t.t0, t.t2, coalesce(t.t2, t.t3, t.t4, t.t6, t.t8) is not null),
        (2::smallint, t.t2, t.t3, coalesce(t.t3, t.t4, t.t6, t.t8) is not null),
        (3::smallint, t.t3, t.t4, coalesce(t.t4, t.t6, t.t8) is not null),
        (4::smallint, t.t4, t.t6, coalesce(t.t6, t.t8) is not null),
        (5::smallint, t.t6, t.t8, t.t8 is not null),
        (6::smallint, t.t0, t.t8, t.t8 is not null)) s (segment, began, ended, passed)
where m.decision_date is not null and m.nature = 'JUDICIAIRE' and s.began is not null
    and (m.closed_at is null or m.closure_reason not in ('ERREUR_DE_SAISIE', 'DOUBLON'));

-- What was counted of a mesure, by segment: days, -1 for one that was closed in it, null for one that is not over.
create table delay_entries (
    mesure_id      uuid       primary key references mesures,
    month          date       not null,
    juridiction_id uuid       not null,
    espace_id      uuid       not null,
    modalite       text       not null,
    days           smallint[] not null
);

-- How many mesures took how many days: for each court, espace and modalité, and for all together.
create table delay_counts (
    juridiction_id uuid     not null,
    month          date     not null,
    espace_id      uuid     not null,
    modalite       text     not null,
    segment        smallint not null,
    days           smallint not null,
    mesures        integer  not null,
    primary key (juridiction_id, month, espace_id, modalite, segment, days)
);
create index delay_counts_of_espace on delay_counts (espace_id, month);
create table delay_totals (
    month    date     not null,
    segment  smallint not null,
    days     smallint not null,
    mesures  integer  not null,
    primary key (month, segment, days)
) with (fillfactor = 70);

-- Mesures whose delays may have changed since they were counted. Only added to and taken from: nobody waits for anybody.
create table delay_queue (
    id        bigint generated always as identity primary key,
    mesure_id uuid   not null
);
create function queue_delays() returns trigger language plpgsql as $$
begin
    insert into delay_queue (mesure_id) values (new.id);
    return null;
end $$;
create trigger mesures_delays_begun after insert on mesures
    for each row when (new.decision_date is not null) execute function queue_delays();
create trigger mesures_delays_changed after update on mesures for each row when (
    (old.decision_date, old.transmitted_at, old.retrieved_at, old.acknowledged_at, old.visiteur_contact_at, old.hote_contact_at,
     old.first_scheduling_at, old.first_held_rencontre_at, old.closed_at, old.closure_reason, old.espace_id, old.decision_modalite)
    is distinct from
    (new.decision_date, new.transmitted_at, new.retrieved_at, new.acknowledged_at, new.visiteur_contact_at, new.hote_contact_at,
     new.first_scheduling_at, new.first_held_rencontre_at, new.closed_at, new.closure_reason, new.espace_id, new.decision_modalite))
    execute function queue_delays();
insert into delay_queue (mesure_id) select id from mesures where decision_date is not null;
