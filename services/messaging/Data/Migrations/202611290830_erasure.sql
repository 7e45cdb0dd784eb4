-- Retention empties a text and its salt, and nothing else of a message: the chain stands on the digest, which is left. The job that
-- seals writes both anew.
alter table messages
    add column erased_at timestamptz,
    drop constraint messages_step_or_speech,
    add constraint messages_step_or_speech check (
        case when author_kind = 'SYSTEME'
             then event_type is not null and body is null and salt is null and body_digest is null and author_organisation_id is null and kind is null and erased_at is null
             else event_type is null and (body is null) = (erased_at is not null) and (salt is null) = (erased_at is not null) and body_digest is not null
                  and author_organisation_id is not null and kind is not null end);

create or replace function messages_never_change() returns trigger language plpgsql as $$
begin
    if current_setting('jafer.retention', true) = 'on' then
        if tg_op = 'DELETE' then
            return old;
        end if;
        if new.body is null and new.salt is null and new.erased_at is not null
            and to_jsonb(new) - array['body', 'salt', 'erased_at'] = to_jsonb(old) - array['body', 'salt', 'erased_at'] then
            return new;
        end if;
    end if;
    if tg_op = 'UPDATE' and current_setting('jafer.sealing', true) = 'on'
        and to_jsonb(new) - array['body', 'salt'] = to_jsonb(old) - array['body', 'salt'] then
        return new;
    end if;
    raise exception 'a message never changes';
end $$;
grant update (body, salt, erased_at) on messages to jafer_work;

-- Of a file its bytes and its name go; length and SHA-256 stay, which the chain names.
alter table attachments add column erased_at timestamptz;
create or replace function attachments_never_change() returns trigger language plpgsql as $$
begin
    if current_setting('jafer.retention', true) = 'on' then
        if tg_op = 'DELETE' then
            return old;
        end if;
        if new.erased_at is not null
            and to_jsonb(new) - array['file_name', 'erased_at', 'state', 'verdict_at', 'finding', 'next_check_at', 'lease']
              = to_jsonb(old) - array['file_name', 'erased_at', 'state', 'verdict_at', 'finding', 'next_check_at', 'lease'] then
            return new;
        end if;
    end if;
    if tg_op = 'DELETE' then
        if old.message_id is not null then
            raise exception 'a file that a message names is never deleted';
        end if;
        return old;
    end if;
    if (new.attachment_id, new.thread_id, new.organisation_id, new.media_type, new.size_bytes, new.sha256, new.created_at, new.erased_at)
        is distinct from (old.attachment_id, old.thread_id, old.organisation_id, old.media_type, old.size_bytes, old.sha256, old.created_at, old.erased_at)
        or (new.file_name is distinct from old.file_name and current_setting('jafer.sealing', true) is distinct from 'on')
        or (old.message_id is not null and (new.message_id, new.message_index) is distinct from (old.message_id, old.message_index))
        or (old.state = 'REFUSE' and new.state <> 'REFUSE') then
        raise exception 'a file never changes';
    end if;
    return new;
end $$;

-- Of which mesures nothing must come back, whatever is told late.
alter table threads
    add column files_erased_at timestamptz,
    add column erased_at       timestamptz;

do $$
declare
    relation text;
begin
    foreach relation in array array['messages', 'attachments', 'attachment_chunks', 'participants', 'receipts', 'expectations'] loop
        execute format('alter table %I set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500)', relation);
    end loop;
end $$;
