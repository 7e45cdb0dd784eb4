-- What was told of a mesure, kept beyond the feed and the logs: its way and times, for as long as the mesure lives.
create table notice_proofs (
    mesure_id       uuid        not null,
    notice_id       uuid        not null,
    organisation_id uuid        not null,
    channel         text        not null,
    event_id        uuid        not null,
    event_type      text        not null,
    state           text        not null,
    queued_at       timestamptz not null,
    sent_at         timestamptz,
    delivered_at    timestamptz,
    opened_at       timestamptz,
    attempts        integer     not null,
    last_status     integer,
    last_error      text,
    contact_id      text,
    endpoint_id     uuid,
    primary key (mesure_id, notice_id, organisation_id),
    constraint notice_proofs_channel check (channel in ('FEED', 'WEBHOOK', 'MAIL'))
);
create index notice_proofs_of_notice on notice_proofs (notice_id);

select secure_rows('notice_proofs', 'coalesce(organisation_id = (select tenant()), false)');
revoke insert, update, delete on notice_proofs from jafer_calls;
-- An organisation's interface tells that a notice was opened, also when only its proof is kept.
grant update (opened_at) on notice_proofs to jafer_calls;
