using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>The software of an organisation that reads its feed, with its rhythm: the days on which it did.</summary>
internal sealed class FeedConsumer : Rhythm
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
