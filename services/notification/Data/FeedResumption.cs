using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>An organisation resumed its whole feed, no type left out, past this position.</summary>
[Holds(DataCategory.Technical, Processing.Notices, Kept.WithOrganisation)]
internal sealed class FeedResumption
{
    public required Guid OrganisationId { get; init; }

    public required long Position { get; init; }

    public required DateTimeOffset ResumedAt { get; init; }
}

internal sealed class FeedResumptionConfiguration : IEntityTypeConfiguration<FeedResumption>
{
    public void Configure(EntityTypeBuilder<FeedResumption> builder)
    {
        builder.ToTable("feed_resumptions");
        builder.HasKey(r => new { r.OrganisationId, r.Position });
    }
}
