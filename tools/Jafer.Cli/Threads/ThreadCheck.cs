using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Jafer.Contracts;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Threads;
using Proto = Jafer.Contracts.Messaging.V1;

namespace Jafer.Cli.Threads;

/// <summary>Whether the file of a thread is whole, in one line.</summary>
/// <param name="Whole">Whether nothing was found.</param>
/// <param name="Line">What was found, in English; nothing of a text.</param>
internal sealed record ThreadVerdict(bool Whole, string Line)
{
    /// <summary>This one with what a further check of a whole file found.</summary>
    /// <param name="further">The further check.</param>
    public ThreadVerdict And(ThreadVerdict further) => further.Whole ? this with { Line = $"{Line}; {further.Line}" } : further;
}

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

        var erased = export.Messages.Count(m => m.ErasedTime is not null);
        return new ThreadVerdict(
            true,
            $"WHOLE: {export.Messages.Count} messages of thread {export.Thread.ThreadId}, none altered or left out up to {export.Thread.HeadHash ?? "an empty thread"} "
            + (erased == 0 ? "" : $"(of {erased} the text is said to be erased, and its digest is left) ")
            + "(receipts, expectations, participants and names of attachments: --against-server)");
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
            : new ThreadVerdict(true, "the server has as many messages and the same last hash");
    }

    /// <summary>Says whether the file is one that the service gave out, byte for byte.</summary>
    /// <param name="given">What the service answered to the file's SHA-256.</param>
    public static ThreadVerdict Given(CheckThreadExportResponse given) => given.Known
        ? new ThreadVerdict(true, $"byte for byte the file that Jafer gave to {given.OrganisationId} at {ThreadChain.Text(given.ExportTime.ToDateTimeOffset())}")
        : new ThreadVerdict(false, "ALTERED outside the messages: they are whole, but Jafer gave out no such file (a file that was only formatted anew counts as altered)");

    /// <summary>The request that asks whether a file was given out.</summary>
    /// <param name="export">The file.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<CheckThreadExportRequest> CheckFor(ThreadExport export, string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        var (thread, digest) = (RequestFor(export), await SHA256.HashDataAsync(file, ct));
        return new CheckThreadExportRequest { MesureId = thread.MesureId, EspaceId = thread.EspaceId, Sha256 = ByteString.CopyFrom(digest) };
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
            : new ThreadVerdict(true, $"all {named.Count} attachments are in the folder, unaltered");
    }

    /// <summary>Compares a whole file with the hashes that the feed of the caller's organisation told when the messages were posted.</summary>
    /// <param name="export">The file.</param>
    /// <param name="anchors">Hashes by the ids of the messages, of this thread.</param>
    public static ThreadVerdict Anchored(ThreadExport export, IReadOnlyDictionary<string, string> anchors)
    {
        var different = export.Messages.FirstOrDefault(m => anchors.TryGetValue(m.MessageId, out var told) && told != m.Hash);
        if (different is not null)
        {
            return new ThreadVerdict(false, $"DIFFERENT at position {different.Position}: the feed told another hash when it was posted");
        }

        var left = anchors.Keys.Except(export.Messages.Select(m => m.MessageId)).Count();
        return left > 0
            ? new ThreadVerdict(false, $"INCOMPLETE: the feed tells of {left} messages that the file does not have")
            : new ThreadVerdict(true, $"{anchors.Count} hashes that the feed told agree");
    }

    /// <summary>The hashes that the caller's feed still has of a thread: of the last 90 days.</summary>
    /// <param name="feed">The feed.</param>
    /// <param name="threadId">The thread.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<IReadOnlyDictionary<string, string>> AnchorsAsync(NotificationService.NotificationServiceClient feed, string threadId, CancellationToken ct)
    {
        var anchors = new Dictionary<string, string>(StringComparer.Ordinal);
        var request = new ListEventsRequest { PageSize = 500, Types_ = { "messaging.message-posted.v1", "messaging.messages-handed-over.v1" } };
        while (true)
        {
            var page = await feed.ListEventsAsync(request, cancellationToken: ct);
            foreach (var told in page.Events.Where(e => e.AggregateId == threadId && e.Data.Fields.ContainsKey("hash")))
            {
                anchors[told.Data.Fields["messageId"].StringValue] = told.Data.Fields["hash"].StringValue;
            }

            if (!page.More)
            {
                return anchors;
            }

            request.ResumeToken = page.ResumeToken;
        }
    }

    /// <summary>The request that gives the thread of a file.</summary>
    /// <param name="export">The file.</param>
    public static GetThreadRequest RequestFor(ThreadExport export) => export.Thread.Kind == EnumCodes.Of(ThreadKind.Espace)
        ? new GetThreadRequest { EspaceId = export.Thread.ThreadId }
        : new GetThreadRequest { MesureId = export.Thread.ThreadId };
}
