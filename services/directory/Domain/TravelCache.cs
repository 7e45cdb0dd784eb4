using System.Collections.Concurrent;

namespace Jafer.Directory.Domain;

/// <summary>Reads the ways of an imported distancier from a commune to some of the destinations: their positions, and the ways.</summary>
internal delegate Task<IReadOnlyList<(int Position, Travel Way)>> ImportedWays(string from, string[] destinations, CancellationToken ct);

/// <summary>
/// Ways from a family's commune to every commune that holds a lieu d'accueil, kept between searches. Destinations are numbered
/// once and never renumbered, so that a lieu added later only lengthens what is kept. What a distancier states replaces the
/// model, way by way. Safe for concurrent callers.
/// </summary>
internal sealed class TravelCache
{
    /// <summary>Ways kept before everything is forgotten at once: 2 million, 8 MB, all communes asked in a day for 278 lieux.</summary>
    private const int Budget = 2_000_000;

    private readonly TravelModel _model;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private string[] _destinations = [];
    private Epoch _epoch = new(0, null);

    /// <summary>Keeps ways of the given model.</summary>
    public TravelCache(TravelModel model) => _model = model;

    /// <summary>The model behind.</summary>
    public TravelModel Model => _model;

    /// <summary>The number of a destination, given on first sight.</summary>
    /// <param name="insee">INSEE code of a known commune.</param>
    public int NumberOf(string insee)
    {
        lock (_gate)
        {
            if (_numbers.TryGetValue(insee, out var number))
                return number;
            if (!_model.Knows(insee))
                throw new ArgumentException($"Commune {insee} is unknown.", nameof(insee));
            number = _numbers.Count;
            _numbers.Add(insee, number);
            // Readers hold the old array or the new one, never a half-filled one.
            _destinations = [.. _destinations, insee];
            return number;
        }
    }

    /// <summary>Number of the last import, and whether it holds ways.</summary>
    public (long Number, bool HasWays) Distancier => Volatile.Read(ref _epoch) is var epoch ? (epoch.Distancier, epoch.Imported is not null) : default;

    /// <summary>Forgets what is kept when the distancier is no longer the one of before.</summary>
    /// <param name="distancier">Number of the last import; 0 when there was none.</param>
    /// <param name="imported">Reads its ways; null when it has none.</param>
    public void Follow(long distancier, ImportedWays? imported)
    {
        if (_epoch.Distancier != distancier)
            Volatile.Write(ref _epoch, new Epoch(distancier, imported));
    }

    /// <summary>The ways from a commune, at the numbers of the destinations; at least as long as the numbers given so far.</summary>
    /// <param name="insee">INSEE code of a known commune.</param>
    /// <param name="ct">Cancellation.</param>
    public ValueTask<Travel[]> FromAsync(string insee, CancellationToken ct)
    {
        // What was read under one distancier is kept under that one, also when another comes meanwhile.
        var epoch = Volatile.Read(ref _epoch);
        var destinations = Volatile.Read(ref _destinations);
        if (epoch.Ways.TryGetValue(insee, out var known) && known.Length >= destinations.Length)
            return new(known);
        var ways = new Travel[destinations.Length];
        known?.CopyTo(ways, 0);
        var from = known?.Length ?? 0;
        var added = destinations.AsSpan(from).ToArray();
        _model.FromOne(insee, added).CopyTo(ways, from);
        if (epoch.Imported is not null)
            return ReplaceAsync(epoch, insee, ways, from, added, ct);
        epoch.Keep(insee, ways, added.Length);
        return new(ways);
    }

    private static async ValueTask<Travel[]> ReplaceAsync(Epoch epoch, string insee, Travel[] ways, int from, string[] added, CancellationToken ct)
    {
        foreach (var (position, way) in await epoch.Imported!(insee, added, ct))
            ways[from + position] = way;
        epoch.Keep(insee, ways, added.Length);
        return ways;
    }

    /// <summary>What is kept while the distancier stays the same.</summary>
    private sealed class Epoch(long distancier, ImportedWays? imported)
    {
        private int _kept;

        public long Distancier => distancier;

        public ImportedWays? Imported => imported;

        public ConcurrentDictionary<string, Travel[]> Ways { get; } = new(StringComparer.Ordinal);

        public void Keep(string insee, Travel[] ways, int added)
        {
            if (Interlocked.Add(ref _kept, added) > Budget)
            {
                Ways.Clear();
                Interlocked.Exchange(ref _kept, ways.Length);
            }
            Ways[insee] = ways;
        }
    }
}
