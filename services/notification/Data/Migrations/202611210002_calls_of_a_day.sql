-- Whether a mail about the same thing was queued today already.
create index deliveries_about on deliveries (organisation_id, mesure_id, created_at);
