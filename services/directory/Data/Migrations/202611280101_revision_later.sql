-- An import writes for many seconds. It marks what it writes and takes its revision only at the end, so that writers of other
-- espaces do not wait for it; changes still commit in the order of their revisions, for it is taken just before the commit.
create or replace function espaces_take_revision() returns trigger language plpgsql as $$
begin
    if coalesce(current_setting('jafer.revision', true), '') <> 'later' then
        update directory_revision set revision = revision + 1;
    end if;
    return null;
end $$;

create or replace function espaces_stamp_revision() returns trigger language plpgsql as $$
begin
    -- -1 is never seen by another transaction: whoever writes it replaces it before the commit.
    new.revision := case when coalesce(current_setting('jafer.revision', true), '') = 'later' then -1
        else (select revision from directory_revision) end;
    return new;
end $$;
