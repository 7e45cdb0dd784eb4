using System.Collections.Concurrent;
using System.Numerics;

namespace Jafer.Directory.Domain;

/// <summary>
/// All offers of one modalité, ready to be searched. Which of them take a mesure is told by one row of bits for each rule,
/// made by the rule itself and kept; which come first, by lower bounds of what blocks of lieux and then single lieux cost: only
/// what can reach the page is ranked exactly. Immutable but for what it keeps; safe for concurrent callers.
/// </summary>
internal sealed class OfferIndex
{
    /// <summary>Bytes of kept rows before all are forgotten.</summary>
    private const int Budget = 4 << 20;

    // What rounding to 24 bits may have added to a bound.
    private const float Slack = 0.01f;
    private const float RelativeSlack = 2e-6f;

    private static readonly Comparer<RankKey> s_worstFirst = Comparer<RankKey>.Create((a, b) => b.CompareTo(a));

    private readonly Offer[] _offers;
    private readonly LieuTree _lieux;
    private readonly Dictionary<Guid, int> _positions;
    private readonly ConcurrentDictionary<(int Rule, NeedKey Key), ulong[]> _rows = new();
    private readonly ConcurrentDictionary<string, ulong[]> _departements = new(StringComparer.Ordinal);

    /// <summary>Indexes offers of one modalité.</summary>
    /// <param name="offers">The offers, one for each espace, in any order.</param>
    /// <param name="today">The day on which it is searched: the waits are those of that day.</param>
    /// <param name="columns">Makes the columns of lieux, given the numbers of their communes.</param>
    public OfferIndex(IEnumerable<Offer> offers, DateOnly today, Func<IReadOnlyList<int>, LieuColumns> columns)
    {
        _offers = [.. offers];
        _positions = new(_offers.Length);
        for (var i = 0; i < _offers.Length; i++)
            _positions.Add(_offers[i].Espace.Id, i);
        _lieux = new(_offers, today, columns);
    }

    /// <summary>The offers.</summary>
    public ReadOnlySpan<Offer> Offers => _offers;

    private int Words => (_offers.Length + 63) / 64;

    /// <summary>The offers that take a mesure: no rule stands against them.</summary>
    /// <param name="needs">What the mesure asks.</param>
    /// <param name="only">Only these espaces; null for all.</param>
    public Matches Match(MesureNeeds needs, IReadOnlySet<Guid>? only)
    {
        var bits = new ulong[Words];
        if (only is null)
        {
            bits.AsSpan().Fill(ulong.MaxValue);
            if (_offers.Length % 64 is not 0 and var rest)
                bits[^1] = (1UL << rest) - 1;
        }
        else
        {
            foreach (var id in only)
            {
                if (_positions.TryGetValue(id, out var i))
                    bits[i / 64] |= 1UL << i % 64;
            }
        }
        var rules = DesignationRules.All;
        for (var rule = 0; rule < rules.Length; rule++)
        {
            if (rules[rule].Key(needs) is not { } key)
                continue;
            var row = Row(rule, key, needs);
            for (var word = 0; word < bits.Length; word++)
                bits[word] &= row[word];
        }
        foreach (var id in needs.Excluded)
        {
            if (_positions.TryGetValue(id, out var i))
                bits[i / 64] &= ~(1UL << i % 64);
        }
        return new Matches(this, bits);
    }

