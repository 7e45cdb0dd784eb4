using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Projections;

/// <summary>Keeps the proof that an espace's organisation has a transmission: by its feed, its webhook or an opened notice.</summary>
internal sealed class DeliveryProjection(MesureActs acts, TimeProvider clock)
{
    private static readonly string s_transmitted = EventTypes.NameOf(typeof(MesureTransmitted));

    public async Task HandleAsync(MesuresDbContext db, EventDelivered message, CancellationToken ct)
    {
        if (message.EventType != s_transmitted
            || await db.MesureAsync(message.AggregateId, ct) is not { } mesure
            || mesure.GestionnaireId != message.OrganisationId)
        {
            return;
        }

        // Which of the organisation's programs has it is its own affair: no subject.
        var channel = message.Channel is null ? DeliveryChannel.Feed : ProtoConversions.FromCode<DeliveryChannel>(message.Channel);
        if (mesure.Deliver(channel, new Acting(message.OrganisationId, "", message.OccurredAt, clock.GetStoredNow())))
        {
            acts.Publish(mesure);
        }
    }
}

/// <summary>Hands each event of others to the projection that it concerns.</summary>
internal sealed class Projection(DirectoryProjection directory, DeliveryProjection deliveries) : IEventHandler<MesuresDbContext>
{
    /// <summary>Events that are handled.</summary>
    public static readonly Type[] Subscriptions = [.. DirectoryProjection.Subscriptions, typeof(EventDelivered)];

    public Task HandleAsync(MesuresDbContext db, DomainEvent message, CancellationToken ct) =>
        message is EventDelivered delivered ? deliveries.HandleAsync(db, delivered, ct) : directory.HandleAsync(db, message, ct);
}
