using System.Collections.Concurrent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Reference;

namespace Jafer.Directory.Search;

/// <summary>All espaces as they stood at one revision of the directory. Immutable: a change makes a new snapshot.</summary>
internal sealed class Snapshot
{
    private static readonly OfferIndex s_nothing = new([], default, _ => new LieuColumns(new(0, 0, 0, 0, 0, 0, 0, 0, 0), []));

    private readonly Dictionary<Guid, SearchedEspace> _espaces;
    private readonly Dictionary<string, int> _departements = new(StringComparer.Ordinal);
    // Of the days that are asked for: today, and yesterday while somebody reads on past midnight.
    private readonly ConcurrentDictionary<(Modalite, DateOnly), Lazy<OfferIndex>> _offers = new();
    private readonly Dictionary<Modalite, Lazy<int>> _unknownWaits = [];

    // Of each day, start and end that was asked for: few, and gone with the snapshot.
    private readonly ConcurrentDictionary<(Modalite, DateOnly, WaitStart, WaitEnd), Lazy<WiderWaits>> _waits = new();

    // When the first of the places that are held is free again.
    private readonly DateTimeOffset _holdsUntil = DateTimeOffset.MaxValue;

    private Snapshot(Geography geography, SchoolCalendar calendar, PastForecasts forecasts, long revision, Dictionary<Guid, SearchedEspace> espaces)
    {
        (Geography, Calendar, Forecasts, Revision, _espaces) = (geography, calendar, forecasts, revision, espaces);
        forecasts.LearnFrom(Offers);
        foreach (var espace in espaces.Values)
        {
            foreach (var held in espace.Offers.SelectMany(o => o.Held))
                _holdsUntil = held.Until < _holdsUntil ? held.Until : _holdsUntil;
            _departements[espace.Facts.Departement] = _departements.GetValueOrDefault(espace.Facts.Departement) + 1;
            foreach (var offer in espace.Offers)
            {
                _unknownWaits.TryAdd(offer.Modalite, new(() => Wait.StandIn(Offers(offer.Modalite).Select(o => o.Wait?.Days).OfType<int>())));
            }
        }
    }

    /// <summary>The reference data.</summary>
    public Geography Geography { get; }

    /// <summary>The school holidays.</summary>
    public SchoolCalendar Calendar { get; }

    /// <summary>What became of past forecasts; the same for all snapshots that come of one another.</summary>
    public PastForecasts Forecasts { get; }

    /// <summary>The revision whose changes are all in.</summary>
    public long Revision { get; }

    /// <summary>Every espace.</summary>
    public IReadOnlyCollection<SearchedEspace> Espaces => _espaces.Values;

    /// <summary>Modalités that some espace knows.</summary>
    public IReadOnlyCollection<Modalite> Modalites => _unknownWaits.Keys;

    /// <summary>The snapshot before anything is read.</summary>
    public static Snapshot Empty(Geography geography, SchoolCalendar calendar) => new(geography, calendar, new(), -1, []);

    /// <summary>The espace with an id; null when there is none.</summary>
    public SearchedEspace? Find(Guid id) => _espaces.GetValueOrDefault(id);

    /// <summary>Number of espaces in a département.</summary>
    public int CountIn(string departement) => _departements.GetValueOrDefault(departement);

    /// <summary>All offers of a modalité, with the waits of a day.</summary>
    public OfferIndex OffersOf(Modalite modalite, DateOnly today)
    {
        if (!_unknownWaits.ContainsKey(modalite))
            return s_nothing;
        if (_offers.TryGetValue((modalite, today), out var index))
            return index.Value;
        // A snapshot that nothing changes for days holds no index of each of them.
        foreach (var old in _offers.Keys.Where(key => key.Item2 < today.AddDays(-1)))
            _offers.TryRemove(old, out _);
        return _offers.GetOrAdd((modalite, today), key => new(() => new OfferIndex(Offers(key.Item1), key.Item2, Columns))).Value;
    }

    /// <summary>Days that stand in for a wait of a modalité that was never declared.</summary>
    public int UnknownWaitOf(Modalite modalite) => _unknownWaits.TryGetValue(modalite, out var days) ? days.Value : Wait.UnknownDays;

