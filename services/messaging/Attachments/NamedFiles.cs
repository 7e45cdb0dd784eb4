using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Attachments;

/// <summary>The files that go with messages.</summary>
internal static class NamedFiles
{
    /// <summary>Most files of a message.</summary>
    public const int Max = 10;

    /// <summary>Field of a request that names them.</summary>
    public const string Field = "attachment_ids";

    /// <summary>
    /// Has a new message name files, in the transaction that was begun, and returns their digests in their order. Refused at its
    /// field: what is no file of this thread, of this organisation, or is named by a message already.
    /// </summary>
    /// <param name="db">Database.</param>
    /// <param name="ids">The files.</param>
    /// <param name="thread">The thread.</param>
    /// <param name="organisationId">Who writes the message.</param>
    /// <param name="messageId">The message.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<string[]> NameAsync(MessagingDbContext db, List<Guid> ids, MessageThread thread, Guid organisationId, Guid messageId, CancellationToken ct)
    {
        if (ids.Count == 0)
        {
            return [];
        }

        // In the order of ids, so that two messages never wait for each other; a check waits, and then finds who names the file.
        var found = await db.Attachments.FromSql($"select * from attachments where attachment_id = any({ids.ToArray()}) order by attachment_id for update").ToListAsync(ct);
        var check = new FieldChecks();
        var files = ids.ConvertAll(id => found.Find(a => a.AttachmentId == id && a.ThreadId == thread.ThreadId && a.OrganisationId == organisationId && a.MessageId is null));
        foreach (var (i, file) in files.Index())
        {
            check.That(file is not null, $"{Field}[{i}]", "is no file that the own organisation uploaded into this thread, or a message names it already");
        }

        check.ThrowIfAny();
        if (files.Exists(f => f!.State == AttachmentState.Refuse))
        {
            throw DomainError.StateForbids(AttachmentState.Refuse.ToCode(), "POST_MESSAGE", "a scanner refused a file of the message");
        }

        foreach (var (i, file) in files.Index())
        {
            file!.NameBy(messageId, i);
        }

        return [.. files.Select(f => Convert.ToHexStringLower(f!.Sha256))];
    }

    /// <summary>The files of some messages, by message, in their order.</summary>
    /// <param name="db">Database.</param>
    /// <param name="messageIds">The messages.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<ILookup<Guid, ThreadAttachment>> OfAsync(MessagingDbContext db, Guid[] messageIds, CancellationToken ct) =>
        (await db.Attachments.AsNoTracking().Where(a => a.MessageId != null && messageIds.Contains(a.MessageId.Value)).OrderBy(a => a.MessageIndex).ToListAsync(ct))
        .ToLookup(a => a.MessageId!.Value);

    /// <summary>
    /// Copies the files of messages for those that hand them over into another thread, with their bytes and their state: what was
    /// cleared stays so, what waits is looked at again.
    /// </summary>
    /// <param name="db">Database; a transaction was begun.</param>
    /// <param name="copies">Of each message that which hands it over.</param>
    /// <param name="now">Now.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task CopyAsync(MessagingDbContext db, IReadOnlyList<(Guid MessageId, ThreadMessage Copy)> copies, DateTimeOffset now, CancellationToken ct)
    {
        // A refusal waits until the copies are there, and then finds them by their bytes.
        var messageIds = copies.Select(c => c.MessageId).ToArray();
        await db.Database.ExecuteSqlAsync($"select from attachments where message_id = any({messageIds}) order by attachment_id for share", ct);
        var files = await OfAsync(db, messageIds, ct);
        foreach (var (messageId, copy) in copies)
        {
            foreach (var (i, file) in files[messageId].Index())
            {
                var copied = new ThreadAttachment
                {
                    AttachmentId = Guid.CreateVersion7(now),
                    ThreadId = copy.ThreadId,
                    OrganisationId = copy.AuthorOrganisationId!.Value,
                    FileName = file.FileName,
                    MediaType = file.MediaType,
                    SizeBytes = file.SizeBytes,
                    Sha256 = file.Sha256,
                    State = AttachmentState.Quarantaine,
                    CreatedAt = now,
                    NextCheckAt = now,
                };
                copied.NameBy(copy.MessageId, i);
                if (file.State == AttachmentState.Sain)
                {
                    copied.Clear(file.VerdictAt!.Value);
                }
                else if (file.State == AttachmentState.Refuse)
                {
                    copied.Refuse(file.Finding!, file.VerdictAt!.Value);
                }

                db.Attachments.Add(copied);
                await db.Database.ExecuteSqlAsync(
                    $"""
                    insert into attachment_chunks (attachment_id, number, data)
                    select {copied.AttachmentId}, number, data from attachment_chunks where attachment_id = {file.AttachmentId}
                    """,
                    ct);
            }
        }
    }
}
