-- A thread is about a mesure or an espace: its id is that of the one or the other.
alter table threads rename column mesure_id to thread_id;
alter table messages rename column mesure_id to thread_id;
alter table receipts rename column mesure_id to thread_id;

alter table threads
    alter column juridiction_id drop not null,
    add column kind           text not null default 'MESURE',
    add column espace_id      uuid,
    add column operateur_id   uuid,
    add column predecessor_id uuid,
    add column closed_at      timestamptz,
    add column head_hash      bytea,
    add constraint threads_kind check (kind in ('MESURE', 'ESPACE')),
    add constraint threads_sides check (
        case when kind = 'ESPACE' then operateur_id is not null and operateur_id <> gestionnaire_id and juridiction_id is null and espace_id = thread_id
             else operateur_id is null end);
alter table threads alter column kind drop default;
create index threads_of_operateur on threads (operateur_id, last_message_at desc, thread_id desc) where operateur_id is not null;
create index threads_of_espace on threads (espace_id) where espace_id is not null;

-- What is known of espaces: whose they are, and by which holidays they work.
create table espaces (
    espace_id       uuid   primary key,
    gestionnaire_id uuid   not null,
    departement     text   not null,
    version         bigint not null
);

-- salt is sealed as body is. hash is that of the canonical text of docs/messaging.md, which names the hash of the message before.
alter table messages
    add column author_person_id    text,
    add column kind                text,
    add column corrects_message_id uuid,
    add column answers_message_id  uuid,
    add column answer_due_at       timestamptz,
    add column template_code       text,
    add column template_version    int,
    add column origin_mesure_id    uuid,
    add column origin_message_id   uuid,
    add column origin_author_kind  text,
    add column origin_kind         text,
    add column origin_created_at   timestamptz,
    add column salt                bytea,
    add column body_digest         bytea,
    add column attachment_digests  text[] not null default '{}',
    add column hash                bytea,
    drop constraint messages_author_kind,
    drop constraint messages_step_or_speech;

-- What stands there is chained, with salts of its own. Nothing else of it changes.
alter table messages disable trigger messages_never_change;
do $$
declare
    m        record;
    thread   uuid;
    previous bytea;
    random   bytea;
    digest   bytea;
begin
    for m in select * from messages order by thread_id, position loop
        if m.thread_id is distinct from thread then
            thread := m.thread_id;
            previous := decode(repeat('00', 32), 'hex');
        end if;
        random := case when m.body is null then null
            else decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex') end;
        digest := sha256(random || substring(m.body from 2));
        update messages set
            kind = case when m.body is null then null else 'ORDINAIRE' end,
            salt = '\x00'::bytea || random,
            body_digest = digest,
            hash = sha256(convert_to(concat(
                'jafer-thread-1', chr(10),
                'thread MESURE ', m.thread_id, chr(10),
                'position ', m.position, chr(10),
                'message ', m.message_id, chr(10),
                'author ', m.author_kind, ' ', coalesce(m.author_organisation_id::text, '-'), chr(10),
                'person -', chr(10),
                'kind ', case when m.body is null then '-' else 'ORDINAIRE' end, chr(10),
                'corrects -', chr(10),
                'answers -', chr(10),
                'answer-due -', chr(10),
                'template -', chr(10),
                'origin -', chr(10),
                'created ', to_char(m.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), chr(10),
                'event ', coalesce(m.event_type, '-'), chr(10),
                'body ', coalesce(encode(digest, 'hex'), '-'), chr(10),
                'attachments -', chr(10),
                'previous ', encode(previous, 'hex'), chr(10)), 'UTF8'))
        where thread_id = m.thread_id and position = m.position
        returning hash into previous;
    end loop;
end $$;
alter table messages enable trigger messages_never_change;

alter table messages
    alter column hash set not null,
    add constraint messages_author_kind check (author_kind in ('JURIDICTION', 'ESPACE', 'SYSTEME', 'OPERATEUR')),
    add constraint messages_kind check (kind in ('ORDINAIRE', 'DIFFICULTE', 'DANGER')),
    add constraint messages_step_or_speech check (
        case when author_kind = 'SYSTEME'
             then event_type is not null and body is null and salt is null and body_digest is null and author_organisation_id is null and kind is null
             else event_type is null and body is not null and salt is not null and body_digest is not null
                  and author_organisation_id is not null and kind is not null end),
    add constraint messages_hashes check (length(hash) = 32 and length(body_digest) = 32);
create unique index messages_corrected_once on messages (corrects_message_id) where corrects_message_id is not null;
create unique index messages_handed_over_once on messages (thread_id, origin_message_id) where origin_message_id is not null;
create index messages_by_time on messages (thread_id, created_at desc, message_id desc);

update threads t set head_hash = m.hash from messages m where m.thread_id = t.thread_id and m.position = t.message_count;
update threads t set closed_at = last.created_at
from (select distinct on (thread_id) thread_id, event_type, created_at from messages
      where event_type in ('mesure.mesure-closed.v1', 'mesure.mesure-reopened.v1') order by thread_id, position desc) last
where last.thread_id = t.thread_id and last.event_type = 'mesure.mesure-closed.v1';

-- Of the software of an organisation that names nobody, person_id is empty.
alter table receipts
    add column person_id text not null default '',
    drop constraint receipts_pkey,
    add primary key (thread_id, organisation_id, person_id, position);

-- What messages expect of the other side. remind_at: when it is next told to be overdue; null once it no longer is.
create table expectations (
    message_id                uuid        not null references messages (message_id),
    kind                      text        not null,
    thread_id                 uuid        not null references threads,
    position                  bigint      not null,
    asked_by                  text        not null,
    must_act                  text        not null,
    due_at                    timestamptz not null,
    state                     text        not null,
    reminders                 int         not null,
    remind_at                 timestamptz,
    closed_at                 timestamptz,
    answer_message_id         uuid,
    closed_by_organisation_id uuid,
    closed_by_person_id       text,
    primary key (message_id, kind),
    constraint expectations_kind check (kind in ('ANSWER', 'ACKNOWLEDGEMENT')),
    constraint expectations_sides check (asked_by in ('JURIDICTION', 'ESPACE', 'OPERATEUR') and must_act in ('JURIDICTION', 'ESPACE', 'OPERATEUR')),
    constraint expectations_closed check ((state = 'OPEN') = (closed_at is null) and (state = 'OPEN' or remind_at is null)),
    constraint expectations_state check (state in ('OPEN', 'MET', 'WITHDRAWN'))
);
create index expectations_of_thread on expectations (thread_id, position);
create index expectations_open on expectations (thread_id, due_at) where state = 'OPEN';
create index expectations_to_remind on expectations (remind_at) where state = 'OPEN' and remind_at is not null;

-- Contacts whom an organisation named: their ids in the directory, no address.
create table participants (
    thread_id       uuid        not null references threads,
    organisation_id uuid        not null,
    contact_id      text        not null,
    role            text        not null,
    assigned_at     timestamptz not null,
    primary key (thread_id, organisation_id, contact_id),
    constraint participants_role check (role in ('RESPONSABLE', 'SUPPLEANT', 'LECTEUR'))
);
