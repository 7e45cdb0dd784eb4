-- Everything that an espace is, who said it, and its history.

alter table gestionnaires
    add column legal_form text not null default 'UNSPECIFIED',
    add column federation text not null default 'UNSPECIFIED';

-- How families are received; the number of changes in its history.
alter table espaces
    add column accueil_languages                text[]  not null default '{}',
    add column accueil_interpreter_on_request   boolean not null default false,
    add column accueil_premier_contact          text    not null default 'UNSPECIFIED',
    add column accueil_contact_deadline_days    integer not null default 0,
    add column accueil_documents                text[]  not null default '{}',
    add column accueil_absences_before_referral integer not null default 0,
    add column accueil_participation_fee_cents  integer not null default 0,
    add column accueil_precariousness_support   boolean not null default false,
    add column accueil_meals_possible           boolean not null default false,
    add column accueil_animals_accepted         boolean not null default false,
    add column accueil_exclusions               text[]  not null default '{}',
    add column accueil_reglement_version        text,
    add column accueil_reglement_uri            text    not null default '',
    add column accueil_reglement_start_date     date,
    add column accueil_court_codes              text[]  not null default '{}',
    add column accueil_commune_insees           text[]  not null default '{}',
    add column change_count                     bigint  not null default 0,
    add constraint espaces_accueil_bounds check (
        accueil_contact_deadline_days between 0 and 365 and accueil_absences_before_referral between 0 and 20
        and accueil_participation_fee_cents >= 0);

alter table agrements
    add column decision_date      date,
    add column list_entry_date    date,
    add column lieu_external_ids  text[] not null default '{}';

alter table lieux
    drop column public_transport,
    add column staggered_arrivals boolean not null default false,
    add column outdoor_area       boolean not null default false,
    add column car_park           boolean not null default false,
    add column accessibilites     text[]  not null default '{}';

create table dessertes (
    lieu_id      uuid     not null references lieux on delete cascade,
    position     smallint not null,
    mode         text     not null,
    line         text     not null,
    stop         text     not null,
    walk_minutes integer  not null,
    primary key (lieu_id, position),
    constraint dessertes_walk check (walk_minutes between 0 and 60)
);

create table entretiens (
    espace_id       uuid     not null references espaces on delete cascade,
    position        smallint not null,
    party           text     not null,
    minutes         integer  not null,
    lead_days       integer  not null,
    remote_possible boolean  not null,
    primary key (espace_id, position),
    constraint entretiens_bounds check (minutes between 5 and 480 and lead_days between 0 and 365)
);

alter table modalites
    add column funded_capacity_families integer not null default 0,
    add column reopening_date           date,
    add column max_siblings             integer not null default 0,
    add column min_rencontre_minutes    integer not null default 0,
    add column max_rencontre_minutes    integer not null default 0,
    add column periodicities            text[]  not null default '{}', -- count/interval/unit, such as '2/1/MONTH'
    add column accepted_publics         text[]  not null default '{}',
    add column mode_accueil             text    not null default 'UNSPECIFIED',
    add column waiting_families         integer,
    add constraint modalites_further_bounds check (
        funded_capacity_families between 0 and 500 and max_siblings between 0 and 20 and waiting_families between 0 and 5000),
    add constraint modalites_minutes check (
        min_rencontre_minutes between 0 and 720 and max_rencontre_minutes between 0 and 720
        and (max_rencontre_minutes = 0 or min_rencontre_minutes <= max_rencontre_minutes));

create table ouvertures (
    espace_id               uuid     not null references espaces on delete cascade,
    position                smallint not null,
    external_id             text     not null,
    lieu_external_id        text     not null,
    rrule                   text     not null, -- RFC 5545; empty: start_date alone
    start_date              date     not null,
    start_minute            integer  not null, -- minutes after midnight, on the clock of the lieu
    end_minute              integer  not null,
    modalites               text[]   not null, -- empty: all that the espace offers
    slot_minutes            integer  not null,
    families                integer  not null,
    school_holidays         text     not null,
    open_on_public_holidays boolean  not null,
    primary key (espace_id, position),
    constraint ouvertures_hours check (0 <= start_minute and start_minute < end_minute and end_minute <= 1440),
    constraint ouvertures_slots check (slot_minutes between 5 and 720 and families between 1 and 500)
);

create table fermetures (
    espace_id        uuid     not null references espaces on delete cascade,
    position         smallint not null,
    start_date       date     not null,
    end_date         date     not null,
    reason           text     not null,
    lieu_external_id text     not null, -- empty: the whole espace
    primary key (espace_id, position),
    constraint fermetures_order check (start_date <= end_date)
);

-- Who last said each group of an espace's fields, and when it was last confirmed. The key is the modalité, else empty.
create table espace_groups (
    espace_id       uuid        not null references espaces on delete cascade,
    espace_group    text        not null,
    key             text        not null,
    source          text        not null,
    organisation_id uuid        not null,
    said_at         timestamptz not null,
    confirmed_at    timestamptz not null,
    primary key (espace_id, espace_group, key)
);

-- Only ever appended. The content is an Espace of the contract of which only the group's fields are set.
create table espace_changes (
    espace_id       uuid        not null references espaces on delete cascade,
    sequence        bigint      not null,
    espace_group    text        not null,
    key             text        not null,
    kind            text        not null,
    source          text        not null,
    organisation_id uuid        not null,
    recorded_at     timestamptz not null,
    confirmed_at    timestamptz not null, -- differs from recorded_at when a source says of itself that it is older
    content         bytea,
    primary key (espace_id, sequence),
    constraint espace_changes_kind check (kind in ('SAID', 'CONFIRMED', 'REMOVED')),
    constraint espace_changes_content check (content is null or kind = 'SAID')
);
-- The state of one group at the end of a day, and the list of one group's changes.
create index espace_changes_group on espace_changes (espace_id, espace_group, key, recorded_at desc, sequence desc);

create table school_holidays (
    zone        text not null,
    school_year text not null,
    start_date  date not null,
    end_date    date not null,
    name        text not null,
    source      text not null,
    primary key (zone, start_date),
    constraint school_holidays_order check (start_date <= end_date)
);
create index school_holidays_days on school_holidays (start_date, zone);

create table yearly_declarations (
    gestionnaire_id uuid        not null references gestionnaires,
    year            integer     not null,
    opening_hours   integer     not null,
    opening_days    integer     not null,
    updated_at      timestamptz not null,
    version         bigint      not null,
    primary key (gestionnaire_id, year)
);

create table personnels (
    gestionnaire_id      uuid             not null,
    year                 integer          not null,
    status               text             not null,
    function             text             not null,
    head_count           integer          not null,
    full_time_equivalent double precision not null,
    primary key (gestionnaire_id, year, status, function),
    foreign key (gestionnaire_id, year) references yearly_declarations on delete cascade
);

create table ressources (
    gestionnaire_id uuid    not null,
    year            integer not null,
    funder          text    not null,
    amount_euros    bigint  not null,
    primary key (gestionnaire_id, year, funder),
    foreign key (gestionnaire_id, year) references yearly_declarations on delete cascade
);
