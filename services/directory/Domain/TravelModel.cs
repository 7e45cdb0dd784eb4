namespace Jafer.Directory.Domain;

/// <summary>
/// Minutes by car between two communes, one way, in free flow: the fitted formula of <c>travel-model.json</c>.
/// An estimate: median error about 4 minutes under 150 km where it was calibrated, worse around massifs and estuaries.
/// </summary>
internal sealed class TravelModel
{
    /// <summary>Mean radius of the Earth in kilometres.</summary>
    public const double EarthRadiusKm = 6371.0088;

    // Coordinates as they are published have five decimals; seven fit into an integer.
    private const double DegreeUnits = 1e7;

    private readonly TravelCoefficients _k;
    private readonly CommuneCodes _codes;
    private readonly Place[] _places;
    private readonly NearestCommunes _nearest;

    /// <summary>Builds the model over all communes and arrondissements.</summary>
    /// <param name="coefficients">The fitted coefficients.</param>
    /// <param name="places">The communes, in any order, each once.</param>
    public TravelModel(TravelCoefficients coefficients, IEnumerable<TravelPlace> places)
    {
        _k = coefficients;
        var blocks = new Dictionary<string, ushort>(StringComparer.Ordinal);
        var known = new List<(string Insee, Place Place)>();
        foreach (var place in places)
        {
            if (!blocks.TryGetValue(place.RoadBlock, out var block))
                blocks.Add(place.RoadBlock, block = checked((ushort)blocks.Count));
            known.Add((place.Insee, new Place(
                place is { Latitude: { } latitude, Longitude: not null } ? (int)Math.Round(latitude * DegreeUnits) : Place.NoPoint,
                place.Longitude is { } longitude ? (int)Math.Round(longitude * DegreeUnits) : 0,
                place.PopulationWithin10Km, (short)Math.Min(place.ReliefMetres, short.MaxValue), block, place.IsCommune)));
        }
        known.Sort(static (a, b) => string.CompareOrdinal(a.Insee, b.Insee));
        _codes = new CommuneCodes(known.ConvertAll(k => k.Insee));
        _places = [.. known.Select(k => k.Place)];
        _nearest = new NearestCommunes(_places.Length, i => _places[i].IsCommune ? PointOf(i) : null);
    }

    /// <summary>The codes of the communes, by the position of each.</summary>
    public CommuneCodes Codes => _codes;

    /// <summary>The coefficients.</summary>
    public TravelCoefficients Coefficients => _k;

    /// <summary>True when the code is one of a known commune or arrondissement.</summary>
    public bool Knows(string insee) => _codes.IndexOf(insee) >= 0;

    /// <summary>Position of a commune.</summary>
    /// <param name="insee">INSEE code of a known commune.</param>
    /// <exception cref="ArgumentException">The code is unknown.</exception>
    public int IndexOf(string insee) =>
        _codes.IndexOf(insee) is >= 0 and var i ? i : throw new ArgumentException($"Commune {insee} is unknown.", nameof(insee));

    /// <summary>Coordinates of the commune at a position; null when they are not known.</summary>
    public (double Latitude, double Longitude)? PointOf(int index) =>
        _places[index] is { Latitude: not Place.NoPoint } place ? (place.Latitude / DegreeUnits, place.Longitude / DegreeUnits) : null;

    /// <summary>Whether a commune stands at a position, not an arrondissement.</summary>
    public bool IsCommune(int index) => _places[index].IsCommune;

    /// <summary>Number of the road block of the commune at a position: no road links two blocks.</summary>
    public int BlockOf(int index) => _places[index].Block;

    /// <summary>How much the people around a commune slow the way down at its end; not negative.</summary>
    public double DensityOf(int index) => Density(_places[index]);

    /// <summary>The commune at a position as a point of the unit sphere.</summary>
    public PlaceOnSphere OnSphere(int index)
    {
        var place = _places[index];
        var (density, relief, populated) = ((float)Density(in place), (float)Relief(in place), (float)Populated(in place));
        if (PointOf(index) is not { } point)
            return new(0, 0, 0, place.Block, false, density, relief, populated);
        var (sinPhi, cosPhi) = Math.SinCos(double.DegreesToRadians(point.Latitude));
        var (sinLambda, cosLambda) = Math.SinCos(double.DegreesToRadians(point.Longitude));
        return new((float)(cosPhi * cosLambda), (float)(cosPhi * sinLambda), (float)sinPhi, place.Block, true, density, relief, populated);
    }

