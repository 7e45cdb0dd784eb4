-- The designated espace lost its agrément: part of the fold of the facts, shown as a warning.
alter table mesures
    add column agrement_ended_espace_id uuid,
    add column agrement_ended_on        date,
    add constraint mesures_agrement_ended_whole check ((agrement_ended_espace_id is null) = (agrement_ended_on is null));

-- Whoever is to be warned when an espace loses its agrément.
create index mesures_open_of_espace on mesures (espace_id, id) where state <> 'CLOTUREE';