    /// <summary>The best matching offers after a place, in order.</summary>
    /// <param name="matches">Offers of this index that take the mesure.</param>
    /// <param name="needs">What the mesure asks.</param>
    /// <param name="travel">Travel of the parents.</param>
    /// <param name="after">Place of the last offer of the page before; null for the first page.</param>
    /// <param name="count">Offers wanted, at least one.</param>
    public RankedOffer[] Best(Matches matches, MesureNeeds needs, in FamilyTravel travel, RankKey? after, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var best = new PriorityQueue<RankedOffer, RankKey>(count + 1, s_worstFirst);
        var limit = double.PositiveInfinity;
        var queue = new PriorityQueue<LieuTree.Node, float>();
        var opened = new List<(LieuTree.Node, float)>();
        var left = matches.Copy();
        for (_lieux.Open(travel, needs.From.DayNumber, opened); ;)
        {
            foreach (var (node, least) in opened)
            {
                if (Safe(least) <= limit && (node.Level >= 0 || Holds(left, _lieux.OfferOf(node.Index))))
                    queue.Enqueue(node, Safe(least));
            }
            opened.Clear();
            if (!queue.TryDequeue(out var next, out var bound) || bound > limit)
                break;
            if (next.Level >= 0)
            {
                _lieux.Open(next, travel, needs.From.DayNumber, opened);
                continue;
            }
            // An offer is ranked when the first of its lieux comes up, by whichever suits best.
            var position = _lieux.OfferOf(next.Index);
            if (!Holds(left, position))
                continue;
            left[position / 64] &= ~(1UL << position % 64);
            var offer = _offers[position];
            var ranked = travel.Rank(offer, DesignationRules.SuitableLieux(offer.Espace, needs), needs);
            if (ranked.Key <= after)
                continue;
            if (best.Count < count)
                best.Enqueue(ranked, ranked.Key);
            else if (ranked.Key < best.Peek().Key)
                best.EnqueueDequeue(ranked, ranked.Key);
            if (best.Count == count)
                limit = Days(best.Peek().Key);
        }
        var page = new RankedOffer[best.Count];
        for (var i = page.Length - 1; i >= 0; i--)
            page[i] = best.Dequeue();
        return page;
    }

    private static bool Holds(ulong[] bits, int position) => (bits[position / 64] >> position % 64 & 1) != 0;

    private static float Safe(float bound) => bound - bound * RelativeSlack - Slack;

    // The place as days, in the measure of the bounds.
    private static double Days(RankKey key) => (double)key.Unreachable * LieuColumns.NoRoadDays + key.Cost / 1000.0;

    private ulong[] Row(int rule, NeedKey key, MesureNeeds needs)
    {
        if (_rows.TryGetValue((rule, key), out var known))
            return known;
        var against = DesignationRules.All[rule].Against;
        var row = Row(offer => against(offer.Espace, offer, needs) is null);
        if (_rows.Count * (row.Length * 8 + 100) > Budget)
            _rows.Clear();
        return _rows[(rule, key)] = row;
    }

    private ulong[] Row(Func<Offer, bool> holds)
    {
        var row = new ulong[Words];
        for (var i = 0; i < _offers.Length; i++)
        {
            if (holds(_offers[i]))
                row[i / 64] |= 1UL << i % 64;
        }
        return row;
    }

    /// <summary>The offers that take a mesure.</summary>
    internal readonly struct Matches(OfferIndex index, ulong[] bits)
    {
        /// <summary>How many they are.</summary>
        public int Count
        {
            get
            {
                var count = 0;
                foreach (var word in bits)
                    count += BitOperations.PopCount(word);
                return count;
            }
        }

        /// <summary>One bit for each offer, to be changed.</summary>
        public ulong[] Copy() => (ulong[])bits.Clone();

        /// <summary>True when the espace is one of them.</summary>
        public bool Contains(Guid espaceId) => index._positions.TryGetValue(espaceId, out var i) && Holds(bits, i);

        /// <summary>True when the espace of one of them belongs to a département.</summary>
        public bool AnyIn(string departement)
        {
            // Kept for each that is asked for: there are a hundred.
            var row = index._departements.TryGetValue(departement, out var known)
                ? known : index._departements[departement] = index.Row(offer => offer.Espace.Departement == departement);
            for (var word = 0; word < bits.Length; word++)
            {
                if ((bits[word] & row[word]) != 0)
                    return true;
            }
            return false;
        }

        /// <summary>Their positions, rising.</summary>
        public Enumerator GetEnumerator() => new(bits);

        /// <summary>The offers themselves.</summary>
        public IEnumerable<Offer> Offers()
        {
            foreach (var i in this)
                yield return index._offers[i];
        }
    }

    /// <summary>Walks over the positions of set bits.</summary>
    internal struct Enumerator(ulong[] bits)
    {
        private int _word = -1;
        private ulong _rest;

        /// <summary>The position.</summary>
        public int Current { get; private set; }

        /// <summary>The next one.</summary>
        public bool MoveNext()
        {
            while (_rest == 0)
            {
                if (++_word >= bits.Length)
                    return false;
                _rest = bits[_word];
            }
            Current = _word * 64 + BitOperations.TrailingZeroCount(_rest);
            _rest &= _rest - 1;
            return true;
        }
    }
}
