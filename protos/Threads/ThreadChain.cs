using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Jafer.Contracts.Threads;

/// <summary>
/// The chain of a thread: each message has the SHA-256 of a text that names all of it and the hash of the message before, so that
/// the last hash stands for the whole thread. docs/messaging.md describes the text; any language can compute it.
/// </summary>
public static class ThreadChain
{
    /// <summary>First line of the canonical text.</summary>
    public const string Version = "jafer-thread-1";

    /// <summary>Length of a salt in bytes.</summary>
    public const int SaltLength = 32;

    private const string Absent = "-";

    /// <summary>What stands for the hash before the first message.</summary>
    public static string Start { get; } = new('0', 64);

    /// <summary>How the file of a thread is written.</summary>
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        WriteIndented = true,
        NewLine = "\n",
        // For people too: é stands as é. The file is no part of a web page.
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>An instant as the canonical text has it: UTC, microseconds.</summary>
    /// <param name="instant">The instant.</param>
    public static string Text(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The digest of a text: SHA-256 of the salt and the text in UTF-8.</summary>
    /// <param name="salt">The salt.</param>
    /// <param name="body">The text.</param>
    public static byte[] BodyDigest(ReadOnlySpan<byte> salt, string body) => SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(body)]);

    /// <summary>The canonical text of a message: lines that end in LF, parts of a line parted by one space, "-" for what is absent.</summary>
    /// <param name="threadKind">Code of the thread's kind.</param>
    /// <param name="threadId">UUID of the thread.</param>
    /// <param name="message">The message.</param>
    /// <param name="previousHash">Hash of the message before, or <see cref="Start"/>.</param>
    public static string CanonicalText(string threadKind, string threadId, ExportedMessage message, string previousHash)
    {
        ArgumentNullException.ThrowIfNull(message);
        var text = new StringBuilder(1024);
        Line(Version);
        Line("thread", threadKind, threadId);
        Line("position", message.Position.ToString(CultureInfo.InvariantCulture));
        Line("message", message.MessageId);
        Line("author", message.AuthorKind, message.AuthorOrganisationId ?? Absent);
        // In hexadecimal: it is the issuer's, and may hold any character.
        Line("person", message.AuthorPersonId is { } person ? Convert.ToHexStringLower(Encoding.UTF8.GetBytes(person)) : Absent);
        Line("kind", message.Kind ?? Absent);
        Line("corrects", message.CorrectsMessageId ?? Absent);
        Line("answers", message.AnswersMessageId ?? Absent);
        Line("answer-due", message.AnswerDueTime ?? Absent);
        if (message is { TemplateCode: { } code, TemplateVersion: { } version })
        {
            Line("template", code, version.ToString(CultureInfo.InvariantCulture));
        }
        else
        {
            Line("template", Absent);
        }

        if (message.Origin is { } origin)
        {
            Line("origin", origin.MesureId, origin.MessageId, origin.AuthorKind, origin.Kind, origin.CreateTime);
        }
        else
        {
            Line("origin", Absent);
        }

        Line("created", message.CreateTime);
        Line("event", message.EventType ?? Absent);
        Line("body", message.BodyDigest ?? Absent);
        Line("attachments", message.AttachmentDigests is { Count: > 0 } digests ? string.Join(',', digests) : Absent);
        Line("previous", previousHash);
        return text.ToString();

        void Line(params ReadOnlySpan<string> parts) => text.AppendJoin(' ', parts).Append('\n');
    }

    /// <summary>The hash of a message: SHA-256 of its canonical text in UTF-8.</summary>
    /// <param name="threadKind">Code of the thread's kind.</param>
    /// <param name="threadId">UUID of the thread.</param>
    /// <param name="message">The message.</param>
    /// <param name="previousHash">Hash of the message before, or <see cref="Start"/>.</param>
    public static byte[] Hash(string threadKind, string threadId, ExportedMessage message, string previousHash) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalText(threadKind, threadId, message, previousHash)));

    /// <summary>
    /// Checks that nothing was altered between the first message of a file and its last, nor left out or added. What was cut at the
    /// end together with the count and the last hash is found only by comparing these with the service's, or with an event.
    /// </summary>
    /// <param name="export">The file.</param>
    /// <returns>The first fault; null when there is none.</returns>
    public static ChainFault? Verify(ThreadExport export)
    {
        ArgumentNullException.ThrowIfNull(export);
        if (export.Format != ThreadExport.CurrentFormat)
        {
            return new ChainFault(0, $"the form of the file is not {ThreadExport.CurrentFormat}");
        }

        if (export.Thread is not { } thread || export.Messages is not { } messages || messages.Any(m => m is null))
        {
            return new ChainFault(0, "the file has no thread or no messages");
        }

        var previous = Start;
        foreach (var (i, message) in messages.Index())
        {
            if (FaultOf(thread, message, i + 1, previous) is { } fault)
            {
                return new ChainFault(i + 1, fault);
            }

            previous = message.Hash!;
        }

        return thread.MessageCount > messages.Count ? new ChainFault(messages.Count + 1, $"is missing: the file counts {thread.MessageCount} messages and has {messages.Count}")
            : thread.MessageCount < messages.Count ? new ChainFault(thread.MessageCount + 1, $"is one too many: the file counts {thread.MessageCount} messages")
            : (thread.HeadHash ?? Start) != previous ? new ChainFault(messages.Count, "is not the one whose hash the file names as its last")
            : null;
    }

    private static string? FaultOf(ExportedThread thread, ExportedMessage message, long position, string previous)
    {
        if (message.Position != position)
        {
            return message.Position > position ? $"is missing: position {message.Position} follows in its place" : $"has position {message.Position} in its place";
        }

        // What is put into lines and parts of lines must not be able to make others.
        if (Parts(thread, message).Any(part => part is not null && (part is "" or Absent || part.Any(c => c is <= ' ' or ',' or > '~')))
            || (message.TemplateCode is null) != (message.TemplateVersion is null))
        {
            return "has a field that no message of Jafer has";
        }

        // Of a text that is erased its digest is left, which the hash names: what stood there cannot be put back otherwise.
        if (message.ErasedTime is not null)
        {
            if (message.EventType is not null || message.Body is not null || message.Salt is not null || !IsHex(message.BodyDigest, 32))
            {
                return "is said to be erased, and is not";
            }
        }
        else if ((message.EventType is null) != (message.Body is not null))
        {
            return message.Body is null ? "has no text" : "has a text, though it is an entry of Jafer";
        }

        if (message.Body is { } body && (!IsHex(message.Salt, SaltLength) || message.BodyDigest != Convert.ToHexStringLower(BodyDigest(Convert.FromHexString(message.Salt!), body))))
        {
            return "its text was altered";
        }

        if (message.Attachments is { } files && !files.Select(f => f?.Sha256).SequenceEqual(message.AttachmentDigests ?? []))
        {
            return "names other attachments than its hash";
        }

        if (message.PreviousHash is { } named && named != previous)
        {
            return "does not follow the message before it";
        }

        return message.Hash != Convert.ToHexStringLower(Hash(thread.Kind, thread.ThreadId, message, previous)) ? "was altered, or does not follow the message before it" : null;
    }

    private static IEnumerable<string?> Parts(ExportedThread thread, ExportedMessage message) =>
    [
        thread.Kind, thread.ThreadId, message.MessageId, message.AuthorKind, message.AuthorOrganisationId, message.Kind, message.CorrectsMessageId,
        message.AnswersMessageId, message.AnswerDueTime, message.TemplateCode, message.Origin?.MesureId, message.Origin?.MessageId, message.Origin?.AuthorKind,
        message.Origin?.Kind, message.Origin?.CreateTime, message.CreateTime, message.EventType, message.BodyDigest, .. message.AttachmentDigests ?? [],
    ];

    private static bool IsHex(string? text, int bytes) => text is not null && text.Length == bytes * 2 && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>Where a chain is broken.</summary>
/// <param name="Position">The position concerned, from 1; 0 for the file as a whole.</param>
/// <param name="Description">What is wrong, in English, without anything of the text.</param>
public sealed record ChainFault(long Position, string Description);
