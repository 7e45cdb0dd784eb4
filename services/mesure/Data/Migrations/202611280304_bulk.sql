-- Acts on many mesures at once. Which mesures a job concerns is fixed when it starts.
create table bulk_jobs (
    id                  uuid        primary key,
    kind                text        not null,
    state               text        not null,
    legal_act_kind      text        not null,
    legal_act_reference text        not null,
    legal_act_date      date,
    espace_id           uuid,
    juridiction_ids     uuid[]      not null,
    months              integer     not null,
    closing_date        date,
    organisation_id     uuid        not null,
    subject             text        not null,
    created_at          timestamptz not null,
    ended_at            timestamptz,
    constraint bulk_jobs_done_has_end check ((state = 'DONE') = (ended_at is not null)),
    constraint bulk_jobs_prorogation_has_act check (kind <> 'PROROGATION' or legal_act_date is not null)
);
create index bulk_jobs_running on bulk_jobs (id) where state = 'RUNNING';

create table bulk_items (
    job_id    uuid not null references bulk_jobs,
    mesure_id uuid not null references mesures,
    state     text not null,
    reason    text not null,
    primary key (job_id, mesure_id)
);
create index bulk_items_pending on bulk_items (job_id, mesure_id) where state = 'PENDING';
