using System.Buffers.Binary;
using System.Data;
using System.Globalization;
using Jafer.Contracts.Journal;
using Npgsql;

namespace Jafer.Cli.Journal;

/// <summary>What was found out about a journal.</summary>
/// <param name="Faults">What is wrong, one sentence each; none when the journal is whole.</param>
/// <param name="LineCount">Lines that were compared with their seals.</param>
/// <param name="SealCount">Seals that were looked at.</param>
/// <param name="ExpiredCount">Seals among them whose lines have served their twelve months and may be gone.</param>
/// <param name="Head">The last seal, to be noted down; null when there is none.</param>
/// <param name="Tail">The lines that no seal holds yet.</param>
internal sealed record JournalVerdict(IReadOnlyList<string> Faults, long LineCount, long SealCount, long ExpiredCount, JournalHead? Head, JournalTail Tail)
{
    /// <summary>Whether nothing was found.</summary>
    public bool Whole => Faults.Count == 0;
}

/// <summary>A seal as an operator notes it down: its number and hash.</summary>
/// <param name="Number">Number.</param>
/// <param name="Hash">Hash in hexadecimal.</param>
internal sealed record JournalHead(long Number, string Hash)
{
    /// <summary>Reads what was noted down.</summary>
    /// <param name="text">Such as "412:9f86…".</param>
    public static JournalHead Parse(string text) =>
        text.Split(':') is [var number, { Length: 64 } hash] && hash.All(char.IsAsciiHexDigit) && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0
            ? new JournalHead(n, hash.ToLowerInvariant())
            : throw new UsageException($"{text}: not the head of a journal, such as 412:9f86… with 64 hexadecimal digits.");

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Number}:{Hash}");
}

/// <summary>What is on record and under no seal yet.</summary>
/// <param name="Count">Lines.</param>
/// <param name="First">Number of the first.</param>
/// <param name="Last">Number of the last.</param>
/// <param name="OldestAt">When the oldest was written.</param>
internal sealed record JournalTail(long Count, long First, long Last, DateTimeOffset? OldestAt);

/// <summary>
/// Proves a service's journal from its database alone: every line against its seal, every seal against the one before, and, where the
/// operator noted an earlier head down, that it is still there.
/// </summary>
internal static class JournalCheck
{
    private const int MostFaults = 20;
    private const int Portion = 200;
    private static readonly TimeSpan s_longestTransaction = TimeSpan.FromHours(1);

    private const string Seals = """
        select number, sealed_at, snapshot::text, line_count, oldest_at, marks, digest, hash,
               date_trunc('month', oldest_at at time zone 'UTC') + interval '13 months' <= now() at time zone 'UTC'
        from journal.seals where number >= @from order by number limit @portion
        """;

    private const string Tail = """
        select count(*), coalesce(min(e.id), 0), coalesce(max(e.id), 0), min(e.at) from journal.entries e
        where e.xact >= pg_snapshot_xmin(@seen::pg_snapshot) and not pg_visible_in_snapshot(e.xact, @seen::pg_snapshot)
        """;

    /// <summary>Verifies.</summary>
    /// <param name="connection">An open connection to the service's database.</param>
    /// <param name="since">The seal to begin with; the one before it is trusted.</param>
    /// <param name="noted">A head that was noted down earlier; null for none.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<JournalVerdict> VerifyAsync(NpgsqlConnection connection, long since, JournalHead? noted, CancellationToken ct)
    {
        // One instant for all that is read.
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var faults = new List<string>();
        var (lineCount, sealCount, expiredCount, notedIsThere) = (0L, 0L, 0L, false);
        JournalSeal? before = null;
        if (since > 1)
        {
            before = (await SealsAsync(connection, since - 1, 1, ct)) is [var (seal, _)] && seal.Number == since - 1
                ? seal
                : throw new UsageException($"There is no seal {since - 1} to begin after.");
            notedIsThere |= Is(before, noted);
        }

        while (true)
        {
            var portion = await SealsAsync(connection, (before?.Number ?? 0) + 1, Portion, ct);
            foreach (var (seal, expired) in portion)
            {
                sealCount++;
                notedIsThere |= Is(seal, noted);
                if (seal.Number != (before?.Number ?? 0) + 1)
                {
                    Report($"seal {(before?.Number ?? 0) + 1} was removed: seal {seal.Number} follows seal {before?.Number ?? 0}");
                }
                else if (!JournalChain.Hash(seal, before?.Hash ?? JournalChain.Start).AsSpan().SequenceEqual(seal.Hash))
                {
                    Report($"seal {seal.Number} was altered, or the one before it: its hash is not that of what it holds");
                }

                var lines = await LinesAsync(connection, before, seal, expired, ct);
                lineCount += lines.Count;
                expiredCount += lines.Expired ? 1 : 0;
                foreach (var fault in lines.Faults)
                {
                    Report(fault);
                }

                before = seal;
            }

            if (portion.Count < Portion)
            {
                break;
            }
        }

        if (noted is not null && !notedIsThere)
        {
            Report(noted.Number > (before?.Number ?? 0)
                ? $"seals were removed at the end: seal {noted.Number} was noted down, and the last is {before?.Number ?? 0}"
                : $"seal {noted.Number} is not the one that was noted down{(noted.Number < since - 1 ? $", or lies before seal {since - 1}" : "")}: the chain was written anew");
        }

        var head = before is null ? null : new JournalHead(before.Number, Convert.ToHexStringLower(before.Hash));
        return new JournalVerdict(faults, lineCount, sealCount, expiredCount, head, await TailAsync(connection, before?.Snapshot ?? JournalChain.NothingSeen, ct));

        void Report(string fault)
        {
            if (faults.Count < MostFaults)
            {
                faults.Add(fault);
            }
        }
    }

