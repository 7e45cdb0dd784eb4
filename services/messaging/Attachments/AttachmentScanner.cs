using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Messaging.Attachments;

/// <summary>
/// Has files looked at that wait for a verdict. Every replica takes what is due and belongs to nobody, for the time of a lease: what a
/// replica that died had taken, another takes again. Without a scanner nothing is taken, unless files are cleared without one.
/// </summary>
internal sealed class AttachmentScanner(
    NpgsqlDataSource source, IServiceScopeFactory scopes, ClamdScanner scanner, AttachmentSignal signal, OutboxSignal outbox, IOptions<AttachmentOptions> options,
    IHostEnvironment environment, TimeProvider clock, ILogger<AttachmentScanner> logger) : BackgroundService
{
    private const string Claim = """
        update attachments set lease = @lease, next_check_at = @until
        where attachment_id = (
            select attachment_id from attachments where next_check_at <= @now order by next_check_at limit 1 for update skip locked)
        returning attachment_id
        """;

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isScanned = options.Value.Scanner.EndPoint is not null;
        if (!isScanned && !options.Value.ClearWithoutScanner)
        {
            logger.LogWarning("Attachments:Scanner:Address is not configured: attachments stay in quarantine until another scanner clears them by RecordVerdict");
            return Task.CompletedTask;
        }

        if (!isScanned && !environment.IsDevelopment())
        {
            logger.LogWarning("Attachments:ClearWithoutScanner is set: attachments are cleared without anybody having looked at them");
        }

        return Task.WhenAll(Enumerable.Range(0, options.Value.Scanner.Concurrency).Select(_ => WorkAsync(stoppingToken)));
    }

    private async Task WorkAsync(CancellationToken stopping)
    {
        while (true)
        {
            await signal.WaitAsync(options.Value.Scanner.PollInterval, clock, stopping);
            try
            {
                while (await CheckNextAsync(stopping))
                {
                    // The next one, until none is due. The others look too.
                    signal.Notify();
                }
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                logger.LogWarning("Attachments could not be checked, and it is tried again: {Fault}", Redaction.Describe(e));
            }
        }
    }

    /// <summary>Has one file looked at that is due; false when there is none.</summary>
    private async Task<bool> CheckNextAsync(CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        var lease = Guid.CreateVersion7(now);
        await using var claim = source.CreateCommand(Claim);
        claim.Parameters.AddWithValue("lease", lease);
        claim.Parameters.AddWithValue("until", now + options.Value.Scanner.Lease);
        claim.Parameters.AddWithValue("now", now);
        if (await claim.ExecuteScalarAsync(ct) is not Guid id)
        {
            return false;
        }

        try
        {
            var verdict = await LookAsync(id, ct);
            if (verdict.State == AttachmentState.EchecAnalyse)
            {
                logger.LogWarning("Attachment {AttachmentId} could not be checked, and it is tried again: {Error}", id, verdict.Code);
            }
            else if (verdict.State == AttachmentState.Refuse)
            {
                logger.LogWarning("Attachment {AttachmentId} is refused: {Finding}", id, verdict.Code);
            }

            await NoteAsync(id, lease, verdict, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Another replica need not wait for the end of the lease.
            await using var release = source.CreateCommand("update attachments set lease = null, next_check_at = @now where attachment_id = @id and lease = @lease");
            release.Parameters.AddWithValue("now", now);
            release.Parameters.AddWithValue("id", id);
            release.Parameters.AddWithValue("lease", lease);
            await release.ExecuteNonQueryAsync(CancellationToken.None);
            throw;
        }

        return true;
    }

    private async Task<Verdict> LookAsync(Guid id, CancellationToken ct)
    {
        if (options.Value.Scanner.EndPoint is not { } endPoint)
        {
            return Verdict.Clean;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        return await db.Attachments.AsNoTracking().SingleOrDefaultAsync(a => a.AttachmentId == id, ct) is { } attachment
            ? await scanner.ScanAsync(endPoint, StoredContent.ReadAsync(db, attachment, ct), ct)
            : Verdict.Failed("GONE");
    }

    /// <summary>Notes a verdict. That something was found counts whoever holds the lease by now; all else only while it is ours.</summary>
    private async Task NoteAsync(Guid id, Guid lease, Verdict verdict, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await Verdicts.LockAsync(db, id, verdict, ct) is not { } locked || !locked.File.Waits || (locked.File.Lease != lease && verdict.State != AttachmentState.Refuse))
        {
            return;
        }

        await Verdicts.ApplyAsync(db, locked, verdict, options.Value.Scanner.FirstBackoff, clock.GetStoredNow(), ct);
        db.JournalOwnWork("scan");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        outbox.Notify();
    }
}
