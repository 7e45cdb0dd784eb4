-- The earliest rencontres of a mesure without outcome, beside the first of them: each is waited for.
alter table mesures add column pending_starts timestamptz[] not null default '{}';
update mesures m set pending_starts = p.starts
from (
    select mesure_id, (array_agg(distinct start order by start))[:4] as starts
    from (
        select mesure_id, starts_at as start from rencontres where outcome = 'SCHEDULED'
        union all
        select mesure_id, returns_at from rencontres where return_outcome = 'SCHEDULED' and outcome = 'HELD') s
    group by mesure_id) p
where p.mesure_id = m.id and m.next_rencontre_at is not null;
