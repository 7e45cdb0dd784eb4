using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Messaging.Data;

/// <summary>
/// Somebody of an organisation read a thread up to a position. A later receipt is a further row, so that the first time at which each
/// message was read stands.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Conversations, Kept.WithThread)]
internal sealed class ThreadReceipt
{
    public required Guid ThreadId { get; init; }

    public required Guid OrganisationId { get; init; }

    /// <summary>The person; empty for software that names nobody.</summary>
    [InClear(DataCategory.Professional)]
    public required string PersonId { get; init; }

    /// <summary>Last position read.</summary>
    public required long Position { get; init; }

    public required DateTimeOffset ReadAt { get; init; }
}

internal sealed class ThreadReceiptConfiguration : IEntityTypeConfiguration<ThreadReceipt>
{
    public void Configure(EntityTypeBuilder<ThreadReceipt> builder)
    {
        builder.ToTable("receipts");
        builder.HasKey(r => new { r.ThreadId, r.OrganisationId, r.PersonId, r.Position });
        builder.HasOne<MessageThread>().WithMany().HasForeignKey(r => r.ThreadId);
    }
}
