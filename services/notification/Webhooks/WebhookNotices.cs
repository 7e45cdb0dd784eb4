using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Mails;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Webhooks;

/// <summary>Tells the contact of an endpoint that Jafer disabled it: one mail, without content.</summary>
internal sealed class WebhookNotices(
    NpgsqlDataSource source, IServiceScopeFactory scopes, MailServer server, IOptions<MailOptions> options, TimeProvider clock, ILogger<WebhookNotices> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!string.IsNullOrEmpty(options.Value.Host))
        {
            await clock.RepeatAsync(options.Value.PollInterval, SendDueAsync, logger, "mails about webhooks could not be sent", stoppingToken);
        }
    }

    private async Task SendDueAsync(CancellationToken ct)
    {
        await using var connection = server.Connect();
        while (await source.AnyAsync("select from webhook_endpoints where notice_at <= $1", [clock.GetStoredNow()], ct) && await SendNextAsync(connection, ct))
        {
        }
    }

    /// <summary>Sends the next mail that is due; the row is locked meanwhile, so that no other replica sends it too.</summary>
    private async Task<bool> SendNextAsync(MailConnection connection, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotificationsDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var now = clock.GetStoredNow();
        var due = await db.WebhookEndpoints.FromSql($"""
            select * from webhook_endpoints where notice_at <= {now} order by notice_at limit 1 for update skip locked
            """).AsNoTracking().ToListAsync(ct);
        if (due is not [var endpoint])
        {
            return false;
        }

        var content = MailText.WebhookDisabled(endpoint.EndpointId, endpoint.State == WebhookEndpointState.DisabledGone.ToCode());
        var id = StableIds.For($"webhook-notice:{endpoint.EndpointId}:{endpoint.DisabledAt:O}");
        var result = await connection.SendAsync(id, endpoint.ContactEmail, content, ct);
        var given = result.Outcome is MailOutcome.Sent or MailOutcome.Refused || endpoint.DisabledAt < now - options.Value.GiveUpAfter;
        DateTimeOffset? next = given ? null : now + Backoff.After(options.Value.FirstBackoff, endpoint.NoticeAttempts);
        await db.Database.ExecuteSqlAsync(
            $"update webhook_endpoints set notice_at = {next}, notice_attempts = notice_attempts + 1 where endpoint_id = {endpoint.EndpointId}", CancellationToken.None);
        await JournalEntry.WriteOwnAsync((NpgsqlConnection)db.Database.GetDbConnection(), "webhook notice", [$"endpoints/{endpoint.EndpointId}"], CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        if (result.Outcome is not MailOutcome.Sent)
        {
            logger.LogWarning("A mail about endpoint {EndpointId} was not sent: {Error}", endpoint.EndpointId, result.Code);
        }

        return result.Outcome is not MailOutcome.Away;
    }
}
