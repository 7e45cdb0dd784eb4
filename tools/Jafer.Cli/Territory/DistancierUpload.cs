using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Territory;

/// <summary>Sends a distancier to the directory, all or nothing, and shows how far it is.</summary>
/// <param name="directory">The directory, as an operator.</param>
/// <param name="output">Where progress and the outcome go.</param>
/// <param name="overwrite">Whether progress is written over itself, as on a terminal.</param>
/// <param name="requestId">Makes a request id.</param>
internal sealed class DistancierUpload(DirectoryService.DirectoryServiceClient directory, TextWriter output, bool overwrite, Func<string> requestId)
{
    private const int WaysOfARequest = 10_000;
    private const int ListedErrors = 1000;

    private static readonly TimeSpan s_betweenLines = TimeSpan.FromSeconds(2);

    private readonly long _start = Stopwatch.GetTimestamp();
    private long _sent;
    private TimeSpan _shown;

    /// <summary>Sends a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="source">Where the minutes come from.</param>
    /// <param name="symmetric">Whether ways hold in both directions.</param>
    /// <param name="replace">Whether all ways imported before are removed.</param>
    /// <param name="ct">Cancellation: nothing is imported then.</param>
    /// <returns>Whether it was imported.</returns>
    public async Task<bool> SendAsync(DistancierFile file, string source, bool symmetric, bool replace, CancellationToken ct)
    {
        using var call = directory.ImportDistancier(cancellationToken: ct);
        var sending = SendOrLeaveAsync(call, file, new() { Source = source, Symmetric = symmetric, ReplaceAll = replace, RequestId = requestId() }, ct);
        ImportSummary? summary = null;
        try
        {
            await foreach (var response in call.ResponseStream.ReadAllAsync(ct))
            {
                summary = response.Summary;
                await ShowAsync(response.WaysRead, file, sending.IsCompleted && response.WaysRead == _sent);
            }
        }
#pragma warning disable RS0030 // What a client catches.
        catch (Exception e) when (e is ObjectDisposedException or RpcException { StatusCode: StatusCode.Cancelled })
#pragma warning restore RS0030
        {
            // When the file could not be read, that ended the call, and is what the person must learn.
            await sending;
            throw;
        }
        await sending;
        await output.WriteLineAsync();
        return await ConcludeAsync(summary ?? throw new InvalidOperationException("The directory gave no summary."), file);
    }

    private async Task SendOrLeaveAsync(
        AsyncDuplexStreamingCall<ImportDistancierRequest, ImportDistancierResponse> call, DistancierFile file, ImportDistancierRequest first, CancellationToken ct)
    {
        try
        {
            await SendAsync(call.RequestStream, file, first, ct);
        }
        catch (UsageException)
        {
            call.Dispose();
            throw;
        }
    }

    private async Task SendAsync(IClientStreamWriter<ImportDistancierRequest> stream, DistancierFile file, ImportDistancierRequest request, CancellationToken ct)
    {
        await foreach (var way in file.ReadAsync(ct))
        {
            request.Ways.Add(way);
            if (request.Ways.Count < WaysOfARequest)
                continue;
            await FlushAsync();
            request = new();
        }
        // The first request names the source: it is sent even when it holds no way.
        if (request.Ways.Count > 0 || _sent == 0)
            await FlushAsync();
        await stream.CompleteAsync();

        async Task FlushAsync()
        {
            await stream.WriteAsync(request, ct);
            _sent += request.Ways.Count;
        }
    }

    private async Task ShowAsync(long read, DistancierFile file, bool last)
    {
        var elapsed = Stopwatch.GetElapsedTime(_start);
        if (!last && elapsed - _shown < (overwrite ? s_betweenLines / 10 : s_betweenLines))
            return;
        _shown = elapsed;
        var percent = _sent == 0 ? 0 : 100 * file.Share * read / _sent;
        var line = string.Create(CultureInfo.InvariantCulture, $"{read} ways read, {percent:F0} %, {read / elapsed.TotalMinutes / 1e6:F2} million a minute{(last ? "; writing" : "")}");
        await output.WriteAsync(overwrite ? "\r" + line.PadRight(70) : line + "\n");
        await output.FlushAsync();
    }

    private async Task<bool> ConcludeAsync(ImportSummary summary, DistancierFile file)
    {
        var elapsed = Stopwatch.GetElapsedTime(_start);
        if (summary.ErrorCount == 0)
        {
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"imported in {elapsed.TotalSeconds:F1} s ({summary.LineCount / elapsed.TotalMinutes / 1e6:F2} million lines a minute): {summary.CreatedCount} ways created, {summary.UpdatedCount} changed, {summary.UnchangedCount} as they were"));
            return true;
        }
        var unreadable = file.Errors.Select(e => e.Line).ToHashSet();
        // The directory refuses an unreadable line for what stands in for its minutes: the file's own word is the right one.
        var errors = summary.Errors.Where(e => !(unreadable.Contains(e.Line) && e.Column is "minutes")).Concat(file.Errors)
            .OrderBy(e => e.Line).ThenBy(e => e.Column, StringComparer.Ordinal).ToList();
        foreach (var error in errors.Take(ListedErrors))
            await output.WriteLineAsync($"line {error.Line}{(error.Column.Length > 0 ? $", column {error.Column}" : "")}: {error.Description}");
        if (errors.Count > ListedErrors)
            await output.WriteLineAsync($"… and {Math.Max(summary.ErrorCount, errors.Count) - ListedErrors} more");
        await output.WriteLineAsync($"nothing was imported: {Math.Max(summary.ErrorCount, errors.Count)} mistakes in {summary.LineCount} lines");
        return false;
    }
}
