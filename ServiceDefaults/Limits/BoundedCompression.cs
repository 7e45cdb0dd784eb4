using System.IO.Compression;
using Grpc.Net.Compression;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.ServiceDefaults.Limits;

/// <summary>
/// A way to compress of which no more is unpacked than a message may have: the library looks at the size before it unpacks, and
/// a thousandth of it is enough for a bomb.
/// </summary>
/// <param name="inner">The way to compress.</param>
/// <param name="most">Most bytes.</param>
internal sealed class BoundedCompression(ICompressionProvider inner, int most) : ICompressionProvider
{
    public string EncodingName => inner.EncodingName;

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) => inner.CreateCompressionStream(stream, compressionLevel);

    public Stream CreateDecompressionStream(Stream stream) => new BoundedStream(inner.CreateDecompressionStream(stream), most);

    private sealed class BoundedStream(Stream unpacked, int left) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var read = unpacked.Read(buffer);
            left -= read;
            return left >= 0 ? read : throw RpcErrors.From(DomainError.MessageTooLarge());
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                unpacked.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
