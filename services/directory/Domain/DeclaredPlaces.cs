namespace Jafer.Directory.Domain;

/// <summary>Families that an espace could begin with at once, as it declared for one modalité.</summary>
/// <param name="Count">Families, beyond those that it has and those that wait already.</param>
/// <param name="AsOf">Day for which the figure holds.</param>
internal readonly record struct DeclaredPlaces(int Count, DateOnly AsOf)
{
    /// <summary>Most that can be declared.</summary>
    public const int Most = 500;

    /// <summary>True when the figure is older than a declared wait may be: then it counts no more.</summary>
    public bool IsStaleOn(DateOnly day) => new Wait(0, AsOf).IsStaleOn(day);
}

/// <summary>A place that is held for a mesure about to be transmitted.</summary>
/// <param name="MesureId">The mesure.</param>
/// <param name="Number">Rises with every hold: who has the lower one comes before.</param>
/// <param name="Until">From then on it is free again.</param>
internal readonly record struct HeldPlace(Guid MesureId, long Number, DateTimeOffset Until)
{
    /// <summary>How long a place is held: long enough to read a check, sign and transmit, short enough to keep nobody from it for long.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromMinutes(15);

    /// <summary>How long it can be held by asking again, so that nobody keeps a place by looking at it.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(2);

    /// <summary>Until when a place is held that is asked for again.</summary>
    /// <param name="since">When it was first held.</param>
    /// <param name="now">Now.</param>
    /// <returns>Null when it has been held as long as it may be.</returns>
    public static DateTimeOffset? Renewed(DateTimeOffset since, DateTimeOffset now) =>
        since + Longest <= now ? null : now + Duration < since + Longest ? now + Duration : since + Longest;
}

/// <summary>How the places of an offer stand for whoever asks.</summary>
/// <param name="Declared">Places declared free, and not stale; null when there are none such.</param>
/// <param name="Transmitted">Mesures that came on the day of that declaration or later.</param>
/// <param name="Held">Places held before the one who asks.</param>
internal readonly record struct PlaceCount(DeclaredPlaces? Declared, int Transmitted, int Held)
{
    /// <summary>Places left; null when none were declared. Every mesure that came counts as one place, whatever becomes of it.</summary>
    public int? Left => Declared is { } places ? Math.Max(0, places.Count - Transmitted - Held) : null;

    /// <summary>True when there would be one but for those that are held.</summary>
    public bool LastIsHeld => Declared is { } places && places.Count > Transmitted && Left == 0;

    /// <summary>True when mesures that came took all that were declared.</summary>
    public bool WereTaken => Declared is { Count: > 0 and var count } && count <= Transmitted;

    /// <summary>The places of an offer on a day.</summary>
    /// <param name="offer">The offer, with the holds that count.</param>
    /// <param name="day">The day.</param>
    public static PlaceCount Of(Offer offer, DateOnly day)
    {
        var declared = offer.Places is { } places && !places.IsStaleOn(day) ? places : (DeclaredPlaces?)null;
        return new(declared, declared is { } known ? offer.ReceivedOn.Count(d => d >= known.AsOf.DayNumber && d <= day.DayNumber) : 0, offer.Held.Length);
    }
}
