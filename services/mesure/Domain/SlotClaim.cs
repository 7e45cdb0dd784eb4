using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// The place of a mesure among those to whom a lost slot is offered: those who never had a rencontre before those who had one,
/// then who was transmitted first. The id makes the order total.
/// </summary>
/// <param name="First">Whether it would be the first rencontre: the mesure is EN_ATTENTE.</param>
/// <param name="Since">Since when it waits: its transmission, or its creation where no judge transmitted it.</param>
/// <param name="Id">The mesure.</param>
internal readonly record struct SlotClaim(bool First, DateTimeOffset Since, Guid Id) : IComparable<SlotClaim>
{
    /// <summary>Negative when this one is offered the slot before the other.</summary>
    public int CompareTo(SlotClaim other)
    {
        var order = other.First.CompareTo(First);
        if (order == 0)
            order = Since.CompareTo(other.Since);
        return order != 0 ? order : Id.CompareTo(other.Id);
    }

    /// <summary>True when the left one is offered the slot first.</summary>
    public static bool operator <(SlotClaim left, SlotClaim right) => left.CompareTo(right) < 0;

    /// <summary>True when the left one is offered the slot later.</summary>
    public static bool operator >(SlotClaim left, SlotClaim right) => left.CompareTo(right) > 0;

    /// <summary>True when the left one is offered the slot first, or is the same.</summary>
    public static bool operator <=(SlotClaim left, SlotClaim right) => left.CompareTo(right) <= 0;

    /// <summary>True when the left one is offered the slot later, or is the same.</summary>
    public static bool operator >=(SlotClaim left, SlotClaim right) => left.CompareTo(right) >= 0;

    /// <summary>The claim of a mesure.</summary>
    public static SlotClaim Of(Mesure mesure) => new(mesure.Status.State == MesureState.EnAttente, SinceOf(mesure), mesure.Id);

    /// <summary>Since when a mesure waits.</summary>
    public static DateTimeOffset SinceOf(Mesure mesure) => mesure.Status.TransmittedAt ?? mesure.CreatedAt;
}

/// <summary>The same order as the database gives it.</summary>
internal static class SlotClaims
{
    /// <summary>In the database the states are their codes, of which EN_ATTENTE comes first. What no judge ordered was never transmitted.</summary>
    /// <param name="waiting">Mesures that are EN_ATTENTE or EN_COURS.</param>
    public static IOrderedQueryable<Mesure> InOrderOfOffering(this IQueryable<Mesure> waiting) =>
        waiting.OrderBy(m => m.Status.State).ThenBy(m => m.Status.TransmittedAt ?? m.CreatedAt).ThenBy(m => m.Id);

    /// <summary>Those that come after a claim.</summary>
    /// <param name="waiting">Mesures that are EN_ATTENTE or EN_COURS.</param>
    /// <param name="claim">The claim; null for all.</param>
    public static IQueryable<Mesure> After(this IQueryable<Mesure> waiting, SlotClaim? claim) => claim is not { } last ? waiting : waiting.Where(m =>
        (last.First && m.Status.State == MesureState.EnCours)
        || ((last.First ? MesureState.EnAttente : MesureState.EnCours) == m.Status.State
            && ((m.Status.TransmittedAt ?? m.CreatedAt) > last.Since || ((m.Status.TransmittedAt ?? m.CreatedAt) == last.Since && m.Id > last.Id))));
}
