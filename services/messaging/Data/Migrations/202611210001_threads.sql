-- One thread per mesure. message_count is the position of the last message; its row is locked by whoever adds one.
create table threads (
    mesure_id       uuid        primary key,
    juridiction_id  uuid        not null,
    gestionnaire_id uuid        not null,
    holders_version bigint      not null,
    message_count   bigint      not null,
    last_message_at timestamptz not null,
    constraint threads_two_sides check (juridiction_id <> gestionnaire_id),
    constraint threads_count_positive check (message_count >= 0)
);
create index threads_of_juridiction on threads (juridiction_id, last_message_at desc, mesure_id desc);
create index threads_of_gestionnaire on threads (gestionnaire_id, last_message_at desc, mesure_id desc);

-- body is sensitive: see SensitiveText. A step of the mesure has an event_type instead of a body and an author.
create table messages (
    mesure_id              uuid        not null references threads,
    position               bigint      not null,
    message_id             uuid        not null unique,
    author_kind            text        not null,
    author_organisation_id uuid,
    body                   bytea,
    event_type             text,
    created_at             timestamptz not null,
    primary key (mesure_id, position),
    constraint messages_position_positive check (position >= 1),
    constraint messages_author_kind check (author_kind in ('JURIDICTION', 'ESPACE', 'SYSTEME')),
    constraint messages_step_or_speech check (
        case when author_kind = 'SYSTEME'
             then event_type is not null and body is null and author_organisation_id is null
             else event_type is null and body is not null and author_organisation_id is not null end)
);
create function messages_never_change() returns trigger language plpgsql as $$
begin
    raise exception 'a message never changes';
end $$;
create trigger messages_never_change before update on messages
    for each row execute function messages_never_change();

create table receipts (
    mesure_id       uuid        not null references threads,
    organisation_id uuid        not null,
    position        bigint      not null,
    read_at         timestamptz not null,
    primary key (mesure_id, organisation_id, position)
);
