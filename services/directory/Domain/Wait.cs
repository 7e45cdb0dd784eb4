namespace Jafer.Directory.Domain;

/// <summary>A wait as an espace declared it for one modalité.</summary>
/// <param name="Days">Days from the transmission of a mesure to its first rencontre.</param>
/// <param name="AsOf">Day for which the figure holds.</param>
internal readonly record struct Wait(int Days, DateOnly AsOf)
{
    /// <summary>Days that stand in for a wait that nobody declared: about twice the national mean, so that silence never helps.</summary>
    public const int UnknownDays = 180;

    /// <summary>Longest wait that can be declared, in days.</summary>
    public const int MaxDays = 1500;

    /// <summary>True when the figure is older than its freshness rule allows on the given day: still shown, and marked.</summary>
    public bool IsStaleOn(DateOnly day) => Freshness.IsStaleOn(Contracts.Directory.V1.EspaceGroup.Attente, AsOf, day);

    /// <summary>
    /// Day of the first rencontre that can be expected. A declared wait is the wait of whoever joins, whenever it was declared:
    /// it counts from the decision, and from today when the decision lies behind.
    /// </summary>
    /// <param name="decision">Date of the decision.</param>
    /// <param name="today">Today where the question is asked.</param>
    public DateOnly ExpectedFirstVisit(DateOnly decision, DateOnly today) => (decision > today ? decision : today).PlusDays(Days);
}
