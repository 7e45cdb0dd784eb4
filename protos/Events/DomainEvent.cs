using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// A fact that happened in one service, published for the others. Identifiers, codes and dates only: never personal data.
/// Consumers ignore unknown fields, drop an <see cref="EventId"/> already applied, and ignore an
/// <see cref="AggregateVersion"/> older than what they hold. A changed meaning is a new type with a new version.
/// </summary>
/// <remarks>The type's name in the broker is its <see cref="EntityNameAttribute"/>, never the name of the CLR type.</remarks>
[ExcludeFromTopology]
[MessageUrn("domain-event.v1")]
[ExcludeFromImplementedTypes]
public abstract record DomainEvent
{
    /// <summary>UUID of the event; stays the same over every delivery.</summary>
    public required Guid EventId { get; init; }

    /// <summary>UUID of the thing that changed: the mesure, the espace, the thread.</summary>
    public required Guid AggregateId { get; init; }

    /// <summary>Version of that thing after the event, from 1.</summary>
    public required long AggregateVersion { get; init; }

    /// <summary>Business time: when it happened, UTC.</summary>
    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>When Jafer recorded it, UTC.</summary>
    public required DateTimeOffset RecordedAt { get; init; }

    /// <summary>Id shared by everything that one outside call set off; its trace id.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>The event that caused this one; absent when a call did.</summary>
    public Guid? CausationId { get; init; }
}
