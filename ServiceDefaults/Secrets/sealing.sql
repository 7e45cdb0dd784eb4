-- How far each table is sealed under the key that seals (docs/decisions/0036). One row for each table with sealed columns.
create table sealing_passes (
    table_name  text        not null primary key,
    key_id      text        not null, -- the key of this pass; another one begins it anew
    after_key   text[],               -- primary key of the last row of the last portion; null at the beginning
    resealed    bigint      not null default 0,
    began_at    timestamptz not null,
    finished_at timestamptz          -- null while rows are left
);
revoke all on sealing_passes from jafer_calls;

-- Form 0 of a sealed value: what stands in clear until the service's job has sealed it.
create function in_clear(plain text) returns bytea language sql immutable as $$ select '\x00'::bytea || convert_to(plain, 'UTF8') $$;

update processed_requests set response = '\x00'::bytea || response;
