using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Delays;

namespace Jafer.Directory.Domain;

/// <summary>How often rencontres take place, in its lowest terms: two in two weeks is one in a week.</summary>
/// <param name="Rencontres">Rencontres in each interval.</param>
/// <param name="Intervals">Length of the interval in its unit.</param>
/// <param name="Unit">The unit.</param>
internal readonly record struct Frequency(int Rencontres, int Intervals, PeriodicityUnit Unit)
{
    /// <summary>The frequency in its lowest terms; all three values are positive.</summary>
    public static Frequency Of(int rencontres, int intervals, PeriodicityUnit unit)
    {
        var (a, b) = (rencontres, intervals);
        while (b != 0)
            (a, b) = (b, a % b);
        return new(rencontres / a, intervals / a, unit);
    }
}

/// <summary>An espace and one modalité that it knows, with all that a search looks at. Immutable.</summary>
internal sealed class Offer
{
    private volatile Observation? _observed;
    private volatile Expectation? _expected;
    private HeldPlace[] _held = [];

    /// <summary>The espace.</summary>
    public required EspaceFacts Espace { get; init; }

    /// <summary>The modalité.</summary>
    public required Modalite Modalite { get; init; }

    /// <summary>Whether new mesures are taken, as last said.</summary>
    public required ModaliteState State { get; init; }

    /// <summary>While it is full or closed: the day from which mesures are taken again; null when not known.</summary>
    public DateOnly? ReopensOn { get; init; }

    /// <summary>Youngest age received, in years.</summary>
    public int MinAge { get; init; }

    /// <summary>Oldest age received, in years.</summary>
    public int MaxAge { get; init; } = 17;

    /// <summary>Most children of one family together; 0 without limit.</summary>
    public int MaxSiblings { get; init; }

    /// <summary>Shortest rencontre in minutes; 0 when not said.</summary>
    public int MinMinutes { get; init; }

    /// <summary>Longest rencontre in minutes; 0 when not said.</summary>
    public int MaxMinutes { get; init; }

    /// <summary>Frequencies; empty for any.</summary>
    public Frequency[] Frequencies { get; init; } = [];

    /// <summary>Particular situations that are received, one bit each.</summary>
    public uint Situations { get; init; }

    /// <summary>Whether families under an ordonnance de protection are received.</summary>
    public bool ProtectionOrder { get; init; }

    /// <summary>Further publics that are received, one bit each; 0 when nothing was said.</summary>
    public uint Publics { get; init; }

    /// <summary>Slots in an ordinary week as the espace says them; 0 when it does not.</summary>
    public int SlotsPerWeek { get; init; }

    /// <summary>When its lieux hold the modalité; null when no opening schedule was said.</summary>
    public Timetable? Timetable { get; init; }

    /// <summary>Families waiting, as last said; null when not.</summary>
    public int? WaitingFamilies { get; init; }

    /// <summary>Places that were free, as last said; null when not said.</summary>
    public DeclaredPlaces? Places { get; init; }

    /// <summary>Places held for mesures that are not transmitted yet, in the order in which they were held.</summary>
    public HeldPlace[] Held
    {
        get => _held;
        init => _held = value;
    }

    /// <summary>The wait last declared.</summary>
    public Wait? Wait { get; init; }

    /// <summary>How that wait came.</summary>
    public FigureSource WaitSource { get; init; }

    /// <summary>Day on which state and capacity were last said or confirmed; null when that is not known.</summary>
    public DateOnly? ConfirmedOn { get; init; }

    /// <summary>Days on which mesures of this modalité were received, in order.</summary>
    public int[] ReceivedOn { get; init; } = [];

    /// <summary>Mesures of this modalité that courts transmitted, for the wait that is observed.</summary>
    public FollowedMesure[] Followed { get; init; } = [];

    /// <summary>Mesures of this modalité that no court transmitted: they stand in the queue and take places, and no wait of theirs is observed.</summary>
    public FollowedMesure[] Beside { get; init; } = [];

    /// <summary>What became of past forecasts; null where nothing but the assumption is to be used.</summary>
    public PastForecasts? Forecasts { get; init; }

    /// <summary>All of them as a queue.</summary>
    public DatedWait[] QueueWaits() => [.. Followed.Select(m => m.InQueue()), .. Beside.Select(m => m.InQueue() with { Beside = true })];

