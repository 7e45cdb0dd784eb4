using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Journal;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Data;

/// <summary>Who may ask who opened a mesure here: its court, and the gestionnaire that has it now.</summary>
internal sealed class MesureHolders(MesuresDbContext db) : IMesureHolders
{
    public Task<bool> HoldsAsync(Guid mesureId, Caller caller, CancellationToken ct) =>
        db.Mesures.HeldBy(caller).AnyAsync(m => m.Id == mesureId, ct);
}
