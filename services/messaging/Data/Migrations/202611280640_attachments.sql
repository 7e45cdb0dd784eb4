-- file_name is sensitive: see SensitiveText. next_check_at: when it is looked at next, for as long as it waits for a verdict; lease:
-- who looks at it until then.
create table attachments (
    attachment_id   uuid        primary key,
    thread_id       uuid        not null references threads,
    organisation_id uuid        not null,
    file_name       bytea       not null,
    media_type      text        not null,
    size_bytes      bigint      not null,
    sha256          bytea       not null,
    state           text        not null,
    created_at      timestamptz not null,
    message_id      uuid        references messages (message_id),
    message_index   int,
    verdict_at      timestamptz,
    finding         text,
    failures        int         not null,
    last_error      text,
    next_check_at   timestamptz,
    lease           uuid,
    constraint attachments_size check (size_bytes between 1 and 10485760),
    constraint attachments_sha256 check (length(sha256) = 32),
    constraint attachments_state check (state in ('QUARANTAINE', 'SAIN', 'REFUSE', 'ECHEC_ANALYSE')),
    constraint attachments_verdict check ((state in ('SAIN', 'REFUSE')) = (verdict_at is not null) and (state in ('SAIN', 'REFUSE')) = (next_check_at is null)),
    constraint attachments_finding check ((state = 'REFUSE') = (finding is not null)),
    constraint attachments_named check ((message_id is null) = (message_index is null))
);
create index attachments_of_thread on attachments (thread_id, attachment_id desc);
create index attachments_of_organisation on attachments (organisation_id) include (size_bytes, message_id);
create unique index attachments_of_message on attachments (message_id, message_index) where message_id is not null;
create index attachments_unnamed on attachments (created_at) where message_id is null;
create index attachments_waiting on attachments (next_check_at) where next_check_at is not null;

-- data is sealed: see SensitiveContent. Deferred: chunks come before it is known what they are.
create table attachment_chunks (
    attachment_id uuid  not null references attachments on delete cascade deferrable initially deferred,
    number        int   not null,
    data          bytea not null,
    primary key (attachment_id, number)
);
-- What is packed already is not packed again, and its pieces are read as they stand.
alter table attachment_chunks alter column data set storage external;

create function attachments_never_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        if old.message_id is not null then
            raise exception 'a file that a message names is never deleted';
        end if;
        return old;
    end if;
    if (new.attachment_id, new.thread_id, new.organisation_id, new.file_name, new.media_type, new.size_bytes, new.sha256, new.created_at)
        is distinct from (old.attachment_id, old.thread_id, old.organisation_id, old.file_name, old.media_type, old.size_bytes, old.sha256, old.created_at)
        or (old.message_id is not null and (new.message_id, new.message_index) is distinct from (old.message_id, old.message_index))
        or (old.state = 'REFUSE' and new.state <> 'REFUSE') then
        raise exception 'a file never changes';
    end if;
    return new;
end $$;
create trigger attachments_never_change before update or delete on attachments
    for each row execute function attachments_never_change();
create index attachments_refused on attachments (verdict_at) where state = 'REFUSE';
