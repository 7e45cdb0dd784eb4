-- What is told to an organisation, and how it is told, is its own.
select secure_rows(relation, 'coalesce(organisation_id = (select tenant()), false)')
from unnest(array[
    'feed_heads', 'feed_events', 'undelivered_transmissions', 'feed_resumptions', 'feed_consumers', 'webhook_endpoints', 'deliveries',
    'mail_recipients', 'mail_people', 'notice_openings']::regclass[]) relation;
select secure_rows('webhook_deliveries', 'exists (select from webhook_endpoints e where e.endpoint_id = webhook_deliveries.endpoint_id)');
select secure_rows('mesure_holders', 'coalesce((select tenant()) in (juridiction_id, gestionnaire_id, organisation_id), false)');

-- Calls do not write what the service projects and sends.
revoke insert, update, delete on feed_heads, feed_events, mesure_holders, deliveries, mail_recipients, mail_people from jafer_calls;
