-- The whole life of a rencontre: kind and halves, who comes when and came how, confirmations, cancelling and moving.
alter table rencontres
    add column espace_id                    uuid,
    add column kind                         text        not null default 'VISITE',
    add column arrivals_hote_arrival        integer     not null default 0, -- minutes from the start
    add column arrivals_visiteur_arrival    integer     not null default 0,
    add column arrivals_visiteur_departure  integer     not null default 0, -- minutes from the end
    add column arrivals_hote_departure      integer     not null default 0,
    add column arrivals_separated           boolean     not null default false,
    add column returns_at                   timestamptz,
    add column return_outcome               text        not null default 'UNSPECIFIED',
    add column presences                    jsonb       not null default '[]',
    add column actual_start_at              timestamptz,
    add column actual_end_at                timestamptz,
    add column hote_confirmed_at            timestamptz,
    add column visiteur_confirmed_at        timestamptz,
    add column cancelled_at                 timestamptz,
    add column moved_from_id                uuid references rencontres,
    add column moved_to_id                  uuid,
    add column free_slot_id                 uuid,
    add column over_capacity                boolean     not null default false,
    add constraint rencontres_remise_returns check ((kind = 'REMISE') = (returns_at is not null)),
    add constraint rencontres_return_after_start check (returns_at is null or returns_at > starts_at);
update rencontres r set espace_id = m.espace_id from mesures m where m.id = r.mesure_id;
alter table rencontres
    alter column kind                        drop default,
    alter column arrivals_hote_arrival       drop default,
    alter column arrivals_visiteur_arrival   drop default,
    alter column arrivals_visiteur_departure drop default,
    alter column arrivals_hote_departure     drop default,
    alter column arrivals_separated          drop default,
    alter column return_outcome              drop default,
    alter column presences                   drop default,
    alter column over_capacity               drop default;

-- Who is at an espace at the same time.
create index rencontres_of_espace on rencontres (espace_id, starts_at) where outcome = 'SCHEDULED';
create index rencontres_returning_to_espace on rencontres (espace_id, returns_at) where return_outcome = 'SCHEDULED';

-- The default stays: a replica of the version before may add an espace while this one starts.
alter table espaces add column capacities jsonb not null default '[]';

-- Lost times that another family may use.
create table free_slots (
    id                    uuid        primary key,
    espace_id             uuid        not null,
    gestionnaire_id       uuid        not null,
    lieu_id               uuid,
    starts_at             timestamptz not null,
    duration_minutes      integer     not null,
    time_zone             text        not null,
    modalite              text        not null,
    rencontre_id          uuid        not null references rencontres,
    freed_at              timestamptz not null,
    taken_by_mesure_id    uuid,
    taken_by_rencontre_id uuid,
    taken_at              timestamptz,
    version               bigint      not null,
    unique (rencontre_id, starts_at),
    constraint free_slots_taken_whole check ((taken_at is null) = (taken_by_rencontre_id is null) and (taken_at is null) = (taken_by_mesure_id is null))
);
create index free_slots_of_gestionnaire on free_slots (gestionnaire_id, starts_at, id);
create unique index free_slots_taker on free_slots (taken_by_rencontre_id) where taken_by_rencontre_id is not null;

-- Whom a free slot may be offered to.
create index mesures_without_rencontre on mesures (espace_id, decision_modalite, state, transmitted_at, id)
    where pending_rencontres = 0 and state in ('EN_ATTENTE', 'EN_COURS');
