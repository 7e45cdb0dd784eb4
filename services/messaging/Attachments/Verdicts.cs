using System.Diagnostics.Metrics;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Threads;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Attachments;

/// <summary>What a scanner found in a file.</summary>
/// <param name="State">SAIN, REFUSE or ECHEC_ANALYSE.</param>
/// <param name="Code">What was found, or why nothing could be; empty for SAIN.</param>
internal readonly record struct Verdict(AttachmentState State, string Code)
{
    /// <summary>Nothing was found.</summary>
    public static Verdict Clean => new(AttachmentState.Sain, "");

    /// <summary>Something was found.</summary>
    /// <param name="finding">What, as the scanner names it.</param>
    public static Verdict Infected(string finding) => new(AttachmentState.Refuse, finding);

    /// <summary>It could not be looked at.</summary>
    /// <param name="error">Code of why.</param>
    public static Verdict Failed(string error) => new(AttachmentState.EchecAnalyse, error);
}

/// <summary>A file whose row is locked, with those that its verdict concerns as well.</summary>
/// <param name="File">The file.</param>
/// <param name="SameBytes">Others of the same bytes that were not refused; none where the verdict is no refusal.</param>
internal sealed record LockedFile(ThreadAttachment File, IReadOnlyList<ThreadAttachment> SameBytes);

/// <summary>Applies what scanners find, in the transaction that was begun; the feeds are told.</summary>
internal static class Verdicts
{
    private static readonly Meter s_meter = new(JaferMetrics.Name);

    private static readonly Counter<long> s_verdicts = s_meter.CreateCounter<long>("jafer.attachments.verdicts", "{file}", "Checks of attachments by outcome");

    /// <summary>The file with its row locked until the transaction ends; null when there is none.</summary>
    /// <param name="db">Database.</param>
    /// <param name="attachmentId">The file.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<ThreadAttachment?> LockAsync(MessagingDbContext db, Guid attachmentId, CancellationToken ct)
    {
        var found = await db.Attachments.FromSql($"select * from attachments where attachment_id = {attachmentId} for update").ToListAsync(ct);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>The file with its row locked for a verdict; for a refusal with all others of the same bytes, in the order of ids as whoever locks several.</summary>
    /// <param name="db">Database.</param>
    /// <param name="attachmentId">The file.</param>
    /// <param name="verdict">What is about to be applied.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<LockedFile?> LockAsync(MessagingDbContext db, Guid attachmentId, Verdict verdict, CancellationToken ct)
    {
        if (verdict.State != AttachmentState.Refuse)
        {
            return await LockAsync(db, attachmentId, ct) is { } only ? new LockedFile(only, []) : null;
        }

        var found = await db.Attachments.FromSql($"""
            select * from attachments
            where attachment_id = {attachmentId} or (sha256 = (select sha256 from attachments where attachment_id = {attachmentId}) and state <> 'REFUSE' and erased_at is null)
            order by attachment_id for update
            """).ToListAsync(ct);
        return found.Find(a => a.AttachmentId == attachmentId) is { } file ? new LockedFile(file, [.. found.Where(a => a != file)]) : null;
    }

    /// <summary>
    /// Applies a verdict to a file whose row is locked. One that changes nothing tells nobody. A refusal is of bytes: it goes for every
    /// other file of the same ones, whoever uploaded it: copies that were handed over, what was sent twice, what was cleared before.
    /// </summary>
    /// <param name="db">Database.</param>
    /// <param name="locked">The file, and those of the same bytes.</param>
    /// <param name="verdict">The verdict.</param>
    /// <param name="firstBackoff">First wait before a check that failed is made again.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task ApplyAsync(MessagingDbContext db, LockedFile locked, Verdict verdict, TimeSpan firstBackoff, DateTimeOffset now, CancellationToken ct)
    {
        var attachment = locked.File;
        s_verdicts.Add(1, new KeyValuePair<string, object?>("outcome", verdict.State.ToCode()));
        foreach (var same in locked.SameBytes)
        {
            await RefuseAsync(db, same, verdict.Code, now, ct);
        }

        if (attachment.State == AttachmentState.Refuse)
        {
            if (verdict.State != AttachmentState.Refuse)
            {
                throw DomainError.StateForbids(attachment.State.ToCode(), "RECORD_VERDICT", "the file was refused, and its bytes are deleted");
            }

            return;
        }

        switch (verdict.State)
        {
            case AttachmentState.EchecAnalyse when attachment.Waits:
                attachment.Fail(verdict.Code, now + Backoff.After(firstBackoff, attachment.Failures));
                break;
            case AttachmentState.Sain when attachment.Waits:
                attachment.Clear(now);
                await PublishAsync(db, attachment, now, ct);
                break;
            case AttachmentState.Refuse:
                await RefuseAsync(db, attachment, verdict.Code, now, ct);
                break;
        }
    }

    private static async Task RefuseAsync(MessagingDbContext db, ThreadAttachment attachment, string finding, DateTimeOffset now, CancellationToken ct)
    {
        attachment.Refuse(finding, now);
        await db.Database.ExecuteSqlAsync($"delete from attachment_chunks where attachment_id = {attachment.AttachmentId}", ct);
        await PublishAsync(db, attachment, now, ct);
    }

    private static async Task PublishAsync(MessagingDbContext db, ThreadAttachment attachment, DateTimeOffset now, CancellationToken ct)
    {
        var thread = await db.Threads.AsNoTracking().SingleAsync(t => t.ThreadId == attachment.ThreadId, ct);
        ThreadEvent told = attachment.State == AttachmentState.Sain
            ? EventTypes.Blank<AttachmentCleared>() with
            {
                AttachmentId = attachment.AttachmentId,
                MessageId = attachment.MessageId,
                UploaderOrganisationId = attachment.OrganisationId,
            }
            : EventTypes.Blank<AttachmentRefused>() with
            {
                AttachmentId = attachment.AttachmentId,
                MessageId = attachment.MessageId,
                UploaderOrganisationId = attachment.OrganisationId,
            };
        db.Publish(told.About(thread, thread.MessageCount, now));
    }
}
