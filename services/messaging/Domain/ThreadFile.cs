using Jafer.Contracts.Threads;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Messaging.Domain;

/// <summary>Messages in the form of the file of a thread, which is also that of the chain.</summary>
internal static class ThreadFile
{
    /// <summary>What the canonical text of a message is made of.</summary>
    /// <param name="message">The message, with its position.</param>
    public static ExportedMessage Chained(ThreadMessage message) => new()
    {
        Position = message.Position,
        MessageId = message.MessageId.ToString(),
        AuthorKind = message.AuthorKind.ToCode(),
        AuthorOrganisationId = message.AuthorOrganisationId?.ToString(),
        AuthorPersonId = message.AuthorPersonId,
        Kind = message.Kind?.ToCode(),
        CorrectsMessageId = message.CorrectsMessageId?.ToString(),
        AnswersMessageId = message.AnswersMessageId?.ToString(),
        AnswerDueTime = Text(message.AnswerDueAt),
        TemplateCode = message.TemplateCode,
        TemplateVersion = message.TemplateVersion,
        Origin = message.OriginMesureId is not { } mesureId ? null : new ExportedOrigin
        {
            MesureId = mesureId.ToString(),
            MessageId = message.OriginMessageId!.Value.ToString(),
            AuthorKind = message.OriginAuthorKind!.Value.ToCode(),
            Kind = message.OriginKind!.Value.ToCode(),
            CreateTime = ThreadChain.Text(message.OriginCreatedAt!.Value),
        },
        CreateTime = ThreadChain.Text(message.CreatedAt),
        EventType = message.EventType,
        BodyDigest = Hex(message.BodyDigest),
        AttachmentDigests = message.AttachmentDigests.Length == 0 ? null : message.AttachmentDigests,
    };

    /// <summary>A message with its text, its hashes and what happened to it.</summary>
    /// <param name="message">The message.</param>
    /// <param name="previousHash">Hash of the message before.</param>
    /// <param name="receipts">Who has read it.</param>
    /// <param name="expectations">What it expects.</param>
    /// <param name="attachments">Its files.</param>
    public static ExportedMessage Whole(
        ThreadMessage message, string previousHash, IEnumerable<ThreadReceipt> receipts, IEnumerable<MessageExpectation> expectations,
        IEnumerable<ThreadAttachment> attachments) => Chained(message) with
        {
            Body = message.Body,
            ErasedTime = Text(message.ErasedAt),
            Salt = Hex(message.Salt),
            PreviousHash = previousHash,
            Hash = Hex(message.Hash),
            Attachments = NoneAsNull(attachments.Select(a => new ExportedAttachment
            {
                AttachmentId = a.AttachmentId.ToString(),
                FileName = a.FileName,
                MediaType = a.MediaType,
                SizeBytes = a.SizeBytes,
                Sha256 = Hex(a.Sha256)!,
                State = a.State.ToCode(),
            })),
            Receipts = NoneAsNull(receipts.Select(r => new ExportedReceipt
            {
                OrganisationId = r.OrganisationId.ToString(),
                PersonId = r.PersonId.Length == 0 ? null : r.PersonId,
                ReadTime = ThreadChain.Text(r.ReadAt),
            })),
            Expectations = NoneAsNull(expectations.Select(e => new ExportedExpectation
            {
                Kind = e.Kind.ToCode(),
                MustAct = e.MustAct.ToCode(),
                MustActContactId = e.MustActContactId,
                DueTime = ThreadChain.Text(e.DueAt),
                State = e.State.ToCode(),
                CloseTime = Text(e.ClosedAt),
                AnswerMessageId = e.AnswerMessageId?.ToString(),
                ClosedByOrganisationId = e.ClosedByOrganisationId?.ToString(),
                ClosedByPersonId = e.ClosedByPersonId,
            })),
        };

    /// <summary>Bytes in lower-case hexadecimal; null stays null.</summary>
    public static string? Hex(byte[]? bytes) => bytes is null ? null : Convert.ToHexStringLower(bytes);

    /// <summary>An instant as the file has it; null stays null.</summary>
    public static string? Text(DateTimeOffset? instant) => instant is { } at ? ThreadChain.Text(at) : null;

    private static T[]? NoneAsNull<T>(IEnumerable<T> items) => items.ToArray() is { Length: > 0 } some ? some : null;
}
