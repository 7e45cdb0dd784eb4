-- Transmissions that stand in a feed which its organisation has not yet resumed past them.
create table undelivered_transmissions (
    organisation_id uuid        not null,
    position        bigint      not null,
    event_id        uuid        not null,
    mesure_id       uuid        not null,
    mesure_version  bigint      not null,
    appended_at     timestamptz not null,
    primary key (organisation_id, position)
);
create index undelivered_transmissions_appended on undelivered_transmissions (appended_at);

-- A mail about a deadline says which; an escalated one goes to all of the organisation.
alter table deliveries
    add column deadline  text,
    add column escalated boolean not null default false;
