using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// A person or software posted a message in the thread of a mesure. <see cref="DomainEvent.AggregateId"/> is the mesure, which
/// is the id of its thread; <see cref="DomainEvent.AggregateVersion"/> is the position of the message.
/// </summary>
[EntityName("messaging.message-posted.v1"), MessageUrn("messaging.message-posted.v1")]
public sealed record MessagePosted : DomainEvent
{
    /// <summary>UUID of the message.</summary>
    public required Guid MessageId { get; init; }

    /// <summary>The court as an organisation.</summary>
    public Guid? JuridictionId { get; init; }

    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The author's organisation.</summary>
    public required Guid AuthorOrganisationId { get; init; }
}

/// <summary>
/// An organisation read the thread of a mesure up to a message. <see cref="DomainEvent.AggregateId"/> is the mesure,
/// <see cref="DomainEvent.AggregateVersion"/> the position read.
/// </summary>
[EntityName("messaging.thread-read.v1"), MessageUrn("messaging.thread-read.v1")]
public sealed record ThreadRead : DomainEvent
{
    /// <summary>UUID of the last message read.</summary>
    public required Guid MessageId { get; init; }

    /// <summary>The court as an organisation.</summary>
    public Guid? JuridictionId { get; init; }

    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The reader's organisation.</summary>
    public required Guid ReaderOrganisationId { get; init; }
}
