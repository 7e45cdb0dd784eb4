using Jafer.Contracts.Events;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Operations;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Publishes the current state of every organisation and espace again, so that the projections of others can be rebuilt.</summary>
internal sealed class RepublishDirectory(TimeProvider clock) : IStateRepublisher<DirectoryDbContext>
{
    public async Task<long> RepublishAsync(DirectoryDbContext db, CancellationToken ct)
    {
        var espaces = db.Espaces.AsNoTracking().OrderBy(e => e.Id)
            .Include(e => e.Agrements).Include(e => e.Lieux).Include(e => e.Modalites).AsSplitQuery();
        // Organisations before the espaces that they run.
        List<DomainEvent> events =
        [
            .. (await db.Courts.AsNoTracking().OrderBy(c => c.Code).ToListAsync(ct)).Select(c => c.ToEvent(clock.GetUtcNow())),
            .. (await db.Gestionnaires.AsNoTracking().OrderBy(g => g.Id).ToListAsync(ct)).Select(g => g.ToEvent(clock.GetUtcNow())),
            .. (await espaces.ToListAsync(ct)).Select(e => e.ToEvent(clock.GetUtcNow())),
        ];
        events.ForEach(db.Publish);
        return events.Count;
    }
}
