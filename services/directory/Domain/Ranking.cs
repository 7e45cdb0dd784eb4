namespace Jafer.Directory.Domain;

/// <summary>
/// The place of an espace in a search: lower comes first. Parents whom no road leads there, then days of waiting with travel
/// counted as days, then the id, so that the order is total and never depends on the order of the input.
/// </summary>
/// <param name="Unreachable">Number of parents (0 to 2) whom no road leads there.</param>
/// <param name="Cost">Thousandths of a day: wait plus travel at the trade-off asked for.</param>
/// <param name="EspaceId">The espace.</param>
internal readonly record struct RankKey(int Unreachable, long Cost, Guid EspaceId) : IComparable<RankKey>
{
    /// <inheritdoc/>
    public int CompareTo(RankKey other)
    {
        var order = Unreachable.CompareTo(other.Unreachable);
        if (order == 0)
            order = Cost.CompareTo(other.Cost);
        return order != 0 ? order : EspaceId.CompareTo(other.EspaceId);
    }

    /// <summary>True when the left key comes first.</summary>
    public static bool operator <(RankKey left, RankKey right) => left.CompareTo(right) < 0;

    /// <summary>True when the left key comes later.</summary>
    public static bool operator >(RankKey left, RankKey right) => left.CompareTo(right) > 0;

    /// <summary>True when the left key comes first or is the same.</summary>
    public static bool operator <=(RankKey left, RankKey right) => left.CompareTo(right) <= 0;

    /// <summary>True when the left key comes later or is the same.</summary>
    public static bool operator >=(RankKey left, RankKey right) => left.CompareTo(right) >= 0;
}

/// <summary>How days of waiting and minutes of travel are weighed against each other.</summary>
internal static class Ranking
{
    /// <summary>
    /// Days of waiting that count as much as one hour more of travel of both parents together. At 112, five minutes more for each
    /// parent are accepted to gain nineteen days (decision 0053).
    /// </summary>
    public const double DefaultDaysPerTravelHour = 112;

    /// <summary>Minutes that stand in where a commune has no coordinates (some overseas collectivities).</summary>
    public const double UnknownMinutes = 60;

    /// <summary>Most days that more demand than capacity counts: it decides between espaces whose waits are nearly equal, and no more.</summary>
    public const int MostLoadDays = 3;

    /// <summary>
    /// Days that count more where more mesures come than places become free, one for each tenth above: its wait will grow, and that of
    /// an espace with room will not.
    /// </summary>
    /// <param name="demand">Mesures that came against places; null when the capacity is not known.</param>
    public static int LoadDays(Demand? demand) => demand is { Ratio: > 1 } known
        ? (int)Math.Min(MostLoadDays, ((10L * (known.Received - known.Capacity)) + known.Capacity - 1) / known.Capacity) : 0;

    /// <summary>What the travel of both parents costs at the given trade-off, in thousandths of a day; a parent not given costs nothing.</summary>
    public static (int Unreachable, long Cost) TravelCost(Travel? hote, Travel? visiteur, double daysPerTravelHour)
    {
        var minutes = Minutes(hote) + Minutes(visiteur);
        return ((hote is { IsUnreachable: true } ? 1 : 0) + (visiteur is { IsUnreachable: true } ? 1 : 0),
            (long)Math.Round(minutes / 60 * daysPerTravelHour * 1000, MidpointRounding.AwayFromZero));
    }

    /// <summary>The key of an espace.</summary>
    /// <param name="travel">Cost of its best lieu.</param>
    /// <param name="days">Days until the first rencontre that can be expected.</param>
    /// <param name="espaceId">The espace.</param>
    public static RankKey Key((int Unreachable, long Cost) travel, int days, Guid espaceId) =>
        new(travel.Unreachable, days * 1000L + travel.Cost, espaceId);

    private static double Minutes(Travel? way) => way switch
    {
        null or { IsUnreachable: true } => 0,
        { HasMinutes: true } known => known.Minutes,
        _ => UnknownMinutes,
    };
}
