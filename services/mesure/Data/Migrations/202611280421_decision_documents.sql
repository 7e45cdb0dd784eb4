-- The decision as a file. Its bytes come before the row that names them, in the same transaction.
create table decision_documents (
    id          uuid        primary key,
    mesure_id   uuid        not null references mesures,
    content_id  uuid        not null references decision_documents deferrable initially deferred,
    number      integer     not null check (number > 0),
    size_bytes  bigint      not null check (size_bytes between 1 and 10485760),
    sha256      bytea       not null check (octet_length(sha256) = 32),
    attached_at timestamptz not null,
    replaced_at timestamptz,
    unique (mesure_id, number)
);
create unique index decision_documents_current on decision_documents (mesure_id) where replaced_at is null;

create table decision_document_chunks (
    document_id uuid    not null references decision_documents deferrable initially deferred,
    number      integer not null check (number >= 0),
    data        bytea   not null, -- personal data
    primary key (document_id, number)
);
-- A PDF is packed already.
alter table decision_document_chunks alter column data set storage external;
