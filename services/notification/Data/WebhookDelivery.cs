using Jafer.ServiceDefaults.Privacy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Jafer.Notifications.Data;

/// <summary>An event that is to be posted to an endpoint; written with the feed. Its body is made when it is sent.</summary>
[Holds(DataCategory.CaseLife, Processing.Notices, Kept.Feed)]
internal sealed class WebhookDelivery
{
    public required Guid DeliveryId { get; init; }

    public required Guid EndpointId { get; init; }

    /// <summary>Whether it is a test, which is tried once.</summary>
    public required bool Test { get; init; }

    public required Guid EventId { get; init; }

    public required string EventType { get; init; }

    public required Guid AggregateId { get; init; }

    public long AggregateVersion { get; init; }

    /// <summary>Place of the event in the organisation's feed, by which those of an aggregate follow each other; 0 for a test.</summary>
    public long Position { get; init; }

    /// <summary>Whether the event is one of the thread of an espace, which is then its aggregate.</summary>
    public bool AboutEspace { get; init; }

    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>Code of a <c>WebhookDeliveryState</c>.</summary>
    public required string State { get; init; }

    /// <summary>Attempts that ended.</summary>
    public int Attempts { get; init; }

    public required DateTimeOffset QueuedAt { get; init; }

    /// <summary>When it was queued before any replay; null when it was not replayed.</summary>
    public DateTimeOffset? FirstQueuedAt { get; init; }

    /// <summary>When it is tried next; while it is being tried, when another replica may take it over.</summary>
    public required DateTimeOffset NextAttemptAt { get; init; }

    /// <summary>When it is given up.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Who is trying it now.</summary>
    public Guid? Lease { get; init; }

    public DateTimeOffset? LastAttemptAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    /// <summary>When it was delivered for the first time: what proves it, whatever becomes of replays.</summary>
    public DateTimeOffset? FirstDeliveredAt { get; init; }

    /// <summary>HTTP status of the last answer.</summary>
    public int? LastStatus { get; init; }

    /// <summary>Code of the last failure.</summary>
    public string? LastError { get; init; }

    public int? LastDurationMs { get; init; }
}

internal sealed class WebhookDeliveryConfiguration : IEntityTypeConfiguration<WebhookDelivery>
{
    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.ToTable("webhook_deliveries");
        builder.HasKey(d => d.DeliveryId);
        builder.Property(d => d.DeliveryId).ValueGeneratedNever();
    }
}
