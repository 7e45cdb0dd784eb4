namespace Jafer.ServiceDefaults.Time;

/// <summary>Clocks on walls and terms in months, as the law and the espaces count them.</summary>
public static class LocalClock
{
    /// <summary>
    /// The instant at which a clock shows a time. A time that a clock skips in spring comes as much later as the clock jumps;
    /// one that it shows twice in autumn is the first of the two.
    /// </summary>
    /// <param name="zone">Time zone of the clock.</param>
    /// <param name="day">Day.</param>
    /// <param name="minute">Minutes after midnight, from 0 to 1440.</param>
    public static DateTimeOffset At(this TimeZoneInfo zone, DateOnly day, int minute)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var local = day.ToDateTime(TimeOnly.MinValue).AddMinutes(minute);
        if (zone.IsInvalidTime(local))
        {
            // The offset before the jump, which an hour earlier surely has, puts it behind the jump.
            return Utc(local, zone.GetUtcOffset(local.AddHours(-3)));
        }

        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return Utc(local, offset);
    }

    // Clocks of old were set by the sun: their offsets have seconds, which DateTimeOffset refuses.
    internal static DateTimeOffset Utc(DateTime local, TimeSpan offset) => new(DateTime.SpecifyKind(local - offset, DateTimeKind.Utc));

    /// <summary>The day that an instant is on a clock.</summary>
    /// <param name="zone">Time zone of the clock.</param>
    /// <param name="instant">The instant.</param>
    public static DateOnly DayOf(this TimeZoneInfo zone, DateTimeOffset instant)
    {
        ArgumentNullException.ThrowIfNull(zone);
        return DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);
    }

    /// <summary>
    /// The day of the same number so many months later, or the last day of that month when it has no such number (Code de
    /// procédure civile, article 641); the last day of the calendar when that ends before.
    /// </summary>
    /// <param name="day">The day of the act.</param>
    /// <param name="months">Months, 0 or more.</param>
    public static DateOnly SameDayAfter(this DateOnly day, int months) =>
        day.Year * 12 + day.Month - 1 + months > 9999 * 12 + 11 ? DateOnly.MaxValue : day.AddMonths(months);
}
