using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// An organisation has an event: it resumed its feed past it, its webhook answered 2xx, or one of its people opened a notice of it. Told of transmissions only.
/// <see cref="DomainEvent.AggregateId"/> and <see cref="DomainEvent.AggregateVersion"/> are those of the event.
/// </summary>
[EntityName("notification.event-delivered.v1"), MessageUrn("notification.event-delivered.v1")]
public sealed record EventDelivered : DomainEvent
{
    /// <summary>The organisation.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>UUID of the event.</summary>
    public required Guid DeliveredEventId { get; init; }

    /// <summary>Its type, such as "mesure.mesure-transmitted.v1".</summary>
    public required string EventType { get; init; }

    /// <summary>How it got it: "FEED", "WEBHOOK" or "NOTICE" (<c>DeliveryChannel</c>); null in messages of before webhooks, which mean the feed.</summary>
    public string? Channel { get; init; }
}

/// <summary>
/// The software of an organisation that read its feed has been silent for longer than its own rhythm, while something waits there.
/// Told once for each silence. <see cref="DomainEvent.AggregateId"/> is the consumer: the feed's reader of this organisation.
/// </summary>
[EntityName("notification.consumer-silent.v1"), MessageUrn("notification.consumer-silent.v1")]
public sealed record ConsumerSilent : DomainEvent
{
    /// <summary>The organisation.</summary>
    public required Guid OrganisationId { get; init; }

    /// <summary>Last day on which it read, in Paris.</summary>
    public required DateOnly LastDay { get; init; }

    /// <summary>Days that nine in ten of its pauses did not pass; absent when it read too seldom to say.</summary>
    public int? UsualDays { get; init; }
}
