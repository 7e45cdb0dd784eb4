using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>A message, or the entry of a step. The database refuses to change it, but for its text that retention erases.</summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class ThreadMessage
{
    public required Guid ThreadId { get; init; }

    /// <summary>Place in the thread, from 1, without gap; given by <see cref="MessageThread.Append"/>.</summary>
    public long Position { get; set; }

    /// <summary>UUID of the message; for a step, of its event.</summary>
    public required Guid MessageId { get; init; }

    public required AuthorKind AuthorKind { get; init; }

    /// <summary>The author's organisation; null for a step.</summary>
    public Guid? AuthorOrganisationId { get; init; }

    /// <summary>The person who wrote it; null for a step, and for software that names nobody.</summary>
    [InClear(DataCategory.Professional)]
    public string? AuthorPersonId { get; init; }

    /// <summary>Kind; null for a step.</summary>
    public MessageKind? Kind { get; init; }

    /// <summary>When its text was erased; null before.</summary>
    public DateTimeOffset? ErasedAt { get; private set; }

    /// <summary>Text; null for a step, and once it is erased. Sensitive: it leaves this service only by ListMessages and GetThreadExport.</summary>
    [Sealed(DataCategory.FreeText)]
    public string? Body { get; init; }

    /// <summary>What keeps the digest of the text from being guessed; null for a step. Sensitive as the text is.</summary>
    [Sealed(DataCategory.Secret)]
    public byte[]? Salt { get; init; }

    /// <summary>SHA-256 of salt and text: what the chain holds of the text.</summary>
    [InClear(DataCategory.Pseudonym)]
    public byte[]? BodyDigest { get; init; }

    /// <summary>The message that this one corrects; null for none.</summary>
    public Guid? CorrectsMessageId { get; init; }

    /// <summary>The message that this one answers; null for none.</summary>
    public Guid? AnswersMessageId { get; init; }

    /// <summary>Until when an answer is asked for; null when none is.</summary>
    public DateTimeOffset? AnswerDueAt { get; init; }

    /// <summary>Code of the template; null for none.</summary>
    public string? TemplateCode { get; init; }

    /// <summary>Version of the template; null for none.</summary>
    public int? TemplateVersion { get; init; }

    /// <summary>The former mesure of a message that was handed over; null for all others, as are the next four.</summary>
    public Guid? OriginMesureId { get; init; }

    /// <summary>The message there.</summary>
    public Guid? OriginMessageId { get; init; }

    /// <summary>Who spoke there.</summary>
    public AuthorKind? OriginAuthorKind { get; init; }

    /// <summary>What kind it had there.</summary>
    public MessageKind? OriginKind { get; init; }

    /// <summary>When it was posted there.</summary>
    public DateTimeOffset? OriginCreatedAt { get; init; }

    /// <summary>Lower-case SHA-256 of each attachment, in their order.</summary>
    [InClear(DataCategory.Pseudonym)]
    public string[] AttachmentDigests { get; init; } = [];

    /// <summary>Type of the event; null for a message.</summary>
    public string? EventType { get; init; }

    /// <summary>When it was posted; for a step, when the step happened.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>SHA-256 of the canonical text; given by <see cref="MessageThread.Append"/>.</summary>
    [InClear(DataCategory.Pseudonym)]
    public byte[] Hash { get; set; } = [];
}

internal sealed class ThreadMessageConfiguration : IEntityTypeConfiguration<ThreadMessage>
{
    public void Configure(EntityTypeBuilder<ThreadMessage> builder)
    {
        builder.ToTable("messages");
        builder.HasKey(m => new { m.ThreadId, m.Position });
        builder.Property(m => m.Position).ValueGeneratedNever();
        builder.HasOne<MessageThread>().WithMany().HasForeignKey(m => m.ThreadId);
    }
}
