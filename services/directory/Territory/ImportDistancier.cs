using System.Security.Cryptography;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Reference;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Directory.Territory;

/// <summary>
/// Imports the ways of a distancier: copied as they arrive into a table of the transaction, merged at the end. Readers are
/// never locked out, and a client that leaves, a mistake or a crash leaves nothing behind.
/// </summary>
internal sealed class ImportDistancier(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, TimeProvider clock)
{
    private const int MaxWaysOfARequest = 20_000;
    private const int MaxMinutes = 6000;
    private const int MaxListedErrors = 1000;
    private const int FirstLine = 2;

    private readonly ImportSummary _summary = new();
    private readonly List<LineError> _errors = [];

    public async Task HandleAsync(
        IAsyncStreamReader<ImportDistancierRequest> requests, IServerStreamWriter<ImportDistancierResponse> responses, ServerCallContext call)
    {
        var ct = call.CancellationToken;
        var geography = await snapshots.GeographyAsync(ct);
        var first = await requests.MoveNext(ct) ? requests.Current : new ImportDistancierRequest();
        var check = new FieldChecks();
        check.Text("source", first.Source, 200, required: true);
        var requestId = check.RequestId(first.RequestId);
        check.ThrowIfAny();

        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        await RunAsync(connection, "create temp table incoming (line int, from_insee text, to_insee text, minutes real) on commit drop", ct);
        using var content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var copy = await connection.BeginBinaryImportAsync("copy incoming from stdin (format binary)", ct))
        {
            var more = true;
            for (var request = first; more; more = await requests.MoveNext(ct), request = more ? requests.Current : request)
            {
                if (request.Ways.Count > MaxWaysOfARequest)
                    throw DomainError.Invalid([new FieldViolation("ways", $"must have at most {MaxWaysOfARequest} entries")]);
                content.AppendData(request.ToByteArray());
                foreach (var way in request.Ways)
                    await WriteAsync(copy, way, geography, ct);
                await responses.WriteAsync(new ImportDistancierResponse { WaysRead = _summary.LineCount }, ct);
            }
            if (_summary.LineCount == 0 && !first.ReplaceAll)
                throw DomainError.Invalid([new FieldViolation("ways", "is required unless replace_all is set")]);
            await copy.CompleteAsync(ct);
        }
        await FindRepetitionsAsync(connection, ct);
        if (_summary.ErrorCount > 0)
        {
            await responses.WriteAsync(new ImportDistancierResponse { WaysRead = _summary.LineCount, Summary = _summary }, ct);
            return;
        }

