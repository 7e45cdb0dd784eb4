-- The enquiry whose question is the same: put to the espace once, and answered for all that joined it.
alter table capacity_enquiries add column joined_id uuid references capacity_enquiries on delete cascade;
create index capacity_enquiries_joined on capacity_enquiries (joined_id) where joined_id is not null;
-- The same question put before: still open, or answered and still holding.
create index capacity_enquiries_question on capacity_enquiries (espace_id, modalite, expires_at);
