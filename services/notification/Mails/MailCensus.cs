using Jafer.ServiceDefaults.Telemetry;
using Npgsql;

namespace Jafer.Notifications.Mails;

/// <summary>Counts what waits to be mailed and whose address is refused, for the metrics.</summary>
internal sealed class MailCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<MailCensus> logger) : QueueCensus(
    source, clock, logger, "jafer.mail", new("pending", "{mail}", "Mails to be addressed, or to be sent to one person"),
    new("refused_contacts", "{contact}", "Contacts whose address was refused for good within a week"))
{
    protected override string Query => """
        select count(*), min(created_at),
               (select count(distinct (organisation_id, contact_id)) from mail_recipients
                where state = 'REFUSED' and last_error is not null and last_attempt_at > @now - interval '7 days')
        from (
            select created_at from deliveries where state = 'QUEUED'
            union all select created_at from mail_recipients where state = 'QUEUED') waiting
        """;
}
