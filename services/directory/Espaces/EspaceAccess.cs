using Jafer.Directory.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Espaces;

/// <summary>Which espaces and gestionnaires a caller may touch: what lies in their territory is asked of the rows themselves.</summary>
internal static class EspaceAccess
{
    /// <summary>Refuses an espace that is neither the caller's nor in their territory, and one that does not exist, with the same answer.</summary>
    /// <param name="caller">The caller.</param>
    /// <param name="espace">The espace; null for none.</param>
    public static void RequireEspace(this Caller caller, EspaceRow? espace)
    {
        if (!(caller.MayTouch(espace?.GestionnaireId) || (espace is not null && IsInTerritory(caller, espace.Departement))))
            throw DomainError.Forbidden();
    }

    /// <summary>
    /// Refuses to change what is of an organisation as a whole unless the caller may: of a gestionnaire, who is competent for a territory
    /// changes it only where all its espaces lie there.
    /// </summary>
    /// <param name="caller">The caller.</param>
    /// <param name="db">The directory.</param>
    /// <param name="organisationId">The court or gestionnaire.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task RequireWholeAsync(this Caller caller, DirectoryDbContext db, Guid organisationId, CancellationToken ct)
    {
        caller.RequireOrganisation(organisationId);
        if (caller is not { Tenancy: Tenancy.Territory, Territory: { } territory } || organisationId == caller.OrganisationId)
            return;
        string[] departements = [.. territory.Departements];
        if (await db.Espaces.AnyAsync(e => e.GestionnaireId == organisationId && !departements.Contains(e.Departement), ct))
            throw DomainError.Forbidden();
    }

    private static bool IsInTerritory(Caller caller, string departement) => caller is { Cell.WithTerritory: true, Territory: { } territory } && territory.Departements.Contains(departement);
}
