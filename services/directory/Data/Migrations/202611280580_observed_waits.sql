-- What became of the mesures that came: dates alone, for the wait that Jafer observes itself. Of mesures noted before this nothing
-- is known, and they are not followed.
alter table mesure_receptions
    add column transmitted    boolean not null default false, -- by a court, and followed from then on
    add column first_held_on  date,                           -- day of the first rencontre held
    add column first_held_id  uuid,                           -- that rencontre, should its outcome be corrected
    add column closed_on      date,
    add column closed_version bigint  not null default 0;     -- of the mesure: an older closing or reopening changes nothing
