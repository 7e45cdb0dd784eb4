-- A redesignation makes two mesures of one: the way of the family is told once. What the first espace passed is its own; that the
-- mesure was closed there ended nothing. The whole way is the successor's, from the decision that began it, unless a rencontre had
-- been held before: then it was over.

-- The day from which a successor waited for its transmission; null where no new decision sent it on, since its court then had
-- nothing left to send.
create function designated_on(mesure uuid) returns date language sql stable as $$
    select case when p.closure_reason = 'TRANSFERT' and p.decision_date >= m.decision_date then null else m.decision_date end
    from mesures m left join mesures p on p.id = m.predecessor_id where m.id = mesure
$$;

-- The day of the decision with which the way of a family began; null where it had come to its end before the successor.
create function first_decided_on(mesure uuid) returns date language sql stable as $$
    with recursive way as (
        select predecessor_id, decision_date, false as over from mesures where id = mesure
        union all
        select p.predecessor_id, p.decision_date, p.first_held_rencontre_at is not null
        from way w join mesures p on p.id = w.predecessor_id where p.closure_reason = 'TRANSFERT')
    select case when not bool_or(over) then min(decision_date) end from way
$$;

create or replace view delay_segments as
select m.id as mesure_id, date_trunc('month', m.decision_date)::date as month, m.juridiction_id,
    coalesce(m.espace_id, '00000000-0000-0000-0000-000000000000') as espace_id, m.decision_modalite as modalite,
    m.state <> 'CLOTUREE' as open, s.segment, s.began, s.ended, s.passed,
    m.suspended_at is not null or m.suspended_for > interval '0' as suspended
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

-- What is corrected in a mesure that went on elsewhere may change the way of its successor.
create or replace function queue_delays() returns trigger language plpgsql as $$
begin
    insert into delay_queue (mesure_id) values (new.id);
    if new.closure_reason = 'TRANSFERT' then
        insert into delay_queue (mesure_id) select id from mesures where predecessor_id = new.id;
    end if;
    return null;
end $$;
insert into delay_queue (mesure_id) select id from mesures where closure_reason = 'TRANSFERT' or predecessor_id is not null;
