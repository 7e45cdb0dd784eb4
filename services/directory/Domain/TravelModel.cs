namespace Jafer.Directory.Domain;

/// <summary>
/// Minutes by car between two communes, one way, in free flow: the fitted formula of <c>travel-model.json</c>.
/// An estimate: median error about 4 minutes under 150 km where it was calibrated, worse around massifs and estuaries.
/// </summary>
internal sealed class TravelModel
{
    /// <summary>Mean radius of the Earth in kilometres.</summary>
    public const double EarthRadiusKm = 6371.0088;

    private readonly TravelCoefficients _k;
    private readonly TravelPlace[] _places;
    private readonly Dictionary<string, int> _byInsee;
    private readonly NearestCommunes _nearest;

    /// <summary>Builds the model over all communes and arrondissements.</summary>
    public TravelModel(TravelCoefficients coefficients, IEnumerable<TravelPlace> places)
    {
        _k = coefficients;
        _places = [.. places];
        _byInsee = new Dictionary<string, int>(_places.Length, StringComparer.Ordinal);
        for (var i = 0; i < _places.Length; i++)
            _byInsee.Add(_places[i].Insee, i);
        _nearest = new NearestCommunes(_places);
    }

    /// <summary>All communes and arrondissements, in the order given.</summary>
    public IReadOnlyList<TravelPlace> Places => _places;

    /// <summary>True when the code is one of a known commune or arrondissement.</summary>
    public bool Knows(string insee) => _byInsee.ContainsKey(insee);

    /// <summary>The way from one commune to another; 0 minutes within one commune.</summary>
    /// <param name="from">INSEE code of a known commune.</param>
    /// <param name="to">INSEE code of a known commune.</param>
    /// <exception cref="ArgumentException">A code is unknown.</exception>
    public Travel Between(string from, string to) => Between(Place(from), Place(to));

    /// <summary>The ways from one commune to many, in their order. About 3 µs each: keep the answer where it is asked again.</summary>
    public Travel[] FromOne(string from, IReadOnlyList<string> to)
    {
        var origin = Place(from);
        var ways = new Travel[to.Count];
        for (var i = 0; i < ways.Length; i++)
            ways[i] = Between(origin, Place(to[i]));
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

    private TravelPlace Place(string insee) =>
        _byInsee.TryGetValue(insee, out var i) ? _places[i] : throw new ArgumentException($"Commune {insee} is unknown.", nameof(insee));

    /// <summary>The way from one place of the model to another.</summary>
    public Travel Between(TravelPlace a, TravelPlace b)
    {
        if (a.Insee == b.Insee)
            return Travel.Of(0);
        if (a.RoadBlock != b.RoadBlock)
            return Travel.NoRoad;
        if (a is not { Latitude: { } latitudeA, Longitude: { } longitudeA } || b is not { Latitude: { } latitudeB, Longitude: { } longitudeB })
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

        double ReliefAt(double share) => Relief(_places[_nearest.Find(
            latitudeA + share * (latitudeB - latitudeA),
            longitudeA + share * (longitudeB - longitudeA))]);
    }

    /// <summary>Minutes over flat land: no way between two places is shorter, and none grows shorter with the distance.</summary>
    /// <param name="km">Great-circle distance.</param>
    /// <param name="densities">Sum of <see cref="Density"/> of both ends.</param>
    public double LeastMinutes(double km, double densities) => _k.Constant
        + _k.Slope0To10 * Math.Min(km, 10)
        + _k.Slope10To40 * Math.Clamp(km - 10, 0, 30)
        + _k.Slope40To120 * Math.Clamp(km - 40, 0, 80)
        + _k.SlopeOver120 * Math.Max(km - 120, 0)
        + _k.Urban * densities * Math.Min(km, 10) / 10;

    /// <summary>How much the people around an end slow the way down; not negative.</summary>
    public static double Density(TravelPlace place) => Math.Log(1 + place.PopulationWithin10Km / 50_000.0);

    private static double Relief(TravelPlace place) => Math.Min(place.ReliefMetres, 600);

    private static double Populated(TravelPlace place) =>
        Math.Clamp(Math.Log10(Math.Max(place.PopulationWithin10Km, 1) / 3000.0) / 1.7, 0, 1);
}
