-- A mail about a deadline says to whom of the organisation it goes and which reminder it is, and is dropped once the deadline is lifted.
alter table deliveries
    add column rung            text,
    add column reminder        integer     not null default 0,
    add column deadline_due_at timestamptz,
    drop constraint deliveries_state,
    add constraint deliveries_state check (state in ('QUEUED', 'ADDRESSED', 'SENT', 'FAILED', 'DROPPED'));
alter table mail_recipients
    add column rung     text,
    add column reminder integer not null default 0,
    drop constraint mail_recipients_state,
    add constraint mail_recipients_state check (state in ('QUEUED', 'SENT', 'REFUSED', 'FAILED', 'DROPPED'));
