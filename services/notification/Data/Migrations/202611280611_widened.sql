-- Whether a delivery went to all contacts of its organisation because no address of those whom it was for works.
alter table deliveries
    add column widened boolean not null default false;