    /// <summary>The way from one commune to another; 0 minutes within one commune.</summary>
    /// <param name="from">INSEE code of a known commune.</param>
    /// <param name="to">INSEE code of a known commune.</param>
    /// <exception cref="ArgumentException">A code is unknown.</exception>
    public Travel Between(string from, string to) => Between(IndexOf(from), IndexOf(to));

    /// <summary>The ways from one commune to many, in their order. About 3 µs each: keep the answer where it is asked again.</summary>
    public Travel[] FromOne(string from, IReadOnlyList<string> to)
    {
        var origin = IndexOf(from);
        var ways = new Travel[to.Count];
        for (var i = 0; i < ways.Length; i++)
            ways[i] = Between(origin, IndexOf(to[i]));
        return ways;
    }

    /// <summary>Great-circle distance in kilometres.</summary>
    public static double GreatCircleKm(double latitudeA, double longitudeA, double latitudeB, double longitudeB)
    {
        var phiA = double.DegreesToRadians(latitudeA);
        var phiB = double.DegreesToRadians(latitudeB);
        var sinPhi = Math.Sin((phiB - phiA) / 2);
        var sinLambda = Math.Sin(double.DegreesToRadians(longitudeB - longitudeA) / 2);
        var h = sinPhi * sinPhi + Math.Cos(phiA) * Math.Cos(phiB) * sinLambda * sinLambda;
        return 2 * EarthRadiusKm * Math.Asin(Math.Sqrt(Math.Min(1, h)));
    }

    /// <summary>The way from one commune to another, by their positions.</summary>
    public Travel Between(int from, int to)
    {
        if (from == to)
            return Travel.Of(0);
        var (a, b) = (_places[from], _places[to]);
        if (a.Block != b.Block)
            return Travel.NoRoad;
        if (PointOf(from) is not { Latitude: var latitudeA, Longitude: var longitudeA } || PointOf(to) is not { Latitude: var latitudeB, Longitude: var longitudeB })
            return Travel.Unknown;

        var d = GreatCircleKm(latitudeA, longitudeA, latitudeB, longitudeB);
        var r = (Relief(a) + Relief(b) + ReliefAt(0.25) + ReliefAt(0.50) + ReliefAt(0.75)) / 5;

        var flat = LeastMinutes(d, Density(a) + Density(b));
        var valley = (Populated(a) + Populated(b)) / 2;
        var factor = 1
            + (_k.Relief0To150 * Math.Min(r, 150) / 100 + _k.Relief150To400 * Math.Clamp(r - 150, 0, 250) / 100)
            * Math.Min(1, 120 / Math.Max(d, 1))
            * (1 - _k.Valley * valley * Math.Clamp((d - 5) / 25, 0, 1));
        return Travel.Of(flat * factor);

        double ReliefAt(double share) => Relief(in _places[_nearest.Find(
            latitudeA + share * (latitudeB - latitudeA),
            longitudeA + share * (longitudeB - longitudeA))]);
    }

    /// <summary>Minutes over flat land: no way between two places is shorter, and none grows shorter with the distance.</summary>
    /// <param name="km">Great-circle distance.</param>
    /// <param name="densities">Sum of <see cref="DensityOf"/> of both ends.</param>
    public double LeastMinutes(double km, double densities) => _k.Constant
        + _k.Slope0To10 * Math.Min(km, 10)
        + _k.Slope10To40 * Math.Clamp(km - 10, 0, 30)
        + _k.Slope40To120 * Math.Clamp(km - 40, 0, 80)
        + _k.SlopeOver120 * Math.Max(km - 120, 0)
        + _k.Urban * densities * Math.Min(km, 10) / 10;

    private static double Density(in Place place) => Math.Log(1 + place.PopulationWithin10Km / 50_000.0);

    private static double Relief(in Place place) => Math.Min((double)place.ReliefMetres, 600);

    private static double Populated(in Place place) =>
        Math.Clamp(Math.Log10(Math.Max(place.PopulationWithin10Km, 1) / 3000.0) / 1.7, 0, 1);

    // 20 bytes for each of 35,000.
    private readonly record struct Place(int Latitude, int Longitude, int PopulationWithin10Km, short ReliefMetres, ushort Block, bool IsCommune)
    {
        public const int NoPoint = int.MinValue;
    }
}
