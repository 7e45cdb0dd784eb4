using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Journal;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Notifications.Data;

/// <summary>Who may ask who opened a mesure here: its court, and the gestionnaire that has it now.</summary>
internal sealed class MesureHolders(NotificationsDbContext db) : IMesureHolders
{
    public Task<bool> HoldsAsync(Guid mesureId, Caller caller, CancellationToken ct) =>
        db.Holders.AnyAsync(
            h => h.MesureId == mesureId && (h.JuridictionId == caller.OrganisationId || h.GestionnaireId == caller.OrganisationId), ct);
}
