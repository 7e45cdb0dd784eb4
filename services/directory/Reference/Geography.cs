using System.Collections.Frozen;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Reference;

/// <summary>
/// The reference data that searches and checks need at hand: communes with the ways between them, courts, départements. Read
/// once per process; a new edition comes with a new version of the service.
/// </summary>
/// <param name="Travel">Ways between communes.</param>
/// <param name="CommuneNames">Names by INSEE code.</param>
/// <param name="Points">Coordinates by INSEE code, of the communes that have them.</param>
/// <param name="CourtDepartements">Département of each court, by its code.</param>
/// <param name="Departements">Codes of the départements.</param>
internal sealed record Geography(
    TravelCache Travel,
    FrozenDictionary<string, string> CommuneNames,
    FrozenDictionary<string, (double Latitude, double Longitude)> Points,
    FrozenDictionary<string, string> CourtDepartements,
    FrozenSet<string> Departements)
{
    /// <summary>Reads the reference data.</summary>
    /// <exception cref="InvalidOperationException">The database holds none: it was not migrated.</exception>
    public static async Task<Geography> ReadAsync(DirectoryDbContext db, CancellationToken ct)
    {
        var names = new Dictionary<string, string>(36_000, StringComparer.Ordinal);
        var places = new List<TravelPlace>(36_000);
        var blocks = new Dictionary<string, string>(StringComparer.Ordinal);
        var communes = db.Communes.AsNoTracking()
            .Select(c => new { c.Insee, c.Name, c.IsCommune, c.Latitude, c.Longitude, c.PopulationWithin10Km, c.ReliefM, c.RoadBlock });
        await foreach (var c in communes.AsAsyncEnumerable().WithCancellation(ct))
        {
            if (!blocks.TryGetValue(c.RoadBlock, out var block))
                blocks.Add(c.RoadBlock, block = c.RoadBlock);
            names.Add(c.Insee, c.Name);
            places.Add(new TravelPlace(c.Insee, c.IsCommune, c.Latitude, c.Longitude, c.PopulationWithin10Km, c.ReliefM, block));
        }
        if (places.Count == 0)
            throw new InvalidOperationException("The directory holds no communes: run it once with --migrate.");

        using var coefficients = ReferenceData.Resource("travel-model.json");
        var courts = await db.Courts.AsNoTracking().ToDictionaryAsync(c => c.Code, c => c.Departement, ct);
        var departements = await db.Departements.AsNoTracking().Select(d => d.Code).ToListAsync(ct);
        return new Geography(
            new TravelCache(new TravelModel(TravelCoefficients.Read(coefficients), places)),
            names.ToFrozenDictionary(StringComparer.Ordinal),
            places.Where(p => p.Latitude is not null).ToFrozenDictionary(p => p.Insee, p => (p.Latitude!.Value, p.Longitude!.Value), StringComparer.Ordinal),
            courts.ToFrozenDictionary(StringComparer.Ordinal),
            departements.ToFrozenSet(StringComparer.Ordinal));
    }
}
