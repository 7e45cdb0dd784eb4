using System.Data;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Jafer.Directory.Data;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Directory.Reference;

/// <summary>
/// Loads the départements, courts and communes that the service carries with it. A file whose hash the database already knows
/// is left out; another one is copied in and merged by its codes. What a new file no longer holds stays: espaces point at it.
/// </summary>
internal static class ReferenceData
{
    private const string LoadDepartements = """
        insert into departements (code, name) select code, nom from incoming
        on conflict (code) do update set name = excluded.name
        """;

    private const string LoadCourts = """
        insert into courts (code, organisation_id, name, commune_insee, departement, cour_appel)
        select i.code, o.id, i.nom, i.commune_insee, i.departement, i.cour_appel
        from incoming i join unnest(@codes, @ids) as o (code, id) on o.code = i.code
        on conflict (code) do update set name = excluded.name, commune_insee = excluded.commune_insee,
            departement = excluded.departement, cour_appel = excluded.cour_appel
        """;

    // The INSEE code of a court's seat gives its code: "2A004" is "tj2a004".
    private const string LoadCommunes = """
        insert into communes (insee, name, is_commune, departement, population, latitude, longitude, postal_codes,
            population_10km, relief_m, road_block, probable_court_code)
        select insee, nom, type = 'COM', departement, coalesce(population, '0')::int, lat::float8, lon::float8,
            coalesce(string_to_array(codes_postaux, ' '), '{}'), coalesce(pop_10km, '0')::int, coalesce(relief_m, '0')::int,
            bloc_routier, (select code from courts c where c.code = 'tj' || lower(i.tj))
        from incoming i
        on conflict (insee) do update set name = excluded.name, is_commune = excluded.is_commune, departement = excluded.departement,
            population = excluded.population, latitude = excluded.latitude, longitude = excluded.longitude,
            postal_codes = excluded.postal_codes, population_10km = excluded.population_10km, relief_m = excluded.relief_m,
            road_block = excluded.road_block, probable_court_code = excluded.probable_court_code
        """;

    // Whole school years at a time: a date that moved must not stand twice.
    private const string LoadSchoolHolidays = """
        delete from school_holidays where school_year in (select annee_scolaire from incoming);
        insert into school_holidays (zone, school_year, name, start_date, end_date, source)
        select zone, annee_scolaire, nom, debut::date, fin::date, source from incoming
        """;

    /// <summary>The files with what merges each, in the order of their keys.</summary>
    private static readonly (string Name, string Merge)[] s_files =
        [("departements.csv", LoadDepartements), ("tribunaux.csv", LoadCourts), ("communes.csv.gz", LoadCommunes), ("vacances-scolaires.csv", LoadSchoolHolidays)];

    /// <summary>True when the database knows every file as it is: there is nothing to load.</summary>
    public static async Task<bool> IsLoadedAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var known = new Dictionary<string, byte[]>();
        await using (var command = source.CreateCommand("select name, sha256 from reference_files"))
        await using (var reader = await command.ExecuteReaderAsync(ct))
        {
            while (await reader.ReadAsync(ct))
                known.Add(reader.GetString(0), reader.GetFieldValue<byte[]>(1));
        }
        foreach (var (name, _) in s_files)
        {
            if (!known.TryGetValue(name, out var hash) || !SHA256.HashData(await ReadAsync(name, ct)).SequenceEqual(hash))
                return false;
        }
        return true;
    }

    /// <summary>Loads what is new, in one transaction, and tells the other services of new courts.</summary>
    public static async Task LoadAsync(DirectoryDbContext db, TimeProvider clock, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        // Two replicas' migrations must not merge at the same time.
        await ExecuteAsync(connection, "select pg_advisory_xact_lock(hashtextextended('directory:reference', 0))", ct);
        foreach (var (name, merge) in s_files)
        {
            if (!await LoadFileAsync(connection, clock, name, merge, ct) || merge != LoadCourts)
                continue;
            foreach (var court in await db.Courts.AsNoTracking().OrderBy(c => c.Code).ToListAsync(ct))
                db.Publish(court.ToEvent(clock.GetUtcNow()));
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
    }

    private static async Task<bool> LoadFileAsync(NpgsqlConnection connection, TimeProvider clock, string name, string merge, CancellationToken ct)
    {
        var content = await ReadAsync(name, ct);
        await using var note = new NpgsqlCommand("""
            insert into reference_files (name, sha256, loaded_at) values (@name, @hash, @now)
            on conflict (name) do update set sha256 = excluded.sha256, loaded_at = excluded.loaded_at
            where reference_files.sha256 <> excluded.sha256
            """, connection)
        {
            Parameters = { new("name", name), new("hash", SHA256.HashData(content)), new("now", clock.GetUtcNow()) },
        };
        if (await note.ExecuteNonQueryAsync(ct) == 0)
            return false;

        var header = Encoding.UTF8.GetString(content, 0, Array.IndexOf(content, (byte)'\n')).Split(',');
        await ExecuteAsync(connection, $"create temp table incoming ({string.Join(", ", header.Select(column => $"{column} text"))}) on commit drop", ct);
        await using (var copy = await connection.BeginTextImportAsync("copy incoming from stdin (format csv, header)", ct))
            await copy.WriteAsync(Encoding.UTF8.GetString(content).AsMemory(), ct);
        await using (var command = new NpgsqlCommand(merge, connection))
        {
            if (merge == LoadCourts)
            {
                var codes = await CodesAsync(connection, ct);
                command.Parameters.AddWithValue("codes", NpgsqlDbType.Array | NpgsqlDbType.Text, codes);
                command.Parameters.AddWithValue("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid, codes.Select(StableIds.Court).ToArray());
            }
            await command.ExecuteNonQueryAsync(ct);
        }
        await ExecuteAsync(connection, "drop table incoming", ct);
        return true;
    }

    private static async Task<string[]> CodesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select array_agg(code) from incoming", connection);
        return (string[])(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<byte[]> ReadAsync(string name, CancellationToken ct)
    {
        await using var resource = Resource(name);
        await using var content = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(resource, CompressionMode.Decompress) : resource;
        using var buffer = new MemoryStream();
        await content.CopyToAsync(buffer, ct);
        return buffer.ToArray();
    }

    /// <summary>A file that the service carries with it.</summary>
    public static Stream Resource(string name) =>
        typeof(ReferenceData).Assembly.GetManifestResourceStream(name) ?? throw new DataException($"{name} is not part of the service");
}
