using Jafer.Contracts.Messaging.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Journal;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Messaging.Data;

/// <summary>Who may ask who opened a mesure here: its court, and the gestionnaire that has it now.</summary>
internal sealed class MesureHolders(MessagingDbContext db) : IMesureHolders
{
    public Task<bool> HoldsAsync(Guid mesureId, Caller caller, CancellationToken ct) =>
        db.Threads.AnyAsync(
            t => t.ThreadId == mesureId && t.Kind == ThreadKind.Mesure && (t.JuridictionId == caller.OrganisationId || t.GestionnaireId == caller.OrganisationId), ct);
}
