-- Programs of organisations that sign their own tokens, and their public keys.
create table credentials (
    id                uuid        not null primary key,
    organisation_id   uuid        not null,
    role              text        not null,
    display_name      text        not null,
    rank              text        not null,
    may_act_on_behalf boolean     not null,
    expires_on        date        not null,
    revoked_at        timestamptz,
    last_used_on      date,
    created_at        timestamptz not null,
    updated_at        timestamptz not null,
    version           bigint      not null,
    constraint credentials_rank check (rank in ('READER', 'AGENT'))
);
create index credentials_organisation on credentials (organisation_id, created_at, id);
select secure_rows('credentials', 'coalesce(organisation_id = (select tenant()), false)');

create table credential_keys (
    id             uuid        not null primary key,
    credential_id  uuid        not null references credentials on delete cascade,
    public_key_jwk text        not null,
    expires_at     timestamptz, -- null for the latest
    created_at     timestamptz not null
);
create index credential_keys_credential on credential_keys (credential_id);
select secure_rows('credential_keys', 'exists (select from credentials c where c.id = credential_id)');
