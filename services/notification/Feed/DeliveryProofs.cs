using System.Collections.Concurrent;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.Notifications.Feed;

/// <summary>
/// Tells that an organisation has what was transmitted to it: it resumed its feed past it, and a token is stored once its event is
/// handled; its webhook answered 2xx to it; or one of its people opened a notice of it. Each transmission once, however many
/// programs resume or answer.
/// </summary>
internal sealed class DeliveryProofs(NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal signal, TimeProvider clock)
{
    // How far each feed was had by whoever resumed it here: mostly there is nothing to note.
    private readonly ConcurrentDictionary<Guid, long> _resumed = [];

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

    /// <summary>Notes that an organisation had its whole feed up to a position.</summary>
    /// <param name="organisationId">Whose feed.</param>
    /// <param name="position">Position of the token that was resumed with, by a reader that leaves no type out.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task NoteResumptionAsync(Guid organisationId, long position, CancellationToken ct)
    {
        if (position <= _resumed.GetValueOrDefault(organisationId))
        {
            return;
        }

        await using var command = source.CreateCommand("""
            insert into feed_resumptions (organisation_id, position, resumed_at)
            select $1, $2, $3 where not exists (select from feed_resumptions where organisation_id = $1 and position >= $2)
            on conflict do nothing
            """);
        command.Parameters.Add(new NpgsqlParameter { Value = organisationId });
        command.Parameters.Add(new NpgsqlParameter { Value = position });
        command.Parameters.Add(new NpgsqlParameter { Value = clock.GetStoredNow() });
        await command.ExecuteNonQueryAsync(ct);
        _resumed.AddOrUpdate(organisationId, position, (_, known) => Math.Max(known, position));
    }

    /// <summary>Tells of a transmission that a webhook or a person of its organisation has, in the transaction that was begun. False when it is told already.</summary>
    /// <param name="db">The context.</param>
    /// <param name="organisationId">Whose.</param>
    /// <param name="eventId">The event.</param>
    /// <param name="channel">How it has it.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<bool> NoteHadAsync(NotificationsDbContext db, Guid organisationId, Guid eventId, DeliveryChannel channel, CancellationToken ct)
    {
        var had = await db.UndeliveredTransmissions.FromSql($"""
            delete from undelivered_transmissions where organisation_id = {organisationId} and event_id = {eventId} returning *
            """).AsNoTracking().ToListAsync(ct);
        Publish(db, had, channel);
        return had.Count > 0;
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
