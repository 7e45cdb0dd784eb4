using System.Security.Cryptography;
using System.Text.Json;
using Jafer.Contracts;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Threads;
using Proto = Jafer.Contracts.Messaging.V1;

namespace Jafer.Cli.Threads;

/// <summary>Whether the file of a thread is whole, in one line.</summary>
/// <param name="Whole">Whether nothing was found.</param>
/// <param name="Line">What was found, in English; nothing of a text.</param>
internal sealed record ThreadVerdict(bool Whole, string Line);

/// <summary>Checks the file of a thread: by itself, and against the service that gave it.</summary>
internal static class ThreadCheck
{
    /// <summary>Reads a file; a <see cref="UsageException"/> says when it is none of a thread.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<ThreadExport> ReadAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        try
        {
            return await JsonSerializer.DeserializeAsync<ThreadExport>(file, ThreadChain.Json, ct) ?? throw new UsageException($"{path}: the file of no thread.");
        }
        catch (JsonException e)
        {
            throw new UsageException($"{path}: not the JSON file of a thread (line {e.LineNumber + 1}).");
        }
    }

    /// <summary>Checks a file by itself.</summary>
    /// <param name="export">The file.</param>
    public static ThreadVerdict Offline(ThreadExport export)
    {
        if (ThreadChain.Verify(export) is { } fault)
        {
            return new ThreadVerdict(false, fault.Position == 0 ? $"BROKEN: {fault.Description}" : $"BROKEN at position {fault.Position}: it {fault.Description}");
        }

        return new ThreadVerdict(
            true, $"WHOLE: {export.Messages.Count} messages of thread {export.Thread.ThreadId}, nothing altered or left out up to {export.Thread.HeadHash ?? "an empty thread"}");
    }

    /// <summary>Compares the last hash and the count of a whole file with those that the service has.</summary>
    /// <param name="export">The file.</param>
    /// <param name="thread">The thread as the service tells it now.</param>
    public static ThreadVerdict Against(ThreadExport export, Proto.Thread thread)
    {
        var head = Convert.ToHexStringLower(thread.HeadHash.Span);
        var missing = thread.MessageCount - export.Messages.Count;
        return missing > 0
                ? new ThreadVerdict(false, $"INCOMPLETE: the server has {thread.MessageCount} messages, the file {export.Messages.Count}: the last {missing} were cut, or came after the export")
            : missing < 0
                ? new ThreadVerdict(false, $"DIFFERENT: the server has {thread.MessageCount} messages, the file {export.Messages.Count}")
            : head != (export.Thread.HeadHash ?? "")
                ? new ThreadVerdict(false, "DIFFERENT: the server has as many messages, but another last hash: the file is of another history")
            : new ThreadVerdict(true, $"{Offline(export).Line}; the server has the same");
    }

    /// <summary>Looks for the attachments of a whole file among the files of a folder, by what they hold, whatever they are called.</summary>
    /// <param name="export">The file.</param>
    /// <param name="folder">The folder; those in it are not looked into.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<ThreadVerdict> AttachmentsAsync(ThreadExport export, string folder, CancellationToken ct)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder))
        {
            await using var file = File.OpenRead(path);
            found.Add(Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct)));
        }

        var named = export.Messages.SelectMany(m => (m.AttachmentDigests ?? []).Select(d => (m.Position, Digest: d))).ToList();
        var missing = named.Where(n => !found.Contains(n.Digest)).ToList();
        return missing is [var first, ..]
            ? new ThreadVerdict(false, $"ATTACHMENTS MISSING: {missing.Count} of {named.Count} are not in the folder, or were altered; the first is {first.Digest} of position {first.Position}")
            : new ThreadVerdict(true, $"{Offline(export).Line}; all {named.Count} attachments are in the folder, unaltered");
    }

    /// <summary>The request that gives the thread of a file.</summary>
    /// <param name="export">The file.</param>
    public static GetThreadRequest RequestFor(ThreadExport export) => export.Thread.Kind == EnumCodes.Of(ThreadKind.Espace)
        ? new GetThreadRequest { EspaceId = export.Thread.ThreadId }
        : new GetThreadRequest { MesureId = export.Thread.ThreadId };
}
