namespace Jafer.Directory.Domain;

/// <summary>
/// The ways from one commune to the communes that hold a lieu, each computed when it is first asked for and then kept: a search
/// among many lieux asks for the few that can matter. Safe for concurrent callers.
/// </summary>
internal sealed class WaysFrom
{
    private readonly Lock _gate = new();
    private readonly Func<int, Travel>? _compute;
    private readonly Dictionary<int, Travel> _given;
    private Table _table = new(16);

    /// <summary>Ways computed one by one.</summary>
    /// <param name="origin">Where the commune lies.</param>
    /// <param name="compute">Computes the way to a destination by its number.</param>
    /// <param name="given">Ways that a distancier states, by number of the destination; they are not computed.</param>
    public WaysFrom(PlaceOnSphere origin, Func<int, Travel> compute, Dictionary<int, Travel> given) =>
        (Origin, _compute, _given) = (origin, compute, given);

    /// <summary>Ways that are all given, by number of the destination.</summary>
    public WaysFrom(params Travel[] given) => _given = given.Select((way, number) => (way, number)).ToDictionary(w => w.number, w => w.way);

    /// <summary>Where the commune lies.</summary>
    public PlaceOnSphere Origin { get; }

    /// <summary>True when some ways are given, so that a bound from the map alone does not hold for them.</summary>
    public bool HasGiven => _given.Count > 0;

    /// <summary>The ways that are given, by number of the destination.</summary>
    public IReadOnlyDictionary<int, Travel> Given => _given;

    /// <summary>Ways kept so far.</summary>
    public int Kept => _table.Count + _given.Count;

    /// <summary>The way to a destination.</summary>
    /// <param name="destination">Its number.</param>
    public Travel this[int destination]
    {
        get
        {
            if (_given.Count > 0 && _given.TryGetValue(destination, out var given))
                return given;
            if (Volatile.Read(ref _table).TryGet(destination, out var known))
                return known;
            var way = _compute!(destination);
            lock (_gate)
                _table = _table.With(destination, way);
            return way;
        }
    }

    /// <summary>The way to a destination when it is given.</summary>
    public bool TryGetGiven(int destination, out Travel way) => _given.TryGetValue(destination, out way);

    /// <summary>
    /// Open addressing without removal. A reader may look while the one writer adds: a way is written before its key, and a
    /// table that fills is replaced by a larger one.
    /// </summary>
    private sealed class Table(int size)
    {
        private readonly int[] _keys = new int[size];
        private readonly Travel[] _ways = new Travel[size];

        public int Count { get; private set; }

        public bool TryGet(int destination, out Travel way)
        {
            for (var slot = Slot(destination); ; slot = (slot + 1) & (_keys.Length - 1))
            {
                var key = Volatile.Read(ref _keys[slot]);
                if (key == destination + 1)
                {
                    way = _ways[slot];
                    return true;
                }
                if (key == 0)
                {
                    way = default;
                    return false;
                }
            }
        }

        public Table With(int destination, Travel way)
        {
            if (TryGet(destination, out _))
                return this;
            if (Count * 2 >= _keys.Length)
            {
                var larger = new Table(_keys.Length * 2);
                for (var i = 0; i < _keys.Length; i++)
                {
                    if (_keys[i] != 0)
                        larger.Add(_keys[i] - 1, _ways[i]);
                }
                larger.Add(destination, way);
                return larger;
            }
            Add(destination, way);
            return this;
        }

        private void Add(int destination, Travel way)
        {
            var slot = Slot(destination);
            while (_keys[slot] != 0)
                slot = (slot + 1) & (_keys.Length - 1);
            _ways[slot] = way;
            Volatile.Write(ref _keys[slot], destination + 1);
            Count++;
        }

        private int Slot(int destination) => (int)((uint)destination * 2654435769u >> 8) & (_keys.Length - 1);
    }
}

/// <summary>A place as a point of the unit sphere, with what the travel model looks at there.</summary>
/// <param name="X">Towards 0° N 0° E.</param>
/// <param name="Y">Towards 0° N 90° E.</param>
/// <param name="Z">Towards the north pole.</param>
/// <param name="Block">Number of its road block.</param>
/// <param name="HasPoint">False when its coordinates are not known; then X, Y and Z are 0.</param>
/// <param name="Density">How much the people around slow a way down.</param>
/// <param name="Relief">Relief in metres, at most 600.</param>
/// <param name="Populated">From 0 in the country to 1 in a city, where motorways run through the valleys.</param>
internal readonly record struct PlaceOnSphere(float X, float Y, float Z, int Block, bool HasPoint, float Density, float Relief, float Populated);
