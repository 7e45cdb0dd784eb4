-- Where a mesure is, for operators who are competent for a part of France; null until its next event.
alter table mesure_holders add column espace_id uuid;
