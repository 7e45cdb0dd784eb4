create table notes (
    id      uuid   primary key,
    text    text   not null unique,
    version bigint not null
);

-- What the consumer applied, in order; not unique, so that a double application shows.
create table applied_events (
    position          bigint generated always as identity primary key,
    event_id          uuid    not null,
    aggregate_id      uuid    not null,
    aggregate_version bigint  not null,
    process           integer not null
);
