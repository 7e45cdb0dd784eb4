-- Who must act can be late from when Jafer could tell them: null for what was recorded before, which counts by business time as it did.
alter table mesures add column holder_recorded_at timestamptz;
alter table difficulties add column recorded_at timestamptz;
