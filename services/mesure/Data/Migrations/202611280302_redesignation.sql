-- A mesure may continue another one; then its duration may run from a day of its own.
alter table mesures
    add column predecessor_id         uuid,
    add column decision_duration_from date;
create index mesures_of_predecessor on mesures (predecessor_id) where predecessor_id is not null;
