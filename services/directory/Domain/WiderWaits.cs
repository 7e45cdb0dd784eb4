using System.Collections.Frozen;
using Jafer.Delays;

namespace Jafer.Directory.Domain;

/// <summary>What régions and the nation saw of one wait: what stands behind an espace that saw little itself.</summary>
internal sealed class WiderWaits
{
    private readonly FrozenDictionary<string, PooledWait> _regions;
    private readonly IReadOnlyDictionary<string, string> _regionOf;

    /// <summary>The waits.</summary>
    /// <param name="mesures">The mesures with the département of their espace.</param>
    /// <param name="regionOf">Région of each département.</param>
    /// <param name="count">Counts the wait that is meant.</param>
    public WiderWaits(
        IEnumerable<(string Departement, FollowedMesure[] Mesures)> mesures, IReadOnlyDictionary<string, string> regionOf, Func<IEnumerable<FollowedMesure>, DelayCounts> count)
    {
        _regionOf = regionOf;
        var (nation, regions) = (new DelayCounts(), new Dictionary<string, DelayCounts>(StringComparer.Ordinal));
        foreach (var region in mesures.GroupBy(m => regionOf.GetValueOrDefault(m.Departement, ""), m => m.Mesures, StringComparer.Ordinal))
        {
            var counts = count(region.SelectMany(m => m));
            regions.Add(region.Key, counts);
            nation.Add(counts);
        }
        Nation = ObservedWaits.Pooled(CumulativeIncidence.Of(nation), null);
        _regions = regions.ToFrozenDictionary(r => r.Key, r => ObservedWaits.Pooled(CumulativeIncidence.Of(r.Value), Nation), StringComparer.Ordinal);
    }

    /// <summary>The nation.</summary>
    public PooledWait Nation { get; }

    /// <summary>The région of a département, with the nation behind it.</summary>
    public PooledWait InRegionOf(string departement) => _regions.GetValueOrDefault(_regionOf.GetValueOrDefault(departement, ""), Nation);
}
