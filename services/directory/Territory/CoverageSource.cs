using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Npgsql;

namespace Jafer.Directory.Territory;

/// <summary>An espace that may be designated and receives mesures.</summary>
/// <param name="Fictive">Whether it is invented.</param>
/// <param name="Stale">Whether something of it is stale.</param>
/// <param name="Capacity">Families at the same time.</param>
/// <param name="Slots">Slots a week.</param>
/// <param name="ComputedSlots">Of these, those that its opening schedule gives because it said none.</param>
/// <param name="Demand">Mesures received in twelve months against those that its slots can begin.</param>
/// <param name="Places">Places of its lieux that an agrément covers.</param>
internal sealed record Supply(bool Fictive, bool Stale, int Capacity, int Slots, int ComputedSlots, Demand Demand, int[] Places);

/// <summary>What coverage rows are made of, for one modalité on one day.</summary>
/// <param name="Zones">The zones.</param>
/// <param name="Supplies">The espaces.</param>
/// <param name="Access">The way from every place to the nearest lieu.</param>
/// <param name="AsOf">The day.</param>
internal sealed record CoverageData(Zones Zones, IReadOnlyList<Supply> Supplies, Travel[] Access, DateOnly AsOf);

/// <summary>
/// Keeps what coverage is computed from: capacities and stale espaces until the directory's revision or the day changes, the
/// ways until the set of host communes or the distancier does. One computation at a time; who comes second finds it done.
/// </summary>
internal sealed class CoverageSource(SnapshotSource snapshots, NpgsqlDataSource source, TimeProvider clock) : IDisposable
{
    // One for each modalité, and one for all of them.
    private const int KeptAccesses = 10;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<(int[] Hosts, long Distancier, Travel[] Ways)> _accesses = [];
    private Zones? _zones;
    private Figures? _figures;

    /// <summary>What holds at the moment of the call.</summary>
    /// <param name="modalite">Only espaces that offer it; unspecified: any.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task<CoverageData> GetAsync(Modalite modalite, CancellationToken ct)
    {
        var snapshot = await snapshots.GetAsync(ct);
        var today = clock.TodayInParis();
        await _gate.WaitAsync(ct);
        try
        {
            var travel = snapshot.Geography.Travel;
            var zones = _zones ??= await Zones.ReadAsync(source, travel.Model, ct);
            if (_figures is not { } figures || figures.Revision != snapshot.Revision || figures.Day != today)
                _figures = figures = await ReadAsync(snapshot.Revision, today, ct);
            var supplies = snapshot.Espaces.Select(e => SupplyOf(e, modalite, figures, zones)).OfType<Supply>().ToList();
            return new CoverageData(zones, supplies, await AccessAsync(supplies, zones, travel, ct), today);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    // What searches need not know, and the snapshot therefore does not hold.
    private async Task<Figures> ReadAsync(long revision, DateOnly today, CancellationToken ct)
    {
        var figures = new Figures(revision, today, [], []);
        await using (var command = source.CreateCommand("select espace_id, modalite, capacity_families from modalites where capacity_families > 0"))
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
                figures.Capacities.Add((reader.GetGuid(0), ProtoConversions.FromCode<Modalite>(reader.GetString(1))), reader.GetInt32(2));
        }
        // A declared wait counts by the day for which it holds, which the snapshot knows.
        await using (var command = source.CreateCommand("""
            select espace_id, espace_group, min(confirmed_at) from espace_groups where espace_group <> 'ATTENTE' group by espace_id, espace_group
            """))
        {
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                var group = ProtoConversions.FromCode<EspaceGroup>(reader.GetString(1));
                if (Freshness.IsStaleOn(group, reader.GetFieldValue<DateTimeOffset>(2).DayInParis(), today))
                    figures.Stale.Add(reader.GetGuid(0));
            }
        }
        return figures;
    }

