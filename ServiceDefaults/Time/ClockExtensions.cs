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

    /// <summary>The instant without what lies below a microsecond.</summary>
    /// <param name="instant">The instant.</param>
    public static DateTimeOffset CutToMicrosecond(this DateTimeOffset instant) => instant.AddTicks(-(instant.Ticks % TimeSpan.TicksPerMicrosecond));
}
