using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>How far the feed of an organisation reaches.</summary>
[Holds(DataCategory.Technical, Processing.Notices, Kept.WithOrganisation)]
internal sealed class FeedHead
{
    public required Guid OrganisationId { get; init; }

    /// <summary>Position of the last event.</summary>
    public required long LastPosition { get; init; }

    /// <summary>Position up to which events are no longer kept; 0 when all are.</summary>
    public required long TrimmedTo { get; init; }
}

internal sealed class FeedHeadConfiguration : IEntityTypeConfiguration<FeedHead>
{
    public void Configure(EntityTypeBuilder<FeedHead> builder)
    {
        builder.ToTable("feed_heads");
        builder.HasKey(h => h.OrganisationId);
        builder.Property(h => h.OrganisationId).ValueGeneratedNever();
    }
}
