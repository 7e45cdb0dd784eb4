-- The address of who looks after an endpoint becomes bytes, in clear until the service's job has sealed it.
alter table webhook_endpoints
    drop constraint webhook_endpoints_deleted_is_bare,
    alter column contact_email type bytea using in_clear(contact_email);
alter table webhook_endpoints
    add constraint webhook_endpoints_deleted_is_bare
        check (state <> 'DELETED' or (url = '' and contact_email = '\x00' and secret = '' and previous_secret is null and notice_at is null));
