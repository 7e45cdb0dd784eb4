using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Files;
using Jafer.ServiceDefaults.Secrets;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Attachments;

/// <summary>The stored bytes are not those that were uploaded, or are gone.</summary>
internal sealed class AlteredContentException() : Exception("stored bytes are not those that were uploaded");

/// <summary>Reads the bytes of a file.</summary>
internal static class StoredContent
{
    /// <summary>
    /// The bytes in order, in pieces of at most a chunk. The last piece comes only once all of them have the hash of the file:
    /// <see cref="AlteredContentException"/> instead when they do not, or when some are missing.
    /// </summary>
    /// <param name="db">Database; no connection is held between two pieces.</param>
    /// <param name="attachment">The file.</param>
    /// <param name="ct">Cancellation.</param>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(MessagingDbContext db, ThreadAttachment attachment, [EnumeratorCancellation] CancellationToken ct)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var count = (attachment.SizeBytes + FileLimits.ChunkBytes - 1) / FileLimits.ChunkBytes;
        for (var number = 0; number < count; number++)
        {
            var piece = await ChunkAsync(db, attachment.AttachmentId, number, ct);
            var expected = Math.Min(FileLimits.ChunkBytes, attachment.SizeBytes - ((long)number * FileLimits.ChunkBytes));
            if (piece is null || piece.Length != expected)
            {
                throw new AlteredContentException();
            }

            hash.AppendData(piece);
            if (number == count - 1 && !hash.GetHashAndReset().AsSpan().SequenceEqual(attachment.Sha256))
            {
                throw new AlteredContentException();
            }

            yield return piece;
        }
    }

    private static async Task<byte[]?> ChunkAsync(MessagingDbContext db, Guid attachmentId, int number, CancellationToken ct)
    {
        try
        {
            return await db.AttachmentChunks.Where(c => c.AttachmentId == attachmentId && c.Number == number).Select(c => c.Data).SingleOrDefaultAsync(ct);
        }
        catch (SealBrokenException)
        {
            throw new AlteredContentException();
        }
    }
}
