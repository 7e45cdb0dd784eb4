namespace Jafer.ServiceDefaults.Time;

/// <summary>Instants and days as Jafer uses them, read from a clock.</summary>
public static class ClockExtensions
{
    private static readonly TimeZoneInfo s_paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");

    /// <summary>Now, cut to the microsecond that PostgreSQL keeps: what is answered is what is stored.</summary>
    /// <param name="clock">The clock.</param>
    public static DateTimeOffset GetStoredNow(this TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return clock.GetUtcNow().CutToMicrosecond();
    }

    /// <summary>Today in Paris, the calendar of courts and of national statistics.</summary>
    /// <param name="clock">The clock.</param>
    public static DateOnly TodayInParis(this TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(clock.GetUtcNow(), s_paris).DateTime);
    }

    /// <summary>The day of an instant in Paris.</summary>
    /// <param name="instant">The instant.</param>
    public static DateOnly DayInParis(this DateTimeOffset instant) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, s_paris).DateTime);

    /// <summary>The hour that a clock in Paris shows, from 0 to 23.</summary>
    /// <param name="instant">The instant.</param>
    public static int HourInParis(this DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, s_paris).Hour;

    /// <summary>The first day of the month of a day.</summary>
    /// <param name="day">The day.</param>
    public static DateOnly FirstOfMonth(this DateOnly day) => new(day.Year, day.Month, 1);

    /// <summary>The first instant of a day in Paris.</summary>
    /// <param name="day">The day.</param>
    public static DateTimeOffset StartInParis(this DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        return LocalClock.Utc(midnight, s_paris.GetUtcOffset(midnight));
    }

    /// <summary>The instant without what lies below a microsecond.</summary>
    /// <param name="instant">The instant.</param>
    public static DateTimeOffset CutToMicrosecond(this DateTimeOffset instant) => instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerMicrosecond));
}
