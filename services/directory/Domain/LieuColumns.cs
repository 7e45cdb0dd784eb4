using System.Numerics;
using System.Runtime.InteropServices;

namespace Jafer.Directory.Domain;

/// <summary>
/// Where many lieux lie, column by column, so that a lower bound of the travel to many of them is computed eight at a time. The
/// bound is the travel model with the relief at both ends alone: what lies between can only make
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
    private readonly float[] _known;

    /// <summary>Takes the places of lieux.</summary>
    /// <param name="coefficients">The travel model's.</param>
    /// <param name="lieux">Number of the destination and place of each lieu.</param>
    public LieuColumns(TravelCoefficients coefficients, IReadOnlyList<(int Destination, PlaceOnSphere Place)> lieux)
    {
        _k = coefficients;
        // Whole vectors from any lieu on: what stands behind the last one is computed and never read.
        var length = Padded(lieux.Count) + Vector<float>.Count;
        Count = lieux.Count;
        _destinations = new int[Count];
        (_x, _y, _z, _blocks) = (new float[length], new float[length], new float[length], new int[length]);
        (_densities, _reliefs, _populated, _known) = (new float[length], new float[length], new float[length], new float[length]);
        for (var i = 0; i < Count; i++)
        {
            (_destinations[i], var place) = lieux[i];
            (_x[i], _y[i], _z[i], _blocks[i]) = (place.X, place.Y, place.Z, place.Block);
            // Where coordinates are missing nothing is known of the way but its block.
            (_densities[i], _reliefs[i], _populated[i], _known[i]) = (place.Density, place.Relief, place.Populated, place.HasPoint ? 1 : 0);
        }
    }

    /// <summary>Number of lieux.</summary>
    public int Count { get; }

    /// <summary>A number of lieux, rounded up to whole vectors.</summary>
    public static int Padded(int lieux) => (lieux + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

    /// <summary>Adds to the days of lieux no more than what the way from a commune costs.</summary>
    /// <param name="ways">The ways from that commune.</param>
    /// <param name="daysPerTravelHour">Days that an hour counts.</param>
    /// <param name="first">The first lieu.</param>
    /// <param name="days">One figure for each lieu from there on, <see cref="Padded"/>; those behind the last lieu mean nothing.</param>
    public void AddBounds(WaysFrom ways, double daysPerTravelHour, int first, Span<float> days)
    {
        var origin = ways.Origin;
        var daysPerMinute = (float)(daysPerTravelHour / 60);
        if (ways.HasGiven)
        {
            // One by one: what a distancier states may be shorter than any map tells.
            for (var i = first; i < Math.Min(Count, first + days.Length); i++)
                days[i - first] += ways.TryGetGiven(_destinations[i], out var given) ? Days(given, daysPerMinute) : Bound(origin, i, daysPerMinute);
            return;
        }
        var sum = MemoryMarshal.Cast<float, Vector<float>>(days);
        var x = MemoryMarshal.Cast<float, Vector<float>>(_x.AsSpan(first, days.Length));
        var y = MemoryMarshal.Cast<float, Vector<float>>(_y.AsSpan(first, days.Length));
        var z = MemoryMarshal.Cast<float, Vector<float>>(_z.AsSpan(first, days.Length));
        var densities = MemoryMarshal.Cast<float, Vector<float>>(_densities.AsSpan(first, days.Length));
        var reliefs = MemoryMarshal.Cast<float, Vector<float>>(_reliefs.AsSpan(first, days.Length));
        var populated = MemoryMarshal.Cast<float, Vector<float>>(_populated.AsSpan(first, days.Length));
        var blocks = MemoryMarshal.Cast<int, Vector<int>>(_blocks.AsSpan(first, days.Length));
        var known = MemoryMarshal.Cast<float, Vector<float>>(_known.AsSpan(first, days.Length));
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
            sum[i] += Vector.ConditionalSelect(Vector.Equals(blocks[i], block), flat * factor * perMinute * known[i], far);
        }
    }

    /// <summary>The place of a lieu in four coordinates, in days that a way of both parents along one of them costs.</summary>
    /// <param name="lieu">Its position.</param>
    public float[] PointInDays(int lieu)
    {
        var daysPerRadius = (float)(2 * _k.Slope40To120 * EarthRadiusKm * Ranking.DefaultDaysPerTravelHour / 60);
        return [_x[lieu] * daysPerRadius, _y[lieu] * daysPerRadius, _z[lieu] * daysPerRadius, _blocks[lieu] * NoRoadDays];
    }

    /// <summary>The block that some lieux make.</summary>
    /// <param name="first">Position of the first.</param>
    /// <param name="end">Position behind the last.</param>
    /// <param name="wait">Least wait of any, in days.</param>
    /// <param name="opens">Least number of a day from which any takes mesures.</param>
    public LieuBlock Block(int first, int end, float wait, float opens)
    {
        var (x, y, z, radius) = (0f, 0f, 0f, 0f);
        var (density, relief, populated) = (float.PositiveInfinity, float.PositiveInfinity, 0f);
        for (var i = first; i < end; i++)
        {
            (x, y, z) = (x + _x[i] / (end - first), y + _y[i] / (end - first), z + _z[i] / (end - first));
            (density, relief, populated) = (Math.Min(density, _densities[i]), Math.Min(relief, _reliefs[i]), Math.Max(populated, _populated[i]));
        }
        for (var i = first; i < end; i++)
            radius = Math.Max(radius, _known[i] == 0 || _blocks[i] != _blocks[first] ? float.PositiveInfinity : Km(_x[i] - x, _y[i] - y, _z[i] - z));
        return new(new(x, y, z, _blocks[first], true, density, relief, populated), radius, wait, opens);
    }

    /// <summary>Days that are no more than what the way from a commune to any lieu of a block costs.</summary>
    /// <param name="block">The block.</param>
    /// <param name="ways">The ways from that commune.</param>
    /// <param name="daysPerTravelHour">Days that an hour counts.</param>
    public float Bound(in LieuBlock block, WaysFrom ways, double daysPerTravelHour)
    {
        var (origin, centre) = (ways.Origin, block.Centre);
        if (ways.HasGiven || !origin.HasPoint || float.IsInfinity(block.RadiusKm))
            return 0;
        if (origin.Block != centre.Block)
            return NoRoadDays;
        // A way grows with the distance, but for what hills add to it: that is taken at the far side, where it is least.
        var km = Km(centre.X - origin.X, centre.Y - origin.Y, centre.Z - origin.Z);
        var (near, far) = (Math.Max(km - block.RadiusKm - 0.01f, 0), km + block.RadiusKm);
        var ends = (centre.Relief + origin.Relief) / 5;
        var hills = (Math.Min(ends, 150) * _k.Relief0To150 + Math.Max(ends - 150, 0) * _k.Relief150To400) / 100;
        var valley = 1 - (centre.Populated + origin.Populated) / 2 * _k.Valley * Math.Clamp((far - 5) / 25, 0, 1);
        var minutes = (near > 0.1f ? _k.Constant : 0) + FlatMinutes(near) + _k.Urban * (centre.Density + origin.Density) * Math.Min(near, 10) / 10;
        return (float)(minutes * (1 + hills * Math.Min(1, 120 / Math.Max(far, 1)) * valley) * daysPerTravelHour / 60);
    }

    private float Bound(PlaceOnSphere origin, int i, float daysPerMinute) =>
        _blocks[i] != origin.Block ? NoRoadDays
        : !origin.HasPoint ? 0 : (float)FlatMinutes(Km(_x[i] - origin.X, _y[i] - origin.Y, _z[i] - origin.Z)) * daysPerMinute * _known[i];

    private static float Days(Travel way, float daysPerMinute) =>
        way.IsUnreachable ? NoRoadDays : (float)((way.HasMinutes ? way.Minutes : Ranking.UnknownMinutes) * daysPerMinute);

    private static float Km(float dx, float dy, float dz) => MathF.Sqrt(dx * dx + dy * dy + dz * dz) * EarthRadiusKm;

    private double FlatMinutes(double km) => Math.Min(km, 10) * _k.Slope0To10 + Math.Clamp(km - 10, 0, 30) * _k.Slope10To40
        + Math.Clamp(km - 40, 0, 80) * _k.Slope40To120 + Math.Max(km - 120, 0) * _k.SlopeOver120;
}
