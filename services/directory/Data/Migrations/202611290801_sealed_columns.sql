-- Names and addresses of professionals become bytes, in clear until the service's job has sealed them.
alter table contacts
    alter column name drop default,
    alter column phone drop default,
    alter column email type bytea using in_clear(email),
    alter column name type bytea using in_clear(name),
    alter column phone type bytea using in_clear(phone);
alter table contacts
    alter column name set default '\x00',
    alter column phone set default '\x00';
