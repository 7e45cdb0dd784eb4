using Jafer.Contracts.Directory.V1;

namespace Jafer.Directory.Domain;

/// <summary>Something that whoever designates an espace should know.</summary>
/// <param name="Code">What it is about.</param>
/// <param name="Date">Date that matters; null when there is none.</param>
/// <param name="Value">Figure that matters; 0 when there is none.</param>
internal readonly record struct Warning(ResultWarningCode Code, DateOnly? Date = null, int Value = 0);

/// <summary>Mesures that came against places that there were.</summary>
/// <param name="Received">Mesures received over the last twelve months.</param>
/// <param name="Capacity">Mesures that the present capacity can begin in twelve months.</param>
internal readonly record struct Demand(int Received, int Capacity)
{
    /// <summary>Above 1 the queue grows.</summary>
    public double Ratio => (double)Received / Capacity;
}

/// <summary>How an offer stands on a day: whether mesures are taken, how it is loaded, what should be known of it.</summary>
internal static class Standing
{
    /// <summary>
    /// Rencontres that a mesure takes up: 234,900 scheduled over 21,900 new mesures in 2024 (SSER). With it, slots become
    /// mesures.
    /// </summary>
    public const double RencontresOfAMesure = 10.7;

    /// <summary>Days after the expected first rencontre on which a closure is still worth a word.</summary>
    public const int ClosureAheadDays = 14;

    /// <summary>Days closed from which a closure during the mesure is worth a word: rencontres are missed.</summary>
    public const int LongClosureDays = 14;

    private const double WeeksOfAYear = 52;

    /// <summary>Whether mesures are taken on a day, with what is known of the age of that statement.</summary>
    public static CapacityStatus Status(Offer offer, DateOnly today)
    {
        if (offer.Espace.State != EspaceState.Ouvert || ClosedToday(offer.Espace, today) is not null || offer.TakesFrom(today) > today)
            return CapacityStatus.ClosedUntil;
        switch (offer.State)
        {
            case ModaliteState.Fermee when offer.ReopensOn is null:
                return CapacityStatus.ClosedUntil;
            case ModaliteState.Complete when offer.ReopensOn is null:
                return CapacityStatus.Full;
            case ModaliteState.Fermee or ModaliteState.Complete:
                // The day has come, and nobody said that it is so.
                return CapacityStatus.Unconfirmed;
        }
        if (Expired(offer, today))
            return CapacityStatus.Unconfirmed;
        return offer.State switch
        {
            ModaliteState.Ouverte => CapacityStatus.Open,
            ModaliteState.Limitee => CapacityStatus.Limited,
            _ => CapacityStatus.WaitingList,
        };
    }

    /// <summary>While it is closed: the day from which mesures are taken again; null when that is not known.</summary>
    public static DateOnly? ReopensOn(Offer offer, DateOnly today)
    {
        if (offer.Espace.State != EspaceState.Ouvert || !offer.IsOpen)
            return null;
        var reopens = offer.TakesFrom(today);
        if (ClosedToday(offer.Espace, today) is { } last && last.PlusDays(1) > reopens)
            reopens = last.PlusDays(1);
        return reopens > today ? reopens : null;
    }

    /// <summary>Mesures received over the twelve months before a day against capacity; null when the capacity is not known.</summary>
    public static Demand? DemandOf(Offer offer, DateOnly today)
    {
        var capacity = (int)Math.Round(offer.SlotsOn(today) * WeeksOfAYear / RencontresOfAMesure);
        if (capacity == 0)
            return null;
        var after = today.AddYears(-1).DayNumber;
        return new(offer.ReceivedOn.Count(day => day > after && day <= today.DayNumber), capacity);
    }

    /// <summary>True when the opening was said so long ago that it no longer counts.</summary>
    public static bool Expired(Offer offer, DateOnly today) =>
        offer.ConfirmedOn is { } confirmed && Freshness.OpennessExpiredOn(EspaceGroup.Modalite, confirmed, today);

