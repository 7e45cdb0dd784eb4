using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.Directory.Territory;

/// <summary>An espace that may be designated and receives mesures.</summary>
/// <param name="Fictive">Whether it is invented.</param>
/// <param name="Stale">Whether something of it is stale.</param>
/// <param name="Capacity">Families at the same time.</param>
/// <param name="Slots">Slots a week.</param>
/// <param name="Received">Mesures received in twelve months.</param>
/// <param name="Beginnings">Mesures that its capacity can begin in twelve months.</param>
/// <param name="Places">Places of its lieux.</param>
internal sealed record Supply(bool Fictive, bool Stale, int Capacity, int Slots, int Received, int Beginnings, int[] Places);

/// <summary>What coverage rows are made of, for one modalité on one day.</summary>
/// <param name="Zones">The zones.</param>
/// <param name="Supplies">The espaces.</param>
/// <param name="Access">The way from every place to the nearest lieu.</param>
/// <param name="AsOf">The day.</param>
internal sealed record CoverageData(Zones Zones, IReadOnlyList<Supply> Supplies, Travel[] Access, DateOnly AsOf);

/// <summary>
/// Keeps what coverage is computed from: the espaces until the directory's revision or the day changes, the ways until the set
/// of host communes or the distancier does. One computation at a time; whoever comes second finds it done.
/// </summary>
internal sealed class CoverageSource(SnapshotSource snapshots, IServiceScopeFactory scopes, NpgsqlDataSource source, TimeProvider clock) : IDisposable
{
    private const int KeptAccesses = 8;

    private readonly SemaphoreSlim _gate = new(1);
    private readonly List<(string Hosts, long Distancier, Travel[] Ways)> _accesses = [];
    private Zones? _zones;
    private (long Revision, DateOnly Day, List<EspaceRow> Espaces) _open = (-1, default, []);

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
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<DirectoryDbContext>();
            _zones ??= await Zones.ReadAsync(db, travel.Model.Places, ct);
            if (_open.Revision != snapshot.Revision || _open.Day != today)
                _open = (snapshot.Revision, today, await ReadAsync(db, today, ct));
            var supplies = _open.Espaces.Select(e => SupplyOf(e, modalite, today, _zones)).OfType<Supply>().ToList();
            return new CoverageData(_zones, supplies, await AccessAsync(supplies, _zones, travel, ct), today);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    private static async Task<List<EspaceRow>> ReadAsync(DirectoryDbContext db, DateOnly today, CancellationToken ct)
    {
        var open = await db.Espaces.AsNoTracking().Where(e => e.State == EspaceState.Ouvert)
            .Include(e => e.Agrements).Include(e => e.Lieux).Include(e => e.Modalites).AsSplitQuery().ToListAsync(ct);
        open.RemoveAll(e => !e.Agrements.Any(a => a.ToDomain().IsValidOn(today)));
        return open;
    }

    private static Supply? SupplyOf(EspaceRow espace, Modalite modalite, DateOnly today, Zones zones)
    {
        var open = espace.Modalites.Where(m => m.TakesMesures && (modalite == Modalite.Unspecified || m.Modalite == modalite)).ToList();
        return open.Count == 0 ? null : new Supply(
            espace.Fictive,
            open.Any(m => m.Wait is { } wait && wait.IsStaleOn(today)),
            open.Sum(m => m.CapacityFamilies),
            open.Sum(m => m.SlotsPerWeek),
            Received: 0,
            Beginnings: 0,
            [.. espace.Lieux.Select(l => zones.PlaceOf(l.CommuneInsee))]);
    }

    private async Task<Travel[]> AccessAsync(IEnumerable<Supply> supplies, Zones zones, TravelCache travel, CancellationToken ct)
    {
        string[] hosts = [.. supplies.SelectMany(s => s.Places).Distinct().Select(p => zones.Places[p].Insee).Order(StringComparer.Ordinal)];
        var key = string.Join(' ', hosts);
        var (distancier, imported) = travel.Distancier;
        if (_accesses.Find(a => a.Hosts == key && a.Distancier == distancier) is { Ways: { } known })
            return known;

        var nearest = new NearestLieu(travel.Model, hosts);
        var ways = new Travel[zones.Places.Count];
        var done = new bool[ways.Length];
        if (imported)
            await ReplaceAsync(nearest, zones, ways, done, ct);
        for (var i = 0; i < ways.Length; i++)
        {
            if (!done[i])
                ways[i] = nearest.From(zones.Places[i], []);
        }
        _accesses.RemoveAll(a => a.Distancier != distancier);
        if (_accesses.Count == KeptAccesses)
            _accesses.RemoveAt(0);
        _accesses.Add((key, distancier, ways));
        return ways;
    }

    private async Task ReplaceAsync(NearestLieu nearest, Zones zones, Travel[] ways, bool[] done, CancellationToken ct)
    {
        var hosts = nearest.Destinations.ToArray();
        await using var command = source.CreateCommand("""
            select w.from_insee, array_agg(d.position::int - 1), array_agg(coalesce(w.minutes, -1))
            from unnest($1) with ordinality as d (insee, position)
            join distancier_ways w on w.to_insee = d.insee
            group by w.from_insee
            """);
        command.CommandTimeout = 0;
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = hosts });
        var imported = new Travel?[hosts.Length];
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            Array.Clear(imported);
            foreach (var (position, minutes) in reader.GetFieldValue<int[]>(1).Zip(reader.GetFieldValue<float[]>(2)))
                imported[position] = Travel.Imported(minutes < 0 ? null : minutes);
            var place = zones.PlaceOf(reader.GetString(0));
            if (zones.Places[place].Insee != reader.GetString(0))
                continue;
            ways[place] = nearest.From(zones.Places[place], imported);
            done[place] = true;
        }
    }
}
