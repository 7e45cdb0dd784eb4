using Jafer.Contracts.Events;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Feed;

/// <summary>
/// Tells that an organisation has what was transmitted to it: it resumed its feed past it, and a token is stored once its event is
/// handled. Each transmission once, however many programs resume.
/// </summary>
internal sealed class DeliveryProofs(IServiceScopeFactory scopes, OutboxSignal signal, TimeProvider clock)
{
    private static readonly string s_transmitted = EventTypes.NameOf(typeof(MesureTransmitted));

    /// <summary>Whether a reader of these types sees transmissions: one that leaves them out proves nothing.</summary>
    /// <param name="types">Wanted types; none for all.</param>
    public static bool Cover(string[] types) => types.Length == 0 || types.Contains(s_transmitted);

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
        var now = clock.GetStoredNow();
        foreach (var transmission in passed.OrderBy(t => t.Position))
        {
            db.Publish(new EventDelivered
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = transmission.MesureId,
                AggregateVersion = transmission.MesureVersion,
                OccurredAt = now,
                RecordedAt = now,
                OrganisationId = organisationId,
                DeliveredEventId = transmission.EventId,
                EventType = s_transmitted,
            });
        }

        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        if (passed.Count > 0)
        {
            signal.Notify();
        }
    }
}
