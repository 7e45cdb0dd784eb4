-- How a mesure ended: where the family goes on, and the judge's decision that ended it.
alter table mesures
    add column closure_destination   text not null default 'UNSPECIFIED',
    add column closure_decision_date date;
alter table mesures alter column closure_destination drop default;
