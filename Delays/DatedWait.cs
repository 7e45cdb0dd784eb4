namespace Jafer.Delays;

/// <summary>A wait by its days, as day numbers: 0 where a day has not come, or is not known.</summary>
/// <param name="Began">Day on which it began.</param>
/// <param name="PassedOn">Day on which what was waited for took place.</param>
/// <param name="EndedOn">Day on which it was closed; after <paramref name="PassedOn"/> it ends no wait, but gives a place back.</param>
public readonly record struct DatedWait(int Began, int PassedOn, int EndedOn)
{
    /// <summary>Of a wait from the transmission to the first rencontre held: day of the first contact with a parent, on which it joins the queue.</summary>
    public int ContactedOn { get; init; }

    /// <summary>Of the same: day on which a first rencontre was scheduled, and it left the queue.</summary>
    public int ScheduledOn { get; init; }

    /// <summary>Of the same: day on which a rencontre was scheduled that is no freed slot, and it took its place.</summary>
    public int PlacedOn { get; init; }

    /// <summary>Of the same: for how long it takes its place, as far as it was told.</summary>
    public MesureTerms Terms { get; init; }

    /// <summary>Stands in the queue and takes a place, but is no wait that is observed or forecast: no court transmitted it.</summary>
    public bool Beside { get; init; }

    /// <summary>Until when it waited, as it is known on a day, and what became of it.</summary>
    /// <param name="today">The day.</param>
    public (int Until, DelayOutcome Outcome) OutcomeOn(int today) =>
        PassedOn != 0 && PassedOn <= today ? (PassedOn, DelayOutcome.Passed)
        : EndedOn != 0 && EndedOn <= today ? (EndedOn, DelayOutcome.Ended)
        : (today, DelayOutcome.Waiting);
}