    /// <summary>What should be known before designating; never a refusal. The order is that of the codes.</summary>
    /// <param name="offer">The offer.</param>
    /// <param name="lieu">Position of the lieu chosen.</param>
    /// <param name="needs">What the mesure asks.</param>
    public static List<Warning> Warnings(Offer offer, int lieu, MesureNeeds needs)
    {
        var (espace, today) = (offer.Espace, needs.Today);
        var warnings = new List<Warning>();
        if (offer.Wait is not { } declared)
            warnings.Add(new(ResultWarningCode.WaitUnknown));
        else if (declared.IsStaleOn(today))
            warnings.Add(new(ResultWarningCode.WaitStale, declared.AsOf));
        // Where no wait is known, nothing can be said but of what is closed now.
        var wait = offer.ExpectedOn(today);
        var expected = wait is null ? espace.FirstOpenDay(lieu, offer.TakesFrom(needs.From)) : offer.FirstRencontre(lieu, needs, 0);
        var agrements = Array.FindAll(espace.Agrements, a => (a.Lieux >> lieu & 1) != 0);
        var periods = Array.ConvertAll(agrements, a => a.Days);
        if (Array.Exists(periods, p => p.Contains(needs.Decision)) && Agrement.ValidUntil(periods, needs.Decision) is { } last
            && (last < expected || (needs.Term is { } term ? last < term : last.AddYears(-1) < needs.Decision)))
            warnings.Add(new(ResultWarningCode.AgrementEnds, last));
        if (offer.State == ModaliteState.ListeAttente)
            warnings.Add(new(ResultWarningCode.WaitingList, Value: offer.WaitingFamilies ?? 0));
        if (offer.State == ModaliteState.Limitee)
            warnings.Add(new(ResultWarningCode.LimitedCapacity));
        foreach (var closure in espace.Closures)
        {
            if ((closure.Lieux >> lieu & 1) != 0 && Matters(closure, today, expected, needs.Term))
                warnings.Add(new(ResultWarningCode.ClosureAhead, closure.To, closure.To.DayNumber - closure.From.DayNumber + 1));
        }
        if (wait is not null && needs.Term is { } end && end < DateOnly.MaxValue
            && 2 * (expected.DayNumber - needs.Decision.DayNumber) > end.DayNumber + 1 - needs.Decision.DayNumber)
            warnings.Add(new(ResultWarningCode.TermTooShort, Value: expected.DayNumber - needs.Decision.DayNumber));
        if (Expired(offer, today))
            warnings.Add(new(ResultWarningCode.CapacityStale, offer.ConfirmedOn));
        if (espace.Courts.Length > 0 && needs.Court.Length > 0 && !espace.Courts.Contains(needs.Court))
            warnings.Add(new(ResultWarningCode.CourtNotServed));
        if (espace.Communes.Length > 0 && Array.Exists(needs.Communes, commune => !espace.Communes.Contains(commune)))
            warnings.Add(new(ResultWarningCode.CommuneNotServed));
        if (needs.Besoins != 0 || needs.Languages.Length > 0)
        {
            foreach (var need in DesignationRules.Unknown(offer, lieu, needs))
                warnings.Add(new(ResultWarningCode.NeedUnknown, Value: (int)need));
        }
        if (DemandOf(offer, today) is { Ratio: > 1 and var ratio })
            warnings.Add(new(ResultWarningCode.DemandAboveCapacity, Value: (int)Math.Round(Math.Min(ratio, 10_000) * 100)));
        // The day from which an opening was looked for, too: without holidays, hours of the holidays are passed by.
        if (wait is { Days: var days } && offer.Timetable is { } timetable
            && (timetable.IsEstimate(offer.Modalite, lieu, expected) || timetable.IsEstimate(offer.Modalite, lieu, offer.TakesFrom(needs.From).PlusDays(days))))
            warnings.Add(new(ResultWarningCode.SchoolYearUnknown, expected));
        // Until then the préfet may still refuse.
        var counting = Array.FindAll(agrements, a => a.Days.Contains(needs.Decision));
        if (counting.Length > 0 && Array.TrueForAll(counting, a => a.BySilence && a.Days.From > today))
            warnings.Add(new(ResultWarningCode.AgrementPending, counting.Min(a => a.Days.From)));
        var places = PlaceCount.Of(offer, today);
        if (places.LastIsHeld)
            warnings.Add(new(ResultWarningCode.LastPlaceHeld, places.Declared!.Value.AsOf, places.Held));
        else if (places.WereTaken)
            warnings.Add(new(ResultWarningCode.FreePlacesTaken, places.Declared!.Value.AsOf, places.Transmitted));
        return warnings;
    }

    /// <summary>Last day of the closure of every lieu that holds on a day; null when one is open.</summary>
    private static DateOnly? ClosedToday(EspaceFacts espace, DateOnly today)
    {
        DateOnly? last = null;
        foreach (var closure in espace.Closures)
        {
            if ((closure.Lieux & espace.AllLieux) == espace.AllLieux && closure.From <= today && today <= closure.To && !(closure.To < last))
                last = closure.To;
        }
        return last;
    }

    // From today to soon after the first rencontre every closure, later on during the mesure a long one.
    private static bool Matters(Closure closure, DateOnly today, DateOnly expected, DateOnly? term) =>
        closure.To >= today
        && (closure.From <= expected.PlusDays(ClosureAheadDays)
            || (closure.From <= term && closure.To.DayNumber - closure.From.DayNumber + 1 >= LongClosureDays));
}
