using System.Buffers;
using System.Collections.Concurrent;
using System.Numerics;

namespace Jafer.Directory.Domain;

/// <summary>
/// All offers of one modalité, ready to be searched. Which of them take a mesure is told by one row of bits for each rule,
/// made by the rule itself and kept; which come first, by a lower bound of every offer's place, so that only those that can
/// reach the page are ranked exactly. Immutable but for what it keeps; safe for concurrent callers.
/// </summary>
internal sealed class OfferIndex
{
    /// <summary>Bytes of kept rows before all are forgotten.</summary>
    private const int Budget = 4 << 20;

    // What rounding to 24 bits may have added to a bound.
    private const float Slack = 0.01f;
    private const float RelativeSlack = 2e-6f;

    private readonly Offer[] _offers;
    private readonly LieuColumns _columns;
    private readonly int[] _starts;
    private readonly float[] _waits;
    private readonly float[] _opens;
    private readonly Dictionary<Guid, int> _positions;
    private readonly ConcurrentDictionary<(int Rule, NeedKey Key), ulong[]> _rows = new();

    /// <summary>Indexes offers of one modalité.</summary>
    /// <param name="offers">The offers, one for each espace, in any order.</param>
    /// <param name="columns">Makes the columns of lieux, given the numbers of their communes.</param>
    public OfferIndex(IEnumerable<Offer> offers, Func<IReadOnlyList<int>, LieuColumns> columns)
    {
        _offers = [.. offers];
        _starts = new int[_offers.Length + 1];
        _positions = new(_offers.Length);
        var lieux = new List<int>(_offers.Length);
        for (var i = 0; i < _offers.Length; i++)
        {
            _positions.Add(_offers[i].Espace.Id, i);
            foreach (var lieu in _offers[i].Espace.Lieux)
                lieux.Add(lieu.Commune);
            _starts[i + 1] = lieux.Count;
        }
        _columns = columns(lieux);
        (_waits, _opens) = (new float[_columns.Length], new float[_columns.Length]);
        for (var i = 0; i < _offers.Length; i++)
        {
            var offer = _offers[i];
            var opens = offer.TakesFrom(DateOnly.MinValue).DayNumber;
            for (var lieu = _starts[i]; lieu < _starts[i + 1]; lieu++)
                (_waits[lieu], _opens[lieu]) = (offer.Wait?.Days ?? Wait.UnknownDays, opens);
        }
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
        var bounds = ArrayPool<float>.Shared.Rent(_columns.Length);
        var candidates = ArrayPool<(float Bound, int Offer)>.Shared.Rent(_offers.Length + 1);
        try
        {
            var found = Candidates(matches, needs.From, travel, bounds.AsSpan(0, _columns.Length), candidates);
            return Best(candidates.AsSpan(0, found), needs, travel, after, count);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(bounds);
            ArrayPool<(float, int)>.Shared.Return(candidates);
        }
    }

    // Bounds of all matching offers, in no order.
    private int Candidates(Matches matches, DateOnly from, in FamilyTravel travel, Span<float> bounds, (float Bound, int Offer)[] candidates)
    {
        var today = new Vector<float>(from.DayNumber);
        var sum = System.Runtime.InteropServices.MemoryMarshal.Cast<float, Vector<float>>(bounds);
        var waits = System.Runtime.InteropServices.MemoryMarshal.Cast<float, Vector<float>>(_waits.AsSpan());
        var opens = System.Runtime.InteropServices.MemoryMarshal.Cast<float, Vector<float>>(_opens.AsSpan());
        bounds.Clear();
        for (var i = 0; travel.WaitCounts && i < sum.Length; i++)
            sum[i] = waits[i] + Vector.Min(Vector.Max(opens[i] - today, Vector<float>.Zero), new Vector<float>(100_000));
        if (travel.Hote is { } hote)
            _columns.AddBounds(hote, travel.DaysPerTravelHour, bounds);
        if (travel.Visiteur is { } visiteur)
            _columns.AddBounds(visiteur, travel.DaysPerTravelHour, bounds);

        var found = 0;
        foreach (var offer in matches)
        {
            var bound = bounds[_starts[offer]];
            for (var lieu = _starts[offer] + 1; lieu < _starts[offer + 1]; lieu++)
                bound = Math.Min(bound, bounds[lieu]);
            candidates[found++] = (bound - bound * RelativeSlack - Slack, offer);
        }
        return found;
    }

