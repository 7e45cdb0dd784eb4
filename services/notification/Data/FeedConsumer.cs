using Jafer.ServiceDefaults.Privacy;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>The software of an organisation that reads its feed, with its rhythm: the days and hours in which it did.</summary>
[Holds(DataCategory.Technical, Processing.Notices, Kept.WithOrganisation)]
internal sealed class FeedConsumer : HourlyRhythm
{
    public required Guid OrganisationId { get; init; }
}

internal sealed class FeedConsumerConfiguration : IEntityTypeConfiguration<FeedConsumer>
{
    public void Configure(EntityTypeBuilder<FeedConsumer> builder)
    {
        builder.ToTable("feed_consumers");
        builder.HasKey(c => c.OrganisationId);
        builder.Property(c => c.OrganisationId).ValueGeneratedNever();
        builder.Ignore(c => c.UsualDays);
    }
}
