namespace Jafer.Mesures.Domain;

/// <summary>A time during which a family is on the premises.</summary>
/// <param name="From">From when.</param>
/// <param name="To">Until when, not included.</param>
internal readonly record struct Stay(DateTimeOffset From, DateTimeOffset To);

/// <summary>How many families are received at the same time.</summary>
internal static class Occupancy
{
    /// <summary>Hours that a stay may begin before or end after the times of its rencontre or last at the most; for queries.</summary>
    public const int MaxHours = 24;

    /// <summary>When the family of a rencontre is on the premises: once for a visite, twice for a remise.</summary>
    public static IReadOnlyList<Stay> StaysOf(Rencontre rencontre) =>
        StaysOf(rencontre.StartsAt, rencontre.DurationMinutes, rencontre.ReturnsAt, rencontre.Arrivals);

    /// <summary>When a family would be on the premises.</summary>
    public static IReadOnlyList<Stay> StaysOf(DateTimeOffset startsAt, int minutes, DateTimeOffset? returnsAt, Arrivals arrivals) => returnsAt is { } back
        ?
        [
            new(startsAt.AddMinutes(-arrivals.Before), startsAt.AddMinutes(minutes)),
            new(back.AddMinutes(Math.Min(0, Math.Min(arrivals.VisiteurDeparture, arrivals.HoteDeparture))), back.AddMinutes(Math.Max(minutes, arrivals.After))),
        ]
        : [new(startsAt.AddMinutes(-arrivals.Before), startsAt.AddMinutes(minutes + arrivals.After))];

    /// <summary>The most families present at any moment of a stay.</summary>
    /// <param name="others">The stays of the others.</param>
    /// <param name="during">The stay.</param>
    public static int MostAtOnce(IEnumerable<Stay> others, Stay during)
    {
        // The number grows only when somebody comes: look at the beginning and at each arrival within.
        var within = others.Where(o => o.From < during.To && during.From < o.To).ToList();
        return within.Select(o => o.From).Where(t => t > during.From).Append(during.From)
            .Max(t => within.Count(o => o.From <= t && t < o.To));
    }

    /// <summary>Whether an espace is full at some moment of the stays.</summary>
    /// <param name="capacity">Families at the same time; null or 0 when the espace does not say.</param>
    /// <param name="others">The stays of the others.</param>
    /// <param name="stays">The stays.</param>
    public static bool IsFull(int? capacity, IReadOnlyList<Stay> others, IReadOnlyList<Stay> stays) =>
        capacity is > 0 && stays.Any(s => MostAtOnce(others, s) >= capacity);
}
