using Jafer.Contracts.Type.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// How often rencontres may take place: so many in each interval of whole weeks from Monday, or of whole calendar months, as
/// a decision is read ("deux fois par mois"). Intervals of several weeks or months are counted from an anchor.
/// </summary>
/// <param name="Count">Rencontres in each interval.</param>
/// <param name="Interval">Length of the interval in its unit.</param>
/// <param name="Unit">Unit.</param>
internal readonly record struct Cadence(int Count, int Interval, PeriodicityUnit Unit)
{
    /// <summary>The cadence of a decision; null when it names none.</summary>
    public static Cadence? Of(Decision decision) =>
        decision is { PeriodicityCount: { } count, PeriodicityInterval: { } interval, PeriodicityUnit: not PeriodicityUnit.Unspecified }
            ? new Cadence(count, interval, decision.PeriodicityUnit)
            : null;

    /// <summary>Rencontres in a year of 52 weeks or 12 months, rounded; at least one.</summary>
    public int PerYear => Math.Max(1, (int)Math.Round((double)Count * (Unit == PeriodicityUnit.Week ? 52 : 12) / Interval));

    /// <summary>Number of the interval in which a day lies; that of the anchor is 0.</summary>
    /// <param name="day">The day.</param>
    /// <param name="anchor">A day of the first interval, such as that of the first rencontre.</param>
    public int IntervalOf(DateOnly day, DateOnly anchor) => (int)Math.Floor((double)(Period(day) - Period(anchor)) / Interval);

    /// <summary>First and last day of an interval.</summary>
    /// <param name="interval">Its number.</param>
    /// <param name="anchor">A day of the interval with number 0.</param>
    public (DateOnly First, DateOnly Last) DaysOf(int interval, DateOnly anchor)
    {
        var period = Period(anchor) + interval * Interval;
        if (Unit == PeriodicityUnit.Week)
        {
            return (DateOnly.FromDayNumber(period * 7), DateOnly.FromDayNumber((period + Interval) * 7 - 1));
        }

        var first = new DateOnly((period - 1) / 12, (period - 1) % 12 + 1, 1);
        return (first, first.AddMonths(Interval).AddDays(-1));
    }

    // Day 0 of the calendar is a Monday.
    private int Period(DateOnly day) => Unit == PeriodicityUnit.Week ? day.DayNumber / 7 : day.Year * 12 + day.Month;
}