    /// <summary>What a person reads of a verdict.</summary>
    /// <param name="service">Name of the service.</param>
    /// <param name="verdict">The verdict.</param>
    public static IEnumerable<string> Describe(string service, JournalVerdict verdict)
    {
        foreach (var fault in verdict.Faults)
        {
            yield return $"BROKEN: {fault}";
        }

        if (verdict.Whole)
        {
            yield return $"WHOLE: {verdict.LineCount} lines of the journal of {service} under {verdict.SealCount} seals, none altered, removed or inserted";
        }

        if (verdict.ExpiredCount > 0)
        {
            yield return $"{verdict.ExpiredCount} seals are older than the twelve months for which lines are kept: of these the chain was checked";
        }

        yield return verdict.Tail is { Count: > 0, OldestAt: { } oldest } tail
            ? $"unsealed tail: {tail.Count} lines, {tail.First} to {tail.Last}, the oldest of {JournalChain.Text(oldest)}: nothing proves these yet"
            : "unsealed tail: none";
        if (verdict.Head is { } head)
        {
            yield return $"head: {head}";
        }
    }

    private static bool Is(JournalSeal seal, JournalHead? noted) => seal.Number == noted?.Number && Convert.ToHexStringLower(seal.Hash) == noted.Hash;

    private static async Task<List<(JournalSeal Seal, bool Expired)>> SealsAsync(NpgsqlConnection connection, long from, int portion, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Seals, connection);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("portion", portion);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var seals = new List<(JournalSeal, bool)>();
        while (await reader.ReadAsync(ct))
        {
            seals.Add((
                new JournalSeal(
                    reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2), reader.GetInt32(3), reader.GetFieldValue<DateTimeOffset>(4),
                    reader.GetFieldValue<byte[]>(5), reader.GetFieldValue<byte[]>(6), reader.GetFieldValue<byte[]>(7)),
                reader.GetBoolean(8)));
        }

        return seals;
    }

    /// <summary>Compares the lines that lie between two seals with what the later says of them.</summary>
    private static async Task<(long Count, bool Expired, List<string> Faults)> LinesAsync(
        NpgsqlConnection connection, JournalSeal? before, JournalSeal seal, bool expired, CancellationToken ct)
    {
        var faults = new List<string>();
        using var found = new SealedLines();
        await using (var command = new NpgsqlCommand(JournalLine.UnderSeal, connection))
        {
            command.Parameters.AddWithValue("after", before?.Snapshot ?? JournalChain.NothingSeen);
            command.Parameters.AddWithValue("upto", seal.Snapshot);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                var line = JournalLine.Read(reader);
                found.Add(line);
                if (before is not null && line.At < before.SealedAt - s_longestTransaction)
                {
                    faults.Add($"line {line.Id} says {JournalChain.Text(line.At)} and was inserted after seal {before.Number} of {JournalChain.Text(before.SealedAt)}");
                }
            }
        }

        if (found.Digest().AsSpan().SequenceEqual(seal.Digest))
        {
            return (found.Count, false, faults);
        }

        var (held, there) = (Marks(seal.Marks), Marks(found.Marks));
        var removed = held.Keys.Where(id => !there.ContainsKey(id)).ToList();
        var inserted = there.Keys.Where(id => !held.ContainsKey(id)).ToList();
        var altered = there.Keys.Where(id => held.TryGetValue(id, out var mark) && mark != there[id]).ToList();
        if (expired && inserted.Count + altered.Count == 0)
        {
            return (found.Count, true, faults);
        }

        faults.AddRange(removed.Select(id => $"line {id} was removed: seal {seal.Number} of {JournalChain.Text(seal.SealedAt)} held it"));
        faults.AddRange(inserted.Select(id => $"line {id} was inserted: seal {seal.Number} of {JournalChain.Text(seal.SealedAt)} did not hold it"));
        faults.AddRange(altered.Select(id => $"line {id} was altered after seal {seal.Number} of {JournalChain.Text(seal.SealedAt)}"));
        if (removed.Count + inserted.Count + altered.Count == 0)
        {
            faults.Add($"the lines under seal {seal.Number} are not those of its digest: a line or the seal was altered");
        }

        return (found.Count, false, faults);
    }

    private static Dictionary<long, ulong> Marks(byte[] marks)
    {
        var byId = new Dictionary<long, ulong>();
        for (var at = 0; at + JournalChain.MarkLength <= marks.Length; at += JournalChain.MarkLength)
        {
            byId[BinaryPrimitives.ReadInt64BigEndian(marks.AsSpan(at))] = BinaryPrimitives.ReadUInt64BigEndian(marks.AsSpan(at + sizeof(long)));
        }

        return byId;
    }

    private static async Task<JournalTail> TailAsync(NpgsqlConnection connection, string seen, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(Tail, connection);
        command.Parameters.AddWithValue("seen", seen);
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new JournalTail(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3));
    }
}
