namespace Jafer.Delays;

/// <summary>
/// The distribution of a wait, given that what is waited for takes place: what a cell saw itself, and as far as that is little, what
/// the wider group saw to which it belongs. A mixture of both, whose weight is told with it. Immutable.
/// </summary>
/// <remarks>
/// The weight n / (n + k) is that of a mean of n observations under a prior worth k of them (H. Bühlmann, Experience rating and
/// credibility, ASTIN Bulletin 4 (1967) 199–207). k is a choice, not an estimate: with ten first rencontres of its own a cell counts
/// half.
/// </remarks>
public sealed class PooledWait
{
    /// <summary>Observations that the wider group is worth.</summary>
    public const int Strength = 10;

    private readonly CumulativeIncidence _own;
    private readonly PooledWait? _wider;

    private PooledWait(CumulativeIncidence own, PooledWait? wider, int least) =>
        (_own, _wider, OwnWeight) = (own, wider, own.Passed < least ? 0 : wider is null ? 1 : (double)own.Passed / (own.Passed + Strength));

    /// <summary>The weight of what the cell saw itself, from 0 to 1; the rest is that of the wider group.</summary>
    public double OwnWeight { get; }

    /// <summary>True when nothing at all is known.</summary>
    public bool IsEmpty => OwnWeight == 0 && _wider is null or { IsEmpty: true };

    /// <summary>A cell within a wider group.</summary>
    /// <param name="own">What the cell saw.</param>
    /// <param name="wider">The wider group; null when there is none.</param>
    /// <param name="least">Observations below which the own ones are not looked at: they would tell of families.</param>
    public static PooledWait Of(CumulativeIncidence own, PooledWait? wider = null, int least = 1) =>
        new(own, wider is { IsEmpty: true } ? null : wider, Math.Max(1, least));

    /// <summary>The share that has passed within so many days, of those that pass in the end; 0 when nothing is known.</summary>
    /// <param name="days">Days.</param>
    public double PassedAt(int days) =>
        (OwnWeight == 0 ? 0 : OwnWeight * _own.PassedOfEventualAt(days)) + (OwnWeight == 1 || _wider is null ? 0 : (1 - OwnWeight) * _wider.PassedAt(days));

    /// <summary>The first day by which a share of those that pass in the end has; null when that is not known yet.</summary>
    /// <param name="share">The share, above 0 and below 1.</param>
    public int? Quantile(double share)
    {
        var last = Followed;
        if (IsEmpty || PassedAt(last) < share - 1e-9)
        {
            return null;
        }

        var (low, high) = (0, last);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = PassedAt(middle) >= share - 1e-9 ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private int Followed => Math.Max(OwnWeight > 0 ? _own.FollowedDays : 0, _wider?.Followed ?? 0);
}
