-- What was still missing of what an espace is, and of its contacts.
alter table espaces
    add column accueil_cour_appel_names text[] not null default '{}';

alter table modalites
    add column staff_present       integer not null default 0,
    add column vif_amenagements    text[]  not null default '{}',
    add column next_estimated_date date,
    add constraint modalites_staff check (staff_present between 0 and 100);

-- "right" is a word of SQL.
alter table contacts
    add column name          text   not null default '',
    add column phone         text   not null default '',
    add column contact_right text   not null default 'UNSPECIFIED',
    add column muted_mails   text[] not null default '{}';

-- The version of an organisation's contacts: their etag.
alter table gestionnaires add column contacts_version bigint not null default 1;
alter table courts add column contacts_version bigint not null default 1;

-- A SIRET is looked up when one is said: it belongs to one gestionnaire. Not unique here: what was recorded before stays.
create index gestionnaires_siret_of on gestionnaires (siret);
