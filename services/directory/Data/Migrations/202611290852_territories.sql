-- Where organisations whose role is for a part of France are competent. One that is not here has the whole nation.
create table territories (
    organisation_id uuid        not null primary key,
    display_name    text        not null,
    departements    text[]      not null, -- none for the whole nation
    updated_at      timestamptz not null,
    version         bigint      not null
);
select secure_rows('territories', 'coalesce(organisation_id = (select tenant()), false)');
