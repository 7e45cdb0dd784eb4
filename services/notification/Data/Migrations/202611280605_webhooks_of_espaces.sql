-- Whether the aggregate of a message's event is an espace: its thread, and no mesure.
alter table webhook_deliveries add column about_espace boolean not null default false;
