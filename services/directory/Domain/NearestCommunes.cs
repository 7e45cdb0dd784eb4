using System.Runtime.InteropServices;

namespace Jafer.Directory.Domain;

/// <summary>
/// Finds the commune nearest to a point. Communes stand in cells of a grid of latitudes and longitudes; a search looks at rings
/// of cells around the point's own and stops where a whole ring is farther than the best found: exact, about 0.2 µs on land.
/// </summary>
internal sealed class NearestCommunes
{
    // Some four communes in a cell of France: nearly every search ends with the first ring.
    private const double CellDegrees = 0.08;
    private const int Columns = 4_500;

    // Farther out than this (some 350 km) nothing is near: all are looked at.
    private const int MaxRing = 40;

    private static readonly double[] s_sinOfRing = [.. Enumerable.Range(0, MaxRing + 1).Select(ring => Math.Sin(double.DegreesToRadians(ring * CellDegrees)))];

    private readonly Dictionary<int, (int Start, int End)> _cells = [];
    private readonly OnSphere[] _points;

    /// <summary>Indexes the communes (type COM, with coordinates) among the places.</summary>
    public NearestCommunes(IReadOnlyList<TravelPlace> places)
        : this(places.Count, i => places[i] is { IsCommune: true, Latitude: { } latitude, Longitude: { } longitude } ? (latitude, longitude) : null)
    {
    }

    /// <summary>Indexes places.</summary>
    /// <param name="count">Number of places.</param>
    /// <param name="point">Point of the place at a position; null to leave it out.</param>
    public NearestCommunes(int count, Func<int, (double Latitude, double Longitude)?> point)
    {
        var found = new List<(int Cell, OnSphere Point)>(count);
        for (var i = 0; i < count; i++)
        {
            if (point(i) is { Latitude: var latitude, Longitude: var longitude })
                found.Add((Cell(Row(latitude), Column(longitude)), OnSphere.At(i, latitude, longitude)));
        }
        found.Sort(static (a, b) => (a.Cell, a.Point.Place).CompareTo((b.Cell, b.Point.Place)));
        _points = [.. found.Select(f => f.Point)];
        for (var i = 0; i < found.Count; i++)
        {
            ref var cell = ref CollectionsMarshal.GetValueRefOrAddDefault(_cells, found[i].Cell, out var known);
            cell = (known ? cell.Start : i, i + 1);
        }
    }

    /// <summary>Position, in the list given at construction, of the commune nearest to the point; -1 when there is none.</summary>
    /// <param name="latitude">Degrees north.</param>
    /// <param name="longitude">Degrees east.</param>
    public int Find(double latitude, double longitude)
    {
        var here = OnSphere.At(-1, latitude, longitude);
        var (row, column) = (Row(latitude), Column(longitude));
        var cosine = Math.Cos(double.DegreesToRadians(latitude));
        var best = (Place: -1, Chord: double.PositiveInfinity);
        for (var ring = 0; ring <= MaxRing; ring++)
        {
            if (ring == 0)
            {
                Look(row, column, here, ref best);
                continue;
            }
            // What lies outside the rings looked at is at least that many cells away. Of all places as far along the longitude
            // the nearest lies on the great circle that meets its meridian at a right angle; along the latitude none is nearer.
            var sine = cosine * s_sinOfRing[ring - 1];
            if (best.Chord <= 2 * (1 - Math.Sqrt(1 - sine * sine)))
                return best.Place;
            for (var step = -ring; step <= ring; step++)
            {
                Look(row - ring, column + step, here, ref best);
                Look(row + ring, column + step, here, ref best);
            }
            for (var step = 1 - ring; step < ring; step++)
            {
                Look(row + step, column - ring, here, ref best);
                Look(row + step, column + ring, here, ref best);
            }
        }
        Look(_points, here, ref best);
        return best.Place;
    }

    private void Look(int row, int column, in OnSphere here, ref (int Place, double Chord) best)
    {
        if (_cells.TryGetValue(Cell(row, column), out var cell))
            Look(_points.AsSpan(cell.Start, cell.End - cell.Start), here, ref best);
    }

    private static void Look(ReadOnlySpan<OnSphere> points, in OnSphere here, ref (int Place, double Chord) best)
    {
        foreach (ref readonly var point in points)
        {
            var (dx, dy, dz) = (point.X - here.X, point.Y - here.Y, point.Z - here.Z);
            var chord = dx * dx + dy * dy + dz * dz;
            if (chord < best.Chord)
                best = (point.Place, chord);
        }
    }

    private static int Row(double latitude) => (int)Math.Floor((latitude + 90) / CellDegrees);

    private static int Column(double longitude) => (int)Math.Floor((longitude + 180) / CellDegrees);

    // Columns meet again behind 180°.
    private static int Cell(int row, int column) => row * Columns + (column + Columns) % Columns;

    private readonly record struct OnSphere(double X, double Y, double Z, int Place)
    {
        public static OnSphere At(int place, double latitude, double longitude)
        {
            var (sinPhi, cosPhi) = Math.SinCos(double.DegreesToRadians(latitude));
            var (sinLambda, cosLambda) = Math.SinCos(double.DegreesToRadians(longitude));
            return new(cosPhi * cosLambda, cosPhi * sinLambda, sinPhi, place);
        }
    }
}
