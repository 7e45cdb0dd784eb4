using Jafer.Directory.Domain;
using Npgsql;

namespace Jafer.Directory.Territory;

/// <summary>The imported distancier as it is read: nothing of it is kept in memory but the ways that were asked for.</summary>
internal static class Distancier
{
    /// <summary>Tells the cache of ways which distancier holds now.</summary>
    /// <param name="connection">Connection, in the transaction that reads the directory's revision.</param>
    /// <param name="source">Connections on which ways are read later.</param>
    /// <param name="travel">The cache.</param>
    public static async Task FollowAsync(NpgsqlConnection connection, NpgsqlDataSource source, TravelCache travel)
    {
        await using var last = new NpgsqlCommand("select id, way_count from distancier_imports order by id desc limit 1", connection);
        await using var reader = await last.ExecuteReaderAsync();
        var (id, ways) = await reader.ReadAsync() ? (reader.GetInt64(0), reader.GetInt64(1)) : (0, 0);
        travel.Follow(id, ways > 0 ? (from, destinations, ct) => ReadAsync(source, from, destinations, ct) : null);
    }

    /// <summary>Where the ways held come from: the sources since the last import that replaced all.</summary>
    public static async Task<IReadOnlyList<string>> SourcesAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select source from distancier_imports
            where id >= coalesce((select max(id) from distancier_imports where replaced_all), 0)
                and (select way_count from distancier_imports order by id desc limit 1) > 0
            group by source order by min(id)
            """);
        var sources = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            sources.Add(reader.GetString(0));
        return sources;
    }

    // A matrix may name Paris, Lyon and Marseille as one or by their arrondissements: either serves the other.
    private static async Task<IReadOnlyList<(int Position, Travel Way)>> ReadAsync(
        NpgsqlDataSource source, string from, string[] destinations, CancellationToken ct)
    {
        var ends = Ends(destinations);
        await using var command = source.CreateCommand("""
            select d.position, w.from_insee <> $1, d.other, w.minutes
            from unnest($3, $4, $5) as d (insee, position, other)
            join distancier_ways w on w.from_insee = any($2) and w.to_insee = d.insee
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [from, .. Arrondissements.OtherCodesOf(from)] });
        foreach (var parameter in ends)
            command.Parameters.Add(parameter);
        var stated = new Dictionary<int, StatedWay>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var (position, otherFrom, otherTo) = (reader.GetInt32(0), reader.GetBoolean(1), reader.GetBoolean(2));
            if ((otherFrom || otherTo) && !StatedWay.Holds(from, destinations[position]))
                continue;
            var way = stated.GetValueOrDefault(position);
            way.Add(otherFrom, otherTo, reader.IsDBNull(3) ? null : reader.GetFloat(3));
            stated[position] = way;
        }
        return [.. stated.Select(s => (s.Key, s.Value.Way!.Value))];
    }

    /// <summary>Codes, positions and whether it is another code than their own of destinations, as three parameters of a command.</summary>
    public static NpgsqlParameter[] Ends(IReadOnlyList<string> destinations)
    {
        (string Insee, int Position, bool Other)[] ends =
            [.. destinations.SelectMany((insee, i) => Arrondissements.OtherCodesOf(insee).Select(other => (other, i, true)).Prepend((insee, i, false)))];
        return
        [
            new NpgsqlParameter<string[]> { TypedValue = Array.ConvertAll(ends, e => e.Insee) },
            new NpgsqlParameter<int[]> { TypedValue = Array.ConvertAll(ends, e => e.Position) },
            new NpgsqlParameter<bool[]> { TypedValue = Array.ConvertAll(ends, e => e.Other) },
        ];
    }
}