        var digest = new BytesValue { Value = ByteString.CopyFrom(content.GetHashAndReset()) };
        await responses.WriteAsync(await commands.RunAsync(
            call, digest, requestId,
            async token =>
            {
                await MergeAsync(connection, first, token);
                return new ImportDistancierResponse { WaysRead = _summary.LineCount, Summary = _summary };
            },
            _ => "distancier",
            effectsOutside: true), ct);
    }

    private async Task WriteAsync(NpgsqlBinaryImporter copy, DistancierWay way, Geography geography, CancellationToken ct)
    {
        var line = checked((int)(FirstLine + _summary.LineCount++));
        var (knowsFrom, knowsTo) = (geography.CommuneNames.ContainsKey(way.FromInsee), geography.CommuneNames.ContainsKey(way.ToInsee));
        if (!knowsFrom)
            Add(line, "depart", "is not a known commune");
        if (!knowsTo)
            Add(line, "arrivee", "is not a known commune");
        var within = !way.HasMinutes || way.Minutes is >= 0 and <= MaxMinutes;
        if (!within)
            Add(line, "minutes", $"must be from 0 to {MaxMinutes}");
        else if (way.FromInsee == way.ToInsee && !(way.HasMinutes && way.Minutes == 0))
            Add(line, "minutes", "must be 0 within one commune");
        // Also after a mistake, when nothing is imported any more: a way given twice is told all the same.
        if (!knowsFrom || !knowsTo)
            return;
        await copy.StartRowAsync(ct);
        await copy.WriteAsync(line, NpgsqlDbType.Integer, ct);
        await copy.WriteAsync(way.FromInsee, NpgsqlDbType.Text, ct);
        await copy.WriteAsync(way.ToInsee, NpgsqlDbType.Text, ct);
        if (way.HasMinutes && within)
            await copy.WriteAsync(way.Minutes, NpgsqlDbType.Real, ct);
        else
            await copy.WriteNullAsync(ct);
    }

    private void Add(int line, string column, string description)
    {
        _summary.ErrorCount++;
        if (_errors.Count < MaxListedErrors)
            _errors.Add(new LineError { Line = line, Column = column, Description = description });
    }

    private async Task FindRepetitionsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await RunAsync(connection, "set local work_mem = '64MB'; analyze incoming", ct);
        await using var command = new NpgsqlCommand("""
            select line from incoming
            where (from_insee, to_insee) in (select from_insee, to_insee from incoming group by from_insee, to_insee having count(*) > 1)
            order by line
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        for (var listed = 0; await reader.ReadAsync(ct); _summary.ErrorCount++)
        {
            if (listed++ < MaxListedErrors)
                _errors.Add(new LineError { Line = reader.GetInt32(0), Description = "gives a way that another line gives too" });
        }
        _summary.Errors.Add(_errors.OrderBy(e => e.Line).Take(MaxListedErrors));
    }

    private async Task MergeAsync(NpgsqlConnection connection, ImportDistancierRequest first, CancellationToken ct)
    {
        // One import at a time: the second merges into what the first has left.
        await RunAsync(connection, "select pg_advisory_xact_lock(hashtextextended('directory:distancier', 0))", ct);
        if (first.Symmetric)
        {
            await RunAsync(connection, """
                insert into incoming select i.line, i.to_insee, i.from_insee, i.minutes from incoming i
                where i.from_insee <> i.to_insee
                    and not exists (select from incoming r where r.from_insee = i.to_insee and r.to_insee = i.from_insee);
                analyze incoming
                """, ct);
        }
        var removed = !first.ReplaceAll ? 0 : await RunAsync(connection, """
            delete from distancier_ways w
            where not exists (select from incoming i where i.from_insee = w.from_insee and i.to_insee = w.to_insee)
            """, ct);
        await using var merge = new NpgsqlCommand("""
            with merged as (
                insert into distancier_ways as w (from_insee, to_insee, minutes)
                select from_insee, to_insee, minutes from incoming order by from_insee, to_insee
                on conflict (from_insee, to_insee) do update set minutes = excluded.minutes where w.minutes is distinct from excluded.minutes
                returning xmax = 0 as created)
            select count(*) filter (where created), count(*) filter (where not created), (select count(*) from incoming) from merged
            """, connection) { CommandTimeout = 0 };
        await using (var reader = await merge.ExecuteReaderAsync(ct))
        {
            await reader.ReadAsync(ct);
            _summary.CreatedCount = reader.GetInt64(0);
            _summary.UpdatedCount = reader.GetInt64(1);
            _summary.UnchangedCount = reader.GetInt64(2) - _summary.CreatedCount - _summary.UpdatedCount;
        }
        await using var note = new NpgsqlCommand("""
            insert into distancier_imports (imported_at, source, "symmetric", replaced_all, created_count, updated_count, removed_count, way_count)
            select @now, @source, @symmetric, @replaced, @created, @updated, @removed, coalesce(
                (select way_count from distancier_imports order by id desc limit 1), 0) + @created - @removed
            """, connection)
        {
            Parameters =
            {
                new("now", clock.GetUtcNow()), new("source", first.Source), new("symmetric", first.Symmetric), new("replaced", first.ReplaceAll),
                new("created", _summary.CreatedCount), new("updated", _summary.UpdatedCount), new("removed", (long)removed),
            },
        };
        await note.ExecuteNonQueryAsync(ct);
        // Replicas ask for this number before every search; last, because its lock lets no espace be changed meanwhile.
        await RunAsync(connection, "update directory_revision set revision = revision + 1", ct);
    }

    private static async Task<int> RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteNonQueryAsync(ct);
    }
}
