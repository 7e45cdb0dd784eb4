-- A mesure is its court's and its gestionnaire's; what belongs to a mesure follows it.
select secure_rows('mesures', 'coalesce((select tenant()) in (juridiction_id, gestionnaire_id), false)');
select secure_rows(relation, format('exists (select from mesures m where m.id = %s.mesure_id)', relation))
from unnest(array[
    'mesure_facts', 'parties', 'children', 'rencontres', 'difficulties', 'information_exchanges', 'decision_versions', 'external_alerts',
    'interviews', 'decision_documents', 'deadlines', 'reminders', 'transmission_relays', 'intake_sequences', 'bulk_items']::regclass[]) relation;

-- Worklists read the index alone: it must tell whose a mesure is.
drop index mesures_open_of_juridiction;
create index mesures_open_of_juridiction on mesures (juridiction_id, next_due_at, holder_since, id) include (gestionnaire_id) where state <> 'CLOTUREE';
drop index mesures_open_of_gestionnaire;
create index mesures_open_of_gestionnaire on mesures (gestionnaire_id, next_due_at, holder_since, id) include (juridiction_id)
    where state <> 'CLOTUREE' and gestionnaire_id is not null;

-- A mesure that follows another names the bytes of its document. They come before the row that names them: to a document that is
-- there, only its own mesure adds.
create index decision_documents_of_content on decision_documents (content_id);
create function document_is_known(document uuid) returns boolean language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from decision_documents where id = document)
$$;
select secure_rows(
    'decision_document_chunks', 'exists (select from decision_documents d where d.content_id = decision_document_chunks.document_id)',
    'not document_is_known(document_id)');

-- What software of espaces reports is its gestionnaire's.
select secure_rows(relation, 'coalesce(gestionnaire_id = (select tenant()), false)') from unnest(array['intake_items', 'intake_sources']::regclass[]) relation;

-- Slots are offered to every court. They say nothing of a family but the id of its mesure.
select secure_rows(relation, 'coalesce(gestionnaire_id = (select tenant()), false) or (select is_court())')
from unnest(array['interview_slots', 'free_slots']::regclass[]) relation;

-- What counts over everybody's mesures, and the operator's jobs, are read and written by the service's own work alone.
select secure_rows(relation, 'false')
from unnest(array['bulk_jobs', 'delay_entries', 'delay_counts', 'delay_queue', 'mesure_returns']::regclass[]) relation;
revoke all on bulk_jobs, delay_entries, delay_counts, delay_totals, delay_queue, mesure_returns, index_renewals from jafer_calls;

-- A call tells that the delays of its mesure may have changed, and of the mesure that followed it, which may be another's.
alter function queue_delays() security definer set search_path = public, pg_temp;
alter view delay_segments set (security_invoker = true);
alter view ended_mesures set (security_invoker = true);

-- Calls do not write what the service projects and sends, and nobody changes what was recorded.
revoke insert, update, delete on espaces, organisations, transmission_relays, reminders from jafer_calls;
revoke delete on mesure_facts from jafer_calls;
revoke update on mesure_facts from jafer_calls, jafer_work;
