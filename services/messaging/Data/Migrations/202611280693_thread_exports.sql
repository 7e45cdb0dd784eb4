-- The files that were given out of threads, by their SHA-256: what comes back is known again.
create table thread_exports (
    thread_id       uuid        not null, -- also of an espace with which nobody spoke yet
    sha256          bytea       not null check (octet_length(sha256) = 32),
    exported_at     timestamptz not null,
    organisation_id uuid        not null,
    primary key (thread_id, sha256)
);
