-- The persons of an organisation, court, gestionnaire or any other, who may act for it.
create table members (
    id                     uuid        not null primary key,
    organisation_id        uuid        not null,
    role                   text        not null, -- of the tokens that may accept the invitation; empty for any
    subject                text,                 -- as tokens name the person; null until accepted
    display_name           bytea       not null, -- sealed; empty once removed
    rank                   text        not null,
    state                  text        not null,
    invitation_hash        bytea,                -- SHA-256 of the code; null once used or withdrawn
    invitation_expires_at  timestamptz,
    invited_at             timestamptz not null,
    accepted_at            timestamptz,
    updated_at             timestamptz not null,
    version                bigint      not null,
    constraint members_rank check (rank in ('READER', 'AGENT', 'MANAGER')),
    constraint members_state check (state in ('INVITED', 'ACTIVE', 'SUSPENDED', 'REMOVED')),
    constraint members_known check (state in ('INVITED', 'REMOVED') or (subject is not null and accepted_at is not null)),
    constraint members_invitation check ((invitation_hash is null) = (invitation_expires_at is null) and (state = 'INVITED') = (invitation_hash is not null))
);
create index members_organisation on members (organisation_id, invited_at, id);
-- Somebody is a member once; who was removed may come back as another one.
create unique index members_subject on members (organisation_id, subject) where state <> 'REMOVED';
select secure_rows('members', 'coalesce(organisation_id = (select tenant()), false)');

-- Ranks lent by one member to another. The dates are the organisation's, the instants theirs on its clock.
create table delegations (
    id              uuid        not null primary key,
    organisation_id uuid        not null,
    from_member_id  uuid        not null references members,
    to_member_id    uuid        not null references members,
    start_on        date        not null,
    end_on          date        not null,
    starts_at       timestamptz not null,
    ends_at         timestamptz not null,
    created_at      timestamptz not null,
    version         bigint      not null,
    constraint delegations_order check (start_on <= end_on),
    constraint delegations_two check (from_member_id <> to_member_id)
);
create index delegations_organisation on delegations (organisation_id, created_at, id);
create index delegations_to on delegations (to_member_id);
create index delegations_from on delegations (from_member_id);
select secure_rows('delegations', 'coalesce(organisation_id = (select tenant()), false)');
