-- Several difficulties of a mesure are due each at its own time: one that is overdue must not hide another.
alter table deadlines drop constraint deadlines_pkey, add primary key (mesure_id, kind, due_at);
