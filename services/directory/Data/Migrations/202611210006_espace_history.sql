-- What a group held at the end of a day: found at once however often it was confirmed since.
create index espace_changes_said on espace_changes (espace_id, espace_group, key, recorded_at desc, sequence desc) where kind <> 'CONFIRMED';
-- The changes of one group, the latest first.
create index espace_changes_of_group on espace_changes (espace_id, espace_group, sequence desc);
