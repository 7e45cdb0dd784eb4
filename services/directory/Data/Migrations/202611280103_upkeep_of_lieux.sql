-- What was already told of lieux that lost their agrément while the espace kept one.
create table agrement_lieux_ends_told (
    espace_id        uuid        not null references espaces on delete cascade,
    lieu_external_id text        not null,
    last_day         date        not null,
    told_at          timestamptz not null,
    primary key (espace_id, lieu_external_id)
);

-- The days on which each lieu may receive what is ordered: those of the agréments that cover it. Beside agrement_validities,
-- which says the same of an espace as a whole.
create view lieu_validities as
select l.espace_id, l.id as lieu_id, l.external_id as lieu_external_id, range_agg(daterange(a.from_day, a.end_date, '[]')) as days
from lieux l
join (
    select espace_id, lieu_external_ids, case when state <> 'DEMANDE' then end_date end as end_date,
        case
            when state = 'ACCORDE' then start_date
            when state in ('REPUTE_ACQUIS', 'RETIRE') then coalesce(start_date, (request_date + interval '2 months')::date + 1)
            when state = 'DEMANDE' then (request_date + interval '2 months')::date + 1
        end as from_day
    from agrements) a
    on a.espace_id = l.espace_id and (cardinality(a.lieu_external_ids) = 0 or l.external_id = any(a.lieu_external_ids))
where a.from_day is not null and (a.end_date is null or a.from_day <= a.end_date)
group by l.espace_id, l.id, l.external_id;
