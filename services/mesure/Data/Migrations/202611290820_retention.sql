-- What concerns persons is emptied when the time to keep it is over; what counts in statistics stays.
alter table mesures
    add column files_erased_at timestamptz,
    add column anonymised_at   timestamptz;
create index mesures_to_erase on mesures (id) include (closed_at, files_erased_at) where state = 'CLOTUREE' and anonymised_at is null;

-- Full years on the day of the decision: all that is left of a date of birth.
alter table children add column age_at_decision smallint;

-- A file whose bytes another mesure still reads stands here until that one is erased too.
alter table decision_documents add column erased_at timestamptz;

-- Who did it in the espace or court, and what software calls it, leave a fact when its mesure is anonymised; nothing else ever does.
-- Of what was recorded before a correction, who was there goes with them.
create or replace function facts_are_append_only() returns trigger language plpgsql as $$
begin
    if current_setting('jafer.retention', true) = 'on'
        and new.actor_subject is null and new.external_id is null
        and new.details #- '{before,presences}' = old.details #- '{before,presences}' and coalesce(new.details #> '{before,presences}', '[]') = '[]'
        and to_jsonb(new) - array['actor_subject', 'external_id', 'details'] = to_jsonb(old) - array['actor_subject', 'external_id', 'details'] then
        return new;
    end if;
    raise exception 'the history of a mesure is append-only';
end $$;
grant update (actor_subject, external_id, details) on mesure_facts to jafer_work;

create table legal_holds (
    id              uuid        primary key,
    mesure_id       uuid        not null references mesures,
    reason          text        not null,
    reference       text        not null check (char_length(reference) between 1 and 40), -- number of a file, never a name
    until_date      date,
    organisation_id uuid        not null,
    created_at      timestamptz not null,
    lifted_at       timestamptz
);
create index legal_holds_of_mesure on legal_holds (mesure_id) where lifted_at is null;
select secure_rows('legal_holds', 'exists (select from mesures m where m.id = legal_holds.mesure_id and coalesce(m.juridiction_id = (select tenant()), false))');
revoke delete on legal_holds from jafer_calls, jafer_work;

-- A run keeps how far it came: which rule, after which mesure. night: which night began it; null for one that was ordered.
create table retention_runs (
    id              uuid        primary key,
    dry_run         boolean     not null,
    night           date        unique,
    started_at      timestamptz not null,
    finished_at     timestamptz,
    rule            text        not null,
    after_mesure_id uuid        not null,
    stale           bigint      not null default 0
);
create index retention_runs_running on retention_runs (id) where finished_at is null;
create table retention_counts (
    run_id    uuid        not null references retention_runs,
    rule      text        not null,
    due       bigint      not null default 0,
    erased    bigint      not null default 0,
    held      bigint      not null default 0,
    failed    bigint      not null default 0,
    oldest_at timestamptz,
    primary key (run_id, rule)
);
select secure_rows(relation, 'false') from unnest(array['retention_runs', 'retention_counts']::regclass[]) relation;
revoke all on retention_runs, retention_counts from jafer_calls;

-- What is emptied must leave the pages soon, not when a fifth of a large table has changed.
do $$
declare
    relation text;
begin
    foreach relation in array array['parties', 'children', 'difficulties', 'information_exchanges', 'decision_versions', 'decision_documents',
        'decision_document_chunks', 'intake_items', 'mesure_facts', 'rencontres', 'mesures'] loop
        execute format('alter table %I set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500)', relation);
    end loop;
end $$;
