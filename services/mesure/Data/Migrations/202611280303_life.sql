-- Suspension, dangers of which nobody outside was told, reopening: parts of the fold of the facts.
alter table mesures
    add column suspended_at          timestamptz,
    add column suspended_for         interval not null default '0',
    add column dangers_untold        integer  not null default 0,
    add column state_before_closing  text     not null default 'UNSPECIFIED',
    add column holder_before_closing text     not null default 'UNSPECIFIED',
    add column reopening_comment     text     not null default '', -- may hold personal data
    add column origin                text     not null default 'UNSPECIFIED',
    add column decision_version      integer  not null default 1,
    add constraint mesures_dangers_positive check (dangers_untold >= 0),
    add constraint mesures_origin_of_non_judicial check ((nature = 'NON_JUDICIAIRE') = (origin <> 'UNSPECIFIED')),
    add constraint mesures_suspended_has_time check ((state = 'SUSPENDUE') <= (suspended_at is not null));
alter table mesures
    alter column suspended_for drop default,
    alter column dangers_untold drop default,
    alter column state_before_closing drop default,
    alter column holder_before_closing drop default,
    alter column reopening_comment drop default,
    alter column origin drop default,
    alter column decision_version drop default;

-- What was ordered and each later version of it; empty while nothing was modified.
create table decision_versions (
    mesure_id    uuid        not null references mesures,
    number       integer     not null check (number > 0),
    decided_on   date,
    effective_on date,
    recorded_at  timestamptz not null,
    content      jsonb       not null, -- personal data
    primary key (mesure_id, number)
);

-- A proposal to close, and whom outside the espace or the court told.
alter table difficulties
    add column proposed_closure text not null default 'UNSPECIFIED',
    add column alerted_at       timestamptz;
alter table difficulties alter column proposed_closure drop default;
create table external_alerts (
    id                    uuid        primary key,
    mesure_id             uuid        not null references mesures,
    difficulty_id         uuid        not null references difficulties,
    recipient             text        not null,
    kind                  text        not null,
    alerted_at            timestamptz not null,
    actor_organisation_id uuid        not null
);
create index external_alerts_of_mesure on external_alerts (mesure_id);
