namespace Jafer.ServiceDefaults.Time;

/// <summary>How long after a moment something is due: hours that run through nights and weekends, working days, or months.</summary>
public readonly record struct Delay
{
    /// <summary>At the moment itself.</summary>
    public static readonly Delay None = new(0, Unit.None);

    private readonly Unit _unit;

    private Delay(int amount, Unit unit) => (Amount, _unit) = (amount, unit);

    private enum Unit
    {
        None,
        Hours,
        WorkingDays,
        Months,
    }

    /// <summary>How many of its unit.</summary>
    public int Amount { get; }

    /// <summary>Whether it counts working days.</summary>
    public bool InWorkingDays => _unit == Unit.WorkingDays;

    /// <summary>Hours.</summary>
    /// <param name="amount">How many.</param>
    public static Delay Hours(int amount) => new(amount, Unit.Hours);

    /// <summary>Working days.</summary>
    /// <param name="amount">How many.</param>
    public static Delay WorkingDays(int amount) => new(amount, Unit.WorkingDays);

    /// <summary>Months.</summary>
    /// <param name="amount">How many.</param>
    public static Delay Months(int amount) => new(amount, Unit.Months);

    /// <summary>The moment so long after another; days and months end with their last day.</summary>
    /// <param name="at">The moment.</param>
    /// <param name="calendar">Whose days count.</param>
    public DateTimeOffset After(DateTimeOffset at, WorkingCalendar calendar)
    {
        ArgumentNullException.ThrowIfNull(calendar);
        return _unit switch
        {
            Unit.Hours => at.AddHours(Amount),
            Unit.WorkingDays => calendar.AfterWorkingDays(at, Amount),
            Unit.Months => calendar.AfterMonths(at, Amount),
            _ => at,
        };
    }
}
