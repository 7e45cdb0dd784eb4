using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>An organisation resumed its whole feed, no type left out, past this position.</summary>
internal sealed class FeedReceipt
{
    public required Guid OrganisationId { get; init; }

    public required long Position { get; init; }

    public required DateTimeOffset ReceivedAt { get; init; }
}

internal sealed class FeedReceiptConfiguration : IEntityTypeConfiguration<FeedReceipt>
{
    public void Configure(EntityTypeBuilder<FeedReceipt> builder)
    {
        builder.ToTable("feed_receipts");
        builder.HasKey(r => new { r.OrganisationId, r.Position });
    }
}
