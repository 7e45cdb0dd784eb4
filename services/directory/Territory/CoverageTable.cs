using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Territory;

/// <summary>Adds up coverage rows.</summary>
internal static class CoverageTable
{
    /// <summary>Minutes from which an offer counts as far: the threshold of the national survey.</summary>
    public const double FarMinutes = 30;

    /// <summary>Minutes from which an offer counts as very far.</summary>
    public const double VeryFarMinutes = 60;

    /// <summary>The rows of the zones of a level, in the order of their codes.</summary>
    public static CoverageRow[] Of(CoverageData data, CoverageLevel level)
    {
        var zones = data.Zones[level];
        var sums = new Sum[zones.Zones.Length];
        for (var i = 0; i < sums.Length; i++)
            sums[i] = new Sum(new CoverageRow { Code = zones.Zones[i].Code, Name = zones.Zones[i].Name });
        AddAccess(data, zones.ZoneOfPlace, sums);
        AddSupplies(data, zones.ZoneOfPlace, sums);
        for (var i = 0; i < sums.Length; i++)
        {
            var (received, capacity) = (sums[i].Row.ReceivedCount, sums[i].Row.CapacityCount);
            var (near, nearCapacity) = (zones.Neighbours[i].Sum(n => (long)sums[n].Row.ReceivedCount), zones.Neighbours[i].Sum(n => (long)sums[n].Row.CapacityCount));
            if (capacity > 0 && near > 0 && nearCapacity > 0)
                sums[i].Row.LoadAgainstNeighbours = (double)received / capacity / ((double)near / nearCapacity);
        }
        return [.. sums.Select(s => s.Finish())];
    }

    /// <summary>The rows of the communes of a département, in the order of their codes.</summary>
    public static CoverageRow[] OfCommunes(CoverageData data, int departement, Func<string, string> nameOf)
    {
        var departements = data.Zones[CoverageLevel.Departement].ZoneOfPlace;
        // Places stand in the order of their codes.
        int[] members = [.. Enumerable.Range(0, departements.Length).Where(i => departements[i] == departement && data.Zones.Model.IsCommune(i))];
        var zoneOf = new short[departements.Length];
        Array.Fill(zoneOf, (short)-1);
        for (var i = 0; i < members.Length; i++)
            zoneOf[members[i]] = (short)i;
        Sum[] sums = [.. members.Select(m => data.Zones.Model.Codes[m]).Select(insee => new Sum(new CoverageRow { Code = insee, Name = nameOf(insee) }))];
        AddAccess(data, zoneOf, sums);
        AddSupplies(data, zoneOf, sums);
        return [.. sums.Select(s => s.Finish())];
    }

    /// <summary>The one row of some départements together.</summary>
    public static CoverageRow OfTerritory(CoverageData data, IReadOnlySet<string> departements)
    {
        var level = data.Zones[CoverageLevel.Departement];
        var zoneOf = Array.ConvertAll(level.ZoneOfPlace, zone => (short)(zone >= 0 && departements.Contains(level.Zones[zone].Code) ? 0 : -1));
        var sum = new Sum(new CoverageRow { Code = "TERRITOIRE", Name = "Territoire" });
        AddAccess(data, zoneOf, [sum]);
        AddSupplies(data, zoneOf, [sum]);
        return sum.Finish();
    }

    private static void AddAccess(CoverageData data, short[] zoneOf, Sum[] sums)
    {
        for (var i = 0; i < zoneOf.Length; i++)
        {
            if (zoneOf[i] >= 0 && data.Zones.Model.IsCommune(i))
                sums[zoneOf[i]].Add(data.Zones.Model.PointOf(i), data.Zones.Population[i], data.Access[i]);
        }
    }

    // An espace with lieux in several zones counts in each of them, in none of them twice.
    private static void AddSupplies(CoverageData data, short[] zoneOf, Sum[] sums)
    {
        foreach (var supply in data.Supplies)
        {
            foreach (var lieux in supply.Places.GroupBy(p => (int)zoneOf[p]).Where(g => g.Key >= 0))
            {
                var row = sums[lieux.Key].Row;
                row.EspaceCount++;
                row.LieuCount += lieux.Count();
                row.CapacityFamilies += supply.Capacity;
                row.SlotsPerWeek += supply.Slots;
                row.ComputedSlotsPerWeek += supply.ComputedSlots;
                row.StaleEspaceCount += supply.Stale ? 1 : 0;
                row.ReceivedCount += supply.Demand.Received;
                row.CapacityCount += supply.Demand.Capacity;
            }
        }
    }

    private sealed class Sum(CoverageRow row)
    {
        private double _minutes;
        private double _reached;
        private double _latitudes;
        private double _longitudes;
        private double _weights;

        public CoverageRow Row => row;

        public void Add((double Latitude, double Longitude)? place, int population, Travel way)
        {
            row.CommuneCount++;
            row.Population += population;
            // Nobody lives in six communes: they still have a place on the map, and minutes of their own.
            var weight = Math.Max(population, 0.001);
            if (place is { Latitude: var latitude, Longitude: var longitude })
            {
                _weights += weight;
                _latitudes += weight * latitude;
                _longitudes += weight * longitude;
            }
            if (!way.HasMinutes)
            {
                row.UnlinkedCommuneCount++;
                row.PopulationUnreachable += population;
            }
            else
            {
                _minutes += way.Minutes * weight;
                _reached += weight;
            }
            row.PopulationBeyond30Minutes += way.HasMinutes && way.Minutes < FarMinutes ? 0 : population;
            row.PopulationBeyond60Minutes += way.HasMinutes && way.Minutes < VeryFarMinutes ? 0 : population;
        }

        public CoverageRow Finish()
        {
            row.MeanMinutes = _reached == 0 ? 0 : _minutes / _reached;
            if (_weights > 0)
                (row.Latitude, row.Longitude) = (_latitudes / _weights, _longitudes / _weights);
            return row;
        }
    }
}
