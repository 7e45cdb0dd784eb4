namespace Jafer.Directory.Domain;

/// <summary>
/// The way from any place to the nearest of some destinations. The bound over flat land sorts out nearly all of them: of 278
/// destinations the model is asked for a handful. Not for concurrent callers.
/// </summary>
internal sealed class NearestLieu
{
    private readonly TravelModel _model;
    private readonly int[] _destinations;
    private readonly double[] _densities;
    private readonly (double X, double Y, double Z)[] _points;
    private readonly double[] _bounds;

    /// <summary>Prepares for destinations.</summary>
    /// <param name="model">The model.</param>
    /// <param name="destinations">Positions of communes in the model, each once.</param>
    public NearestLieu(TravelModel model, IReadOnlyCollection<int> destinations)
    {
        _model = model;
        _destinations = [.. destinations];
        _densities = [.. _destinations.Select(model.DensityOf)];
        _points = [.. _destinations.Select(Point)];
        _bounds = new double[_destinations.Length];
    }

    /// <summary>Times that the model was asked so far.</summary>
    public long ModelCalls { get; private set; }

    /// <summary>
    /// The shortest way from a commune to a destination. No road when there is none to any; unknown when all that is known is
    /// that one without coordinates might be reached.
    /// </summary>
    /// <param name="from">Position of the commune in the model.</param>
    /// <param name="imported">Ways of a distancier to the destinations, null where it states none; empty when it states none at all.</param>
    public Travel From(int from, ReadOnlySpan<Travel?> imported)
    {
        var best = Travel.NoRoad;
        var point = Point(from);
        var density = _model.DensityOf(from);
        for (var i = 0; i < _destinations.Length; i++)
        {
            _bounds[i] = double.PositiveInfinity;
            if (from == _destinations[i])
                return Travel.Of(0);
            if (!imported.IsEmpty && imported[i] is { } way)
                best = Shorter(best, way);
            else if (_model.BlockOf(from) == _model.BlockOf(_destinations[i]))
            {
                var (dx, dy, dz) = (point.X - _points[i].X, point.Y - _points[i].Y, point.Z - _points[i].Z);
                var chord = Math.Sqrt(dx * dx + dy * dy + dz * dz);
                if (double.IsNaN(chord))
                    best = Shorter(best, Travel.Unknown);
                else
                    _bounds[i] = _model.LeastMinutes(2 * TravelModel.EarthRadiusKm * Math.Asin(Math.Min(1, chord / 2)), density + _densities[i]);
            }
        }
        while (NextBelow(best.HasMinutes ? best.Minutes : double.PositiveInfinity) is var next and >= 0)
        {
            _bounds[next] = double.PositiveInfinity;
            best = Shorter(best, _model.Between(from, _destinations[next]));
            ModelCalls++;
        }
        return best;
    }

    private int NextBelow(double minutes)
    {
        var (next, least) = (-1, minutes);
        for (var i = 0; i < _bounds.Length; i++)
        {
            if (_bounds[i] < least)
                (next, least) = (i, _bounds[i]);
        }
        return next;
    }

    // Known minutes before the unknown before no road at all.
    private static Travel Shorter(Travel a, Travel b) => (a, b) switch
    {
        ({ HasMinutes: true }, { HasMinutes: true }) => b.Minutes < a.Minutes ? b : a,
        ({ HasMinutes: true }, _) => a,
        (_, { HasMinutes: true }) => b,
        ({ IsUnreachable: true }, _) => b,
        _ => a,
    };

    private (double X, double Y, double Z) Point(int place)
    {
        if (_model.PointOf(place) is not { } point)
            return (double.NaN, double.NaN, double.NaN);
        var (sinPhi, cosPhi) = Math.SinCos(double.DegreesToRadians(point.Latitude));
        var (sinLambda, cosLambda) = Math.SinCos(double.DegreesToRadians(point.Longitude));
        return (cosPhi * cosLambda, cosPhi * sinLambda, sinPhi);
    }
}
