-- The lieu of a mesure lost its agrément while the espace keeps one: part of the fold of the facts, shown as a warning.
alter table mesures
    add column lieu_ended_id uuid,
    add column lieu_ended_on date,
    add constraint mesures_lieu_ended_whole check ((lieu_ended_id is null) = (lieu_ended_on is null));

-- Lieux that not every agrément covers, with the days on which one does. Filled by what the directory tells next.
alter table espaces add column lieu_agrements jsonb not null default '[]';
