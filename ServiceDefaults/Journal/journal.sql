-- The access journal: a schema of its own, apart from the data. A line is written once, by whoever does what it tells of, and goes
-- with its month after a year. docs/journal.md.

create schema journal;

create table journal.entries (
    id              bigint generated always as identity,
    at              timestamptz not null default now(), -- the database's clock: one for all replicas
    xact            xid8        not null default pg_current_xact_id(), -- which seal takes the line
    subject         text        not null,
    issuer          text,
    role            text        not null,
    organisation_id uuid        not null, -- zero for what a service does by itself
    is_person       boolean, -- null: not known
    on_behalf_of    text,
    rpc             text        not null,
    resources       text[]      not null, -- 'mesures/0198…'
    purpose         text,
    outcome         text        not null,
    is_write        boolean     not null,
    trace_id        text
) partition by range (at);
create index entries_resources on journal.entries using gin (resources);
create index entries_xact on journal.entries (xact, id);

-- What was on record at an instant, each seal bound to the one before by its hash.
create table journal.seals (
    number     bigint      primary key,
    sealed_at  timestamptz not null,
    snapshot   pg_snapshot not null, -- what is visible in it, and was not in that of the seal before, is under this seal
    line_count integer     not null,
    oldest_at  timestamptz not null,
    marks      bytea       not null, -- of each line its id and the first half of its hash: names what was altered
    digest     bytea       not null, -- over the hashes of the lines
    hash       bytea       not null,
    constraint seals_number_from_one check (number >= 1),
    constraint seals_lines check (line_count >= 1),
    constraint seals_hash_length check (octet_length(digest) = 32 and octet_length(hash) = 32)
);

create function journal.refuse() returns trigger language plpgsql as $$
begin
    raise exception 'the journal is append-only';
end $$;
create trigger entries_append_only before update or delete on journal.entries for each row execute function journal.refuse();
create trigger entries_not_truncated before truncate on journal.entries for each statement execute function journal.refuse();
create trigger seals_append_only before update or delete on journal.seals for each row execute function journal.refuse();
create trigger seals_not_truncated before truncate on journal.seals for each statement execute function journal.refuse();

-- Makes the partition of the month that begins at an instant, unless it is there.
create function journal.make_month(month timestamp) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    name text := to_char(month, '"entries_"YYYY_MM');
begin
    if to_regclass('journal.' || name) is null then
        execute format('create table journal.%I partition of journal.entries for values from (%L) to (%L)',
            name, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
        execute format('create trigger entries_not_truncated before truncate on journal.%I for each statement execute function journal.refuse()', name);
    end if;
end $$;

-- Makes the months ahead and drops those whose last line is twelve months old: no more, whoever calls it. The number of those dropped.
create function journal.keep() returns integer language plpgsql security definer
    set search_path = pg_catalog, pg_temp set lock_timeout = '3s' as $$
declare
    name    text;
    dropped integer := 0;
begin
    perform pg_advisory_xact_lock(hashtextextended('jafer:journal-months', 0));
    for i in 0 .. 3 loop
        perform journal.make_month(date_trunc('month', now() at time zone 'UTC') + make_interval(months => i));
    end loop;
    for name in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'journal.entries'::regclass
          and (to_date(substr(c.relname, 9), 'YYYY_MM') + interval '1 month') at time zone 'UTC' <= now() - interval '12 months'
    loop
        execute format('drop table journal.%I', name);
        dropped := dropped + 1;
    end loop;
    return dropped;
end $$;

select journal.keep();
do $$
declare
    month timestamp;
begin
    for month in select distinct date_trunc('month', at at time zone 'UTC') from journal_entries where at > now() - interval '12 months' loop
        perform journal.make_month(month);
    end loop;
end $$;
insert into journal.entries (at, subject, role, organisation_id, on_behalf_of, rpc, resources, outcome, is_write)
select at, subject, role, organisation_id, on_behalf_of, rpc, array[resource], 'OK', rpc !~ '/(Get|List|Search|Check|Watch)[^/]*$'
from journal_entries where at > now() - interval '12 months' order by id;
drop table journal_entries;
drop function journal_is_append_only();

-- Append-only by permission: calls add, the service's own work also reads and seals, and neither does more.
revoke all on all tables in schema journal from public;
revoke all on all functions in schema journal from public;
grant usage on schema journal to jafer_calls, jafer_work;
grant insert on journal.entries to jafer_calls;
grant select, insert on journal.entries, journal.seals to jafer_work;
grant execute on function journal.keep() to jafer_work;
