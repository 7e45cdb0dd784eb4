-- What a mail about an espace reminds of, less what was seen to since: it is dropped when nothing is left.
alter table deliveries add column items text[];
