namespace Jafer.ServiceDefaults.Time;

/// <summary>
/// The working days (jours ouvrés) of a lieu: Monday to Friday without the public holidays of its département. The day of the act
/// does not count and the last day counts whole (CPC 641, 642).
/// </summary>
/// <param name="zone">Time zone whose days count.</param>
/// <param name="departement">Code of the département; empty for the holidays that all have.</param>
public sealed class WorkingCalendar(TimeZoneInfo zone, string departement)
{
    /// <summary>The time of what is never due.</summary>
    public static readonly DateTimeOffset Never = new(9999, 12, 30, 0, 0, 0, TimeSpan.Zero);

    // When offices are open: what waits until people work waits until then.
    private const int Morning = 8 * 60;

    // What lies in the last year that there is has no day after it to count on: it is never due.
    private const int LastYear = 9999;

    /// <summary>The calendar of an espace.</summary>
    /// <param name="timeZone">IANA zone; null for that of Paris.</param>
    /// <param name="departement">Code of the département; null while it is not known.</param>
    public static WorkingCalendar Of(string? timeZone, string? departement) =>
        new(TimeZoneInfo.FindSystemTimeZoneById(timeZone ?? Communes.Paris), departement ?? "");

    /// <summary>The calendar by which a court works: that of the commune where it sits.</summary>
    /// <param name="commune">INSEE code of the commune; null while it is not known (<see cref="Communes.OfCourt"/>).</param>
    /// <param name="departement">Code of the département of the espace, which is mostly the court's too; it counts, by the clocks of Paris, where the commune is not known.</param>
    public static WorkingCalendar OfCourt(string? commune, string? departement) =>
        commune is null ? Of(Communes.Paris, departement) : Of(Communes.ZoneOf(commune), Communes.DepartementOf(commune));

    /// <summary>Whether people work on a day.</summary>
    /// <param name="day">The day.</param>
    public bool IsWorking(DateOnly day) => day.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday) && !PublicHolidays.IsHoliday(day, departement);

    /// <summary>The end of the so-many-th working day after an instant.</summary>
    /// <param name="from">The instant; its day does not count.</param>
    /// <param name="days">Working days, from 1.</param>
    public DateTimeOffset AfterWorkingDays(DateTimeOffset from, int days) => EndOf(WorkingDayAfter(from, days));

    /// <summary>The end of the day of the same number so many months later; of the next working day when it is none.</summary>
    /// <param name="from">The instant.</param>
    /// <param name="months">Months.</param>
    public DateTimeOffset AfterMonths(DateTimeOffset from, int months)
    {
        var day = zone.DayOf(from).SameDayAfter(months);
        while (day.Year < LastYear && !IsWorking(day))
        {
            day = day.AddDays(1);
        }

        return EndOf(day);
    }

    /// <summary>An instant on a working day from 8 o'clock on: itself, or the next such morning.</summary>
    /// <param name="from">The instant.</param>
    public DateTimeOffset WorkingTimeFrom(DateTimeOffset from)
    {
        var day = zone.DayOf(from);
        return !IsWorking(day) ? MorningAfter(from, 1) : zone.At(day, Morning) is var morning && morning > from ? morning : from;
    }

    /// <summary>8 o'clock in the morning of the so-many-th working day after an instant.</summary>
    /// <param name="from">The instant; its day does not count.</param>
    /// <param name="days">Working days, from 1.</param>
    public DateTimeOffset MorningAfter(DateTimeOffset from, int days) => zone.At(WorkingDayAfter(from, days), Morning);

    /// <summary>The first instant of a day.</summary>
    /// <param name="day">The day.</param>
    public DateTimeOffset StartOf(DateOnly day) => zone.At(day, 0);

    /// <summary>The first instant after a day; <see cref="Never"/> in the year 9999.</summary>
    /// <param name="day">The day.</param>
    public DateTimeOffset EndOf(DateOnly day) => day.Year == LastYear ? Never : zone.At(day.AddDays(1), 0);

    private DateOnly WorkingDayAfter(DateTimeOffset from, int days)
    {
        var day = zone.DayOf(from);
        for (var left = day.Year == LastYear ? 0 : days; left > 0;)
        {
            day = day.AddDays(1);
            if (IsWorking(day))
            {
                left--;
            }
        }

        return day;
    }
}
