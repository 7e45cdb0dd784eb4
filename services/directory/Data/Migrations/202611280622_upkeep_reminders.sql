-- Every reminder about the upkeep of an espace that went out: only added to. Each says when the next one of its ladder is due.
create table upkeep_reminders (
    id          uuid        primary key, -- its event
    espace_id   uuid        not null references espaces on delete cascade,
    kind        text        not null,
    key         text        not null,
    due_on      date        not null,
    rung        text        not null,
    number      integer     not null check (number between 1 and 3),
    reminded_at timestamptz not null,
    next_at     timestamptz,
    unique (espace_id, kind, key, due_on, rung, number)
);
