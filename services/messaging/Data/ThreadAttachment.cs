using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>A file of a thread; its bytes stand apart, in chunks. The database refuses to change what it is, and to delete it once a message names it.</summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class ThreadAttachment
{
    public required Guid AttachmentId { get; init; }

    public required Guid ThreadId { get; init; }

    /// <summary>The organisation that uploaded it.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>Name. Sensitive: it leaves this service only to those who may read the thread.</summary>
    [Sealed(DataCategory.FreeText)]
    public required string FileName { get; init; }

    public required string MediaType { get; init; }

    public required long SizeBytes { get; init; }

    [InClear(DataCategory.Pseudonym)]
    public required byte[] Sha256 { get; init; }

    public required AttachmentState State { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The message that names it; null while none does.</summary>
    public Guid? MessageId { get; private set; }

    /// <summary>Its place among the files of that message, from 0; null while none names it.</summary>
    public int? MessageIndex { get; private set; }

    /// <summary>When it was cleared or refused; null before.</summary>
    public DateTimeOffset? VerdictAt { get; private set; }

    /// <summary>What the scanner found, as it names it; null for nothing.</summary>
    public string? Finding { get; private set; }

    /// <summary>Checks that failed.</summary>
    public int Failures { get; private set; }

    /// <summary>Code of the last failure; null when none failed.</summary>
    public string? LastError { get; private set; }

    /// <summary>When it is checked next; null once there is a verdict.</summary>
    public DateTimeOffset? NextCheckAt { get; set; }

    /// <summary>Who checks it until then; null for nobody.</summary>
    public Guid? Lease { get; set; }

    /// <summary>When its bytes and its name were erased; null before.</summary>
    public DateTimeOffset? ErasedAt { get; private set; }

    /// <summary>Whether it waits for a verdict.</summary>
    public bool Waits => State is AttachmentState.Quarantaine or AttachmentState.EchecAnalyse;

    /// <summary>A message names it.</summary>
    /// <param name="messageId">The message.</param>
    /// <param name="index">Place among its files.</param>
    public void NameBy(Guid messageId, int index) => (MessageId, MessageIndex) = (messageId, index);

    /// <summary>A scanner found nothing.</summary>
    /// <param name="at">When.</param>
    public void Clear(DateTimeOffset at) => (State, VerdictAt, NextCheckAt, Lease) = (AttachmentState.Sain, at, null, null);

    /// <summary>A scanner found something. The bytes are deleted by whoever calls this.</summary>
    /// <param name="finding">What, as it names it.</param>
    /// <param name="at">When.</param>
    public void Refuse(string finding, DateTimeOffset at) =>
        (State, VerdictAt, Finding, NextCheckAt, Lease) = (AttachmentState.Refuse, at, finding, null, null);

    /// <summary>A scanner could not look.</summary>
    /// <param name="error">Code of why.</param>
    /// <param name="next">When it is tried again.</param>
    public void Fail(string error, DateTimeOffset next) =>
        (State, Failures, LastError, NextCheckAt, Lease) = (AttachmentState.EchecAnalyse, Failures + 1, error, next, null);
}

/// <summary>Bytes of a file, in the order of their numbers.</summary>
[Holds(DataCategory.Technical, Processing.Conversations, Kept.WithThread)]
internal sealed class AttachmentChunk
{
    public required Guid AttachmentId { get; init; }

    /// <summary>From 0, without gap.</summary>
    public required int Number { get; init; }

    /// <summary>The bytes.</summary>
    [Sealed(DataCategory.Document)]
    public required byte[] Data { get; init; }
}

internal sealed class ThreadAttachmentConfiguration : IEntityTypeConfiguration<ThreadAttachment>
{
    public void Configure(EntityTypeBuilder<ThreadAttachment> builder)
    {
        builder.ToTable("attachments");
        builder.HasKey(a => a.AttachmentId);
        builder.Property(a => a.AttachmentId).ValueGeneratedNever();
        // A message is saved before the files that it names.
        builder.HasOne<ThreadMessage>().WithMany().HasForeignKey(a => a.MessageId).HasPrincipalKey(m => m.MessageId);
        builder.Property(a => a.State).HasConversion(s => s.ToCode(), c => ProtoConversions.FromCode<AttachmentState>(c));
        builder.Ignore(a => a.Waits);
    }
}

internal sealed class AttachmentChunkConfiguration : IEntityTypeConfiguration<AttachmentChunk>
{
    public void Configure(EntityTypeBuilder<AttachmentChunk> builder)
    {
        builder.ToTable("attachment_chunks");
        builder.HasKey(c => new { c.AttachmentId, c.Number });
    }
}
