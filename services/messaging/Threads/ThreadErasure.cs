using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Threads;

/// <summary>
/// Erases what concerns persons in the thread of a mesure, when its retention says so. Positions, authors' organisations, times,
/// digests and hashes stay: the thread is still verified as a chain whose texts are erased.
/// </summary>
internal static class ThreadErasure
{
    // What a file that waits for a verdict is refused for when its bytes are gone.
    private const string Finding = "ERASED";

    /// <summary>Erases the files of a thread, in the transaction that was begun.</summary>
    /// <param name="db">The context.</param>
    /// <param name="thread">The thread, locked.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task OfFilesAsync(MessagingDbContext db, MessageThread thread, DateTimeOffset now, CancellationToken ct)
    {
        thread.FilesErasedAt = now;
        var id = thread.ThreadId;
        await BeginAsync(db, ct);

        // A file that no message names was never sent to anybody.
        await db.Attachments.Where(a => a.ThreadId == id && a.MessageId == null).ExecuteDeleteAsync(ct);
        await db.AttachmentChunks.Where(c => db.Attachments.Any(a => a.AttachmentId == c.AttachmentId && a.ThreadId == id)).ExecuteDeleteAsync(ct);
        await db.Attachments.Where(a => a.ThreadId == id && a.NextCheckAt != null).ExecuteUpdateAsync(set => set
            .SetProperty(a => a.State, AttachmentState.Refuse).SetProperty(a => a.Finding, Finding).SetProperty(a => a.VerdictAt, now)
            .SetProperty(a => a.NextCheckAt, (DateTimeOffset?)null).SetProperty(a => a.Lease, (Guid?)null).SetProperty(a => a.ErasedAt, now), ct);
        await db.Attachments.Where(a => a.ThreadId == id).ExecuteUpdateAsync(set => set
            .SetProperty(a => a.FileName, "").SetProperty(a => a.ErasedAt, a => a.ErasedAt ?? now), ct);
    }

    /// <summary>Erases files, texts, and who read and answered, in the transaction that was begun.</summary>
    /// <param name="db">The context.</param>
    /// <param name="thread">The thread, locked.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task OfContentAsync(MessagingDbContext db, MessageThread thread, DateTimeOffset now, CancellationToken ct)
    {
        await OfFilesAsync(db, thread, now, ct);
        thread.ErasedAt = now;
        var id = thread.ThreadId;
        await db.Messages.Where(m => m.ThreadId == id && m.Body != null).ExecuteUpdateAsync(set => set
            .SetProperty(m => m.Body, (string?)null).SetProperty(m => m.Salt, (byte[]?)null).SetProperty(m => m.ErasedAt, now), ct);
        await db.Expectations.Where(e => e.ThreadId == id && (e.ClosedByPersonId != null || e.MustActContactId != null)).ExecuteUpdateAsync(set => set
            .SetProperty(e => e.ClosedByPersonId, (string?)null).SetProperty(e => e.MustActContactId, (string?)null), ct);

        // What nobody can answer any more, nobody is reminded of.
        await db.Expectations.Where(e => e.ThreadId == id && e.State == ExpectationState.Open).ExecuteUpdateAsync(set => set
            .SetProperty(e => e.State, ExpectationState.Withdrawn).SetProperty(e => e.ClosedAt, now).SetProperty(e => e.RemindAt, (DateTimeOffset?)null), ct);
        await db.Receipts.Where(r => r.ThreadId == id).ExecuteDeleteAsync(ct);
        await db.Participants.Where(p => p.ThreadId == id).ExecuteDeleteAsync(ct);
    }

    // The database lets nobody change a message or a file who does not say so.
    private static Task<int> BeginAsync(MessagingDbContext db, CancellationToken ct) => db.Database.ExecuteSqlAsync($"select set_config('jafer.retention', 'on', true)", ct);
}
