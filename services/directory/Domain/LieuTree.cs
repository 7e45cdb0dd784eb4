using System.Numerics;
using System.Runtime.InteropServices;

namespace Jafer.Directory.Domain;

/// <summary>
/// The lieux of many offers, eight to a block, eight blocks to a larger one and so on, each block with what makes a lower bound
/// of all its lieux at once. Whoever opens the block with the least bound again and again meets the lieux in the order of their
/// bounds, and leaves most of France unopened. Immutable.
/// </summary>
internal sealed class LieuTree
{
    private const int Fan = 8;

    // Days that a reopening may lie ahead; more count as many.
    private const float LongestPause = 100_000;

    private readonly LieuColumns _columns;
    private readonly int[] _offers;
    private readonly float[] _waits;
    private readonly float[] _opens;
    private readonly LieuBlock[][] _levels;

    /// <summary>A block of the tree, or with level -1 a lieu.</summary>
    /// <param name="Level">0 for the smallest blocks.</param>
    /// <param name="Index">Position among those of its level.</param>
    internal readonly record struct Node(int Level, int Index);

    /// <summary>Builds the tree.</summary>
    /// <param name="offers">The offers.</param>
    /// <param name="today">The day whose waits count.</param>
    /// <param name="columns">Makes the columns of lieux, given the numbers of their communes.</param>
    public LieuTree(IReadOnlyList<Offer> offers, DateOnly today, Func<IReadOnlyList<int>, LieuColumns> columns)
    {
        var lieux = offers.SelectMany((offer, position) => offer.Espace.Lieux.Select(lieu => (lieu.Commune, Offer: position))).ToArray();
        var unordered = columns([.. lieux.Select(l => l.Commune)]);
        var points = new (float[] Axes, int Lieu)[lieux.Length];
        for (var i = 0; i < points.Length; i++)
            points[i] = ([.. unordered.PointInDays(i), WaitOf(offers[lieux[i].Offer], today)], i);
        Arrange(points);

        _columns = columns([.. points.Select(p => lieux[p.Lieu].Commune)]);
        _offers = [.. points.Select(p => lieux[p.Lieu].Offer)];
        var length = LieuColumns.Padded(lieux.Length) + Vector<float>.Count;
        (_waits, _opens) = (new float[length], new float[length]);
        for (var i = 0; i < _offers.Length; i++)
            (_waits[i], _opens[i]) = (WaitOf(offers[_offers[i]], today), offers[_offers[i]].TakesFrom(DateOnly.MinValue).DayNumber);

        var levels = new List<LieuBlock[]>();
        for (var size = Fan; levels.Count == 0 || levels[^1].Length > Fan; size *= Fan)
            levels.Add([.. Enumerable.Range(0, (_offers.Length + size - 1) / size).Select(i => Block(i * size, Math.Min((i + 1) * size, _offers.Length)))]);
        _levels = [.. levels];
    }

    /// <summary>The position of the offer that a lieu belongs to.</summary>
    /// <param name="lieu">Index of a node of level -1.</param>
    public int OfferOf(int lieu) => _offers[lieu];

    /// <summary>The largest blocks with their bounds.</summary>
    /// <param name="travel">Travel of the parents.</param>
    /// <param name="today">Number of the day from which waiting counts.</param>
    /// <param name="into">Where they go.</param>
    public void Open(in FamilyTravel travel, int today, List<(Node Node, float Bound)> into) => Blocks(_levels.Length - 1, 0, Fan, travel, today, into);

