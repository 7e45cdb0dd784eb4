using Jafer.ServiceDefaults.Telemetry;
using Npgsql;

namespace Jafer.Messaging.Attachments;

/// <summary>Counts what waits in quarantine and what was refused, for the metrics.</summary>
internal sealed class AttachmentCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<AttachmentCensus> logger) : QueueCensus(
    source, clock, logger, "jafer.attachments", new("quarantined", "{file}", "Attachments that wait for a verdict"),
    new("refused", "{file}", "Attachments that a scanner refused"))
{
    protected override string Query => """
        select count(*), min(created_at), (select count(*) from attachments where state = 'REFUSE') from attachments where next_check_at is not null
        """;
}
