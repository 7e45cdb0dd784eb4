-- Of which last day the organisation was warned, and how many days ahead: each day is told once a month and once a week ahead.
alter table credentials
    add column warned_of   date,
    add column warned_days smallint;
create index credentials_ending on credentials (expires_on) where revoked_at is null;
