-- Texts, salts, file names and files stand in form 0 already. Sealing them under a key is no change of a message or file: the job that
-- does it says so in its transaction, and the chain of the thread would show any other text.
create or replace function messages_never_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('jafer.retention', true) = 'on' then
        return old;
    end if;
    if tg_op = 'UPDATE' and current_setting('jafer.sealing', true) = 'on'
        and to_jsonb(new) - '{body,salt}'::text[] = to_jsonb(old) - '{body,salt}'::text[] then
        return new;
    end if;
    raise exception 'a message never changes';
end $$;
grant update (body, salt) on messages to jafer_work;

create or replace function attachments_never_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.message_id is not null then
            raise exception 'a file that a message names is never deleted';
        end if;
        return old;
    end if;
    if (new.attachment_id, new.thread_id, new.organisation_id, new.media_type, new.size_bytes, new.sha256, new.created_at)
        is distinct from (old.attachment_id, old.thread_id, old.organisation_id, old.media_type, old.size_bytes, old.sha256, old.created_at)
        or (new.file_name is distinct from old.file_name and current_setting('jafer.sealing', true) is distinct from 'on')
        or (old.message_id is not null and (new.message_id, new.message_index) is distinct from (old.message_id, old.message_index))
        or (old.state = 'REFUSE' and new.state <> 'REFUSE') then
        raise exception 'a file never changes';
    end if;
    return new;
end $$;
