using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Xml;

namespace Jafer.Messaging.Domain;

/// <summary>
/// Looks into the package of an office program (ZIP): which of the known types it is, and whether it carries a program, is
/// encrypted, loads something from elsewhere or unpacks to more than it should. No size that the package tells of itself is
/// trusted, every part is unpacked and counted, and no more of it is held than a directory of bounded length.
/// </summary>
internal static class PackageInspection
{
    /// <summary>Most parts of a package.</summary>
    public const int MaxParts = 2000;

    /// <summary>Most bytes of all parts unpacked: a table of 10 MiB may well have fifteen times that.</summary>
    public const int MaxUnpacked = 256 * 1024 * 1024;

    private const int MaxDirectory = 1024 * 1024;
    private const int MaxXml = 4 * 1024 * 1024;
    private const int EndLength = 22;
    private const int MaxComment = 65_535;
    private const int EntryLength = 46;
    private const int LocalLength = 30;
    private const string NoPackage = "is of no type that an attachment may have";
    private const string Broken = "must be a whole package: it cannot be read";
    private const string Program = "must not carry a program (macros)";
    private const string Encrypted = "must not be encrypted or protected by a password";
    private const string Elsewhere = "must not load anything from elsewhere";
    private const string TooMuch = "must not unpack to more than 256 MiB or 2000 parts";

    /// <summary>The type of the package, or what is wrong with it, in English.</summary>
    /// <param name="file">The bytes; read forwards and backwards.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<(FileType? Type, string? Problem)> LookAsync(Stream file, CancellationToken ct)
    {
        try
        {
            return await new Package(file).LookAsync(ct);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or XmlException or DecoderFallbackException)
        {
            return (null, Broken);
        }
    }

    private sealed record Part(string Name, int Method, long Packed, long Offset);

    private sealed class Package(Stream file)
    {
        private long _unpacked;

        public async Task<(FileType? Type, string? Problem)> LookAsync(CancellationToken ct)
        {
            var (parts, problem) = await DirectoryAsync(ct);
            if (problem is not null)
            {
                return (null, problem);
            }

            var odf = parts[0] is { Name: "mimetype", Method: 0 };
            var mark = odf ? "" : null;
            foreach (var part in parts)
            {
                problem ??= ByName(part.Name);
                var read = await ReadAsync(part, IsXml(part.Name), ct);
                if (read is null)
                {
                    return (null, TooMuch);
                }

                switch (part.Name)
                {
                    case "mimetype" when odf:
                        mark = Encoding.ASCII.GetString(read);
                        break;
                    case "[Content_Types].xml" when !odf:
                        (mark, var program) = MainPart(read);
                        problem ??= program;
                        break;
                    case "META-INF/manifest.xml" when odf:
                        problem ??= Elements(read).Any(e => e.Name == "encryption-data") ? Encrypted : null;
                        break;
                    case var name when name.EndsWith(".rels", StringComparison.OrdinalIgnoreCase):
                        problem ??= Elements(read).Any(IsLoaded) ? Elsewhere : null;
                        break;
                }
            }

            var type = mark is null ? null : FileTypes.Packages.GetValueOrDefault(mark);
            return type is null ? (null, problem ?? NoPackage) : problem is null ? (type, null) : (null, problem);
        }

        private static bool IsXml(string name) =>
            name is "mimetype" or "[Content_Types].xml" or "META-INF/manifest.xml" || name.EndsWith(".rels", StringComparison.OrdinalIgnoreCase);

        private static string? ByName(string name)
        {
            var file = name[(name.LastIndexOf('/') + 1)..];
            return file.StartsWith("vbaProject", StringComparison.OrdinalIgnoreCase) || file.StartsWith("oleObject", StringComparison.OrdinalIgnoreCase)
                || name.Contains("activeX/", StringComparison.OrdinalIgnoreCase) || name.Contains("macrosheets/", StringComparison.OrdinalIgnoreCase)
                || name.StartsWith("Basic/", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Scripts/", StringComparison.OrdinalIgnoreCase)
                ? Program
                : null;
        }

        /// <summary>The media type of the part that an office program opens first, and whether any part is a program.</summary>
        private static (string? Main, string? Problem) MainPart(byte[] contentTypes)
        {
            var types = Elements(contentTypes).Select(e => e.ContentType).OfType<string>().ToList();
            return (
                types.Find(FileTypes.Packages.ContainsKey),
                types.Exists(t => t.Contains("macroEnabled", StringComparison.OrdinalIgnoreCase) || t.Contains("vbaProject", StringComparison.OrdinalIgnoreCase)
                    || t.Contains("oleObject", StringComparison.OrdinalIgnoreCase) || t.Contains("activeX", StringComparison.OrdinalIgnoreCase)) ? Program : null);
        }

        // A link that a reader follows by hand is no loading.
        private static bool IsLoaded(Element e) =>
            e.Name == "Relationship" && string.Equals(e.TargetMode, "External", StringComparison.OrdinalIgnoreCase)
            && e.Type?.EndsWith("/hyperlink", StringComparison.Ordinal) != true;

        private static List<Element> Elements(byte[] xml)
        {
            var elements = new List<Element>();
            using var reader = XmlReader.Create(new MemoryStream(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, MaxCharactersInDocument = MaxXml });
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element)
                {
                    elements.Add(new Element(reader.LocalName, reader.GetAttribute("ContentType"), reader.GetAttribute("TargetMode"), reader.GetAttribute("Type")));
                }
            }

