namespace Jafer.Directory.Domain;

/// <summary>
/// Finds the commune nearest to a point. Communes stand sorted by latitude; a search walks outwards from the point's
/// latitude and stops where the difference of latitude alone is longer than the best distance: exact, about 1 µs on land.
/// </summary>
internal sealed class NearestCommunes
{
    private readonly double[] _latitudes;
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly double[] _z;
    private readonly int[] _places;

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
        var latitudes = new List<double>(count);
        var found = new List<int>(count);
        for (var i = 0; i < count; i++)
        {
            if (point(i) is not { } p)
                continue;
            latitudes.Add(p.Latitude);
            found.Add(i);
        }
        (var keys, _places) = (latitudes.ToArray(), found.ToArray());
        Array.Sort(keys, _places);
        _latitudes = new double[_places.Length];
        _x = new double[_places.Length];
        _y = new double[_places.Length];
        _z = new double[_places.Length];
        for (var i = 0; i < _places.Length; i++)
        {
            var (latitude, longitude) = point(_places[i])!.Value;
            _latitudes[i] = double.DegreesToRadians(latitude);
            (_x[i], _y[i], _z[i]) = OnSphere(_latitudes[i], double.DegreesToRadians(longitude));
        }
    }

    /// <summary>Position, in the list given at construction, of the commune nearest to the point; -1 when there is none.</summary>
    /// <param name="latitude">Degrees north.</param>
    /// <param name="longitude">Degrees east.</param>
    public int Find(double latitude, double longitude)
    {
        var phi = double.DegreesToRadians(latitude);
        var (x, y, z) = OnSphere(phi, double.DegreesToRadians(longitude));
        var up = Array.BinarySearch(_latitudes, phi);
        if (up < 0)
            up = ~up;
        var down = up - 1;
        var best = -1;
        var bestChord = double.PositiveInfinity;
        while (up < _latitudes.Length || down >= 0)
        {
            if (up < _latitudes.Length)
                up = TooFar(_latitudes[up] - phi, bestChord) ? _latitudes.Length : Compare(up) + 1;
            if (down >= 0)
                down = TooFar(phi - _latitudes[down], bestChord) ? -1 : Compare(down) - 1;
        }
        return best < 0 ? -1 : _places[best];

        int Compare(int i)
        {
            var (dx, dy, dz) = (_x[i] - x, _y[i] - y, _z[i] - z);
            var chord = dx * dx + dy * dy + dz * dz;
            if (chord < bestChord)
                (best, bestChord) = (i, chord);
            return i;
        }
    }

    // The chord of the latitude difference is the shortest that any point of that latitude can have.
    private static bool TooFar(double latitudeDifference, double bestSquaredChord)
    {
        var halfChord = Math.Sin(Math.Min(latitudeDifference, Math.PI) / 2);
        return 4 * halfChord * halfChord > bestSquaredChord;
    }

    private static (double X, double Y, double Z) OnSphere(double phi, double lambda)
    {
        var (sinPhi, cosPhi) = Math.SinCos(phi);
        var (sinLambda, cosLambda) = Math.SinCos(lambda);
        return (cosPhi * cosLambda, cosPhi * sinLambda, sinPhi);
    }
}
