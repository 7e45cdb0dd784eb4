using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Jafer.Messaging.Data;

/// <summary>A message, or the entry of a step. The database refuses to change it.</summary>
internal sealed class ThreadMessage
{
    public required Guid MesureId { get; init; }

    /// <summary>Place in the thread, from 1, without gap.</summary>
    public required long Position { get; init; }

    /// <summary>UUID of the message; for a step, of its event.</summary>
    public required Guid MessageId { get; init; }

    public required AuthorKind AuthorKind { get; init; }

    /// <summary>The author's organisation; null for a step.</summary>
    public Guid? AuthorOrganisationId { get; init; }

    /// <summary>Text; null for a step. Sensitive: it leaves this service only by ListMessages.</summary>
    public string? Body { get; init; }

    /// <summary>Type of the event; null for a message.</summary>
    public string? EventType { get; init; }

    /// <summary>When it was posted; for a step, when the step happened.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

internal sealed class ThreadMessageConfiguration : IEntityTypeConfiguration<ThreadMessage>
{
    public void Configure(EntityTypeBuilder<ThreadMessage> builder)
    {
        builder.ToTable("messages");
        builder.HasKey(m => new { m.MesureId, m.Position });
        builder.HasOne<MesureThread>().WithMany().HasForeignKey(m => m.MesureId);
        builder.Property(m => m.AuthorKind).HasConversion(k => k.ToCode(), c => ProtoConversions.FromCode<AuthorKind>(c));
        builder.Property(m => m.Body).HasConversion((ValueConverter)new SensitiveText());
    }
}