    // Those with the least bounds are ranked first; what they cost leaves only those whose bound can still reach the page, of
    // which again those with the least bounds come first, more and more at a time.
    private RankedOffer[] Best(Span<(float Bound, int Offer)> candidates, MesureNeeds needs, in FamilyTravel travel, RankKey? after, int count)
    {
        var best = new PriorityQueue<RankedOffer, RankKey>(Math.Min(count, candidates.Length) + 1, s_worstFirst);
        for (var handful = Math.Max(2 * count, 16); candidates.Length > 0; handful *= 4)
        {
            handful = Math.Min(handful, candidates.Length);
            Least(candidates, handful);
            candidates[..handful].Sort(static (a, b) => a.Bound.CompareTo(b.Bound));
            foreach (var (bound, position) in candidates[..handful])
            {
                if (best.Count == count && bound > Days(best.Peek().Key))
                    return Order(best);
                var offer = _offers[position];
                var ranked = travel.Rank(offer, DesignationRules.SuitableLieux(offer.Espace, needs), needs.From);
                if (ranked.Key <= after)
                    continue;
                if (best.Count < count)
                    best.Enqueue(ranked, ranked.Key);
                else if (ranked.Key < best.Peek().Key)
                    best.EnqueueDequeue(ranked, ranked.Key);
            }
            candidates = candidates[handful..];
            if (best.Count == count)
                candidates = candidates[..Within(candidates, Days(best.Peek().Key))];
        }
        return Order(best);
    }

    // Brings those whose bound is at most the limit to the front; how many they are.
    private static int Within(Span<(float Bound, int Offer)> all, double limit)
    {
        var kept = 0;
        for (var i = 0; i < all.Length; i++)
        {
            if (all[i].Bound > limit)
                continue;
            (all[kept], all[i]) = (all[i], all[kept]);
            kept++;
        }
        return kept;
    }

    private static readonly Comparer<RankKey> s_worstFirst = Comparer<RankKey>.Create((a, b) => b.CompareTo(a));

    // The place as days, in the measure of the bounds.
    private static double Days(RankKey key) => (double)key.Unreachable * LieuColumns.NoRoadDays + key.Cost / 1000.0;

    private static RankedOffer[] Order(PriorityQueue<RankedOffer, RankKey> worstFirst)
    {
        var page = new RankedOffer[worstFirst.Count];
        for (var i = page.Length - 1; i >= 0; i--)
            page[i] = worstFirst.Dequeue();
        return page;
    }

    // Brings the least ones to the front: quickselect, linear on average. Of many, a sample first tells about where they end.
    private static void Least(Span<(float Bound, int Offer)> all, int count)
    {
        const int Every = 32;
        if (all.Length > 40 * count && all.Length > 1_000)
        {
            Span<float> sample = new float[all.Length / Every];
            for (var i = 0; i < sample.Length; i++)
                sample[i] = all[i * Every].Bound;
            sample.Sort();
            var kept = Within(all, sample[Math.Min(sample.Length - 1, 2 * count / Every + 3)]);
            if (kept >= count)
            {
                Least(all[..kept], count);
                return;
            }
        }
        var (low, high) = (0, all.Length - 1);
        while (low < high)
        {
            var pivot = Median(all[low].Bound, all[(low + high) / 2].Bound, all[high].Bound);
            var (i, j) = (low, high);
            while (i <= j)
            {
                while (all[i].Bound < pivot)
                    i++;
                while (all[j].Bound > pivot)
                    j--;
                if (i <= j)
                {
                    (all[i], all[j]) = (all[j], all[i]);
                    i++;
                    j--;
                }
            }
            if (count - 1 <= j)
                high = j;
            else if (count - 1 >= i)
                low = i;
            else
                return;
        }
    }

    private static float Median(float a, float b, float c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));

    private ulong[] Row(int rule, NeedKey key, MesureNeeds needs)
    {
        if (_rows.TryGetValue((rule, key), out var known))
            return known;
        var against = DesignationRules.All[rule].Against;
        var row = new ulong[Words];
        for (var i = 0; i < _offers.Length; i++)
        {
            if (against(_offers[i].Espace, _offers[i], needs) is null)
                row[i / 64] |= 1UL << i % 64;
        }
        if (_rows.Count * (row.Length * 8 + 100) > Budget)
            _rows.Clear();
        return _rows[(rule, key)] = row;
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

        /// <summary>True when the espace is one of them.</summary>
        public bool Contains(Guid espaceId) => index._positions.TryGetValue(espaceId, out var i) && (bits[i / 64] >> i % 64 & 1) != 0;

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
