using System.Data;
using Jafer.Contracts.Journal;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>Settings of the journal, section Journal.</summary>
public sealed class JournalOptions
{
    /// <summary>How often what is new is sealed.</summary>
    public TimeSpan SealInterval { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// Binds what is new in the journal to what was there before, and makes and drops its months. Every replica tries, one at a time
/// seals. A line belongs to the first seal whose snapshot sees it: a transaction that commits late, with a lower number, is lost by
/// none, and holds back nobody (docs/decisions/0031).
/// </summary>
internal sealed class JournalSealer(NpgsqlDataSource source, IOptions<JournalOptions> options, TimeProvider clock, ILogger<JournalSealer> logger) : BackgroundService
{
    private static readonly TimeSpan s_betweenKeepings = TimeSpan.FromHours(1);

    private const string Begin = """
        select pg_try_advisory_xact_lock(hashtextextended('jafer:journal', 0)), now(), pg_current_snapshot()::text,
               s.number, s.snapshot::text, s.hash, coalesce(pg_snapshot_xmax(s.snapshot) > pg_snapshot_xmax(pg_current_snapshot()), false)
        from (select) one left join lateral (select number, snapshot, hash from journal.seals order by number desc limit 1) s on true
        """;

    private DateTimeOffset _keptAt = DateTimeOffset.MinValue;

    /// <summary>Seals what is new.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The seal; null when there is nothing new, or when another replica seals.</returns>
    public async Task<JournalSeal?> SealAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        long number;
        string before, now;
        byte[] previous;
        DateTimeOffset at;
        await using (var begin = new NpgsqlCommand(Begin, connection))
        await using (var reader = await begin.ExecuteReaderAsync(ct))
        {
            await reader.ReadAsync(ct);
            if (!reader.GetBoolean(0))
            {
                return null;
            }

            if (reader.GetBoolean(6))
            {
                logger.LogError("The journal is not sealed: its database counts transactions from the beginning again (docs/journal.md, restoring)");
                return null;
            }

            (at, now) = (reader.GetFieldValue<DateTimeOffset>(1), reader.GetString(2));
            (number, before, previous) = reader.IsDBNull(3)
                ? (0, JournalChain.NothingSeen, JournalChain.Start)
                : (reader.GetInt64(3), reader.GetString(4), reader.GetFieldValue<byte[]>(5));
        }

        using var lines = new SealedLines();
        await using (var read = new NpgsqlCommand(JournalLine.UnderSeal, connection))
        {
            read.Parameters.AddWithValue("after", before);
            read.Parameters.AddWithValue("upto", now);
            await using var reader = await read.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                lines.Add(JournalLine.Read(reader));
            }
        }

        if (lines.Count == 0)
        {
            return null;
        }

        var seal = new JournalSeal(number + 1, at, now, lines.Count, lines.OldestAt, lines.Marks, lines.Digest(), []);
        seal = seal with { Hash = JournalChain.Hash(seal, previous) };
        try
        {
            await using var insert = new NpgsqlCommand("insert into journal.seals values ($1, $2, $3::text::pg_snapshot, $4, $5, $6, $7, $8)", connection)
            {
                Parameters =
                {
                    new() { Value = seal.Number }, new() { Value = seal.SealedAt }, new() { Value = seal.Snapshot }, new() { Value = seal.LineCount },
                    new() { Value = seal.OldestAt }, new() { Value = seal.Marks }, new() { Value = seal.Digest }, new() { Value = seal.Hash },
                },
            };
            await insert.ExecuteNonQueryAsync(ct);
            await transaction.CommitAsync(CancellationToken.None);
            return seal;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // Another replica sealed between our snapshot and our lock.
            return null;
        }
    }

    /// <summary>Makes the months ahead, and drops those that are twelve months old.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task KeepAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("select journal.keep()");
        if (await command.ExecuteScalarAsync(ct) is int and > 0 and var dropped)
        {
            logger.LogInformation("{Count} months of the access journal have ended and were dropped", dropped);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SealInterval, WorkAsync, logger, "the access journal could not be sealed", stoppingToken);

    private async Task WorkAsync(CancellationToken ct)
    {
        await SealAsync(ct);
        if (clock.GetUtcNow() - _keptAt >= s_betweenKeepings)
        {
            await KeepAsync(ct);
            _keptAt = clock.GetUtcNow();
        }
    }
}

/// <summary>Counts the lines that no seal holds yet.</summary>
internal sealed class JournalCensus(NpgsqlDataSource source, TimeProvider clock, ILogger<JournalCensus> logger) : QueueCensus(
    source, clock, logger, "jafer.journal",
    new CensusGauge("unsealed", "{line}", "Lines of the access journal that no seal holds yet"),
    new CensusGauge("seals", "{seal}", "Seals of the access journal"))
{
    protected override string Query => """
        select count(*), min(e.at), coalesce((select number from journal.seals order by number desc limit 1), 0)
        from journal.entries e, (select coalesce((select snapshot from journal.seals order by number desc limit 1), '3:3:') as seen) s
        where e.xact >= pg_snapshot_xmin(s.seen) and not pg_visible_in_snapshot(e.xact, s.seen)
        """;
}