    /// <summary>The wait as it is observed on a day; null while too little is known.</summary>
    /// <param name="day">The day.</param>
    /// <param name="wider">What its région saw; null when nothing.</param>
    public ObservedFigures? ObservedOn(DateOnly day, PooledWait? wider)
    {
        // The same for every search of a day and snapshot; two callers at once work out the same.
        if (_observed is { } known && known.Day == day && known.Wider == wider)
            return known.Figures;
        var figures = ObservedWaits.Of(Followed, wider, day);
        _observed = new(day, wider, figures);
        return figures;
    }

    /// <summary>The wait that whoever is transmitted on a day can expect; null when nothing is known.</summary>
    public ExpectedWait? ExpectedOn(DateOnly day)
    {
        if (_expected is { } known && known.Day == day)
            return known.Wait;
        return Expect(day).Wait;
    }

    private Expectation Expect(DateOnly day) => _expected = new(day, ExpectedWait.Of(this, day), Ranking.LoadDays(Standing.DemandOf(this, day)));

    /// <summary>Days that count more on a day because more mesures come than places become free.</summary>
    public int LoadDaysOn(DateOnly day) => (_expected is { } known && known.Day == day ? known : Expect(day)).Load;

    /// <summary>The offer with other places held.</summary>
    public Offer WithHeld(HeldPlace[] held)
    {
        var other = (Offer)MemberwiseClone();
        (other._held, other._expected) = (held, null);
        return other;
    }

    /// <summary>The offer as a mesure sees it: neither its own place counts nor those that were held after it.</summary>
    public Offer SeenBy(Guid mesureId) =>
        Held.FirstOrDefault(h => h.MesureId == mesureId) is { Number: > 0 and var own } ? WithHeld([.. Held.Where(h => h.Number < own)]) : this;

    /// <summary>True when mesures are taken, be it on a waiting list or from a day on that is known.</summary>
    public bool IsOpen => State is ModaliteState.Ouverte or ModaliteState.Limitee or ModaliteState.ListeAttente
        || (State is ModaliteState.Complete or ModaliteState.Fermee && ReopensOn is not null);

    /// <summary>The day from which mesures are taken, when that lies ahead of a day; else that day.</summary>
    public DateOnly TakesFrom(DateOnly day) =>
        State is ModaliteState.Complete or ModaliteState.Fermee && ReopensOn is { } opens && opens > day ? opens : day;

    /// <summary>Slots in an ordinary week, as said, else as the opening schedule gives them; 0 when neither is known.</summary>
    public int SlotsOn(DateOnly day) => SlotsPerWeek > 0 ? SlotsPerWeek : Timetable?.SlotsPerWeek(Modalite, day) ?? 0;

    /// <summary>
    /// Day of the first rencontre that can be expected in a lieu. The wait of whoever joins today counts from the decision, from
    /// today when the decision lies behind, and from the reopening when that lies ahead; a closure on that day puts it off until the
    /// lieu opens again, and an opening schedule to its next day.
    /// </summary>
    /// <param name="lieu">Position of the lieu.</param>
    /// <param name="needs">Says today and the day of the decision.</param>
    /// <param name="unknownWait">Days that stand in for a wait of which nothing is known.</param>
    public DateOnly FirstRencontre(int lieu, MesureNeeds needs, int unknownWait = Domain.Wait.UnknownDays) =>
        FirstRencontreAfter(lieu, needs, ExpectedOn(needs.Today)?.Days ?? unknownWait);

    /// <summary>The same after so many days of waiting.</summary>
    /// <param name="lieu">Position of the lieu.</param>
    /// <param name="needs">Says today and the day of the decision.</param>
    /// <param name="wait">The days.</param>
    public DateOnly FirstRencontreAfter(int lieu, MesureNeeds needs, int wait)
    {
        var day = TakesFrom(needs.From).PlusDays(wait);
        while (true)
        {
            day = Espace.FirstOpenDay(lieu, day);
            if (Timetable is null || Timetable.NextOpening(Modalite, lieu, day) is var next && next == day)
                return day;
            day = next;
        }
    }

    private sealed record Expectation(DateOnly Day, ExpectedWait? Wait, int Load);

    private sealed record Observation(DateOnly Day, PooledWait? Wider, ObservedFigures? Figures);
}
