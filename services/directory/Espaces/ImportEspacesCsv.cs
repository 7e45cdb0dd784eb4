using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;
using Jafer.Directory.Search;
using Jafer.Directory.Upkeep;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Files;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>
/// Imports a CSV file of the template: read as it arrives, checked whole, then written in portions of one transaction that
/// holds its own espaces and takes the revision at the end, so that nobody else waits. With a single mistake nothing is
/// written; a trial finds out what would be, without a lock and without writing.
/// </summary>
internal sealed class ImportEspacesCsv(
    DirectoryDbContext db, Commands<DirectoryDbContext> commands, SnapshotSource snapshots, UpkeepSignal upkeep, TimeProvider clock)
{
    private const int Portion = 200;
    private const int MaxListedErrors = 1000;
    private const int LinesBetweenProgress = 5000;

    public async Task HandleAsync(
        IAsyncStreamReader<ImportEspacesCsvRequest> requests, IServerStreamWriter<ImportEspacesCsvResponse> responses, ServerCallContext call)
    {
        var ct = call.CancellationToken;
        var geography = await snapshots.GeographyAsync(ct);
        var first = await requests.MoveNext(ct) ? requests.Current : new ImportEspacesCsvRequest();
        var check = new FieldChecks();
        check.That(ImportChecks.IsSourceName(first.Source), "source", "must be 1 to 40 lower case letters, digits and hyphens");
        var requestId = check.RequestId(first.RequestId);
        check.ThrowIfAny();

        await using var file = new UploadedFile(first.Data, requests);
        var sheet = await ReadAsync(file, responses, ct);
        var summary = new ImportSummary { LineCount = sheet.LineCount, DryRun = first.DryRun };
        var importer = new EspaceImporter(db, first.Source, geography, Speaker.Importing(call.Caller()), clock.GetStoredNow())
        {
            KeepsContacts = true,
            NamedByOwnId = await OwnIdsAsync(sheet, ct),
            Overwrites = first.Overwrite,
        };
        await FindMistakesAsync(sheet, importer, geography, summary, ct);
        var progress = new ImportEspacesCsvResponse { LinesRead = summary.LineCount };
        if (summary.ErrorCount > 0)
        {
            await responses.WriteAsync(new ImportEspacesCsvResponse(progress) { Summary = summary }, ct);
            return;
        }

        if (first.DryRun)
        {
            await ApplyAsync(sheet, importer, summary, CompareAsync, ct);
            Conclude(sheet, importer, summary);
            await responses.WriteAsync(new ImportEspacesCsvResponse(progress) { Summary = summary }, ct);
            return;
        }

        var digest = new BytesValue { Value = ByteString.CopyFrom([.. file.Hash(), .. Encoding.UTF8.GetBytes(first.Source), .. first.Overwrite ? "!"u8 : []]) };
        ImportEspacesCsvResponse last;
        try
        {
            last = await commands.RunAsync(call, digest, requestId, WriteAsync, _ => $"imports/{first.Source}", effectsOutside: true);
            upkeep.Notify();
        }
        catch (NothingImportedException)
        {
            last = new ImportEspacesCsvResponse(progress) { EspacesWritten = 0, Summary = summary };
        }
        await responses.WriteAsync(last, ct);

        async Task<ImportEspacesCsvResponse> WriteAsync(CancellationToken token)
        {
            var espaces = sheet.Espaces.Select(e => e.Import).ToList();
            await importer.BeginAsync(espaces, token);
            // Others may have said who they are since the file was checked.
            AddSirets(sheet, importer, await importer.WithSiretOfAnotherAsync(espaces, token));
            await ApplyAsync(sheet, importer, summary, async compared =>
            {
                // With a single mistake nothing more is written, and the rest is only compared.
                if (sheet.Mistakes.Count == 0 && importer.Outdated.Count == 0)
                {
                    await importer.SaveAsync(token);
                    progress.EspacesWritten = compared;
                }
                await CompareAsync(compared);
            }, token);
            Conclude(sheet, importer, summary);
            if (summary.ErrorCount > 0)
            {
                await db.Database.RollbackTransactionAsync(token);
                throw new NothingImportedException();
            }
            await db.EndImportAsync(token);
            return new ImportEspacesCsvResponse(progress) { Summary = summary };
        }

        async Task CompareAsync(long compared)
        {
            progress.EspacesCompared = compared;
            await responses.WriteAsync(new ImportEspacesCsvResponse(progress), ct);
        }
    }

    private static async Task<EspaceSheet> ReadAsync(UploadedFile file, IServerStreamWriter<ImportEspacesCsvResponse> responses, CancellationToken ct)
    {
        var sheet = new EspaceSheet();
        using var text = new StreamReader(file, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false, 64 * 1024, leaveOpen: true);
        var reader = new CsvRecordReader(text, sheet.Mistakes);
        while (await reader.ReadAsync(ct) is { } record && sheet.Add(record))
        {
            if (sheet.LineCount > 0 && sheet.LineCount % LinesBetweenProgress == 0)
                await responses.WriteAsync(new ImportEspacesCsvResponse { LinesRead = sheet.LineCount }, ct);
        }
        if (!sheet.HasHeader && sheet.Mistakes.Count == 0)
            throw DomainError.Invalid([new FieldViolation("data", "has no header")]);
        sheet.Finish();
        // What follows a mistake that ends the reading belongs to the file all the same.
        await file.CopyToAsync(Stream.Null, ct);
        return sheet;
    }

    private async Task FindMistakesAsync(EspaceSheet sheet, EspaceImporter importer, Geography geography, ImportSummary summary, CancellationToken ct)
    {
        var gestionnaires = new Dictionary<string, GestionnaireImport>(StringComparer.Ordinal);
        var today = LocalTime.LatestToday(clock);
        var unreadable = sheet.Mistakes.Where(m => m.Column.Length > 0).ToLookup(m => m.Line, m => m.Column);
        var broken = sheet.Mistakes.Where(m => m.Column.Length == 0).Select(m => m.Line).ToHashSet();
        var doubtful = sheet.Espaces.Where(e => Check(e, HeldParts.None).Count > 0).ToList();
        // Once more beside what is held: that may stay as it is.
        var held = doubtful.Count == 0 ? [] : await HeldParts.LoadAsync(db, [.. doubtful.Select(e => e.Import)], importer.IdOf, clock.TodayInParis(), ct);
        foreach (var espace in doubtful)
        {
            sheet.Mistakes.AddRange(Check(espace, held.GetValueOrDefault(importer.IdOf(espace.Import), HeldParts.None))
                .Where(v => !broken.Contains(espace.PlaceOf(v.Field).Line) && !espace.FollowsFrom(v.Field, v.Description, unreadable))
                .Select(v => espace.ToMistake(v.Field, v.Description)));
        }
        AddSirets(sheet, importer, await importer.WithSiretOfAnotherAsync([.. sheet.Espaces.Select(e => e.Import)], ct));
        Summarize(sheet, summary);

        IReadOnlyList<FieldViolation> Check(SheetEspace espace, HeldParts parts)
        {
            var check = new FieldChecks();
            EspaceChecks.Id(check, "external_id", espace.Import.ExternalId, null);
            ImportChecks.Check(check, "", espace.Import, gestionnaires, geography, today, parts);
            return check.Violations;
        }
    }

    private static void AddSirets(EspaceSheet sheet, EspaceImporter importer, HashSet<Guid> taken)
    {
        sheet.Mistakes.AddRange(sheet.Espaces.Where(e => taken.Contains(importer.IdOf(e.Import.Gestionnaire)) && Siret.IsValid(e.Import.Gestionnaire.Siret))
            .Select(e => e.ToMistake("gestionnaire.siret", "is that of another gestionnaire")));
    }

    // What only shows once every espace was compared.
    private static void Conclude(EspaceSheet sheet, EspaceImporter importer, ImportSummary summary)
    {
        var outdated = importer.Outdated.ToHashSet(ReferenceEqualityComparer.Instance);
        sheet.Mistakes.AddRange(sheet.Espaces.Where(e => outdated.Contains(e.Import))
            .Select(e => e.ToMistake("etag", "is not the directory's any more: export again, or overwrite what was changed since")));
        Summarize(sheet, summary);
        if (summary.ErrorCount > 0)
            (summary.CreatedCount, summary.UpdatedCount, summary.UnchangedCount) = (0, 0, 0);
    }

    private static void Summarize(EspaceSheet sheet, ImportSummary summary)
    {
        summary.ErrorCount = sheet.Mistakes.Count;
        summary.Errors.Clear();
        summary.Errors.Add(sheet.Mistakes.OrderBy(m => m.Line).ThenBy(m => m.Column, StringComparer.Ordinal).Take(MaxListedErrors)
            .Select(m => new LineError { Line = m.Line, Column = m.Column, Description = m.Description }));
    }

    private static async Task ApplyAsync(EspaceSheet sheet, EspaceImporter importer, ImportSummary summary, Func<long, Task> compared, CancellationToken ct)
    {
        // One gestionnaire's espaces side by side: what is said of it touches them all.
        var espaces = sheet.Espaces.Select(e => e.Import).OrderBy(e => e.Gestionnaire.ExternalId, StringComparer.Ordinal);
        foreach (var portion in espaces.Chunk(Portion))
        {
            var counts = await importer.ApplyAsync(portion, ct);
            summary.CreatedCount += counts.CreatedCount;
            summary.UpdatedCount += counts.UpdatedCount;
            summary.UnchangedCount += counts.UnchangedCount;
            await compared(summary.CreatedCount + summary.UpdatedCount + summary.UnchangedCount);
            importer.Forget();
        }
    }

    // What an export of this directory names by its own ids.
    private async Task<HashSet<Guid>> OwnIdsAsync(EspaceSheet sheet, CancellationToken ct)
    {
        var named = sheet.Espaces.SelectMany(e => new[] { e.Import.ExternalId, e.Import.Gestionnaire.ExternalId })
            .Select(id => Guid.TryParseExact(id, "D", out var guid) ? guid : (Guid?)null).OfType<Guid>().Distinct().ToArray();
        if (named.Length == 0)
            return [];
        return [.. await db.Espaces.Where(e => named.Contains(e.Id)).Select(e => e.Id)
            .Concat(db.Gestionnaires.Where(g => named.Contains(g.Id)).Select(g => g.Id)).ToListAsync(ct)];
    }

    /// <summary>Something that showed while writing stands against the import: all of it is rolled back.</summary>
    private sealed class NothingImportedException : Exception;

    /// <summary>The bytes of the file, as the requests bring them.</summary>
    private sealed class UploadedFile(ByteString first, IAsyncStreamReader<ImportEspacesCsvRequest> requests) : ReadOnlyStream
    {
        private const int MaxPiece = 1 << 20;
        private const long MaxFile = 200L << 20;

        private readonly IncrementalHash _content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private ReadOnlyMemory<byte> _rest = first.Memory;
        private long _length = first.Length;
        private bool _begun;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        /// <summary>Hash of all that was read.</summary>
        public byte[] Hash() => _content.GetCurrentHash();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_begun)
                Take(_rest);
            _begun = true;
            while (_rest.IsEmpty)
            {
                if (!await requests.MoveNext(cancellationToken))
                    return 0;
                _length += requests.Current.Data.Length;
                Take(requests.Current.Data.Memory);
            }
            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            _content.Dispose();
            base.Dispose(disposing);
        }

        private void Take(ReadOnlyMemory<byte> piece)
        {
            if (piece.Length > MaxPiece)
                throw DomainError.Invalid([new FieldViolation("data", "must have at most 1 MiB in one request")]);
            if (_length > MaxFile)
                throw DomainError.Invalid([new FieldViolation("data", "must have at most 200 MiB in all")]);
            _content.AppendData(piece.Span);
            _rest = piece;
        }
    }
}
