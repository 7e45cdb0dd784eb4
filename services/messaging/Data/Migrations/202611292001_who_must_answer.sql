-- The contact of whom an answer is asked, as the directory's external_id names them; null for anybody of the side.
alter table expectations
    add column must_act_contact_id text,
    add constraint expectations_of_contact check (must_act_contact_id is null or kind = 'ANSWER');
create index expectations_of_contact on expectations (thread_id, must_act_contact_id) where state = 'OPEN' and must_act_contact_id is not null;

-- A refusal is of bytes, and so of every file of the same ones.
create index attachments_of_bytes on attachments (sha256);
