-- When it was told that no run was finished since this one: once.
alter table retention_runs add column overdue_told_at timestamptz;
