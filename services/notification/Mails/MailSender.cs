using Jafer.Notifications.Domain;
using Jafer.Notifications.Feed;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Mails;

/// <summary>
/// Sends what is queued, one mail for all that waits for an organisation. Every replica tries, one sends at a time: the advisory
/// lock ends with its transaction, whatever happens to the process.
/// </summary>
internal sealed class MailSender(
    NpgsqlDataSource source, AddressBook addresses, MailPost post, IOptions<MailOptions> options, TimeProvider clock, ILogger<MailSender> logger) : BackgroundService
{
    private const string Lock = "select pg_try_advisory_xact_lock(hashtextextended('jafer:mails', 0))";

    private const string Due = """
        select organisation_id from deliveries
        where state = 'QUEUED' and next_attempt_at <= @now
        order by urgent desc, next_attempt_at limit 1
        """;

    // Whatever else waits for the organisation goes along, due or not.
    private const string Group = """
        select delivery_id, event_type, mesure_id, urgent, attempts, deadline, escalated from deliveries
        where organisation_id = @organisation and state = 'QUEUED'
        order by created_at, delivery_id limit 100 for update
        """;

    private const string Sent = "update deliveries set state = 'SENT', sent_at = @now, last_error = null where delivery_id = any(@ids)";

    private const string Failed = """
        update deliveries
        set attempts = attempts + 1, last_error = @error, next_attempt_at = @next,
            state = case when @refused or created_at < @giveUp then 'FAILED' else 'QUEUED' end
        where delivery_id = any(@ids)
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (string.IsNullOrEmpty(options.Value.Host))
        {
            logger.LogWarning("Mail:Host is not configured: mails stay queued");
            return;
        }

        using var timer = new PeriodicTimer(options.Value.PollInterval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                while (!stoppingToken.IsCancellationRequested && await SendNextAsync(stoppingToken))
                {
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning("Mails could not be sent: {Fault}", Redaction.Describe(e));
            }
        }
    }

    /// <summary>Sends the next mail that is due; false when there is none, another replica is at it, or a server is away.</summary>
    private async Task<bool> SendNextAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var tryLock = new NpgsqlCommand(Lock, connection))
        {
            if (await tryLock.ExecuteScalarAsync(ct) is not true)
            {
                return false;
            }
        }

        await using var due = new NpgsqlCommand(Due, connection) { Parameters = { new("now", clock.GetUtcNow()) } };
        if (await due.ExecuteScalarAsync(ct) is not Guid organisationId)
        {
            return false;
        }

        var group = await GroupAsync(connection, organisationId, ct);
        var (outcome, error) = await TryAsync(organisationId, group, ct);
        await NoteAsync(connection, group, outcome, error);
        await transaction.CommitAsync(CancellationToken.None);
        NotificationMetrics.Mails.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString()));
        if (outcome is not MailOutcome.Sent)
        {
            logger.LogWarning("A mail to organisation {OrganisationId} was not sent: {Error}", organisationId, error);
        }

        return outcome is not MailOutcome.Away;
    }

    /// <summary>Whatever goes wrong with one mail is noted on it: it waits its turn, and the next one is sent.</summary>
    private async Task<(MailOutcome Outcome, string? Error)> TryAsync(Guid organisationId, List<Row> group, CancellationToken ct)
    {
        try
        {
            return await SendAsync(organisationId, group, ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            logger.LogWarning("A mail to organisation {OrganisationId} failed: {Fault}", organisationId, Redaction.Describe(e));
            return (MailOutcome.NotNow, $"FAULT_{e.GetType().Name}");
        }
    }

    private async Task<(MailOutcome Outcome, string? Error)> SendAsync(Guid organisationId, List<Row> group, CancellationToken ct)
    {
        var recipients = await addresses.FindAsync(organisationId, [.. group.Select(r => MailText.KindOf(r.Line.EventType)).Distinct()], group.Exists(r => r.Escalated), ct);
        if (recipients is null)
        {
            return (MailOutcome.Away, "DIRECTORY_AWAY");
        }

        if (recipients.Count == 0)
        {
            return (MailOutcome.NotNow, "NO_ADDRESS");
        }

        var (subject, text) = MailText.Compose(group.Select(r => r.Line), options.Value.MesureUrl);
        return await post.SendAsync(group[0].DeliveryId, recipients, subject, text);
    }

    private static async Task<List<Row>> GroupAsync(NpgsqlConnection connection, Guid organisationId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Group, connection) { Parameters = { new("organisation", organisationId) } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<Row>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add(new Row(reader.GetGuid(0), new MailLine(reader.GetString(1), reader.GetGuid(2), reader.GetBoolean(3), reader.IsDBNull(5) ? null : reader.GetString(5)), reader.GetInt32(4),
                reader.GetBoolean(6)));
        }

        return rows;
    }

    /// <summary>Notes the outcome even when the service is stopping: else the mail would only be sent twice.</summary>
    private async Task NoteAsync(NpgsqlConnection connection, List<Row> group, MailOutcome outcome, string? error)
    {
        var now = clock.GetUtcNow();
        await using var note = new NpgsqlCommand(outcome is MailOutcome.Sent ? Sent : Failed, connection);
        note.Parameters.AddWithValue("ids", group.Select(r => r.DeliveryId).ToArray());
        if (outcome is MailOutcome.Sent)
        {
            note.Parameters.AddWithValue("now", now);
        }
        else
        {
            note.Parameters.AddWithValue("error", error!);
            note.Parameters.AddWithValue("refused", outcome is MailOutcome.Refused);
            note.Parameters.AddWithValue("next", now + Backoff.After(options.Value.FirstBackoff, group.Max(r => r.Attempts)));
            note.Parameters.AddWithValue("giveUp", now - options.Value.GiveUpAfter);
        }

        await note.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private sealed record Row(Guid DeliveryId, MailLine Line, int Attempts, bool Escalated);
}
