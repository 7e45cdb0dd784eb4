-- The hours in which an organisation reads its feed, each day a set of 24 bits, and from when on its silence is not its rhythm.
-- Of those that are known nobody noted hours: they begin as one who read all day, which no further day confirms.
alter table feed_consumers
    add column last_hour    timestamptz,
    add column hours        integer   not null default 16777215,
    add column working_days integer[] not null default array[]::integer[],
    add column saturdays    integer[] not null default array[]::integer[],
    add column sundays      integer[] not null default array[]::integer[],
    add column silent_at    timestamptz;
update feed_consumers
set last_hour = (last_day + 1)::timestamp at time zone 'Europe/Paris' - interval '1 hour',
    silent_at = case when cardinality(gaps) >= 3 then (silent_after + 1)::timestamp at time zone 'Europe/Paris' end;
alter table feed_consumers
    alter column hours drop default,
    alter column working_days drop default,
    alter column saturdays drop default,
    alter column sundays drop default;
drop index feed_consumers_untold;
create index feed_consumers_untold on feed_consumers (silent_at) where not silence_told;
