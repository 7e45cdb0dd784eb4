-- The revision at which the school holidays last changed. Opening schedules depend on them, so that searches read all espaces
-- anew when it moves.
alter table directory_revision add column school_revision bigint not null default 0;

create function school_holidays_take_revision() returns trigger language plpgsql as $$
begin
    update directory_revision set revision = revision + 1, school_revision = revision + 1;
    return null;
end $$;
create trigger school_holidays_take_revision after insert or update or delete or truncate on school_holidays
    for each statement execute function school_holidays_take_revision();
