-- The préfecture that last recorded an agrément of the espace by itself: from then on nobody else says what the préfet decided.
alter table espaces add column prefecture_id uuid;

-- A préfet suspends too: end_date is the last day before the suspension, as of a withdrawal.
alter table agrements drop constraint agrements_state;
alter table agrements add constraint agrements_state check (state in ('DEMANDE', 'ACCORDE', 'REPUTE_ACQUIS', 'REFUSE', 'RETIRE', 'SUSPENDU'));

create or replace view agrement_validities as
select espace_id, range_agg(daterange(from_day, end_date, '[]')) as days
from (
    select espace_id, case when state <> 'DEMANDE' then end_date end as end_date,
        case
            when state = 'ACCORDE' then start_date
            when state in ('REPUTE_ACQUIS', 'RETIRE', 'SUSPENDU') then coalesce(start_date, (request_date + interval '2 months')::date + 1)
            when state = 'DEMANDE' then (request_date + interval '2 months')::date + 1
        end as from_day
    from agrements) a
where from_day is not null and (end_date is null or from_day <= end_date)
group by espace_id;

create or replace view lieu_validities as
select l.espace_id, l.id as lieu_id, l.external_id as lieu_external_id, range_agg(daterange(a.from_day, a.end_date, '[]')) as days
from lieux l
join (
    select espace_id, lieu_external_ids, case when state <> 'DEMANDE' then end_date end as end_date,
        case
            when state = 'ACCORDE' then start_date
            when state in ('REPUTE_ACQUIS', 'RETIRE', 'SUSPENDU') then coalesce(start_date, (request_date + interval '2 months')::date + 1)
            when state = 'DEMANDE' then (request_date + interval '2 months')::date + 1
        end as from_day
    from agrements) a
    on a.espace_id = l.espace_id and (cardinality(a.lieu_external_ids) = 0 or l.external_id = any(a.lieu_external_ids))
where a.from_day is not null and (a.end_date is null or a.from_day <= a.end_date)
group by l.espace_id, l.id, l.external_id;
