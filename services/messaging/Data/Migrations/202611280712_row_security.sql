-- A thread is its sides'; what is said in it follows it.
select secure_rows('threads', 'coalesce((select tenant()) in (juridiction_id, gestionnaire_id, operateur_id), false)');
select secure_rows(relation, format('exists (select from threads t where t.thread_id = %s.thread_id)', relation))
from unnest(array['messages', 'receipts', 'expectations', 'participants']::regclass[]) relation;

-- A file that no message names yet is its uploader's alone.
select secure_rows('attachments', $$coalesce(organisation_id = (select tenant()), false)
    or (message_id is not null and exists (select from threads t where t.thread_id = attachments.thread_id))$$);

-- The bytes come before the row that names them, and are looked at before it is there; until then only their transaction has them.
create function attachment_is_known(attachment uuid) returns boolean language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from attachments where attachment_id = attachment)
$$;
select secure_rows(
    'attachment_chunks',
    'exists (select from attachments a where a.attachment_id = attachment_chunks.attachment_id) or not attachment_is_known(attachment_id)');

-- Which files a side was given is known to the sides of the thread; of an espace's that nobody opened yet, to whom it was given.
select secure_rows('thread_exports', $$coalesce(organisation_id = (select tenant()), false)
    or exists (select from threads t where t.thread_id = thread_exports.thread_id)$$, 'coalesce(organisation_id = (select tenant()), false)');
revoke update, delete on thread_exports from jafer_calls;

-- Calls do not write what the service projects, and nobody changes what was said.
revoke insert, update, delete on espaces, courts from jafer_calls;
revoke delete on messages from jafer_calls;
revoke update on messages from jafer_calls, jafer_work;
