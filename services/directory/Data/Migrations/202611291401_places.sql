-- Places that an espace says are free, with the day for which it said so.
alter table modalites
    add column free_places       integer,
    add column free_places_as_of date,
    add constraint modalites_free_places check (free_places between 0 and 500),
    add constraint modalites_free_places_whole check ((free_places is null) = (free_places_as_of is null));

-- Places held for mesures about to be transmitted: one for each, for a quarter of an hour. Whoever has the lower number comes first.
create table place_holds (
    mesure_id  uuid        not null primary key,
    espace_id  uuid        not null references espaces on delete cascade,
    modalite   text        not null,
    number     bigint      not null generated always as identity,
    held_at    timestamptz not null,
    expires_at timestamptz not null
);
create index place_holds_espace on place_holds (espace_id, modalite);
create index place_holds_expiry on place_holds (expires_at);
select secure_rows('place_holds', 'false');