    /// <summary>What régions and the nation saw of a wait, as it is known on a day.</summary>
    public WiderWaits WaitsOf(Modalite modalite, DateOnly today, WaitStart start = WaitStart.Transmission, WaitEnd end = WaitEnd.Held) =>
        _waits.GetOrAdd((modalite, today, start, end), key => new(() => new WiderWaits(
            Offers(key.Item1).Select(o => (o.Espace.Departement, o.Followed)), Geography.Regions, of => ObservedWaits.Count(of, key.Item2, key.Item3, key.Item4)))).Value;

    /// <summary>The mesures that courts transmitted to espaces of some départements, for a modalité.</summary>
    public IEnumerable<FollowedMesure> FollowedIn(Modalite modalite, Func<string, bool> departement) =>
        Offers(modalite).Where(o => departement(o.Espace.Departement)).SelectMany(o => o.Followed);

    /// <summary>The snapshot with changed espaces.</summary>
    /// <param name="revision">Revision at which they were read.</param>
    /// <param name="changed">Every espace changed since <see cref="Revision"/>.</param>
    public Snapshot With(long revision, IReadOnlyCollection<SearchedEspace> changed)
    {
        var espaces = new Dictionary<Guid, SearchedEspace>(_espaces);
        espaces.EnsureCapacity(_espaces.Count + changed.Count);
        foreach (var espace in changed)
            espaces[espace.Facts.Id] = espace;
        return new Snapshot(Geography, Calendar, Forecasts, revision, espaces);
    }

    /// <summary>The snapshot without the places whose time is over.</summary>
    /// <param name="now">Now.</param>
    public Snapshot At(DateTimeOffset now) => now < _holdsUntil ? this : With(Revision, [.. _espaces.Values.Where(e => e.HoldsUntil(now)).Select(e => e.At(now))]);

    /// <summary>Columns of lieux in the communes of the given numbers.</summary>
    public LieuColumns Columns(IReadOnlyList<int> communes)
    {
        var travel = Geography.Travel;
        return new(travel.Model.Coefficients, [.. communes.Select(commune => (commune, travel.PlaceOf(commune)))]);
    }

    private IEnumerable<Offer> Offers(Modalite modalite) => _espaces.Values.Select(e => e.OfferOf(modalite)).OfType<Offer>();
}

/// <summary>An espace as searches see it, with the parts of the answer that are the same for every caller made once.</summary>
/// <param name="Facts">What rules and ranking look at.</param>
/// <param name="Id">The id as it is sent.</param>
/// <param name="Name">Name.</param>
/// <param name="Fictive">True when it is invented.</param>
/// <param name="AlertText">Text for whoever designates it.</param>
/// <param name="Exclusions">Whom it does not receive, in its own words.</param>
/// <param name="GestionnaireId">The organisation that runs it.</param>
/// <param name="Lieux">Its lieux as they are sent; shared between answers, never changed.</param>
/// <param name="Offers">What it says of each modalité that it knows.</param>
internal sealed record SearchedEspace(
    EspaceFacts Facts, string Id, string Name, bool Fictive, string AlertText, string[] Exclusions, Guid GestionnaireId, Lieu[] Lieux, Offer[] Offers)
{
    /// <summary>What it says of a modalité; null when it does not know it.</summary>
    public Offer? OfferOf(Modalite modalite) => Array.Find(Offers, o => o.Modalite == modalite);

    /// <summary>Whether a place is held whose time is over.</summary>
    public bool HoldsUntil(DateTimeOffset now) => Array.Exists(Offers, o => Array.Exists(o.Held, h => h.Until <= now));

    /// <summary>The espace without the places whose time is over.</summary>
    public SearchedEspace At(DateTimeOffset now) => this with
    {
        Offers = Array.ConvertAll(Offers, o => Array.Exists(o.Held, h => h.Until <= now) ? o.WithHeld(Array.FindAll(o.Held, h => h.Until > now)) : o),
    };

    /// <summary>Values of an enum, one bit each.</summary>
    public static uint Bits<T>(IEnumerable<T> values)
        where T : struct, Enum => values.Aggregate(0u, (bits, value) => bits | 1u << System.Runtime.CompilerServices.Unsafe.As<T, int>(ref value));
}
