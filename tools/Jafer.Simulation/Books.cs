using Jafer.Contracts.Mesure.V1;

namespace Jafer.Simulation;

/// <summary>What happened to a mesure.</summary>
internal enum ActKind
{
    /// <summary>The judge ordered it, or parents asked for it.</summary>
    Ordered,

    /// <summary>It was transmitted to its espace.</summary>
    Transmitted,

    /// <summary>A parent made contact.</summary>
    Contacted,

    /// <summary>Interviews are done: it waits for its first rencontre.</summary>
    Ready,

    /// <summary>Its series of rencontres was scheduled.</summary>
    Booked,

    /// <summary>A lost slot was given to it.</summary>
    SlotGiven,

    /// <summary>A rencontre was held.</summary>
    Held,

    /// <summary>A rencontre was not held.</summary>
    NotHeld,

    /// <summary>It was closed.</summary>
    Closed,
}

/// <summary>One dated act of the books.</summary>
/// <param name="Day">Its day, counted from <see cref="Calendar.Start"/>.</param>
/// <param name="Mesure">Number of the mesure.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Site">Number of the espace.</param>
/// <param name="Reason">Why it was closed.</param>
internal readonly record struct Act(int Day, int Mesure, ActKind Kind, int Site, ClosureReason Reason = ClosureReason.Unspecified);

/// <summary>What became of every mesure of a run. Days are counted from <see cref="Calendar.Start"/>; -1 is never.</summary>
internal sealed class Books(int count)
{
    /// <summary>The espace chosen.</summary>
    public int[] Site { get; } = new int[count];

    /// <summary>Position of that espace among those that could be chosen; 0 is the nearest to the hôte.</summary>
    public byte[] Chosen { get; } = new byte[count];

    /// <summary>Transmission; the request where no judge ordered.</summary>
    public int[] Transmitted { get; } = Never(count);

    /// <summary>First contact of a parent.</summary>
    public int[] Contacted { get; } = Never(count);

    /// <summary>Ready for a first rencontre.</summary>
    public int[] Ready { get; } = Never(count);

    /// <summary>Booking of the regular rencontres.</summary>
    public int[] Booked { get; } = Never(count);

    /// <summary>First rencontre held.</summary>
    public int[] FirstHeld { get; } = Never(count);

    /// <summary>First rencontre of the regular rhythm that was planned: the duration runs from it.</summary>
    public int[] RegularPlanned { get; } = Never(count);

    /// <summary>First rencontre of the regular rhythm that was held.</summary>
    public int[] RegularHeld { get; } = Never(count);

    /// <summary>First rencontre ever scheduled, early ones included: the day of the booking.</summary>
    public int[] Scheduled { get; } = Never(count);

    /// <summary>Closing.</summary>
    public int[] Closed { get; } = Never(count);

    /// <summary>Why it was closed.</summary>
    public ClosureReason[] Reason { get; } = new ClosureReason[count];

    /// <summary>Rencontres scheduled, by their day.</summary>
    public int[] ScheduledOn { get; } = new int[Calendar.End + 64];

    /// <summary>Rencontres held, by their day.</summary>
    public int[] HeldOn { get; } = new int[Calendar.End + 64];

    /// <summary>Lost slots that were known early and offered in the counted year, and those taken.</summary>
    public (int Offered, int Taken) Slots { get; set; }

    /// <summary>Share of the capacity that stood empty in the counted year, and the share of queues with somebody in it at its end.</summary>
    public (double Idle, double WithQueue) Capacity { get; set; }

    /// <summary>The dated acts in the order in which they happened; null when they were not asked for.</summary>
    public List<Act>? Acts { get; init; }

    private static int[] Never(int count)
    {
        var days = new int[count];
        Array.Fill(days, -1);
        return days;
    }
}
