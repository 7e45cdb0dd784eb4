-- Row security: a call of a tenant sees and writes the rows of its own organisation, whatever its query says. The service sets
-- jafer.tenant (and jafer.role, as the access table names it) for one transaction at a time; where nothing is set, there is no row.
create function tenant() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('jafer.tenant', true), '')::uuid
$$;
create function is_court() returns boolean language sql stable parallel safe as $$
    select coalesce(current_setting('jafer.role', true) = 'juridiction', false)
$$;

-- Whose row it is, for the rows of a table that has a column for it. The planner takes what coalesce hides for half of the rows:
-- queries name the organisation themselves, and their estimates and plans stay what they were without this.
create function secure_rows(relation regclass, rule text, added text default null) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', relation);
    execute format('alter table %s force row level security', relation);
    execute format('create policy work on %s to jafer_work using (true) with check (true)', relation);
    execute format('create policy calls on %s to jafer_calls using (%s) with check (%s)', relation, rule, coalesce(added, rule));
end $$;
revoke execute on function secure_rows from public;

-- What was answered is its caller's. Rows written before have no organisation, and last a day.
alter table processed_requests add column organisation_id uuid;
select secure_rows('processed_requests', 'coalesce(organisation_id = (select tenant()), false)');

-- A call adds lines to the journal for its own organisation, or what the service did by itself meanwhile, and reads none.
alter table journal.entries enable row level security;
create policy work on journal.entries to jafer_work using (true) with check (true);
create policy calls on journal.entries for insert to jafer_calls
    with check (coalesce(organisation_id in ((select tenant()), '00000000-0000-0000-0000-000000000000'), false));
