-- The rhythm of each organisation whose software reads its feed.
create table feed_consumers (
    organisation_id uuid      primary key,
    last_day        date      not null,
    gaps            integer[] not null, -- days between its latest days
    silent_after    date      not null, -- last day on which silence is still its rhythm
    silences        integer   not null,
    silence_told    boolean   not null
);
create index feed_consumers_untold on feed_consumers (silent_after) where not silence_told;
