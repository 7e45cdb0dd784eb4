-- The beginning of a name as people type it: lower case, no accents, one space for each run of anything else.
create function search_name(name text) returns text language sql immutable strict parallel safe as $$
    select trim(regexp_replace(
        translate(replace(replace(lower(name), 'œ', 'oe'), 'æ', 'ae'), 'àâäáãåçéèêëíîïìñóôöòõúùûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'),
        '[^a-z0-9]+', ' ', 'g'))
$$;

-- Reference data that was loaded, by the hash of its file.
create table reference_files (
    name      text        primary key,
    sha256    bytea       not null,
    loaded_at timestamptz not null
);

create table departements (
    code text primary key,
    name text not null
);

create table courts (
    code            text not null primary key,
    organisation_id uuid not null unique,
    name            text not null,
    commune_insee   text not null,
    departement     text not null references departements,
    cour_appel      text not null
);
create index courts_departement on courts (departement, code);

create table communes (
    insee               text    not null primary key,
    name                text    not null,
    is_commune          boolean not null, -- false: arrondissement of Paris, Lyon or Marseille
    departement         text    not null references departements,
    population          integer not null,
    latitude            double precision,
    longitude           double precision,
    postal_codes        text[]  not null,
    population_10km     integer not null,
    relief_m            integer not null,
    road_block          text    not null,
    probable_court_code text    references courts,
    search_name         text    not null generated always as (search_name(name)) stored,
    constraint communes_whole_point check ((latitude is null) = (longitude is null))
);
create index communes_search_name on communes (search_name text_pattern_ops);
create index communes_postal_codes on communes using gin (postal_codes);

create table gestionnaires (
    id          uuid        not null primary key,
    source      text        not null,
    external_id text        not null,
    name        text        not null,
    siret       text        not null,
    created_at  timestamptz not null,
    updated_at  timestamptz not null,
    version     bigint      not null,
    constraint gestionnaires_siret check (siret ~ '^[0-9]{14}$')
);
create unique index gestionnaires_source on gestionnaires (source, external_id);

-- Of courts and gestionnaires alike.
create table contacts (
    organisation_id uuid not null,
    external_id     text not null,
    email           text not null,
    role            text not null,
    primary key (organisation_id, external_id)
);

create table espaces (
    id              uuid        not null primary key,
    source          text        not null,
    external_id     text        not null,
    gestionnaire_id uuid        not null references gestionnaires,
    name            text        not null,
    departement     text        not null references departements,
    fictive         boolean     not null,
    state           text        not null,
    alert_text      text        not null,
    created_at      timestamptz not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    revision        bigint      not null, -- set by trigger: the value of directory_revision of its last change
    constraint espaces_state check (state in ('OUVERT', 'SUSPENDU', 'FERME'))
);
create unique index espaces_source on espaces (source, external_id);
create index espaces_gestionnaire on espaces (gestionnaire_id, id);
create index espaces_departement on espaces (departement, id);
create index espaces_revision on espaces (revision);

create table agrements (
    espace_id    uuid     not null references espaces on delete cascade,
    position     smallint not null, -- 0 is the latest
    number       text     not null,
    departement  text     not null references departements,
    state        text     not null,
    request_date date,
    start_date   date,
    end_date     date,
    primary key (espace_id, position),
    constraint agrements_state check (state in ('DEMANDE', 'ACCORDE', 'REPUTE_ACQUIS', 'REFUSE', 'RETIRE')),
    constraint agrements_order check (start_date <= end_date),
    constraint agrements_granted_has_start check (state <> 'ACCORDE' or start_date is not null)
);

create table lieux (
    id                    uuid             not null primary key,
    espace_id             uuid             not null references espaces on delete cascade,
    position              smallint         not null,
    external_id           text             not null,
    name                  text             not null,
    address_line          text             not null,
    commune_insee         text             not null references communes,
    latitude              double precision not null,
    longitude             double precision not null,
    wheelchair_accessible boolean          not null,
    separate_entrances    boolean          not null,
    public_transport      text             not null
);
create unique index lieux_espace on lieux (espace_id, external_id);

create table modalites (
    espace_id                 uuid    not null references espaces on delete cascade,
    modalite                  text    not null,
    state                     text    not null,
    capacity_families         integer not null,
    slots_per_week            integer not null,
    min_age                   integer not null,
    max_age                   integer not null,
    accepted_situations       text[]  not null,
    protection_order_accepted boolean not null,
    wait_days                 integer,
    wait_as_of                date,
    wait_source               text,
    primary key (espace_id, modalite),
    constraint modalites_state check (state in ('OUVERTE', 'LIMITEE', 'LISTE_ATTENTE', 'COMPLETE', 'FERMEE')),
    constraint modalites_ages check (0 <= min_age and min_age <= max_age and max_age <= 17),
    constraint modalites_capacity check (capacity_families between 0 and 500 and slots_per_week between 0 and 2000),
    constraint modalites_wait_whole check (num_nulls(wait_days, wait_as_of, wait_source) in (0, 3)),
    constraint modalites_wait_days check (wait_days between 0 and 1500)
);

-- Every wait ever declared, also those that did not replace a later one.
create table wait_declarations (
    id          bigint      generated always as identity primary key,
    espace_id   uuid        not null references espaces on delete cascade,
    modalite    text        not null,
    days        integer     not null,
    as_of       date        not null,
    source      text        not null,
    recorded_at timestamptz not null,
    constraint wait_declarations_days check (days between 0 and 1500)
);
create index wait_declarations_espace on wait_declarations (espace_id, modalite, as_of, id);

-- One number that grows with every change of an espace. Its row lock is taken before any espace is touched, so that changes
-- commit in the order of their numbers (a reader that knows number N has missed nothing up to N) and never deadlock.
create table directory_revision (
    only_row boolean not null primary key default true check (only_row),
    revision bigint  not null
);
insert into directory_revision (revision) values (0);

create function espaces_take_revision() returns trigger language plpgsql as $$
begin
    update directory_revision set revision = revision + 1;
    return null;
end $$;
create trigger espaces_take_revision before insert or update on espaces
    for each statement execute function espaces_take_revision();

create function espaces_stamp_revision() returns trigger language plpgsql as $$
begin
    new.revision := (select revision from directory_revision);
    return new;
end $$;
create trigger espaces_stamp_revision before insert or update on espaces
    for each row execute function espaces_stamp_revision();
