using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Npgsql;

namespace Jafer.Directory.Territory;

/// <summary>A zone that a coverage row can stand for.</summary>
/// <param name="Code">Code.</param>
/// <param name="Name">Name.</param>
/// <param name="Departement">Département by which it can be asked for; null when it has several.</param>
internal sealed record Zone(string Code, string Name, string? Departement);

/// <summary>The zones of one level, in the order of their codes.</summary>
/// <param name="Zones">The zones.</param>
/// <param name="ZoneOfPlace">Zone of each place, -1 for none.</param>
/// <param name="Neighbours">The zones beside each.</param>
internal sealed record ZoneLevel(Zone[] Zones, short[] ZoneOfPlace, IReadOnlyList<IReadOnlySet<int>> Neighbours);

/// <summary>Communes with their people and the zones that they belong to. A place is a position in the travel model.</summary>
internal sealed class Zones
{
    private readonly Dictionary<CoverageLevel, ZoneLevel> _levels;

    private Zones(TravelModel model, int[] population, Dictionary<CoverageLevel, ZoneLevel> levels) =>
        (Model, Population, _levels) = (model, population, levels);

    /// <summary>The places.</summary>
    public TravelModel Model { get; }

    /// <summary>Legal population of each place.</summary>
    public int[] Population { get; }

    /// <summary>The zones of a level; not of communes.</summary>
    public ZoneLevel this[CoverageLevel level] => _levels[level];

    /// <summary>Place of a commune; an arrondissement counts as its commune.</summary>
    public int PlaceOf(string insee) => Model.IndexOf(Arrondissements.WholeCommune(insee));

    /// <summary>Whether the survey's France holds a département: the 101, not the overseas collectivities.</summary>
    public static bool IsOfFrance(string departement) => departement.Length == 2 || departement is "971" or "972" or "973" or "974" or "976";

    /// <summary>Reads the zones, by plain commands: what EF needs to read 35,000 rows would stay in memory for good.</summary>
    public static async Task<Zones> ReadAsync(NpgsqlDataSource source, TravelModel model, CancellationToken ct)
    {
        var departements = await ReadAsync(source, "select code, name, code from departements order by code collate \"C\"", ct);
        var courts = await ReadAsync(source, "select code, name, departement from courts order by code collate \"C\"", ct);
        var appeals = (await ReadAsync(source, "select code, cour_appel, null from courts", ct)).ToDictionary(c => c.Code, c => c.Name);
        var population = new int[model.Codes.Count];
        var (ofDepartement, ofCourt) = (new string?[population.Length], new string?[population.Length]);
        var shared = departements.Concat(courts).ToDictionary(z => z.Code, z => z.Code);
        await using (var command = source.CreateCommand("select insee, population, departement, probable_court_code from communes"))
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                // A commune that was loaded after the model was read waits for the next start.
                if (model.Codes.IndexOf(reader.GetString(0)) is not (>= 0 and var place))
                    continue;
                population[place] = reader.GetInt32(1);
                ofDepartement[place] = shared[reader.GetString(2)];
                ofCourt[place] = reader.IsDBNull(3) ? null : shared[reader.GetString(3)];
            }
        }
        var sideBySide = Domain.Neighbours.Of(model);
        return new Zones(model, population, new()
        {
            [CoverageLevel.France] = Level([new("FRANCE", "France", null)], i => ofDepartement[i] is { } code && IsOfFrance(code) ? "FRANCE" : null),
            [CoverageLevel.Departement] = Level(departements, i => ofDepartement[i]),
            [CoverageLevel.Court] = Level(courts, i => ofCourt[i]),
            [CoverageLevel.CourAppel] = Level(
                [.. appeals.Values.Distinct().Order(StringComparer.Ordinal).Select(name => new Zone(name, name, null))],
                i => ofCourt[i] is { } court ? appeals[court] : null),
        });

        ZoneLevel Level(Zone[] zones, Func<int, string?> codeOf)
        {
            var numbers = zones.Select((z, i) => (z.Code, i)).ToDictionary(z => z.Code, z => (short)z.i, StringComparer.Ordinal);
            var zoneOf = new short[population.Length];
            for (var i = 0; i < zoneOf.Length; i++)
                zoneOf[i] = codeOf(i) is { } code ? numbers[code] : (short)-1;
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

    private static async Task<Zone[]> ReadAsync(NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        var zones = new List<Zone>();
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            zones.Add(new(reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2)));
        return [.. zones];
    }
}
