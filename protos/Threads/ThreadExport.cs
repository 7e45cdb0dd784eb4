namespace Jafer.Contracts.Threads;

/// <summary>
/// A thread as a file (GetThreadExport). Everything is text as the canonical text of a message has it: ids in lower case, digests
/// in lower-case hexadecimal, instants in UTC with microseconds. What is absent is left out.
/// </summary>
public sealed record ThreadExport
{
    /// <summary>The form described here.</summary>
    public const string CurrentFormat = "jafer-thread-export-1";

    /// <summary>Form of the file.</summary>
    public required string Format { get; init; }

    /// <summary>When the file was made.</summary>
    public required string ExportTime { get; init; }

    /// <summary>The thread.</summary>
    public required ExportedThread Thread { get; init; }

    /// <summary>The contacts named for it. Not covered by the hashes.</summary>
    public required IReadOnlyList<ExportedParticipant> Participants { get; init; }

    /// <summary>All messages by position.</summary>
    public required IReadOnlyList<ExportedMessage> Messages { get; init; }
}

/// <summary>What a thread is about, and its anchor.</summary>
public sealed record ExportedThread
{
    /// <summary>Code of ThreadKind.</summary>
    public required string Kind { get; init; }

    /// <summary>UUID of the mesure or the espace.</summary>
    public required string ThreadId { get; init; }

    /// <summary>UUID of the court as an organisation.</summary>
    public string? JuridictionId { get; init; }

    /// <summary>UUID of the gestionnaire as an organisation.</summary>
    public required string GestionnaireId { get; init; }

    /// <summary>UUID of the operator as an organisation.</summary>
    public string? OperateurId { get; init; }

    /// <summary>UUID of the espace.</summary>
    public string? EspaceId { get; init; }

    /// <summary>Messages in the thread.</summary>
    public required long MessageCount { get; init; }

    /// <summary>Hash of the last message.</summary>
    public string? HeadHash { get; init; }

    /// <summary>When the mesure was closed.</summary>
    public string? CloseTime { get; init; }
}

/// <summary>A contact named for a thread.</summary>
public sealed record ExportedParticipant
{
    /// <summary>UUID of the organisation.</summary>
    public required string OrganisationId { get; init; }

    /// <summary>external_id of the contact.</summary>
    public required string ContactId { get; init; }

    /// <summary>Code of ParticipantRole.</summary>
    public required string Role { get; init; }

    /// <summary>When the contact was named.</summary>
    public required string AssignTime { get; init; }
}

/// <summary>A message, with what its canonical text needs; receipts and expectations are not covered by the hashes.</summary>
public sealed record ExportedMessage
{
    /// <summary>Place in the thread.</summary>
    public required long Position { get; init; }

    /// <summary>UUID of the message.</summary>
    public required string MessageId { get; init; }

    /// <summary>Code of AuthorKind.</summary>
    public required string AuthorKind { get; init; }

    /// <summary>UUID of the author's organisation.</summary>
    public string? AuthorOrganisationId { get; init; }

    /// <summary>The person who wrote it.</summary>
    public string? AuthorPersonId { get; init; }

    /// <summary>Code of MessageKind.</summary>
    public string? Kind { get; init; }

    /// <summary>UUID of the message that it corrects.</summary>
    public string? CorrectsMessageId { get; init; }

    /// <summary>UUID of the message that it answers.</summary>
    public string? AnswersMessageId { get; init; }

    /// <summary>Until when an answer is asked for.</summary>
    public string? AnswerDueTime { get; init; }

    /// <summary>Code of its template.</summary>
    public string? TemplateCode { get; init; }

    /// <summary>Version of its template.</summary>
    public int? TemplateVersion { get; init; }

    /// <summary>Where a message that was handed over came from.</summary>
    public ExportedOrigin? Origin { get; init; }

    /// <summary>When it was posted.</summary>
    public required string CreateTime { get; init; }

    /// <summary>Type of the event of a system entry.</summary>
    public string? EventType { get; init; }

    /// <summary>Text; absent once it is erased.</summary>
    public string? Body { get; init; }

    /// <summary>When text and salt were erased because the time to keep them was over. Not covered by the hashes.</summary>
    public string? ErasedTime { get; init; }

    /// <summary>Random bytes that keep the digest of the text from being guessed.</summary>
    public string? Salt { get; init; }

    /// <summary>SHA-256 of the salt and the text.</summary>
    public string? BodyDigest { get; init; }

    /// <summary>SHA-256 of each attachment, in their order.</summary>
    public IReadOnlyList<string>? AttachmentDigests { get; init; }

    /// <summary>The attachments, in their order. Of them the hashes cover the digests alone.</summary>
    public IReadOnlyList<ExportedAttachment>? Attachments { get; init; }

    /// <summary>Hash of the message before; 64 zeros for the first.</summary>
    public string? PreviousHash { get; init; }

    /// <summary>SHA-256 of the canonical text.</summary>
    public string? Hash { get; init; }

    /// <summary>Who has read it.</summary>
    public IReadOnlyList<ExportedReceipt>? Receipts { get; init; }

    /// <summary>What it expects, or expected.</summary>
    public IReadOnlyList<ExportedExpectation>? Expectations { get; init; }
}

/// <summary>A file that goes with a message.</summary>
public sealed record ExportedAttachment
{
    /// <summary>UUID of the file.</summary>
    public required string AttachmentId { get; init; }

    /// <summary>Its name.</summary>
    public required string FileName { get; init; }

    /// <summary>Type that the content has.</summary>
    public required string MediaType { get; init; }

    /// <summary>Length in bytes.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>SHA-256 of the bytes.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Code of AttachmentState.</summary>
    public required string State { get; init; }
}

/// <summary>Where a message came from that the court handed over.</summary>
public sealed record ExportedOrigin
{
    /// <summary>UUID of the former mesure.</summary>
    public required string MesureId { get; init; }

    /// <summary>UUID of the message there.</summary>
    public required string MessageId { get; init; }

    /// <summary>Code of AuthorKind there.</summary>
    public required string AuthorKind { get; init; }

    /// <summary>Code of MessageKind there.</summary>
    public required string Kind { get; init; }

    /// <summary>When it was posted there.</summary>
    public required string CreateTime { get; init; }
}

/// <summary>Proof of reading.</summary>
public sealed record ExportedReceipt
{
    /// <summary>UUID of the reader's organisation.</summary>
    public required string OrganisationId { get; init; }

    /// <summary>The reader.</summary>
    public string? PersonId { get; init; }

    /// <summary>When it was marked as read.</summary>
    public required string ReadTime { get; init; }
}

/// <summary>What a message expects of the other side.</summary>
public sealed record ExportedExpectation
{
    /// <summary>Code of ExpectationKind.</summary>
    public required string Kind { get; init; }

    /// <summary>Code of the side that must act.</summary>
    public required string MustAct { get; init; }

    /// <summary>external_id of the contact of whom it is asked; absent for anybody of the side.</summary>
    public string? MustActContactId { get; init; }

    /// <summary>Until when.</summary>
    public required string DueTime { get; init; }

    /// <summary>Code of ExpectationState.</summary>
    public required string State { get; init; }

    /// <summary>When it was met or withdrawn.</summary>
    public string? CloseTime { get; init; }

    /// <summary>UUID of the answer.</summary>
    public string? AnswerMessageId { get; init; }

    /// <summary>UUID of the organisation that met or withdrew it.</summary>
    public string? ClosedByOrganisationId { get; init; }

    /// <summary>The person who did.</summary>
    public string? ClosedByPersonId { get; init; }
}
