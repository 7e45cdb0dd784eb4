using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Jafer.Contracts.Journal;

/// <summary>
/// The chain of the access journal: each line has the SHA-256 of a text that names all of it, each seal that of a text that names the
/// hashes of its lines and the seal before, so that the last seal stands for the whole journal. docs/journal.md describes both texts.
/// </summary>
public static class JournalChain
{
    /// <summary>First part of each text.</summary>
    public const string Version = "jafer-journal-1";

    /// <summary>The snapshot before the first seal: nothing is visible in it.</summary>
    public const string NothingSeen = "3:3:";

    /// <summary>Length of the mark of a line in <see cref="JournalSeal.Marks"/>.</summary>
    public const int MarkLength = 16;

    /// <summary>What stands for the hash before the first seal.</summary>
    public static byte[] Start { get; } = new byte[SHA256.HashSizeInBytes];

    /// <summary>The hash of a line.</summary>
    /// <param name="line">The line.</param>
    public static byte[] Hash(JournalLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return Hash(
        [
            Version, "line", Number(line.Id), line.Transaction, Text(line.At), line.Subject, line.Issuer, line.Role, line.OrganisationId.ToString(), Flag(line.IsPerson),
            line.OnBehalfOf, line.Rpc, Number(line.Resources.Count), .. line.Resources, line.Purpose, line.Outcome, Flag(line.IsWrite), line.TraceId,
        ]);
    }

    /// <summary>The hash of a seal.</summary>
    /// <param name="seal">The seal; its own <see cref="JournalSeal.Hash"/> does not count.</param>
    /// <param name="previousHash">Hash of the seal before, or <see cref="Start"/>.</param>
    public static byte[] Hash(JournalSeal seal, ReadOnlySpan<byte> previousHash)
    {
        ArgumentNullException.ThrowIfNull(seal);
        return Hash(
        [
            Version, "seal", Number(seal.Number), Text(seal.SealedAt), seal.Snapshot, Number(seal.LineCount), Text(seal.OldestAt), Convert.ToHexStringLower(seal.Digest),
            Convert.ToHexStringLower(previousHash),
        ]);
    }

    /// <summary>The mark of a line: its number and the first half of its hash.</summary>
    /// <param name="id">Number of the line.</param>
    /// <param name="hash">Its hash.</param>
    public static byte[] Mark(long id, ReadOnlySpan<byte> hash)
    {
        var mark = new byte[MarkLength];
        BinaryPrimitives.WriteInt64BigEndian(mark, id);
        hash[..(MarkLength - sizeof(long))].CopyTo(mark.AsSpan(sizeof(long)));
        return mark;
    }

    /// <summary>An instant as the texts have it: UTC, microseconds.</summary>
    /// <param name="instant">The instant.</param>
    public static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string? Flag(bool? flag) => flag switch { true => "true", false => "false", null => null };

    /// <summary>Each part as its length in bytes, a colon and its UTF-8; "-" for one that is absent; each ends in LF. No value can make another.</summary>
    private static byte[] Hash(ReadOnlySpan<string?> parts)
    {
        var text = new StringBuilder(512);
        foreach (var part in parts)
        {
            _ = part is null
                ? text.Append("-\n")
                : text.Append(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(part)}:").Append(part).Append('\n');
        }

        return SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()));
    }
}

/// <summary>A seal: what was on record at an instant.</summary>
/// <param name="Number">From 1, without a gap.</param>
/// <param name="SealedAt">When, by the database's clock.</param>
/// <param name="Snapshot">The database's snapshot in which its lines, and those of all seals before, are visible.</param>
/// <param name="LineCount">Number of its lines.</param>
/// <param name="OldestAt">When the oldest of them was written.</param>
/// <param name="Marks">The marks of its lines, in their order.</param>
/// <param name="Digest">SHA-256 of the hashes of its lines, in their order.</param>
/// <param name="Hash">Its hash.</param>
public sealed record JournalSeal(long Number, DateTimeOffset SealedAt, string Snapshot, int LineCount, DateTimeOffset OldestAt, byte[] Marks, byte[] Digest, byte[] Hash);

/// <summary>Adds up the lines of a seal, one after the other.</summary>
public sealed class SealedLines : IDisposable
{
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MemoryStream _marks = new();

    /// <summary>How many were added.</summary>
    public int Count { get; private set; }

    /// <summary>When the oldest of them was written.</summary>
    public DateTimeOffset OldestAt { get; private set; } = DateTimeOffset.MaxValue;

    /// <summary>Their marks, in their order.</summary>
    public byte[] Marks => _marks.ToArray();

    /// <summary>Adds a line.</summary>
    /// <param name="line">The line.</param>
    public void Add(JournalLine line)
    {
        ArgumentNullException.ThrowIfNull(line);
        var hash = JournalChain.Hash(line);
        _digest.AppendData(hash);
        _marks.Write(JournalChain.Mark(line.Id, hash));
        Count++;
        OldestAt = line.At < OldestAt ? line.At : OldestAt;
    }

    /// <summary>The digest of all that were added.</summary>
    public byte[] Digest() => _digest.GetCurrentHash();

    /// <inheritdoc/>
    public void Dispose()
    {
        _digest.Dispose();
        _marks.Dispose();
    }
}
