-- Reminders of messages go up the same ladders as those of deadlines. Whoever was told before this stands on the lowest rung.
alter table expectations
    add column rung        text,
    add column rung_number int,
    add column reminded_at timestamptz;
update expectations set rung = 'MUST_ACT', rung_number = least(reminders, 3), reminded_at = coalesce(remind_at, due_at) where reminders > 0;
alter table expectations add constraint expectations_rung check (num_nulls(rung, rung_number, reminded_at) in (0, 3));

-- An older version that runs beside this one counts and names no rung; it goes on from the lowest.
create function told_without_rung() returns trigger language plpgsql as $$
begin
    new.rung := 'MUST_ACT';
    new.rung_number := least(new.reminders, 3);
    new.reminded_at := now();
    return new;
end $$;
create trigger expectations_told before update on expectations
    for each row when (new.reminders > old.reminders and new.rung is null) execute function told_without_rung();

-- Where courts sit: by which holidays and clocks they work. The directory tells it again on its command to republish.
create table courts (
    organisation_id uuid primary key,
    code            text not null
);

-- By which clocks an espace works. The directory tells the zone with every espace; until it tells one again, that of its département.
alter table espaces add column time_zone text not null default 'Europe/Paris';
update espaces set time_zone = case departement
    when '971' then 'America/Guadeloupe' when '972' then 'America/Martinique' when '973' then 'America/Cayenne' when '974' then 'Indian/Reunion'
    when '975' then 'America/Miquelon' when '976' then 'Indian/Mayotte' when '977' then 'America/St_Barthelemy' when '978' then 'America/Marigot'
    when '986' then 'Pacific/Wallis' when '987' then 'Pacific/Tahiti' when '988' then 'Pacific/Noumea' else time_zone end;
