using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Territory;

/// <summary>A zone that a coverage row can stand for.</summary>
/// <param name="Code">Code.</param>
/// <param name="Name">Name.</param>
/// <param name="Departement">Département by which it can be asked for; null when it has several.</param>
internal sealed record Zone(string Code, string Name, string? Departement);

/// <summary>
/// The zones of one level with the zone of every place, -1 for none, and the zones side by side.
/// </summary>
internal sealed record ZoneLevel(Zone[] Zones, int[] ZoneOfPlace, IReadOnlyList<IReadOnlySet<int>> Neighbours);

/// <summary>Communes with their people and the zones that they belong to. Places are those of the travel model, in its order.</summary>
internal sealed class Zones
{
    private readonly Dictionary<CoverageLevel, ZoneLevel> _levels;

    private Zones(IReadOnlyList<TravelPlace> places, int[] population, Dictionary<CoverageLevel, ZoneLevel> levels, Dictionary<string, int> byInsee)
    {
        (Places, Population, _levels) = (places, population, levels);
        PlaceOf = insee => byInsee[WholeCommune(insee)];
    }

    /// <summary>The places.</summary>
    public IReadOnlyList<TravelPlace> Places { get; }

    /// <summary>Legal population of each place.</summary>
    public int[] Population { get; }

    /// <summary>Position of a commune; an arrondissement counts as its commune.</summary>
    public Func<string, int> PlaceOf { get; }

    /// <summary>The zones of a level; not of communes.</summary>
    public ZoneLevel this[CoverageLevel level] => _levels[level];

    /// <summary>The commune of an arrondissement of Paris, Lyon or Marseille; any other code itself.</summary>
    public static string WholeCommune(string insee) => insee switch
    {
        ['7', '5', '1', ..] => "75056",
        ['6', '9', '3', '8', ..] => "69123",
        ['1', '3', '2', ..] => "13055",
        _ => insee,
    };

    /// <summary>Whether the survey's France holds a département: the 101, not the overseas collectivities.</summary>
    public static bool IsOfFrance(string departement) => departement.Length == 2 || departement is "971" or "972" or "973" or "974" or "976";

    /// <summary>Reads the zones.</summary>
    public static async Task<Zones> ReadAsync(DirectoryDbContext db, IReadOnlyList<TravelPlace> places, CancellationToken ct)
    {
        var communes = await db.Communes.AsNoTracking()
            .Select(c => new { c.Insee, c.Departement, c.Population, c.ProbableCourtCode })
            .ToDictionaryAsync(c => c.Insee, StringComparer.Ordinal, ct);
        var departements = await db.Departements.AsNoTracking().OrderBy(d => d.Code).ToListAsync(ct);
        var courts = await db.Courts.AsNoTracking().OrderBy(c => c.Code).ToListAsync(ct);
        var appeal = courts.ToDictionary(c => c.Code, c => c.CourAppel);
        var sideBySide = Domain.Neighbours.Of(places);
        var byInsee = new Dictionary<string, int>(places.Count, StringComparer.Ordinal);
        for (var i = 0; i < places.Count; i++)
            byInsee.Add(places[i].Insee, i);
        var facts = places.Select(p => communes[p.Insee]).ToArray();
        return new Zones(places, [.. facts.Select(f => f.Population)], new()
        {
            [CoverageLevel.France] = Level([new("FRANCE", "France", null)], i => IsOfFrance(facts[i].Departement) ? "FRANCE" : null),
            [CoverageLevel.Departement] = Level([.. departements.Select(d => new Zone(d.Code, d.Name, d.Code))], i => facts[i].Departement),
            [CoverageLevel.Court] = Level([.. courts.Select(c => new Zone(c.Code, c.Name, c.Departement))], i => facts[i].ProbableCourtCode),
            [CoverageLevel.CourAppel] = Level(
                [.. appeal.Values.Distinct().Order(StringComparer.Ordinal).Select(name => new Zone(name, name, null))],
                i => facts[i].ProbableCourtCode is { } court ? appeal[court] : null),
        }, byInsee);

        ZoneLevel Level(Zone[] zones, Func<int, string?> codeOf)
        {
            var numbers = zones.Select((z, i) => (z.Code, i)).ToDictionary(z => z.Code, z => z.i, StringComparer.Ordinal);
            int[] zoneOf = [.. Enumerable.Range(0, places.Count).Select(i => codeOf(i) is { } code ? numbers[code] : -1)];
            HashSet<int>[] neighbours = [.. zones.Select(_ => new HashSet<int>())];
            foreach (var (a, b) in sideBySide)
            {
                if (zoneOf[a] != zoneOf[b] && zoneOf[a] >= 0 && zoneOf[b] >= 0)
                {
                    neighbours[zoneOf[a]].Add(zoneOf[b]);
                    neighbours[zoneOf[b]].Add(zoneOf[a]);
                }
            }
            return new ZoneLevel(zones, zoneOf, neighbours);
        }
    }
}
