using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Search;

/// <summary>
/// Notes which mesures came to which espace, for the balance of what comes against places: those transmitted, and those that no
/// judge ordered. A mesure that goes on at another espace counts there alone.
/// </summary>
internal sealed class DemandProjection : IEventHandler<DirectoryDbContext>
{
    /// <summary>What it listens to.</summary>
    public static readonly Type[] Subscriptions = [typeof(MesureTransmitted), typeof(MesureCreated)];

    public async Task HandleAsync(DirectoryDbContext db, DomainEvent message, CancellationToken ct)
    {
        // A draft of a court is no demand yet.
        if (message is not MesureEvent { EspaceId: { } espace, Modalite: { } modalite } came || came is MesureCreated { JuridictionId: not null })
            return;
        var left = (came as MesureTransmitted)?.PredecessorMesureId;
        // The espaces concerned take a new revision, so that every replica reads them again; the lock of the revision comes first.
        await db.Database.ExecuteSqlAsync($"""
            update espaces set revision = revision
            where id = {espace} or id = any (select espace_id from mesure_receptions where mesure_id in ({message.AggregateId}, {left}))
            """, ct);
        await db.Database.ExecuteSqlAsync($"delete from mesure_receptions where mesure_id = {left}", ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into mesure_receptions (mesure_id, espace_id, modalite, received_on, version)
            values ({message.AggregateId}, {espace}, {modalite}, {came.OccurredAt.DayInParis()}, {message.AggregateVersion})
            on conflict (mesure_id) do update set espace_id = excluded.espace_id, modalite = excluded.modalite,
                received_on = excluded.received_on, version = excluded.version
            where mesure_receptions.version < excluded.version
            """, ct);
    }
}
