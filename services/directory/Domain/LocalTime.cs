namespace Jafer.Directory.Domain;

/// <summary>Days at the ends of the calendar.</summary>
internal static class LocalTime
{
    /// <summary>So many days later, or the last day of the calendar.</summary>
    public static DateOnly PlusDays(this DateOnly day, int days) =>
        DateOnly.FromDayNumber(Math.Min(day.DayNumber + days, DateOnly.MaxValue.DayNumber));

    /// <summary>The latest date that a clock shows anywhere in France (Wallis-et-Futuna, UTC+12).</summary>
    public static DateOnly LatestToday(TimeProvider clock) => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime.AddHours(12));
}
