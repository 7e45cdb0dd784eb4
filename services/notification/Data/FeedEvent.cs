using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>An event as one organisation's feed keeps it.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.Feed)]
internal sealed class FeedEvent
{
    public required Guid OrganisationId { get; init; }

    /// <summary>Place in the organisation's feed, from 1, without gap, in the order of commits.</summary>
    public required long Position { get; init; }

    public required Guid EventId { get; init; }

    /// <summary>Type, such as "mesure.mesure-transmitted.v1".</summary>
    public required string Type { get; init; }

    public required Guid AggregateId { get; init; }

    public required long AggregateVersion { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>The fields of the event's own type, as JSON.</summary>
    public required string Data { get; init; }

    public required bool ActionRequired { get; init; }

    /// <summary>When it came into the feed; retention counts from here.</summary>
    public required DateTimeOffset AppendedAt { get; init; }
}

internal sealed class FeedEventConfiguration : IEntityTypeConfiguration<FeedEvent>
{
    public void Configure(EntityTypeBuilder<FeedEvent> builder)
    {
        builder.ToTable("feed_events");
        builder.HasKey(e => new { e.OrganisationId, e.Position });
        builder.Property(e => e.Data).HasColumnType("jsonb");
    }
}
