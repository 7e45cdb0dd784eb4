using System.Globalization;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Jafer.ServiceDefaults.Secrets;

/// <summary>
/// Seals what stands in clear or under a key that seals no more: table by table in the order of primary keys, some rows in a transaction
/// that also keeps how far it came (table sealing_passes). It goes on after a kill; one replica has a table at a time. A pass ends only
/// when no such row is left, and is looked at again each day for what a replica with other keys may have written.
/// </summary>
public sealed class SealingWork<TContext>(
    NpgsqlDataSource source, IDbContextFactory<TContext> contexts, KeyRing ring, TimeProvider clock, ILogger<SealingWork<TContext>> logger) : BackgroundService
    where TContext : JaferDbContext
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromDays(1);

    private const string Begin = """
        insert into sealing_passes as p (table_name, key_id, began_at) values ($1, $2, $3)
        on conflict (table_name) do update set key_id = $2, began_at = $3, after_key = null, finished_at = null, resealed = 0
        where p.key_id <> $2 or p.finished_at < $4
        """;

    // Another replica that is at it has the row.
    private const string Resume = "select after_key from sealing_passes where table_name = $1 and key_id = $2 and finished_at is null for update skip locked";

    private const string Advance = "update sealing_passes set after_key = $2, resealed = resealed + $3, finished_at = $4 where table_name = $1";

    /// <summary>Seals all that is left to seal; nothing where it is done, or where another replica is at it.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <param name="portion">Rows of one transaction.</param>
    /// <returns>Rows that were sealed.</returns>
    public async Task<long> SealAsync(CancellationToken ct, int portion = 100)
    {
        var total = 0L;
        await using var db = await contexts.CreateDbContextAsync(ct);
        foreach (var table in Table.Of(db.Model, ring))
        {
            // What began in the middle goes on from the beginning, once: what is then left is held by others, or cannot be opened.
            var (sealedRows, ends) = (0L, 0);
            while (ends < 2 && await SealPortionAsync(table, portion, ct) is { } done)
            {
                sealedRows += done.Rows;
                ends += done.AtEnd ? 1 : 0;
            }

            if (sealedRows > 0)
            {
                logger.LogInformation("{Rows} rows of {Table} are sealed under {Key} now", sealedRows, table.Name, ring.CurrentId);
            }

            total += sealedRows;
        }

        return total;
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(s_interval, ct => SealAsync(ct), logger, "columns could not be sealed", stoppingToken);

    /// <summary>Seals one portion; null when the table is done, or when another replica has it.</summary>
    private async Task<(int Rows, bool AtEnd)?> SealPortionAsync(Table table, int portion, CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunAsync(Begin, table.Name, ring.CurrentId, now, now - s_lookAgain);
        await using (var command = Command(Resume, table.Name, ring.CurrentId))
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            if (!await reader.ReadAsync(ct))
            {
                await reader.CloseAsync();
                await transaction.CommitAsync(CancellationToken.None);
                return null;
            }

            table.After = await reader.IsDBNullAsync(0, ct) ? null : reader.GetFieldValue<string[]>(0);
        }

        await RunAsync("select set_config('jafer.sealing', 'on', true)");
        var rows = await ReadAsync(table, portion);
        var unopened = 0;
        if (rows.Count > 0)
        {
            await using var update = Command(table.Update);
            for (var i = 0; i < table.Keys.Length; i++)
            {
                update.Parameters.Add(new NpgsqlParameter { Value = rows.Select(r => r.Key[i]).ToArray() });
            }

            for (var i = 0; i < table.Columns.Length; i++)
            {
                var (column, binding) = table.Columns[i];
                update.Parameters.Add(new NpgsqlParameter { Value = rows.Select(r => Reseal(r.Values[i], binding)).ToArray(), DataTypeName = "bytea[]" });
            }

            await update.ExecuteNonQueryAsync(ct);
        }

        if (unopened > 0)
        {
            logger.LogError("{Rows} values of {Table} cannot be opened: they are damaged, or their key is not in Secrets:Keys", unopened, table.Name);
        }

        // Rows that an act held were passed over: they are come back to from the beginning.
        var atEnd = rows.Count < portion;
        var finished = atEnd && !await AnyLeftAsync(table);
        if (rows.Count > 0)
        {
            await JournalEntry.WriteOwnAsync(connection, "sealing", [$"tables/{table.Name}"], ct);
        }

        await RunAsync(Advance, table.Name, atEnd ? (object)DBNull.Value : rows[^1].Key, (long)rows.Count, finished ? now : DBNull.Value);
        await transaction.CommitAsync(CancellationToken.None);
        JaferMetrics.Resealed.Add(rows.Count, new KeyValuePair<string, object?>("table", table.Name));
        return (rows.Count, atEnd);

        byte[]? Reseal(byte[]? value, byte[] binding)
        {
            if (value is null || ring.IsCurrent(value))
            {
                return value;
            }

            try
            {
                return ring.Seal(KeyRing.Process.Open(value, binding), binding);
            }
            catch (Exception e) when (e is SealBrokenException or SealKeyMissingException)
            {
                unopened++;
                return value;
            }
        }

        NpgsqlCommand Command(string sql, params object[] values)
        {
            var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values)
            {
                command.Parameters.Add(value == DBNull.Value && sql == Advance && command.Parameters.Count == 1
                    ? new NpgsqlParameter { Value = value, DataTypeName = "text[]" }
                    : value == DBNull.Value ? new NpgsqlParameter { Value = value, DataTypeName = "timestamptz" } : new NpgsqlParameter { Value = value });
            }

            return command;
        }

        async Task RunAsync(string sql, params object[] values)
        {
            await using var command = Command(sql, values);
            await command.ExecuteNonQueryAsync(ct);
        }

        async Task<bool> AnyLeftAsync(Table of)
        {
            await using var command = Command(of.AnyLeft, ring.Header.ToArray());
            return await command.ExecuteScalarAsync(ct) is not null;
        }

        async Task<List<(string[] Key, byte[]?[] Values)>> ReadAsync(Table of, int limit)
        {
            await using var command = Command(of.Read, ring.Header.ToArray(), limit);
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)of.After ?? DBNull.Value, DataTypeName = "text[]" });
            await using var reader = await command.ExecuteReaderAsync(ct);
            var found = new List<(string[], byte[]?[])>();
            while (await reader.ReadAsync(ct))
            {
                var key = Enumerable.Range(0, of.Keys.Length).Select(reader.GetString).ToArray();
                found.Add((key, [.. Enumerable.Range(of.Keys.Length, of.Columns.Length).Select(i => reader.IsDBNull(i) ? null : reader.GetFieldValue<byte[]>(i))]));
            }

            return found;
        }
    }

    private sealed class Table
    {
        public required string Name { get; init; }

        public required (string Column, string Type)[] Keys { get; init; }

        public required (string Column, byte[] Binding)[] Columns { get; init; }

        public required string Read { get; init; }

        public required string AnyLeft { get; init; }

        public required string Update { get; init; }

        public string[]? After { get; set; }

        public static IEnumerable<Table> Of(IModel model, KeyRing ring)
        {
            foreach (var group in SealedColumns.Of(model))
            {
                var key = model.GetEntityTypes().First(e => e.GetTableName() == group.Key && e.FindPrimaryKey() is not null).FindPrimaryKey()!.Properties;
                (string Column, string Type)[] keys = [.. key.Select(p => (p.GetColumnName(), p.GetColumnType()))];
                string[] columns = [.. group.Distinct().Order(StringComparer.Ordinal)];
                var length = ring.Header.Length.ToString(CultureInfo.InvariantCulture);
                var left = string.Join(" or ", columns.Select(c => $"(length({c}) > 1 and substring({c} from 1 for {length}) <> $1)"));
                var names = string.Join(", ", keys.Select(k => k.Column));
                var after = string.Join(", ", keys.Select((k, i) => $"($3::text[])[{i + 1}]::{k.Type}"));
                var packed = keys.Select((_, i) => $"${i + 1}::text[]").Concat(columns.Select((_, i) => $"${keys.Length + i + 1}::bytea[]"));
                yield return new Table
                {
                    Name = group.Key,
                    Keys = keys,
                    Columns = [.. columns.Select(c => (c, KeyRing.Binding($"{group.Key}.{c}")))],
                    Read = $"""
                        select {string.Join(", ", keys.Select(k => k.Column + "::text").Concat(columns))} from {group.Key}
                        where ($3::text[] is null or ({names}) > ({after})) and ({left})
                        order by {names} limit $2 for no key update skip locked
                        """,
                    AnyLeft = $"select 1 from {group.Key} where {left} limit 1",
                    Update = $"""
                        update {group.Key} t set {string.Join(", ", columns.Select(c => $"{c} = v.{c}"))}
                        from unnest({string.Join(", ", packed)}) as v ({names}, {string.Join(", ", columns)})
                        where {string.Join(" and ", keys.Select(k => $"t.{k.Column} = v.{k.Column}::{k.Type}"))}
                        """,
                };
            }
        }
    }
}

/// <summary>Counts the tables, and the keyed index, that are not yet under the key that seals.</summary>
internal sealed class KeyPassCensus(NpgsqlDataSource source, KeyRing ring, TimeProvider clock, ILogger<KeyPassCensus> logger) : QueueCensus(
    source, clock, logger, "jafer.sealing",
    new CensusGauge("unfinished", "{table}", "Tables with rows that are not yet under the key that seals"),
    new CensusGauge("resealed", "{row}", "Rows that the present passes have sealed anew"))
{
    // An id of a key is letters, digits, "-" and "_". The name of the index's key is another one.
    protected override string Query => $"""
        select count(*) filter (where finished_at is null or (key_id <> '{ring.CurrentId}' and table_name <> '{SealingPasses.KeyedIndex}')),
               min(began_at) filter (where finished_at is null), coalesce(sum(resealed), 0)::bigint
        from sealing_passes
        """;
}

/// <summary>What the table sealing_passes holds besides tables.</summary>
public static class SealingPasses
{
    /// <summary>Name of the pass over the digests by which mesures are matched.</summary>
    public const string KeyedIndex = "keyed_index";
}
