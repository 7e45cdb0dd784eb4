-- Duplicates and sibling cases are found by keyed digests: nothing of a name or number can be read in them. Rows written before
-- have none until they are written again.
alter table mesures add column rg_index text;
alter table parties add column identity_index text;
alter table children add column identity_index text;
create index mesures_by_rg_index on mesures (rg_index) where rg_index is not null;
create index parties_by_identity_index on parties (identity_index) where identity_index is not null;
create index children_by_identity_index on children (identity_index) where identity_index is not null;
