-- One row for a mesure instead of one for each of its years: half the rows to write when everything is counted anew, as it is now.
-- A replica of the version before finds no columns of its own, so that it cannot count what this one counts.
drop table survey_entries;
-- No key to mesures: one that was received is never deleted, and to look up each took a fifth of the time that the rows took.
create table survey_entries (
    mesure_id       uuid       primary key,
    gestionnaire_id uuid       not null,
    departement     text       not null,
    years           smallint[] not null, -- each place of the three is a year, a figure and how much of it
    figures         smallint[] not null,
    counts          integer[]  not null
);
create index survey_entries_of_gestionnaire on survey_entries (gestionnaire_id);
select secure_rows('survey_entries', 'coalesce(gestionnaire_id = (select tenant()), false)');
revoke insert, update, delete on survey_entries from jafer_calls;
truncate survey_counts;
insert into survey_queue (mesure_id) select id from mesures where gestionnaire_id is not null;

-- What is counted of rencontres stands in their index: all of a mesure's lie together there, and in the table wherever each was booked.
drop index rencontres_of_mesure;
create index rencontres_of_mesure on rencontres (mesure_id, starts_at) include (time_zone, outcome, present_child_ids);
