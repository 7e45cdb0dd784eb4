using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// Something happened in a thread. <see cref="DomainEvent.AggregateId"/> is the mesure or espace that it is about, which is the id
/// of the thread; <see cref="DomainEvent.AggregateVersion"/> a position in it. Never anything of a text, nor
/// who wrote or read it but their organisation.
/// </summary>
[ExcludeFromTopology]
[MessageUrn("messaging.thread-event.v1")]
[ExcludeFromImplementedTypes]
public abstract record ThreadEvent : DomainEvent
{
    /// <summary>The court as an organisation; absent where no judge ordered the mesure, and for the thread of an espace.</summary>
    public Guid? JuridictionId { get; init; }

    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The operator as an organisation, for the thread of an espace; else absent.</summary>
    public Guid? OperateurId { get; init; }

    /// <summary>"MESURE" or "ESPACE"; absent from older versions, which mean a mesure.</summary>
    public string? ThreadKind { get; init; }
}

/// <summary>Something happened to a message, of which <see cref="DomainEvent.AggregateVersion"/> is the position.</summary>
[ExcludeFromTopology]
[MessageUrn("messaging.message-event.v1")]
[ExcludeFromImplementedTypes]
public abstract record MessageEvent : ThreadEvent
{
    /// <summary>UUID of the message.</summary>
    public required Guid MessageId { get; init; }
}

/// <summary>A person or software posted a message.</summary>
[EntityName("messaging.message-posted.v1"), MessageUrn("messaging.message-posted.v1")]
public sealed record MessagePosted : MessageEvent
{
    /// <summary>The author's organisation.</summary>
    public required Guid AuthorOrganisationId { get; init; }

    /// <summary>"ORDINAIRE", "DIFFICULTE" or "DANGER", of which the last two must be acknowledged; absent from older versions.</summary>
    public string? MessageKind { get; init; }

    /// <summary>Until when an answer is asked for; absent when none is.</summary>
    public DateTimeOffset? AnswerDueAt { get; init; }

    /// <summary>The message that it answers; absent when it answers none.</summary>
    public Guid? AnswersMessageId { get; init; }

    /// <summary>
    /// Messages of which no answer and no acknowledgement is expected any more since this one: the one that it answers and those which
    /// that one corrects. Absent when it answers none, and from older versions.
    /// </summary>
    public IReadOnlyList<Guid>? MetMessageIds { get; init; }

    /// <summary>The message that it corrects; absent when it corrects none.</summary>
    public Guid? CorrectsMessageId { get; init; }

    /// <summary>SHA-256 of the message in lower-case hexadecimal, which anchors the thread up to it; absent from older versions.</summary>
    public string? Hash { get; init; }
}

/// <summary>Somebody of an organisation read the thread up to the message.</summary>
[EntityName("messaging.thread-read.v1"), MessageUrn("messaging.thread-read.v1")]
public sealed record ThreadRead : MessageEvent
{
    /// <summary>The reader's organisation.</summary>
    public required Guid ReaderOrganisationId { get; init; }
}

/// <summary>An urgent message was acknowledged, by itself and not by an answer, which is told as a message.</summary>
[EntityName("messaging.message-acknowledged.v1"), MessageUrn("messaging.message-acknowledged.v1")]
public sealed record MessageAcknowledged : MessageEvent
{
    /// <summary>The organisation that acknowledged it.</summary>
    public required Guid AcknowledgerOrganisationId { get; init; }
}

/// <summary>A question was withdrawn: its answer is no longer expected.</summary>
[EntityName("messaging.question-withdrawn.v1"), MessageUrn("messaging.question-withdrawn.v1")]
public sealed record QuestionWithdrawn : MessageEvent
{
    /// <summary>The organisation that had asked.</summary>
    public required Guid AuthorOrganisationId { get; init; }
}

/// <summary>
/// An answer or an acknowledgement is overdue. Published at most three times for each, on working days, and no more once it is
/// met. Only whoever must act is told; of an urgent message the third time the operator too.
/// </summary>
[EntityName("messaging.message-overdue.v1"), MessageUrn("messaging.message-overdue.v1")]
public sealed record MessageOverdue : MessageEvent
{
    /// <summary>The organisation that must act.</summary>
    public required Guid MustActOrganisationId { get; init; }

    /// <summary>What is expected: "ANSWER" or "ACKNOWLEDGEMENT".</summary>
    public required string Expectation { get; init; }

    /// <summary>Until when it was expected.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Who is reminded: "MUST_ACT", "COLLEAGUE", "MANAGER" or "OPERATOR"; absent from older versions, which told who must act.</summary>
    public string? Rung { get; init; }

    /// <summary>Which reminder of its rung: 1 to 3.</summary>
    public required int Number { get; init; }

    /// <summary>Whether the operator is told.</summary>
    public required bool Escalated { get; init; }
}

/// <summary>
/// The court gave the espace that follows the former one messages of the former mesure's thread. The message named is the last of
/// them in the new thread.
/// </summary>
[EntityName("messaging.messages-handed-over.v1"), MessageUrn("messaging.messages-handed-over.v1")]
public sealed record MessagesHandedOver : MessageEvent
{
    /// <summary>The former mesure.</summary>
    public required Guid PredecessorMesureId { get; init; }

    /// <summary>Messages handed over.</summary>
    public required int MessageCount { get; init; }

    /// <summary>SHA-256 of the last of them in lower-case hexadecimal.</summary>
    public required string Hash { get; init; }
}

/// <summary>
/// A scanner cleared a file of a thread: it can be downloaded. <see cref="DomainEvent.AggregateVersion"/> is the position of the
/// thread's last message.
/// </summary>
[EntityName("messaging.attachment-cleared.v1"), MessageUrn("messaging.attachment-cleared.v1")]
public sealed record AttachmentCleared : ThreadEvent
{
    /// <summary>UUID of the file.</summary>
    public required Guid AttachmentId { get; init; }

    /// <summary>UUID of the message that names it; null while none does: then it is its uploader's affair alone.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>The organisation that uploaded it.</summary>
    public required Guid UploaderOrganisationId { get; init; }
}

/// <summary>
/// A scanner refused a file of a thread: nobody can download it, its bytes are deleted. <see cref="DomainEvent.AggregateVersion"/> is
/// the position of the thread's last message.
/// </summary>
[EntityName("messaging.attachment-refused.v1"), MessageUrn("messaging.attachment-refused.v1")]
public sealed record AttachmentRefused : ThreadEvent
{
    /// <summary>UUID of the file.</summary>
    public required Guid AttachmentId { get; init; }

    /// <summary>UUID of the message that names it; null while none does: then it is its uploader's affair alone.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>The organisation that uploaded it, which must send it in another way.</summary>
    public required Guid UploaderOrganisationId { get; init; }
}
