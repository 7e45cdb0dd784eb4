-- The lieux of an espace, in which alone its rencontres are booked; unknown until the directory tells of it again.
alter table espaces add column lieu_ids uuid[];
