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
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>
/// Imports a CSV file of the template: read as it arrives, checked whole, then written in portions of one transaction. With a
/// single mistake nothing is written; a trial finds out what would be, without a lock and without writing.
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
        FindMistakes(sheet, geography, summary);
        var progress = new ImportEspacesCsvResponse { LinesRead = summary.LineCount };
        if (summary.ErrorCount > 0)
        {
            await responses.WriteAsync(new ImportEspacesCsvResponse(progress) { Summary = summary }, ct);
            return;
        }

        var caller = call.Caller();
        if (first.DryRun)
        {
            await ApplyAsync(sheet, first.Source, geography, caller, summary, _ => Task.CompletedTask, ct);
            await responses.WriteAsync(new ImportEspacesCsvResponse(progress) { EspacesWritten = 0, Summary = summary }, ct);
            return;
        }

        var digest = new BytesValue { Value = ByteString.CopyFrom([.. file.Hash(), .. Encoding.UTF8.GetBytes(first.Source)]) };
        await responses.WriteAsync(await commands.RunAsync(
            call, digest, requestId,
            async token =>
            {
                await db.BeginEspaceWriteAsync(token);
                await ApplyAsync(sheet, first.Source, geography, caller, summary, async written =>
                {
                    await db.SaveChangesAsync(token);
                    await responses.WriteAsync(new ImportEspacesCsvResponse(progress) { EspacesWritten = progress.EspacesWritten = written }, token);
                }, token);
                return new ImportEspacesCsvResponse(progress) { Summary = summary };
            },
            _ => $"imports/{first.Source}",
            effectsOutside: true), ct);
        upkeep.AgrementsMayHaveChanged();
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

    private void FindMistakes(EspaceSheet sheet, Geography geography, ImportSummary summary)
    {
        var mistakes = sheet.Mistakes;
        var gestionnaires = new Dictionary<string, GestionnaireImport>(StringComparer.Ordinal);
        var today = LocalTime.LatestToday(clock);
        // A line whose form is wrong says nothing reliable of its content.
        var unreadable = mistakes.Select(m => m.Line).ToHashSet();
        foreach (var espace in sheet.Espaces)
        {
            var check = new FieldChecks();
            EspaceChecks.Id(check, "external_id", espace.Import.ExternalId, null);
            ImportChecks.Check(check, "", espace.Import, gestionnaires, geography, today);
            mistakes.AddRange(check.Violations.Select(v => espace.ToMistake(v.Field, v.Description)).Where(m => !unreadable.Contains(m.Line)));
        }
        summary.ErrorCount = mistakes.Count;
        summary.Errors.Add(mistakes.OrderBy(m => m.Line).ThenBy(m => m.Column, StringComparer.Ordinal).Take(MaxListedErrors)
            .Select(m => new LineError { Line = m.Line, Column = m.Column, Description = m.Description }));
    }

    private async Task ApplyAsync(
        EspaceSheet sheet, string source, Geography geography, Caller caller, ImportSummary summary, Func<long, Task> written, CancellationToken ct)
    {
        var importer = new EspaceImporter(db, source, geography, Speaker.Importing(caller), clock.GetStoredNow())
        {
            KeepsContacts = true,
            NamedByOwnId = await OwnIdsAsync(sheet, ct),
        };
        // One gestionnaire's espaces side by side: what is said of it touches them all.
        var espaces = sheet.Espaces.Select(e => e.Import).OrderBy(e => e.Gestionnaire.ExternalId, StringComparer.Ordinal);
        foreach (var portion in espaces.Chunk(Portion))
        {
            var counts = await importer.ApplyAsync(portion, ct);
            summary.CreatedCount += counts.CreatedCount;
            summary.UpdatedCount += counts.UpdatedCount;
            summary.UnchangedCount += counts.UnchangedCount;
            await written(summary.CreatedCount + summary.UpdatedCount + summary.UnchangedCount);
            db.ChangeTracker.Clear();
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

    /// <summary>The bytes of the file, as the requests bring them.</summary>
    private sealed class UploadedFile(ByteString first, IAsyncStreamReader<ImportEspacesCsvRequest> requests) : Stream
    {
        private const int MaxPiece = 1 << 20;
        private const long MaxFile = 200L << 20;

        private readonly IncrementalHash _content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private ReadOnlyMemory<byte> _rest = first.Memory;
        private long _length = first.Length;
        private bool _begun;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

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

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

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
