-- For how long and how often each mesure that came takes a place, and since when it has one: places become free as terms end, and
-- waits are forecast from that. Of mesures noted before this nothing is known of their terms, and usual ones stand in.
alter table mesure_receptions
    add column rencontres_per_year integer,                     -- null while the periodicity is left to the espace
    add column duration_months     integer,
    add column term_on             date,                        -- null while it runs from a first rencontre that was not held
    add column revised_on          date,                        -- first day of the duration and term below, as last modified
    add column revised_months      integer,
    add column revised_term_on     date,
    add column revised_version     bigint not null default 0,   -- of the mesure: an older modification changes nothing
    add column placed_on           date;                        -- day on which a rencontre was scheduled that is no freed slot
update mesure_receptions set placed_on = scheduled_on;
