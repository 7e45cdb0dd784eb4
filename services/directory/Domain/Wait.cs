namespace Jafer.Directory.Domain;

/// <summary>A wait as an espace declared it for one modalité.</summary>
/// <param name="Days">Days from the transmission of a mesure to its first rencontre.</param>
/// <param name="AsOf">Day for which the figure holds.</param>
internal readonly record struct Wait(int Days, DateOnly AsOf)
{
    /// <summary>Least days that stand in for a wait that nobody declared: about twice the national mean.</summary>
    public const int UnknownDays = 180;

    /// <summary>Longest wait that can be declared, in days.</summary>
    public const int MaxDays = 1500;

    /// <summary>
    /// Days that stand in for a wait that nobody declared, so that silence never helps: what nine in ten of the waits declared
    /// for the modalité do not exceed, and <see cref="UnknownDays"/> at least. A wait once declared stays, however old it is.
    /// </summary>
    /// <param name="declared">Days of every wait declared for the modalité, in any order.</param>
    public static int StandIn(IEnumerable<int> declared)
    {
        int[] days = [.. declared.Order()];
        return days.Length == 0 ? UnknownDays : Math.Max(UnknownDays, days[(days.Length * 9 + 9) / 10 - 1]);
    }

    /// <summary>True when the figure is older than its freshness rule allows on the given day: still shown, and marked.</summary>
    public bool IsStaleOn(DateOnly day) => Freshness.IsStaleOn(Contracts.Directory.V1.EspaceGroup.Attente, AsOf, day);

    /// <summary>Days since the day for which the figure holds; 0 while that is only today further east.</summary>
    public int AgeOn(DateOnly day) => Math.Max(0, day.DayNumber - AsOf.DayNumber);

    /// <summary>
    /// Day of the first rencontre that can be expected. A declared wait is the wait of whoever joins, whenever it was declared:
    /// it counts from the decision, and from today when the decision lies behind.
    /// </summary>
    /// <param name="decision">Date of the decision.</param>
    /// <param name="today">Today where the question is asked.</param>
    public DateOnly ExpectedFirstVisit(DateOnly decision, DateOnly today) => (decision > today ? decision : today).PlusDays(Days);
}
