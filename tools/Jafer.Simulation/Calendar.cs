namespace Jafer.Simulation;

/// <summary>The days of the simulation: eight years of warm-up, the cohort's year, and a year and a half in which it is followed.</summary>
internal static class Calendar
{
    /// <summary>Day 0.</summary>
    public static readonly DateOnly Start = new(2016, 1, 1);

    /// <summary>First day of the year that is counted.</summary>
    public static readonly int YearFirst = Day(new(2024, 1, 1));

    /// <summary>First day after it.</summary>
    public static readonly int YearEnd = Day(new(2025, 1, 1));

    /// <summary>First day after all.</summary>
    public static readonly int End = YearEnd + 548;

    /// <summary>First day of a policy: two years before the cohort, so that what it changes has come about.</summary>
    public static readonly int PolicyFirst = Day(new(2022, 1, 1));

    /// <summary>Number of a day.</summary>
    public static int Day(DateOnly date) => date.DayNumber - Start.DayNumber;

    /// <summary>Date of a day.</summary>
    public static DateOnly Date(int day) => Start.AddDays(day);

    /// <summary>The same day of the month so many months later.</summary>
    public static int AddMonths(int day, int months) => Day(Date(day).AddMonths(months));

    /// <summary>Whether espaces hold no rencontres: three weeks of August and one at the end of the year (an assumption).</summary>
    public static bool IsClosed(int day)
    {
        var date = Date(day);
        return date is { Month: 8, Day: <= 21 } or { Month: 12, Day: >= 25 };
    }

    /// <summary>Part of the year on which espaces hold rencontres.</summary>
    public const double OpenShare = 1 - (28 / 365.0);

    /// <summary>Whether courts decide: Monday to Friday.</summary>
    public static bool IsWeekday(int day) => Date(day).DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday);
}
