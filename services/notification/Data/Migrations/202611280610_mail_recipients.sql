-- A notice of an organisation is addressed to its people when it is due; each of them has a row, tried by itself.
alter table deliveries
    drop constraint deliveries_state,
    add constraint deliveries_state check (state in ('QUEUED', 'ADDRESSED', 'SENT', 'FAILED'));
create index deliveries_of_mesure on deliveries (mesure_id);

-- Updated at every attempt: room in the page keeps what can be off the indexes.
create table mail_recipients (
    delivery_id     uuid        not null references deliveries on delete cascade,
    contact_id      text        not null,
    notice_id       uuid        not null unique,
    organisation_id uuid        not null,
    subject_id      uuid        not null,
    event_type      text        not null,
    deadline        text,
    urgent          boolean     not null,
    state           text        not null,
    attempts        integer     not null,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    mail_id         uuid,
    last_attempt_at timestamptz,
    sent_at         timestamptz,
    refused_since   timestamptz,
    last_status     integer,
    last_error      text,
    primary key (delivery_id, contact_id),
    constraint mail_recipients_state check (state in ('QUEUED', 'SENT', 'REFUSED', 'FAILED')),
    constraint mail_recipients_sent_has_time check ((state = 'SENT') = (sent_at is not null)),
    constraint mail_recipients_given_up_has_error check (state not in ('REFUSED', 'FAILED') or last_error is not null)
) with (fillfactor = 70);
create index mail_recipients_waiting on mail_recipients (organisation_id, contact_id) where state = 'QUEUED';
-- What a person was told of a subject of late.
create index mail_recipients_told on mail_recipients (organisation_id, contact_id, sent_at) where state = 'SENT';
-- Whether the mail server takes anything at all.
create index mail_recipients_sent on mail_recipients (sent_at) where state = 'SENT';
create index mail_recipients_refused on mail_recipients (notice_id desc) where last_error is not null and state <> 'SENT';

-- Whom a mail is due to: taken by one worker at a time, for the time of a lease. The address is not here.
create table mail_people (
    organisation_id uuid        not null,
    contact_id      text        not null,
    due_at          timestamptz,
    urgent          boolean     not null,
    lease           uuid,
    primary key (organisation_id, contact_id)
) with (fillfactor = 50);
create index mail_people_due on mail_people (urgent desc, due_at) where due_at is not null;

-- The first opening of a notice, as the organisation's interface told it.
create table notice_openings (
    organisation_id uuid        not null,
    notice_id       uuid        not null,
    event_id        uuid        not null,
    opened_at       timestamptz not null,
    primary key (organisation_id, notice_id)
);
create index notice_openings_opened on notice_openings (opened_at);

-- How far an organisation had its whole feed, and since when.
create table feed_resumptions (
    organisation_id uuid        not null,
    position        bigint      not null,
    resumed_at     timestamptz not null,
    primary key (organisation_id, position)
);
create index feed_resumptions_resumed on feed_resumptions (resumed_at);

-- What was told of a mesure.
create index feed_events_of_mesure on feed_events (aggregate_id);
create index webhook_deliveries_of_mesure on webhook_deliveries (aggregate_id);

-- The sides of a mesure: its court, and its gestionnaire from the transmission on.
alter table mesure_holders
    add column juridiction_id  uuid,
    add column gestionnaire_id uuid;
update mesure_holders h
set juridiction_id = s.juridiction_id, gestionnaire_id = s.gestionnaire_id
from (
    select distinct on (e.aggregate_id) e.aggregate_id, (e.data ->> 'juridictionId')::uuid as juridiction_id,
           (select g.organisation_id from feed_events g
            where g.aggregate_id = e.aggregate_id and g.organisation_id = (e.data ->> 'gestionnaireId')::uuid limit 1) as gestionnaire_id
    from feed_events e
    where e.type like 'mesure.%' and e.data ? 'gestionnaireId'
    order by e.aggregate_id, e.aggregate_version desc) s
where h.mesure_id = s.aggregate_id;
