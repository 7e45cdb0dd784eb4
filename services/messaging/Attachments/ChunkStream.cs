using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Files;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Attachments;

/// <summary>The bytes of a stored file, read forwards and backwards; one chunk of it is held.</summary>
internal sealed class ChunkStream(MessagingDbContext db, Guid attachmentId, long length) : ReadOnlyStream
{
    private ReadOnlyMemory<byte> _chunk;
    private long _number = -1;

    public override bool CanSeek => true;

    public override long Length => length;

    public override long Position { get; set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        var number = Position / FileLimits.ChunkBytes;
        if (number != _number)
        {
            var data = await db.AttachmentChunks.Where(c => c.AttachmentId == attachmentId && c.Number == (int)number).Select(c => c.Data).SingleAsync(cancellationToken);
            (_number, _chunk) = (number, data);
        }

        var left = _chunk[(int)(Position % FileLimits.ChunkBytes)..];
        var count = Math.Min(left.Length, buffer.Length);
        left[..count].CopyTo(buffer);
        Position += count;
        return count;
    }
}
