namespace Jafer.Delays;

/// <summary>A mesure on its way to the first rencontre, by day numbers: 0 where a day has not come, or is not known.</summary>
/// <param name="Began">Day of the transmission.</param>
/// <param name="PassedOn">Day of the first rencontre held.</param>
/// <param name="EndedOn">Day of a closing before it.</param>
public readonly record struct FollowedWait(int Began, int PassedOn, int EndedOn)
{
    /// <summary>Day of the first contact with a parent: the mesure stands in the queue.</summary>
    public int ContactedOn { get; init; }

    /// <summary>Day on which a first rencontre was scheduled: the mesure has left the queue.</summary>
    public int ScheduledOn { get; init; }

    /// <summary>Until when it waited, as it is known on a day, and what became of it.</summary>
    /// <param name="today">The day.</param>
    public (int Until, DelayOutcome Outcome) OutcomeOn(int today) =>
        PassedOn != 0 && PassedOn <= today ? (PassedOn, DelayOutcome.Passed)
        : EndedOn != 0 && EndedOn <= today ? (EndedOn, DelayOutcome.Ended)
        : (today, DelayOutcome.Waiting);
}
