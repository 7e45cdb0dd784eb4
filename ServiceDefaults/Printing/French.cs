using System.Globalization;

namespace Jafer.ServiceDefaults.Printing;

/// <summary>Dates, hours and lengths as a French reader expects them, the same on every machine.</summary>
public static class French
{
    private static readonly string[] s_days = ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"];

    private static readonly string[] s_months =
        ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

    /// <summary>"2 mars 2026"; the first of a month is "1er".</summary>
    public static string Date(DateOnly day) => string.Create(CultureInfo.InvariantCulture, $"{day.Day}{(day.Day == 1 ? "er" : "")} {s_months[day.Month - 1]} {day.Year}");

    /// <summary>"lundi 2 mars 2026".</summary>
    public static string DayAndDate(DateOnly day) => $"{s_days[(int)day.DayOfWeek]} {Date(day)}";

    /// <summary>"02/03/2026", for tables.</summary>
    public static string ShortDate(DateOnly day) => day.ToString("dd'/'MM'/'yyyy", CultureInfo.InvariantCulture);

    /// <summary>"14 h", "14 h 05".</summary>
    public static string Hour(DateTimeOffset local) =>
        string.Create(CultureInfo.InvariantCulture, $"{local.Hour} h{(local.Minute == 0 ? "" : $" {local.Minute:D2}")}");

    /// <summary>"45 minutes", "1 heure", "1 h 30".</summary>
    public static string Length(int minutes) => minutes switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{minutes} minute{(minutes > 1 ? "s" : "")}"),
        _ when minutes % 60 == 0 => Count(minutes / 60, "heure"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60} h {minutes % 60:D2}"),
    };

    /// <summary>"1 mois", "3 rencontres"; a word that ends in s stays as it is.</summary>
    public static string Count(int count, string word) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {word}{(count > 1 && !word.EndsWith('s') ? "s" : "")}");

    /// <summary>The instant on the clock of a zone.</summary>
    public static DateTimeOffset Local(DateTimeOffset instant, string zone) => TimeZoneInfo.ConvertTime(instant, TimeZoneInfo.FindSystemTimeZoneById(zone));

    /// <summary>The day of an instant on the clock of a zone.</summary>
    public static DateOnly DayIn(DateTimeOffset instant, string zone) => DateOnly.FromDateTime(Local(instant, zone).DateTime);

    /// <summary>
    /// The text with the spaces that must not break a line: before two-part marks, inside quotation marks and hours.
    /// </summary>
    public static string Spaced(string text) => text
        .Replace(" :", "\u00a0:", StringComparison.Ordinal).Replace(" ?", "\u00a0?", StringComparison.Ordinal)
        .Replace(" !", "\u00a0!", StringComparison.Ordinal).Replace(" ;", "\u00a0;", StringComparison.Ordinal)
        .Replace("« ", "«\u00a0", StringComparison.Ordinal).Replace(" »", "\u00a0»", StringComparison.Ordinal)
        .Replace(" h ", "\u00a0h\u00a0", StringComparison.Ordinal).Replace(" €", "\u00a0€", StringComparison.Ordinal);
}
