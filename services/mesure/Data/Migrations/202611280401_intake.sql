-- What came by the intake says from which software, and under which name that software knows it.
alter table mesure_facts
    add column source_system text,
    add column external_id   text;
alter table rencontres
    add column source_system text collate "C",
    add column external_id   text collate "C";
create unique index rencontres_of_source on rencontres (mesure_id, external_id, source_system) where external_id is not null;
create index rencontres_pending on rencontres (mesure_id) where outcome = 'SCHEDULED';

-- Names of sources are compared byte by byte (collation "C"): they are plain ASCII, and looked up by the thousand.
-- Everything that software of espaces ever reported. Only what is held changes, once.
create table intake_items (
    gestionnaire_id uuid        not null,
    id              bigint      generated always as identity,
    source_system   text        collate "C" not null, -- empty when it was not well-formed
    external_id     text        collate "C" not null, -- empty when it was not well-formed
    sequence        bigint      not null,
    mesure_id       uuid,                 -- as it was sent: it need not exist
    act             text        not null,
    occurred_at     timestamptz not null,
    received_at     timestamptz not null,
    decided_at      timestamptz,
    subject         text        not null,
    request_id      uuid        not null,
    taken           boolean     not null, -- its external id and its sequence are used up by it
    content_hash    uuid        not null,
    content         bytea,                -- the item, while it is held; may hold personal data
    result          text        not null,
    reason          text        not null,
    description     text        not null,
    gap_before      bigint      not null,
    primary key (gestionnaire_id, id),
    constraint intake_items_held_has_content check ((result = 'HELD') = (content is not null)),
    constraint intake_items_held_is_undecided check ((result = 'HELD') = (decided_at is null))
);
create unique index intake_items_external on intake_items (gestionnaire_id, source_system, external_id) where taken;
-- That a sequence is taken once follows from the version of intake_sequences; this index also serves the history of a mesure.
create index intake_items_sequence on intake_items (mesure_id, source_system, sequence);
create index intake_items_held on intake_items (received_at) where result = 'HELD';

-- How far the items of a mesure and source have been decided in their order.
create table intake_sequences (
    mesure_id     uuid   not null references mesures,
    source_system text   collate "C" not null,
    next_sequence bigint not null,
    version       bigint not null,
    primary key (mesure_id, source_system)
) with (fillfactor = 80);

-- The rhythm of each software that reports.
create table intake_sources (
    gestionnaire_id uuid      not null,
    source_system   text      collate "C" not null,
    last_day        date      not null,
    gaps            integer[] not null, -- days between its latest reporting days
    silent_after    date      not null, -- last day on which silence is still its rhythm
    silences        integer   not null,
    silence_told    boolean   not null,
    primary key (gestionnaire_id, source_system)
);
create index intake_sources_due on intake_sources (silent_after) where not silence_told;
