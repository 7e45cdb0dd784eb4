namespace Jafer.ServiceDefaults.Time;

/// <summary>
/// Public holidays of France by département: those of article L3133-1 of the Code du travail everywhere, besides Good Friday
/// and 26 December in Alsace-Moselle (L3134-13), the day of the abolition of slavery overseas (L3422-2), and the feast days of
/// the collectivities of the Pacific as far as they are certain. Computed; no table to keep.
/// </summary>
public static class PublicHolidays
{
    /// <summary>Whether a day is a public holiday.</summary>
    /// <param name="day">The day.</param>
    /// <param name="departement">Code of the département or overseas collectivity, such as "67" or "974".</param>
    public static bool IsHoliday(DateOnly day, string departement) => Of(day.Year, departement).Contains(day);

    /// <summary>The public holidays of a year, in order.</summary>
    /// <param name="year">Calendar year.</param>
    /// <param name="departement">Code of the département or overseas collectivity.</param>
    public static IReadOnlyList<DateOnly> Of(int year, string departement)
    {
        ArgumentNullException.ThrowIfNull(departement);
        var easter = Easter(year);
        List<DateOnly> days =
        [
            new(year, 1, 1), easter.AddDays(1), new(year, 5, 1), new(year, 5, 8), easter.AddDays(39), easter.AddDays(50),
            new(year, 7, 14), new(year, 8, 15), new(year, 11, 1), new(year, 11, 11), new(year, 12, 25),
        ];
        days.AddRange(departement switch
        {
            // Good Friday only where there is a Protestant church: in practice nearly everywhere, and offices close.
            "57" or "67" or "68" => [easter.AddDays(-2), new(year, 12, 26)],
            "971" => [new(year, 5, 27)],
            "972" => [new(year, 5, 22)],
            "973" => [new(year, 6, 10)],
            "974" => [new(year, 12, 20)],
            "976" => [new(year, 4, 27)],
            "977" => [new(year, 10, 9)],
            "978" => [new(year, 5, 28)],
            "986" => [new(year, 4, 28), new(year, 7, 29)],
            "987" => [new(year, 3, 5)],
            "988" => [new(year, 9, 24)],
            _ => (DateOnly[])[],
        });
        return [.. days.Distinct().Order()];
    }

    /// <summary>Easter Sunday of the Gregorian calendar.</summary>
    /// <param name="year">Calendar year, from 1583.</param>
    public static DateOnly Easter(int year)
    {
        // Golden number, then the epact corrected for leap centuries and the moon (Gauss, Lilius).
        var golden = year % 19;
        var century = year / 100;
        var epact = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
        var moon = epact - epact / 28 * (1 - epact / 28 * (29 / (epact + 1)) * ((21 - golden) / 11));
        var weekday = (year + year / 4 + moon + 2 - century + century / 4) % 7;
        var offset = moon - weekday;
        var month = 3 + (offset + 40) / 44;
        return new DateOnly(year, month, offset + 28 - 31 * (month / 4));
    }
}