    /// <summary>What a block is made of, with bounds: days that are no more than what any of it costs, but for rounding.</summary>
    /// <param name="block">The block.</param>
    /// <param name="travel">Travel of the parents.</param>
    /// <param name="today">Number of the day from which waiting counts.</param>
    /// <param name="into">Where it goes.</param>
    public void Open(Node block, in FamilyTravel travel, int today, List<(Node Node, float Bound)> into)
    {
        if (block.Level > 0)
        {
            Blocks(block.Level - 1, block.Index * Fan, Fan, travel, today, into);
            return;
        }
        var first = block.Index * Fan;
        var count = Math.Min(Fan, _offers.Length - first);
        Span<float> bounds = stackalloc float[LieuColumns.Padded(Fan)];
        bounds.Clear();
        var sum = MemoryMarshal.Cast<float, Vector<float>>(bounds);
        if (travel.WaitCounts)
        {
            var waits = MemoryMarshal.Cast<float, Vector<float>>(_waits.AsSpan(first, bounds.Length));
            var opens = MemoryMarshal.Cast<float, Vector<float>>(_opens.AsSpan(first, bounds.Length));
            for (var i = 0; i < sum.Length; i++)
                sum[i] = waits[i] + Vector.Min(Vector.Max(opens[i] - new Vector<float>(today), Vector<float>.Zero), new Vector<float>(LongestPause));
        }
        if (travel.Hote is { } hote)
            _columns.AddBounds(hote, travel.DaysPerTravelHour, first, bounds);
        if (travel.Visiteur is { } visiteur)
            _columns.AddBounds(visiteur, travel.DaysPerTravelHour, first, bounds);
        for (var i = 0; i < count; i++)
            into.Add((new(-1, first + i), bounds[i]));
    }

    private void Blocks(int level, int first, int count, in FamilyTravel travel, int today, List<(Node Node, float Bound)> into)
    {
        var blocks = _levels[level];
        for (var i = first; i < Math.Min(first + count, blocks.Length); i++)
        {
            ref readonly var block = ref blocks[i];
            var bound = travel.WaitCounts ? block.Wait + Math.Clamp(block.Opens - today, 0, LongestPause) : 0;
            if (travel.Hote is { } hote)
                bound += _columns.Bound(block, hote, travel.DaysPerTravelHour);
            if (travel.Visiteur is { } visiteur)
                bound += _columns.Bound(block, visiteur, travel.DaysPerTravelHour);
            into.Add((new(level, i), bound));
        }
    }

    private LieuBlock Block(int first, int end) =>
        _columns.Block(first, end, Least(_waits.AsSpan(first, end - first)), Least(_opens.AsSpan(first, end - first)));

    private static float Least(ReadOnlySpan<float> values)
    {
        var least = float.PositiveInfinity;
        foreach (var value in values)
            least = Math.Min(least, value);
        return least;
    }

    private static float WaitOf(Offer offer, DateOnly today) => offer.ExpectedOn(today)?.Days ?? Wait.UnknownDays;

    // Halves them again and again across the axis along which they are spread most, where larger blocks begin, so that the
    // lieux of a block lie near each other and make families wait about as long.
    private static void Arrange(Span<(float[] Axes, int Lieu)> points)
    {
        if (points.Length <= Fan)
            return;
        var (widest, width) = (0, -1f);
        for (var axis = 0; axis < points[0].Axes.Length; axis++)
        {
            var (least, most) = (float.PositiveInfinity, float.NegativeInfinity);
            foreach (var (axes, _) in points)
                (least, most) = (Math.Min(least, axes[axis]), Math.Max(most, axes[axis]));
            if (most - least > width)
                (widest, width) = (axis, most - least);
        }
        Span<float> keys = new float[points.Length];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = points[i].Axes[widest];
        keys.Sort(points);
        var block = Fan;
        while (block * Fan < points.Length)
            block *= Fan;
        var half = Math.Max(1, (points.Length + block) / (2 * block)) * block;
        Arrange(points[..half]);
        Arrange(points[half..]);
    }
}

/// <summary>
/// A ball on the unit sphere that holds some lieux, with the least that any of them makes a family wait: enough for a lower
/// bound of all of them at once.
/// </summary>
/// <param name="Centre">Middle of the ball, with the least density and relief and the greatest population of its lieux.</param>
/// <param name="RadiusKm">Distance of the farthest lieu from the middle; infinite when nothing can be said of all.</param>
/// <param name="Wait">Least wait in days.</param>
/// <param name="Opens">Least number of a day from which mesures are taken.</param>
internal readonly record struct LieuBlock(PlaceOnSphere Centre, float RadiusKm, float Wait, float Opens);
