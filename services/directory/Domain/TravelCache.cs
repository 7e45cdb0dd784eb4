using System.Collections.Concurrent;

namespace Jafer.Directory.Domain;

/// <summary>Reads the ways of an imported distancier from a commune to some of the destinations: their positions, and the ways.</summary>
internal delegate Task<IReadOnlyList<(int Position, Travel Way)>> ImportedWays(string from, string[] destinations, CancellationToken ct);

/// <summary>
/// Ways from a family's commune to the communes that hold a lieu d'accueil, kept between searches. Destinations are numbered
/// once and never renumbered. What a distancier states replaces the model, way by way. Safe for concurrent callers.
/// </summary>
internal sealed class TravelCache
{
    /// <summary>Ways kept before everything is forgotten at once: at most 24 MB, all that a day asks for 278 lieux.</summary>
    private const int Budget = 1_500_000;

    private readonly TravelModel _model;
    private readonly Lock _gate = new();
    private readonly Dictionary<int, int> _numbers = [];
    private int[] _destinations = [];
    private int _count;
    private Epoch _epoch = new(0, null);

    /// <summary>Keeps ways of the given model.</summary>
    public TravelCache(TravelModel model) => _model = model;

    /// <summary>The model behind.</summary>
    public TravelModel Model => _model;

    /// <summary>The number of a destination, given on first sight.</summary>
    /// <param name="insee">INSEE code of a known commune.</param>
    /// <exception cref="ArgumentException">The code is unknown.</exception>
    public int NumberOf(string insee)
    {
        var place = _model.IndexOf(insee);
        lock (_gate)
        {
            if (_numbers.TryGetValue(place, out var number))
                return number;
            number = _count;
            if (number == _destinations.Length)
            {
                // Readers hold the old array or the new one; below the count both are the same.
                var longer = new int[Math.Max(64, number * 2)];
                _destinations.CopyTo(longer, 0);
                Volatile.Write(ref _destinations, longer);
            }
            _destinations[number] = place;
            _numbers.Add(place, number);
            Volatile.Write(ref _count, number + 1);
            return number;
        }
    }

    /// <summary>Number of the last import, and whether it holds ways.</summary>
    public (long Number, bool HasWays) Distancier => Volatile.Read(ref _epoch) is var epoch ? (epoch.Distancier, epoch.Imported is not null) : default;

    /// <summary>Where a destination lies.</summary>
    /// <param name="number">Its number.</param>
    public PlaceOnSphere PlaceOf(int number) => _model.OnSphere(Volatile.Read(ref _destinations)[number]);

    /// <summary>Forgets what is kept when the distancier is no longer the one of before.</summary>
    /// <param name="distancier">Number of the last import; 0 when there was none.</param>
    /// <param name="imported">Reads its ways; null when it has none.</param>
    public void Follow(long distancier, ImportedWays? imported)
    {
        if (_epoch.Distancier != distancier)
            Volatile.Write(ref _epoch, new Epoch(distancier, imported));
    }

    /// <summary>The ways from a commune to every destination numbered so far.</summary>
    /// <param name="insee">INSEE code of a known commune.</param>
    /// <param name="ct">Cancellation.</param>
    public ValueTask<WaysFrom> FromAsync(string insee, CancellationToken ct)
    {
        // What was read under one distancier is kept under that one, also when another comes meanwhile.
        var epoch = Volatile.Read(ref _epoch);
        var count = Volatile.Read(ref _count);
        var known = epoch.Find(insee);
        if (known is not null && (epoch.Imported is null || known.Destinations >= count))
            return new(known.Ways);
        if (epoch.Imported is { } imported)
            return ReadAsync(epoch, imported, insee, known, count, ct);
        return new(epoch.Keep(insee, new(Ways(insee, []), count)));
    }

    private async ValueTask<WaysFrom> ReadAsync(Epoch epoch, ImportedWays imported, string insee, Origin? known, int count, CancellationToken ct)
    {
        var from = known?.Destinations ?? 0;
        var added = new string[count - from];
        for (var i = 0; i < added.Length; i++)
            added[i] = _model.Codes[_destinations[from + i]];
        var given = known is null ? new Dictionary<int, Travel>() : new(known.Ways.Given);
        foreach (var (position, way) in await imported(insee, added, ct))
            given[from + position] = way;
        return epoch.Keep(insee, new(Ways(insee, given), count));
    }

    private WaysFrom Ways(string insee, Dictionary<int, Travel> given)
    {
        var origin = _model.IndexOf(insee);
        return new(_model.OnSphere(origin), destination => _model.Between(origin, Volatile.Read(ref _destinations)[destination]), given);
    }

    /// <summary>Ways of one commune, and how many destinations a distancier was asked for.</summary>
    private sealed record Origin(WaysFrom Ways, int Destinations);

    /// <summary>What is kept while the distancier stays the same.</summary>
    private sealed class Epoch(long distancier, ImportedWays? imported)
    {
        private readonly ConcurrentDictionary<string, Origin> _origins = new(StringComparer.Ordinal);
        private int _asked;

        public long Distancier => distancier;

        public ImportedWays? Imported => imported;

        public Origin? Find(string insee) => _origins.GetValueOrDefault(insee);

        public WaysFrom Keep(string insee, Origin origin)
        {
            // Counting is dear, and ways grow unseen: now and then is enough.
            if (Interlocked.Increment(ref _asked) % 64 == 0 && _origins.Values.Sum(o => o.Ways.Kept + 64L) > Budget)
                _origins.Clear();
            return (_origins[insee] = origin).Ways;
        }
    }
}
