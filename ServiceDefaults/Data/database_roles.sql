-- The roles under which a service works: jafer_calls for the calls of tenants, jafer_work for its own work and for calls that may
-- touch everybody's things. Neither owns anything, and both belong to the whole cluster: databases that are migrated at the same
-- time meet here, and whoever comes second finds what the first has made.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['jafer_calls', 'jafer_work'] loop
        for attempt in 1 .. 5 loop
            exit when exists (select from pg_roles where rolname = wanted);
            begin
                execute format('create role %I nologin', wanted);
            exception when duplicate_object or unique_violation then null;
            end;
        end loop;
        -- The owner sees all rows as the service's work does, however row security is forced on its own tables, and one login may
        -- serve for all three where nobody made others.
        for attempt in 1 .. 5 loop
            exit when pg_has_role(current_user, wanted, 'member');
            begin
                execute format('grant %I to %I', wanted, current_user);
            exception when duplicate_object or unique_violation then null;
            end;
        end loop;
    end loop;
end $$;

grant usage on schema public to jafer_calls, jafer_work;
grant select, insert, update, delete on all tables in schema public to jafer_calls, jafer_work;
grant usage, select on all sequences in schema public to jafer_calls, jafer_work;
alter default privileges in schema public grant select, insert, update, delete on tables to jafer_calls, jafer_work;
alter default privileges in schema public grant usage, select on sequences to jafer_calls, jafer_work;

revoke insert, update, delete on "__EFMigrationsHistory" from jafer_calls, jafer_work;

-- What the relay and the inbox do is the service's own work: a call adds events, and no more.
revoke select, update, delete on outbox_messages from jafer_calls;
revoke all on inbox_messages from jafer_calls;
