using System.Collections.Frozen;
using Jafer.Directory.Domain;
using Npgsql;

namespace Jafer.Directory.Reference;

/// <summary>
/// The reference data that searches and checks need at hand: communes with the ways between them, courts, départements. Read
/// once per process; a new edition comes with a new version of the service.
/// </summary>
/// <param name="Travel">Ways between communes.</param>
/// <param name="CommuneNames">Names by INSEE code.</param>
/// <param name="CourtDepartements">Département of each court, by its code.</param>
/// <param name="Departements">Codes of the départements.</param>
internal sealed record Geography(
    TravelCache Travel,
    CommuneNames CommuneNames,
    FrozenDictionary<string, string> CourtDepartements,
    FrozenSet<string> Departements)
{
    /// <summary>Région of each département, by its code; régions by their INSEE codes.</summary>
    public required FrozenDictionary<string, string> Regions { get; init; }

    /// <summary>Codes of the courts of each cour d'appel, by its name.</summary>
    public required FrozenDictionary<string, string[]> CoursAppel { get; init; }

    /// <summary>The courts that an espace says it serves: those it names, and all of the cours d'appel it names.</summary>
    public string[] CourtsOf(IEnumerable<string> courtCodes, IEnumerable<string> courAppelNames) =>
        [.. courtCodes, .. courAppelNames.SelectMany(name => CoursAppel.GetValueOrDefault(name, []))];

    /// <summary>Coordinates by INSEE code, of the communes that have them.</summary>
    public CommunePoints Points => new(Travel.Model);

    /// <summary>Code of the département or overseas collectivity of a commune: the beginning of its own.</summary>
    /// <param name="insee">INSEE code.</param>
    public static string DepartementOf(string insee) => insee.StartsWith("97", StringComparison.Ordinal) || insee.StartsWith("98", StringComparison.Ordinal) ? insee[..3] : insee[..2];

    /// <summary>Reads the reference data, by plain commands: what EF needs to read 35,000 rows would stay in memory for good.</summary>
    /// <exception cref="InvalidOperationException">The database holds none: it was not migrated.</exception>
    public static async Task<Geography> ReadAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var names = new List<string>(36_000);
        var places = new List<TravelPlace>(36_000);
        await using (var command = source.CreateCommand("""
            select insee, name, is_commune, latitude, longitude, population_10km, relief_m, road_block from communes order by insee collate "C"
            """))
        {
            var blocks = new Dictionary<string, string>(StringComparer.Ordinal);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                var block = reader.GetString(7);
                if (!blocks.TryAdd(block, block))
                    block = blocks[block];
                names.Add(reader.GetString(1));
                places.Add(new TravelPlace(
                    reader.GetString(0), reader.GetBoolean(2), reader.IsDBNull(3) ? null : reader.GetDouble(3), reader.IsDBNull(4) ? null : reader.GetDouble(4),
                    reader.GetInt32(5), reader.GetInt32(6), block));
            }
        }
        if (places.Count == 0)
            throw new InvalidOperationException("The directory holds no communes: run it once with --migrate.");

        using var coefficients = ReferenceData.Resource("travel-model.json");
        var model = new TravelModel(TravelCoefficients.Read(coefficients), places);
        using var departements = new StreamReader(ReferenceData.Resource("departements.csv"));
        return new Geography(
            new TravelCache(model),
            new CommuneNames(model.Codes, names),
            (await ReadPairsAsync(source, "select code, departement from courts", ct)).ToFrozenDictionary(StringComparer.Ordinal),
            (await ReadPairsAsync(source, "select code, code from departements", ct)).Keys.ToFrozenSet(StringComparer.Ordinal))
        {
            // Code, name, région.
            Regions = departements.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(','))
                .ToFrozenDictionary(fields => fields[0], fields => fields[2], StringComparer.Ordinal),
            CoursAppel = (await ReadPairsAsync(source, "select code, cour_appel from courts", ct))
                .GroupBy(c => c.Value, c => c.Key, StringComparer.Ordinal).ToFrozenDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal),
        };
    }

    private static async Task<Dictionary<string, string>> ReadPairsAsync(NpgsqlDataSource source, string sql, CancellationToken ct)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            pairs.Add(reader.GetString(0), reader.GetString(1));
        return pairs;
    }
}
