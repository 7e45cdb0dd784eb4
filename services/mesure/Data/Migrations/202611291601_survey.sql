-- The national survey. What each mesure is in the figures of each year, by the numbers of Domain/Survey/figures.csv, and their sums.
create table survey_entries (
    mesure_id       uuid       not null references mesures,
    year            smallint   not null,
    gestionnaire_id uuid       not null,
    departement     text       not null,
    figures         smallint[] not null,
    counts          integer[]  not null,
    primary key (mesure_id, year)
);
create index survey_entries_of_gestionnaire on survey_entries (gestionnaire_id, year, mesure_id);
create table survey_counts (
    gestionnaire_id uuid       not null,
    year            smallint   not null,
    departement     text       not null,
    figures         smallint[] not null,
    counts          bigint[]   not null,
    primary key (gestionnaire_id, year, departement)
);
create index survey_counts_of_year on survey_counts (year, departement);

-- By which definitions, and up to which year, all mesures are counted.
create table survey_state (
    single      boolean  primary key default true check (single),
    year        smallint not null,
    definitions text     not null
);
insert into survey_state (year, definitions) values (0, '');

-- Mesures that may count otherwise than when they were counted. Only added to and taken from: nobody waits for anybody.
create table survey_queue (
    id        bigint generated always as identity primary key,
    mesure_id uuid   not null
);
create function queue_survey_of_mesure() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into survey_queue (mesure_id) values (new.id);
    return null;
end $$;
create trigger mesures_survey_begun after insert on mesures
    for each row when (new.gestionnaire_id is not null) execute function queue_survey_of_mesure();
create trigger mesures_survey_changed after update on mesures for each row when (
    new.gestionnaire_id is not null and
    (old.gestionnaire_id, old.espace_departement, old.transmitted_at, old.visiteur_contact_at, old.hote_contact_at, old.first_scheduling_at, old.first_planned_rencontre_at,
     old.first_held_rencontre_at, old.ever_scheduled, old.closed_at, old.closure_reason, old.decision_nature, old.decision_legal_basis, old.decision_situations,
     old.decision_principal_situation, old.decision_date)
    is distinct from
    (new.gestionnaire_id, new.espace_departement, new.transmitted_at, new.visiteur_contact_at, new.hote_contact_at, new.first_scheduling_at, new.first_planned_rencontre_at,
     new.first_held_rencontre_at, new.ever_scheduled, new.closed_at, new.closure_reason, new.decision_nature, new.decision_legal_basis, new.decision_situations,
     new.decision_principal_situation, new.decision_date))
    execute function queue_survey_of_mesure();
-- By the statement: software books and reports rencontres by the hundred.
create function queue_survey_of_rencontres() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into survey_queue (mesure_id) select distinct mesure_id from changed;
    return null;
end $$;
create trigger rencontres_survey_added after insert on rencontres
    referencing new table as changed for each statement execute function queue_survey_of_rencontres();
create trigger rencontres_survey_changed after update on rencontres
    referencing new table as changed for each statement execute function queue_survey_of_rencontres();

-- A campaign asks about a year. Returns hold figures alone; each version that stood is kept.
create table survey_campaigns (
    year        integer     primary key,
    state       text        not null,
    due_date    date        not null,
    opened_at   timestamptz not null,
    closed_at   timestamptz,
    reminded_at timestamptz,
    publication bytea, -- what everybody is told, as it was when the campaign was closed
    version     bigint      not null
);
create table sser_returns (
    gestionnaire_id uuid        not null,
    year            integer     not null,
    state           text        not null,
    source          text        not null,
    figures         jsonb       not null,
    definitions     text[]      not null,
    asked           boolean     not null,
    generated_at    timestamptz,
    validated_at    timestamptz,
    version         bigint      not null,
    primary key (gestionnaire_id, year)
);
create index sser_returns_of_year on sser_returns (year, gestionnaire_id);
create table sser_return_versions (
    gestionnaire_id uuid        not null,
    year            integer     not null,
    version         bigint      not null,
    state           text        not null,
    source          text        not null,
    figures         jsonb       not null,
    recorded_at     timestamptz not null,
    organisation_id uuid        not null,
    primary key (gestionnaire_id, year, version),
    foreign key (gestionnaire_id, year) references sser_returns
);
-- Figures of the nation for years of which no returns are known.
create table survey_national (
    year  integer not null,
    code  text    not null,
    value bigint  not null,
    primary key (year, code)
);

select secure_rows(relation, 'coalesce(gestionnaire_id = (select tenant()), false)')
from unnest(array['survey_entries', 'survey_counts', 'sser_returns', 'sser_return_versions']::regclass[]) relation;
select secure_rows(relation, 'false') from unnest(array['survey_queue', 'survey_state']::regclass[]) relation;
revoke all on survey_queue, survey_state, survey_national from jafer_calls;
revoke insert, update, delete on survey_entries, survey_counts, survey_campaigns from jafer_calls;
revoke delete on sser_returns from jafer_calls;
revoke update, delete on sser_return_versions from jafer_calls, jafer_work;

insert into survey_queue (mesure_id) select id from mesures where gestionnaire_id is not null;
