-- A closing ends a wait on a day, and counts there as a competing end: a mesure that was closed in a segment is counted as
-- -1 - days until then, no longer as -1 whenever it was.
create or replace view delay_segments as
select m.id as mesure_id, date_trunc('month', m.decision_date)::date as month, m.juridiction_id,
    coalesce(m.espace_id, '00000000-0000-0000-0000-000000000000') as espace_id, m.decision_modalite as modalite,
    m.state <> 'CLOTUREE' as open, s.segment, s.began, s.ended, s.passed,
    m.suspended_at is not null or m.suspended_for > interval '0' as suspended,
    (m.closed_at at time zone 'Europe/Paris')::date as closed_on
from mesures m
    cross join lateral (select
        case when m.predecessor_id is null then m.decision_date else designated_on(m.id) end as t0,
        case when m.predecessor_id is null then m.decision_date else first_decided_on(m.id) end as first_t0,
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
        (6::smallint, t.first_t0, t.t8, t.t8 is not null)) s (segment, began, ended, passed)
where m.decision_date is not null and m.nature = 'JUDICIAIRE' and s.began is not null
    and (m.closed_at is null or m.closure_reason not in ('ERREUR_DE_SAISIE', 'DOUBLON'))
    and (m.closed_at is null or m.closure_reason <> 'TRANSFERT' or s.passed);
alter view delay_segments set (security_invoker = true);

insert into delay_queue (mesure_id) select id from mesures where state = 'CLOTUREE';
