-- A child whoever owns the mesure, as a digest of a kind of its own: it finds families that come back, and nothing else is looked
-- for by it (docs/decisions/0025). Nothing of a name can be read in it.
alter table children add column return_index text;
create index children_by_return_index on children (return_index) where return_index is not null;

-- Mesures that ended, as impact counts them: not those that go on at another espace, mistakes, or drafts.
create view ended_mesures as
select id, juridiction_id, gestionnaire_id, espace_id, closed_at, closure_destination
from mesures
where closed_at is not null and gestionnaire_id is not null and closure_reason not in ('ERREUR_DE_SAISIE', 'DOUBLON', 'TRANSFERT');
create index mesures_ended on mesures (closed_at) include (id, juridiction_id, gestionnaire_id, espace_id, closure_destination)
    where closed_at is not null and gestionnaire_id is not null and closure_reason not in ('ERREUR_DE_SAISIE', 'DOUBLON', 'TRANSFERT');

-- A family that came back: the mesure that had ended, and the one that came within twelve months. No rpc and no event tells a row.
create table mesure_returns (
    earlier_id uuid not null references mesures,
    later_id   uuid not null references mesures,
    primary key (earlier_id, later_id)
);
create index mesure_returns_of_later on mesure_returns (later_id);

-- How far the keyed index was brought up to date, for each key under which it was made.
create table index_renewals (
    generation      text        primary key,
    after_mesure_id uuid        not null,
    finished_at     timestamptz
);
