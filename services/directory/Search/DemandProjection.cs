using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Search;

/// <summary>
/// Notes which mesures came to which espace, for the balance of what comes against places. A mesure that is transmitted anew
/// counts where it was last transmitted to.
/// </summary>
internal sealed class DemandProjection : IEventHandler<DirectoryDbContext>
{
    /// <summary>What it listens to.</summary>
    public static readonly Type[] Subscriptions = [typeof(MesureTransmitted)];

    public async Task HandleAsync(DirectoryDbContext db, DomainEvent message, CancellationToken ct)
    {
        if (message is not MesureTransmitted { EspaceId: { } espace, Modalite: { } modalite } transmitted)
            return;
        // The espaces concerned take a new revision, so that every replica reads them again; the lock of the revision comes first.
        await db.Database.ExecuteSqlAsync($"""
            update espaces set revision = revision
            where id = {espace} or id = (select espace_id from mesure_receptions where mesure_id = {message.AggregateId})
            """, ct);
        await db.Database.ExecuteSqlAsync($"""
            insert into mesure_receptions (mesure_id, espace_id, modalite, received_on, version)
            values ({message.AggregateId}, {espace}, {modalite}, {transmitted.OccurredAt.DayInParis()}, {message.AggregateVersion})
            on conflict (mesure_id) do update set espace_id = excluded.espace_id, modalite = excluded.modalite,
                received_on = excluded.received_on, version = excluded.version
            where mesure_receptions.version < excluded.version
            """, ct);
    }
}
