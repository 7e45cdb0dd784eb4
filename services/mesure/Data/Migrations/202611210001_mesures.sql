-- Projections of the directory's events.
create table espaces (
    id               uuid   primary key,
    gestionnaire_id  uuid   not null,
    state            text   not null,
    agrement_periods jsonb  not null,
    time_zone        text   not null,
    version          bigint not null
);
create table organisations (
    id   uuid primary key,
    kind text not null,
    code text
);

-- Numbers of the human references, counted for each court and year.
create table reference_counters (
    prefix text    not null,
    year   integer not null,
    last   integer not null,
    primary key (prefix, year)
);

-- A mesure: its content, its current state (the fold of its facts) and its version.
create table mesures (
    id                 uuid        primary key,
    reference          text        not null unique,
    nature             text        not null,
    juridiction_id     uuid,
    espace_id          uuid,
    gestionnaire_id    uuid,
    defects            text[]      not null,
    next_rencontre_at  timestamptz,
    term               date,
    closure_reason     text        not null,
    closure_comment    text        not null,
    created_at         timestamptz not null,
    updated_at         timestamptz not null,
    version            bigint      not null,

    state                      text        not null,
    holder                     text        not null,
    holder_since               timestamptz not null,
    pending_rencontres         integer     not null,
    ever_scheduled             boolean     not null,
    open_difficulties          integer     not null,
    transmitted_at             timestamptz,
    retrieved_at               timestamptz,
    acknowledged_at            timestamptz,
    charge_taken_at            timestamptz,
    visiteur_contact_at        timestamptz,
    hote_contact_at            timestamptz,
    interview_at               timestamptz,
    first_scheduling_at        timestamptz,
    first_planned_rencontre_at timestamptz,
    first_held_rencontre_at    timestamptz,
    closed_at                  timestamptz,

    decision_nature                    text    not null,
    decision_rg_number                 text    not null, -- personal data
    decision_date                      date,
    decision_legal_basis               text    not null,
    decision_judge_name                text    not null, -- personal data
    decision_parental_authority        text    not null,
    decision_duration_months           integer,
    decision_term_start                text    not null,
    decision_periodicity_count         integer,
    decision_periodicity_interval      integer,
    decision_periodicity_unit          text    not null,
    decision_rencontre_minutes         integer,
    decision_terms_left_to_service     boolean not null,
    decision_modalite                  text    not null,
    decision_outing_granted            boolean not null,
    decision_situations                text[]  not null,
    decision_principal_situation       text    not null,
    decision_interdiction_de_contact   boolean not null,
    decision_tiers_de_confiance_name   text,             -- personal data
    decision_tiers_de_confiance_consent boolean not null,
    decision_subsidiary_espace_id      uuid,
    decision_contact_deadline          date,
    decision_provisional_enforcement   boolean not null,
    decision_restrictions              text    not null, -- may hold personal data

    constraint mesures_version_positive check (version > 0),
    constraint mesures_judicial_has_court check (nature <> 'JUDICIAIRE' or juridiction_id is not null),
    constraint mesures_transmitted_has_espace check (transmitted_at is null or (espace_id is not null and gestionnaire_id is not null)),
    constraint mesures_closed_has_time check ((state = 'CLOTUREE') = (closed_at is not null)),
    constraint mesures_pending_positive check (pending_rencontres >= 0),
    constraint mesures_difficulties_positive check (open_difficulties >= 0)
);
create index mesures_of_juridiction on mesures (juridiction_id, holder_since, id);
create index mesures_of_gestionnaire on mesures (gestionnaire_id, holder_since, id) where gestionnaire_id is not null;

-- The history: only ever added to.
create table mesure_facts (
    id                    uuid        primary key,
    mesure_id             uuid        not null references mesures,
    version               bigint      not null,
    act                   text        not null,
    occurred_at           timestamptz not null,
    recorded_at           timestamptz not null,
    actor_organisation_id uuid,
    actor_subject         text,
    details               jsonb       not null,
    unique (mesure_id, version)
);
create function facts_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the history of a mesure is append-only';
end $$;
create trigger mesure_facts_append_only before update on mesure_facts
    for each row execute function facts_are_append_only();

-- Personal data: current values only, apart from the history.
create table parties (
    id                   uuid    primary key,
    mesure_id            uuid    not null references mesures,
    role                 text    not null,
    kind                 text    not null,
    given_name           text    not null,
    family_name          text    not null,
    phone                text    not null,
    email                text    not null,
    address              text    not null,
    commune_insee        text    not null,
    address_protected    boolean not null,
    needs                text[]  not null,
    interpreter_language text    not null,
    unique (mesure_id, role)
);
create table children (
    id          uuid primary key,
    mesure_id   uuid not null references mesures,
    position    integer not null,
    given_name  text not null,
    family_name text not null,
    birth_date  date
);
create index children_of_mesure on children (mesure_id);

create table rencontres (
    id                uuid        primary key,
    mesure_id         uuid        not null references mesures,
    starts_at         timestamptz not null,
    duration_minutes  integer     not null check (duration_minutes between 5 and 720),
    time_zone         text        not null,
    lieu_id           uuid,
    outcome           text        not null,
    visiteur_present  boolean     not null,
    present_child_ids uuid[]      not null
);
create index rencontres_of_mesure on rencontres (mesure_id, starts_at);

create table difficulties (
    id              uuid        primary key,
    mesure_id       uuid        not null references mesures,
    reason          text        not null,
    state           text        not null,
    comment         text        not null, -- may hold personal data
    answer          text        not null,
    answer_comment  text        not null, -- may hold personal data
    reported_at     timestamptz not null,
    acknowledged_at timestamptz,
    answered_at     timestamptz,
    rule_codes      text[]      not null
);
create index difficulties_of_mesure on difficulties (mesure_id);

create table information_exchanges (
    id           uuid        primary key,
    mesure_id    uuid        not null references mesures,
    reason       text        not null,
    question     text        not null, -- may hold personal data
    answer       text        not null, -- may hold personal data
    requested_at timestamptz not null,
    provided_at  timestamptz
);
create index information_exchanges_of_mesure on information_exchanges (mesure_id);
create unique index information_exchanges_open on information_exchanges (mesure_id) where provided_at is null;