            return elements;
        }

        /// <summary>The central directory, which alone says what a program that opens the package finds.</summary>
        private async Task<(List<Part> Parts, string? Problem)> DirectoryAsync(CancellationToken ct)
        {
            var length = file.Length;
            var tail = await BytesAsync(Math.Max(0, length - EndLength - MaxComment), (int)Math.Min(length, EndLength + MaxComment), ct);
            var at = tail.Length - EndLength;
            while (at >= 0 && !(Signature(tail, at) == 0x06054B50 && at + EndLength + U16(tail, at + 20) == tail.Length))
            {
                at--;
            }

            if (at < 0)
            {
                return ([], Broken);
            }

            var (count, size, offset) = (U16(tail, at + 10), U32(tail, at + 12), U32(tail, at + 16));
            if (count > MaxParts || size > MaxDirectory)
            {
                return ([], TooMuch);
            }

            // Over several disks, in the form for more than 4 GiB, or with something between directory and end: none of them is written here.
            if (count == 0 || U16(tail, at + 4) != 0 || U16(tail, at + 6) != 0 || U16(tail, at + 8) != count || offset + size != length - tail.Length + at)
            {
                return ([], Broken);
            }

            return Parts(await BytesAsync(offset, (int)size, ct), count);
        }

        private static (List<Part> Parts, string? Problem) Parts(byte[] directory, int count)
        {
            var parts = new List<Part>();
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var at = 0;
            for (var i = 0; i < count; i++)
            {
                if (at + EntryLength > directory.Length || Signature(directory, at) != 0x02014B50)
                {
                    return ([], Broken);
                }

                var (flags, method, packed) = (U16(directory, at + 8), U16(directory, at + 10), U32(directory, at + 20));
                var (nameLength, offset) = (U16(directory, at + 28), U32(directory, at + 42));
                var next = at + EntryLength + nameLength + U16(directory, at + 30) + U16(directory, at + 32);
                if (next > directory.Length)
                {
                    return ([], Broken);
                }

                if ((flags & 1) != 0)
                {
                    return ([], Encrypted);
                }

                var name = Encoding.UTF8.GetString(directory, at + EntryLength, nameLength).Replace('\\', '/');
                if (method is not (0 or 8) || !names.Add(name) || name.StartsWith('/') || name.Split('/').Contains("..") || name.Contains('\0', StringComparison.Ordinal))
                {
                    return ([], Broken);
                }

                parts.Add(new Part(name, method, packed, offset));
                at = next;
            }

            return at == directory.Length ? (parts, null) : ([], Broken);
        }

        /// <summary>Unpacks a part and counts; its bytes where they are wanted, none otherwise. Null when it is too much.</summary>
        private async Task<byte[]?> ReadAsync(Part part, bool isWanted, CancellationToken ct)
        {
            var local = await BytesAsync(part.Offset, LocalLength, ct);
            if (Signature(local, 0) != 0x04034B50 || U16(local, 8) != part.Method)
            {
                throw new InvalidDataException();
            }

            var begin = part.Offset + LocalLength + U16(local, 26) + U16(local, 28);
            if (begin + part.Packed > file.Length)
            {
                throw new InvalidDataException();
            }

            file.Position = begin;
            await using var packed = new PartStream(file, part.Packed);
            await using Stream unpacked = part.Method == 0 ? packed : new DeflateStream(packed, CompressionMode.Decompress);
            using var kept = new MemoryStream();
            var buffer = new byte[32 * 1024];
            for (int read; (read = await unpacked.ReadAsync(buffer, ct)) > 0;)
            {
                if ((_unpacked += read) > MaxUnpacked || (isWanted && kept.Length + read > MaxXml))
                {
                    return null;
                }

                if (isWanted)
                {
                    kept.Write(buffer, 0, read);
                }
            }

            return kept.ToArray();
        }

        private async Task<byte[]> BytesAsync(long offset, int count, CancellationToken ct)
        {
            if (offset < 0 || offset + count > file.Length)
            {
                throw new InvalidDataException();
            }

            var bytes = new byte[count];
            file.Position = offset;
            await file.ReadExactlyAsync(bytes, ct);
            return bytes;
        }

        private static uint Signature(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

        private static int U16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

        private static long U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

        private sealed record Element(string Name, string? ContentType, string? TargetMode, string? Type);
    }

    /// <summary>So many bytes of a stream from where it stands.</summary>
    private sealed class PartStream(Stream whole, long length) : Stream
    {
        private long _left = length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await whole.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
