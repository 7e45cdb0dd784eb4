using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Feed;

/// <summary>
/// Tells that an organisation has what was transmitted to it: it resumed its feed past it, and a token is stored once its event is
/// handled; or its webhook answered 2xx to it. Each transmission once, however many programs resume or answer.
/// </summary>
internal sealed class DeliveryProofs(IServiceScopeFactory scopes, OutboxSignal signal, TimeProvider clock)
{
    /// <summary>Type of the event of a transmission.</summary>
    public static readonly string Transmitted = EventTypes.NameOf(typeof(MesureTransmitted));

    /// <summary>Whether a reader of these types sees transmissions: one that leaves them out proves nothing.</summary>
    /// <param name="types">Wanted types; none for all.</param>
    public static bool Cover(string[] types) => types.Length == 0 || types.Contains(Transmitted);

    /// <summary>Tells of every transmission up to a position.</summary>
    /// <param name="organisationId">Whose feed.</param>
    /// <param name="position">Position of the token that was resumed with.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task NoteAsync(Guid organisationId, long position, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotificationsDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var passed = await db.UndeliveredTransmissions.FromSql($"""
            delete from undelivered_transmissions where organisation_id = {organisationId} and position <= {position} returning *
            """).AsNoTracking().ToListAsync(ct);
        Publish(db, passed, DeliveryChannel.Feed);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        if (passed.Count > 0)
        {
            signal.Notify();
        }
    }

    /// <summary>Tells of a transmission to which a webhook of its organisation answered, in the transaction that was begun. False when it is told already.</summary>
    /// <param name="db">The context.</param>
    /// <param name="organisationId">Whose webhook.</param>
    /// <param name="eventId">The event.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<bool> NoteAnsweredAsync(NotificationsDbContext db, Guid organisationId, Guid eventId, CancellationToken ct)
    {
        var answered = await db.UndeliveredTransmissions.FromSql($"""
            delete from undelivered_transmissions where organisation_id = {organisationId} and event_id = {eventId} returning *
            """).AsNoTracking().ToListAsync(ct);
        Publish(db, answered, DeliveryChannel.Webhook);
        return answered.Count > 0;
    }

    private void Publish(NotificationsDbContext db, List<UndeliveredTransmission> transmissions, DeliveryChannel channel)
    {
        var now = clock.GetStoredNow();
        foreach (var transmission in transmissions.OrderBy(t => t.Position))
        {
            db.Publish(new EventDelivered
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = transmission.MesureId,
                AggregateVersion = transmission.MesureVersion,
                OccurredAt = now,
                RecordedAt = now,
                OrganisationId = transmission.OrganisationId,
                DeliveredEventId = transmission.EventId,
                EventType = Transmitted,
                Channel = channel.ToCode(),
            });
        }
    }
}
