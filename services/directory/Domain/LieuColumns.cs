using System.Numerics;
using System.Runtime.InteropServices;

namespace Jafer.Directory.Domain;

/// <summary>
/// Where many lieux lie, column by column, so that a lower bound of the travel to all of them is computed eight at a time:
/// some 50 µs for 20,000. The bound is the travel model with the relief at both ends alone: what lies between can only make
/// a way longer.
/// </summary>
internal sealed class LieuColumns
{
    /// <summary>What a parent whom no road leads there adds: more days than all else can sum up to.</summary>
    public const float NoRoadDays = 1_000_000;

    private const float EarthRadiusKm = 6371.0088f;

    private readonly TravelCoefficients _k;
    private readonly int[] _destinations;
    private readonly float[] _x;
    private readonly float[] _y;
    private readonly float[] _z;
    private readonly float[] _densities;
    private readonly float[] _reliefs;
    private readonly float[] _populated;
    private readonly int[] _blocks;
    private readonly int[] _withoutPoint;

    /// <summary>Takes the places of lieux.</summary>
    /// <param name="coefficients">The travel model's.</param>
    /// <param name="lieux">Number of the destination and place of each lieu.</param>
    public LieuColumns(TravelCoefficients coefficients, IReadOnlyList<(int Destination, PlaceOnSphere Place)> lieux)
    {
        _k = coefficients;
        // Whole vectors: what stands behind the last lieu is never read.
        var length = (lieux.Count + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
        Count = lieux.Count;
        _destinations = new int[Count];
        (_x, _y, _z, _blocks) = (new float[length], new float[length], new float[length], new int[length]);
        (_densities, _reliefs, _populated) = (new float[length], new float[length], new float[length]);
        for (var i = 0; i < Count; i++)
        {
            (_destinations[i], var place) = lieux[i];
            (_x[i], _y[i], _z[i], _blocks[i]) = (place.X, place.Y, place.Z, place.Block);
            (_densities[i], _reliefs[i], _populated[i]) = (place.Density, place.Relief, place.Populated);
        }
        _withoutPoint = [.. Enumerable.Range(0, Count).Where(i => !lieux[i].Place.HasPoint)];
    }

    /// <summary>Number of lieux.</summary>
    public int Count { get; }

    /// <summary>Length of the columns: whole vectors.</summary>
    public int Length => _x.Length;

    /// <summary>Adds to each lieu's days at least no more than what the way from a commune costs.</summary>
    /// <param name="ways">The ways from that commune.</param>
    /// <param name="daysPerTravelHour">Days that an hour counts.</param>
    /// <param name="days">One figure for each lieu, as long as <see cref="Length"/>.</param>
    public void AddBounds(WaysFrom ways, double daysPerTravelHour, Span<float> days)
    {
        var origin = ways.Origin;
        var daysPerMinute = (float)(daysPerTravelHour / 60);
        if (ways.HasGiven)
        {
            // One by one: what a distancier states may be shorter than any map tells.
            for (var i = 0; i < Count; i++)
                days[i] += ways.TryGetGiven(_destinations[i], out var given) ? Days(given, daysPerMinute) : Bound(origin, i, daysPerMinute);
            return;
        }
        // Where coordinates are missing nothing is known of the way but its block.
        var before = new float[_withoutPoint.Length];
        for (var i = 0; i < before.Length; i++)
            before[i] = days[_withoutPoint[i]];
        var sum = MemoryMarshal.Cast<float, Vector<float>>(days);
        var x = MemoryMarshal.Cast<float, Vector<float>>(_x.AsSpan());
        var y = MemoryMarshal.Cast<float, Vector<float>>(_y.AsSpan());
        var z = MemoryMarshal.Cast<float, Vector<float>>(_z.AsSpan());
        var densities = MemoryMarshal.Cast<float, Vector<float>>(_densities.AsSpan());
        var reliefs = MemoryMarshal.Cast<float, Vector<float>>(_reliefs.AsSpan());
        var populated = MemoryMarshal.Cast<float, Vector<float>>(_populated.AsSpan());
        var blocks = MemoryMarshal.Cast<int, Vector<int>>(_blocks.AsSpan());
        var block = new Vector<int>(origin.Block);
        var (ox, oy, oz) = (new Vector<float>(origin.X), new Vector<float>(origin.Y), new Vector<float>(origin.Z));
        var (density, relief, people) = (new Vector<float>(origin.Density), new Vector<float>(origin.Relief), new Vector<float>(origin.Populated));
        var (zero, one, ten) = (Vector<float>.Zero, Vector<float>.One, new Vector<float>(10));
        var far = new Vector<float>(NoRoadDays);
        var perMinute = new Vector<float>(origin.HasPoint ? daysPerMinute : 0);
        for (var i = 0; i < sum.Length; i++)
        {
            var (dx, dy, dz) = (x[i] - ox, y[i] - oy, z[i] - oz);
            var km = Vector.SquareRoot(dx * dx + dy * dy + dz * dz) * EarthRadiusKm;
            var near = Vector.Min(km, ten);
            var flat = Vector.ConditionalSelect(Vector.GreaterThan(km, new Vector<float>(0.1f)), new Vector<float>((float)_k.Constant), zero)
                + near * (float)_k.Slope0To10
                + Vector.Min(Vector.Max(km - ten, zero), new Vector<float>(30)) * (float)_k.Slope10To40
                + Vector.Min(Vector.Max(km - new Vector<float>(40), zero), new Vector<float>(80)) * (float)_k.Slope40To120
                + Vector.Max(km - new Vector<float>(120), zero) * (float)_k.SlopeOver120
                + (densities[i] + density) * near * (float)(_k.Urban / 10);
            var ends = (reliefs[i] + relief) * 0.2f;
            var hills = Vector.Min(ends, new Vector<float>(150)) * (float)(_k.Relief0To150 / 100)
                + Vector.Max(ends - new Vector<float>(150), zero) * (float)(_k.Relief150To400 / 100);
            var valley = one - (populated[i] + people) * (float)(_k.Valley / 2) * Vector.Min(Vector.Max((km - new Vector<float>(5)) * 0.04f, zero), one);
            var factor = one + hills * Vector.Min(one, new Vector<float>(120) / Vector.Max(km, one)) * valley;
            sum[i] += Vector.ConditionalSelect(Vector.Equals(blocks[i], block), flat * factor * perMinute, far);
        }
        for (var i = 0; i < _withoutPoint.Length; i++)
            days[_withoutPoint[i]] = before[i] + (_blocks[_withoutPoint[i]] == origin.Block ? 0 : NoRoadDays);
    }

    private float Bound(PlaceOnSphere origin, int i, float daysPerMinute) =>
        _blocks[i] != origin.Block ? NoRoadDays
        : !origin.HasPoint || Array.BinarySearch(_withoutPoint, i) >= 0 ? 0 : Minutes(origin, i) * daysPerMinute;

    private static float Days(Travel way, float daysPerMinute) =>
        way.IsUnreachable ? NoRoadDays : (float)((way.HasMinutes ? way.Minutes : Ranking.UnknownMinutes) * daysPerMinute);

    private float Minutes(PlaceOnSphere origin, int i)
    {
        var (dx, dy, dz) = (_x[i] - origin.X, _y[i] - origin.Y, _z[i] - origin.Z);
        var km = MathF.Sqrt(dx * dx + dy * dy + dz * dz) * EarthRadiusKm;
        return Math.Min(km, 10) * (float)_k.Slope0To10 + Math.Clamp(km - 10, 0, 30) * (float)_k.Slope10To40
            + Math.Clamp(km - 40, 0, 80) * (float)_k.Slope40To120 + Math.Max(km - 120, 0) * (float)_k.SlopeOver120;
    }
}
