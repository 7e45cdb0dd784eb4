using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// The place of a mesure among those to whom a lost slot is offered: those who never had a rencontre before those who had one; among
/// them legal urgency first; then who was transmitted first. The id makes the order total.
/// </summary>
/// <param name="First">Whether it would be the first rencontre: the mesure is EN_ATTENTE.</param>
/// <param name="Since">Since when it waits: its transmission, or its creation where no judge transmitted it.</param>
/// <param name="Id">The mesure.</param>
/// <param name="Urgency">Legal urgency; none where it is not the first rencontre.</param>
internal readonly record struct SlotClaim(bool First, DateTimeOffset Since, Guid Id, SlotUrgency Urgency = SlotUrgency.None) : IComparable<SlotClaim>
{
    /// <summary>Months after the slot within which a term makes a first rencontre urgent: those of the worklist of near terms.</summary>
    public const int UrgentTermMonths = 2;

    /// <summary>Negative when this one is offered the slot before the other.</summary>
    public int CompareTo(SlotClaim other)
    {
        var order = other.First.CompareTo(First);
        if (order == 0)
            order = ((int)Urgency).CompareTo((int)other.Urgency);
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

    /// <summary>The claim of a mesure to a slot.</summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="day">The day of the slot.</param>
    public static SlotClaim Of(Mesure mesure, DateOnly day) => Of(mesure.Id, mesure.Status.State, SinceOf(mesure), mesure.Decision.LegalBasis, mesure.Term, day);

    /// <summary>The claim of what is known of a mesure.</summary>
    public static SlotClaim Of(Guid id, MesureState state, DateTimeOffset since, LegalBasis basis, DateOnly? term, DateOnly day)
    {
        var first = state == MesureState.EnAttente;
        var urgency = !first ? SlotUrgency.None
            : basis == LegalBasis.Article51511 ? SlotUrgency.Protection
            : term <= day.AddMonths(UrgentTermMonths) ? SlotUrgency.TermNear
            : SlotUrgency.None;
        return new(first, since, id, urgency);
    }

    /// <summary>Since when a mesure waits.</summary>
    public static DateTimeOffset SinceOf(Mesure mesure) => mesure.Status.TransmittedAt ?? mesure.CreatedAt;
}

/// <summary>The same order as the database gives it.</summary>
internal static class SlotClaims
{
    private const int Protection = (int)SlotUrgency.Protection;
    private const int TermNear = (int)SlotUrgency.TermNear;
    private const int None = (int)SlotUrgency.None;

    /// <summary>In the database the states are their codes, of which EN_ATTENTE comes first. What no judge ordered was never transmitted.</summary>
    /// <param name="waiting">Mesures that are EN_ATTENTE or EN_COURS.</param>
    /// <param name="day">The day of the slot.</param>
    public static IOrderedQueryable<Mesure> InOrderOfOffering(this IQueryable<Mesure> waiting, DateOnly day)
    {
        var near = day.AddMonths(SlotClaim.UrgentTermMonths);
        return waiting.OrderBy(m => m.Status.State)
            .ThenBy(m => m.Status.State != MesureState.EnAttente ? None
                : m.Decision.LegalBasis == LegalBasis.Article51511 ? Protection
                : m.Term != null && m.Term <= near ? TermNear : None)
            .ThenBy(m => m.Status.TransmittedAt ?? m.CreatedAt).ThenBy(m => m.Id);
    }

    /// <summary>Those that come after a claim.</summary>
    /// <param name="waiting">Mesures that are EN_ATTENTE or EN_COURS.</param>
    /// <param name="claim">The claim; null for all.</param>
    /// <param name="day">The day of the slot.</param>
    public static IQueryable<Mesure> After(this IQueryable<Mesure> waiting, SlotClaim? claim, DateOnly day)
    {
        if (claim is not { } last)
        {
            return waiting;
        }

        var (near, urgency, state) = (day.AddMonths(SlotClaim.UrgentTermMonths), (int)last.Urgency, last.First ? MesureState.EnAttente : MesureState.EnCours);
        return waiting
            .Select(m => new
            {
                Mesure = m,
                Since = m.Status.TransmittedAt ?? m.CreatedAt,
                Urgency = m.Status.State != MesureState.EnAttente ? None
                    : m.Decision.LegalBasis == LegalBasis.Article51511 ? Protection
                    : m.Term != null && m.Term <= near ? TermNear : None,
            })
            .Where(m => (last.First && m.Mesure.Status.State == MesureState.EnCours)
                || (m.Mesure.Status.State == state
                    && (m.Urgency > urgency
                        || (m.Urgency == urgency && (m.Since > last.Since || (m.Since == last.Since && m.Mesure.Id > last.Id))))))
            .Select(m => m.Mesure);
    }
}