    private static Supply? SupplyOf(SearchedEspace espace, Modalite modalite, Figures figures, Zones zones)
    {
        var today = figures.Day;
        var covered = espace.Facts.State == EspaceState.Ouvert ? espace.Facts.CoveredLieux(today) : 0;
        var open = covered == 0 ? [] : espace.Offers
            .Where(o => o.IsOpen && o.TakesFrom(today) == today && (modalite == Modalite.Unspecified || o.Modalite == modalite)).ToList();
        if (open.Count == 0)
            return null;
        var demands = open.Select(o => Standing.DemandOf(o, today)).OfType<Demand>().ToList();
        return new Supply(
            espace.Fictive,
            figures.Stale.Contains(espace.Facts.Id) || open.Any(o => o.Wait is { } wait && wait.IsStaleOn(today)),
            open.Sum(o => figures.Capacities.GetValueOrDefault((espace.Facts.Id, o.Modalite))),
            open.Sum(o => o.SlotsOn(today)),
            open.Where(o => o.SlotsPerWeek == 0).Sum(o => o.SlotsOn(today)),
            new Demand(demands.Sum(d => d.Received), demands.Sum(d => d.Capacity)),
            [.. espace.Lieux.Where((_, i) => i < EspaceFacts.MaxLieux && (covered >> i & 1) != 0).Select(l => zones.PlaceOf(l.CommuneInsee))]);
    }

    private async Task<Travel[]> AccessAsync(IEnumerable<Supply> supplies, Zones zones, TravelCache travel, CancellationToken ct)
    {
        int[] hosts = [.. supplies.SelectMany(s => s.Places).Distinct().Order()];
        var (distancier, imported) = travel.Distancier;
        if (_accesses.Find(a => a.Distancier == distancier && a.Hosts.AsSpan().SequenceEqual(hosts)) is { Ways: { } known })
            return known;

        var nearest = new NearestLieu(zones.Model, hosts);
        var ways = new Travel[zones.Population.Length];
        var done = new bool[ways.Length];
        if (imported)
            await ReplaceAsync(nearest, hosts, zones, ways, done, ct);
        for (var i = 0; i < ways.Length; i++)
        {
            if (!done[i])
                ways[i] = nearest.From(i, []);
        }
        _accesses.RemoveAll(a => a.Distancier != distancier);
        if (_accesses.Count == KeptAccesses)
            _accesses.RemoveAt(0);
        _accesses.Add((hosts, distancier, ways));
        return ways;
    }

    // Commune by commune: ten million ways are never in memory together. Only of the three communes with arrondissements what is
    // stated under several codes is put together first.
    private async Task ReplaceAsync(NearestLieu nearest, int[] hosts, Zones zones, Travel[] ways, bool[] done, CancellationToken ct)
    {
        var codes = Array.ConvertAll(hosts, h => zones.Model.Codes[h]);
        await using var command = source.CreateCommand("""
            select w.from_insee, array_agg(d.position), array_agg(d.other), array_agg(coalesce(w.minutes, -1))
            from unnest($1, $2, $3) as d (insee, position, other)
            join distancier_ways w on w.to_insee = d.insee
            group by w.from_insee
            """);
        command.CommandTimeout = 0;
        foreach (var parameter in Distancier.Ends(codes))
            command.Parameters.Add(parameter);
        var several = new Dictionary<string, StatedWay[]>(StringComparer.Ordinal);
        var stated = new StatedWay[hosts.Length];
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var from = reader.GetString(0);
            var others = Arrondissements.OtherCodesOf(from);
            var (positions, otherTo, minutes) = (reader.GetFieldValue<int[]>(1), reader.GetFieldValue<bool[]>(2), reader.GetFieldValue<float[]>(3));
            if (others.Count == 0)
            {
                Array.Clear(stated);
                Add(stated, from, otherFrom: false);
                Conclude(from, stated);
                continue;
            }
            Add(Several(from), from, otherFrom: false);
            foreach (var other in others)
                Add(Several(other), other, otherFrom: true);

            void Add(StatedWay[] into, string origin, bool otherFrom)
            {
                for (var i = 0; i < positions.Length; i++)
                {
                    if (!(otherFrom || otherTo[i]) || StatedWay.Holds(origin, codes[positions[i]]))
                        into[positions[i]].Add(otherFrom, otherTo[i], minutes[i] < 0 ? null : minutes[i]);
                }
            }
        }
        foreach (var (from, all) in several)
            Conclude(from, all);

        StatedWay[] Several(string from) => several.TryGetValue(from, out var all) ? all : several[from] = new StatedWay[hosts.Length];

        void Conclude(string from, StatedWay[] all)
        {
            if (zones.Model.Codes.IndexOf(from) is not (>= 0 and var place))
                return;
            ways[place] = nearest.From(place, Array.ConvertAll(all, s => s.Way));
            done[place] = true;
        }
    }

    private sealed record Figures(long Revision, DateOnly Day, Dictionary<(Guid Espace, Modalite Modalite), int> Capacities, HashSet<Guid> Stale);
}
