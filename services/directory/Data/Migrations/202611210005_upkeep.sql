-- The days on which each espace may be designated, agréments that follow each other joined: what Domain/Agrement.cs says of
-- one agrément, said of all at once. A test holds the two against each other.
create view agrement_validities as
select espace_id, range_agg(daterange(from_day, end_date, '[]')) as days
from (
    select espace_id, case when state <> 'DEMANDE' then end_date end as end_date,
        case
            when state = 'ACCORDE' then start_date
            when state in ('REPUTE_ACQUIS', 'RETIRE') then coalesce(start_date, (request_date + interval '2 months')::date + 1)
            when state = 'DEMANDE' then (request_date + interval '2 months')::date + 1
        end as from_day
    from agrements) a
where from_day is not null and (end_date is null or from_day <= end_date)
group by espace_id;

-- What was already told of a group that went stale: nothing is told twice.
create table stale_groups_told (
    espace_id    uuid        not null references espaces on delete cascade,
    espace_group text        not null,
    key          text        not null,
    fresh_until  date        not null,
    told_at      timestamptz not null,
    primary key (espace_id, espace_group, key)
);

-- What was already told of an espace without a valid agrément.
create table agrement_ends_told (
    espace_id uuid        not null primary key references espaces on delete cascade,
    last_day  date        not null,
    told_at   timestamptz not null
);

create index espace_groups_confirmed on espace_groups (espace_group, confirmed_at);
