-- Reminders of deadlines. The next one of each stands with it; what was told before this came is told once and not again.
alter table deadlines
    add column urgent    boolean not null default false,
    add column remind_at timestamptz;
update deadlines set remind_at = due_at where raised_at is null;
drop index deadlines_to_raise;
create index deadlines_to_remind on deadlines (remind_at) where remind_at is not null;

-- An older version that runs beside this one writes none: its deadlines are then reminded of when they are due.
create function remind_when_due() returns trigger language plpgsql as $$
begin
    new.remind_at := new.due_at;
    return new;
end $$;
create trigger deadlines_remind before insert on deadlines
    for each row when (new.remind_at is null) execute function remind_when_due();

-- Every reminder that went out: only added to.
create table reminders (
    id          uuid        primary key, -- its event
    mesure_id   uuid        not null references mesures,
    kind        text        not null,
    due_at      timestamptz not null,
    must_act    text        not null,
    rung        text        not null,
    number      integer     not null check (number between 1 and 3),
    reminded_at timestamptz not null
);
create index reminders_of_mesure on reminders (mesure_id, reminded_at, id);

-- What families wait at an espace, as it declared, and what that was when a mesure came to it.
alter table espaces add column waits jsonb not null default '[]';
alter table mesures add column espace_wait_days integer;
