-- A message is never deleted either, but by the retention, which says so in its transaction.
create or replace function messages_never_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('jafer.retention', true) = 'on' then
        return old;
    end if;
    raise exception 'a message never changes';
end $$;
drop trigger messages_never_change on messages;
create trigger messages_never_change before update or delete on messages
    for each row execute function messages_never_change();
