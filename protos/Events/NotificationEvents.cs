using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// An organisation has an event: it resumed its feed past it, or its webhook answered 2xx. Told of transmissions only.
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

    /// <summary>How it got it: "FEED" or "WEBHOOK" (<c>DeliveryChannel</c>); null in messages of before webhooks, which mean the feed.</summary>
    public string? Channel { get; init; }
}
