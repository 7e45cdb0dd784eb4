using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Files;

/// <summary>Espaces to and from files of the template.</summary>
/// <param name="system">The running system.</param>
/// <param name="clock">Time.</param>
/// <param name="output">What the person reads.</param>
internal sealed class EspaceFiles(RunningSystem system, TimeProvider clock, TextWriter output)
{
    private const int Piece = 256 * 1024;
    private const int Page = 200;

    /// <summary>Sends a file to the directory and says what became of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="source">Name of its source.</param>
    /// <param name="dryRun">Whether nothing is to be written.</param>
    /// <param name="overwrite">Whether what was changed since the file was exported is changed all the same.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="UsageException">The file has mistakes; all of them were said, and nothing was imported.</exception>
    public async Task ImportAsync(string path, string source, bool dryRun, bool overwrite, CancellationToken ct)
    {
        // Before anything is asked of the directory: what cannot be opened is told at once.
        await using var file = InputFile.Open(path);
        var start = Stopwatch.GetTimestamp();
        var directory = new DirectoryService.DirectoryServiceClient(await system.ConnectAsync("directory", ct));
        using var call = directory.ImportEspacesCsv(cancellationToken: ct);
        var sending = SendAsync();
        ImportSummary? summary = null;
        var said = start;
        try
        {
            while (await call.ResponseStream.MoveNext(ct))
            {
                var progress = call.ResponseStream.Current;
                summary = progress.Summary ?? summary;
                // The first at once, then at most one a second.
                if (summary is not null || (said != start && Stopwatch.GetElapsedTime(said) < TimeSpan.FromSeconds(1)))
                    continue;
                said = Stopwatch.GetTimestamp();
                await output.WriteLineAsync($"import-espaces: {progress.LinesRead} lines read, {progress.EspacesCompared} espaces {(dryRun ? "compared" : "written")}");
            }
        }
#pragma warning disable RS0030 // What a client catches.
        catch (Exception e) when (e is ObjectDisposedException or Grpc.Core.RpcException { StatusCode: Grpc.Core.StatusCode.Cancelled })
#pragma warning restore RS0030
        {
            // When the file could not be read, that ended the call, and is what the person must learn.
            await sending;
            throw;
        }
        await sending;
        foreach (var error in summary!.Errors)
            await output.WriteLineAsync($"{path}:{error.Line}{(error.Column.Length > 0 ? $" {error.Column}" : "")}: {error.Description}");
        if (summary.ErrorCount > 0)
            throw new UsageException($"{summary.ErrorCount} mistakes in {summary.LineCount} lines: nothing was imported.");
        await output.WriteLineAsync(
            $"import-espaces: {(dryRun ? "trial, nothing written: " : "")}{summary.LineCount} lines, {summary.CreatedCount} espaces created, "
            + $"{summary.UpdatedCount} changed, {summary.UnchangedCount} as they were, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");

        async Task SendAsync()
        {
            try
            {
                var buffer = new byte[Piece];
                var request = new ImportEspacesCsvRequest { Source = source, DryRun = dryRun, Overwrite = overwrite, RequestId = Guid.CreateVersion7(clock.GetUtcNow()).ToString() };
                while (await ReadAsync(buffer) is > 0 and var count)
                {
                    request.Data = ByteString.CopyFrom(buffer, 0, count);
                    await call.RequestStream.WriteAsync(request, ct);
                    request = new ImportEspacesCsvRequest();
                }
                if (request.RequestId.Length > 0)
                    await call.RequestStream.WriteAsync(request, ct);
                await call.RequestStream.CompleteAsync();
            }
#pragma warning disable RS0030 // The refusal is told by the answers' side.
            catch (Exception e) when (e is Grpc.Core.RpcException or InvalidOperationException or IOException)
#pragma warning restore RS0030
            {
                await output.FlushAsync(ct);
            }
        }

        async Task<int> ReadAsync(byte[] buffer)
        {
            try
            {
                return await file.ReadAsync(buffer, ct);
            }
            catch (IOException)
            {
                call.Dispose();
                throw InputFile.BrokenOff(path);
            }
        }
    }

    /// <summary>Writes every espace of the directory into a file of the template, in the order of their ids.</summary>
    /// <param name="path">The file; replaced when it is there.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task ExportAsync(string path, CancellationToken ct)
    {
        var espaces = await AllAsync(system, ct);
        // Spreadsheets know UTF-8 by the mark at its beginning, and expect semicolons in France.
        await using var file = new StreamWriter(path, append: false, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));
        await file.WriteAsync(CsvText.Line(';', EspaceTemplate.Header));
        foreach (var espace in espaces)
        {
            foreach (var line in EspaceTemplate.Lines(EspaceTemplate.ToImport(espace)))
                await file.WriteAsync(CsvText.Line(';', line));
        }
        await output.WriteLineAsync($"export-espaces: {espaces.Count} espaces in {path}");
    }

    /// <summary>Every espace of the directory, in the order of their ids.</summary>
    public static async Task<List<Espace>> AllAsync(RunningSystem system, CancellationToken ct)
    {
        var directory = new DirectoryService.DirectoryServiceClient(await system.ConnectAsync("directory", ct));
        var (espaces, pageToken) = (new List<Espace>(), "");
        do
        {
            var page = await directory.ListEspacesAsync(new ListEspacesRequest { PageSize = Page, PageToken = pageToken }, cancellationToken: ct);
            espaces.AddRange(page.Espaces);
            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
        return espaces;
    }
}
