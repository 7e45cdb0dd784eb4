using System.Collections.Concurrent;

namespace Jafer.Directory.Domain;

/// <summary>
/// Ways from a family's commune to every commune that holds a lieu d'accueil, kept between searches. Destinations are numbered
/// once and never renumbered, so that a lieu added later only lengthens what is kept. Safe for concurrent callers.
/// </summary>
internal sealed class TravelCache
{
    /// <summary>Ways kept before everything is forgotten at once: 2 million, 8 MB, all communes asked in a day for 278 lieux.</summary>
    private const int Budget = 2_000_000;

    private readonly TravelModel _model;
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, Travel[]> _ways = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private string[] _destinations = [];
    private int _kept;

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

    /// <summary>The ways from a commune, at the numbers of the destinations; at least as long as the numbers given so far.</summary>
    /// <param name="insee">INSEE code of a known commune.</param>
    public Travel[] From(string insee)
    {
        var destinations = Volatile.Read(ref _destinations);
        if (_ways.TryGetValue(insee, out var known) && known.Length >= destinations.Length)
            return known;
        var ways = new Travel[destinations.Length];
        known?.CopyTo(ways, 0);
        var from = known?.Length ?? 0;
        _model.FromOne(insee, destinations.AsSpan(from).ToArray()).CopyTo(ways, from);
        if (Interlocked.Add(ref _kept, ways.Length - from) > Budget)
        {
            _ways.Clear();
            Interlocked.Exchange(ref _kept, ways.Length);
        }
        _ways[insee] = ways;
        return ways;
    }
}
