-- A suspension pauses the clocks: its days are no days of a segment. Only mesures that were suspended are looked up.

-- Days of Paris, from since to until, on which a mesure was suspended. Its history alone says when.
create function suspended_days(mesure uuid, since date, until date) returns integer language sql stable as $$
    select coalesce(sum(upper(p) - lower(p)), 0)::integer
    from unnest((
        select range_agg(daterange(s.suspended, greatest(s.suspended, s.resumed)))
        from (select (f.occurred_at at time zone 'Europe/Paris')::date as suspended, coalesce(
                (select (r.occurred_at at time zone 'Europe/Paris')::date from mesure_facts r
                 where r.mesure_id = f.mesure_id and r.version > f.version and r.act = 'RESUME' order by r.version limit 1), 'infinity') as resumed
            from mesure_facts f where f.mesure_id = mesure and f.act = 'SUSPEND') s
    ) * datemultirange(daterange(since, greatest(since, until)))) p
$$;

create or replace view delay_segments as
select m.id as mesure_id, date_trunc('month', m.decision_date)::date as month, m.juridiction_id,
    coalesce(m.espace_id, '00000000-0000-0000-0000-000000000000') as espace_id, m.decision_modalite as modalite,
    m.state <> 'CLOTUREE' as open, s.segment, s.began, s.ended, s.passed,
    m.suspended_at is not null or m.suspended_for > interval '0' as suspended
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

drop trigger mesures_delays_changed on mesures;
create trigger mesures_delays_changed after update on mesures for each row when (
    (old.decision_date, old.transmitted_at, old.retrieved_at, old.acknowledged_at, old.visiteur_contact_at, old.hote_contact_at,
     old.first_scheduling_at, old.first_held_rencontre_at, old.closed_at, old.closure_reason, old.espace_id, old.decision_modalite,
     old.suspended_at, old.suspended_for)
    is distinct from
    (new.decision_date, new.transmitted_at, new.retrieved_at, new.acknowledged_at, new.visiteur_contact_at, new.hote_contact_at,
     new.first_scheduling_at, new.first_held_rencontre_at, new.closed_at, new.closure_reason, new.espace_id, new.decision_modalite,
     new.suspended_at, new.suspended_for))
    execute function queue_delays();
insert into delay_queue (mesure_id) select id from mesures where suspended_at is not null or suspended_for > interval '0';
