using Jafer.ServiceDefaults.Telemetry;
using Npgsql;

namespace Jafer.Notifications.Webhooks;

/// <summary>Counts what waits and what is disabled, for the metrics.</summary>
internal sealed class WebhookCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<WebhookCensus> logger) : QueueCensus(
    source, clock, logger, "jafer.webhook", new("pending", "{event}", "Events not yet posted to enabled endpoints"),
    new("disabled_endpoints", "{endpoint}", "Endpoints that Jafer disabled"))
{
    protected override string Query => """
        select count(*), min(d.queued_at), (select count(*) from webhook_endpoints where state like 'DISABLED%')
        from webhook_deliveries d join webhook_endpoints e using (endpoint_id)
        where d.state = 'QUEUED' and e.state = 'ENABLED'
        """;
}
