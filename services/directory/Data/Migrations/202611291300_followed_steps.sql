-- The steps to the first rencontre, for waits between each of them, and the court, for its own. Of mesures noted before this only the
-- first rencontre held is known.
alter table mesure_receptions
    add column juridiction_id uuid,                           -- of the court; null when no judge ordered it
    add column steps_known    boolean not null default false, -- the days below were followed from the transmission on
    add column contacted_on   date,                           -- day of the first contact with a parent
    add column scheduled_on   date,                           -- day on which a first rencontre was scheduled
    add column planned_on     date;                           -- day for which that one was planned
