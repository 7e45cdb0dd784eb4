namespace Jafer.Directory.Domain;

/// <summary>Days and time zones: of a commune from its département and, in French Polynesia, its archipelago.</summary>
internal static class LocalTime
{
    /// <summary>So many days later, or the last day of the calendar.</summary>
    public static DateOnly PlusDays(this DateOnly day, int days) =>
        DateOnly.FromDayNumber(Math.Min(day.DayNumber + days, DateOnly.MaxValue.DayNumber));

    /// <summary>IANA name of the zone of mainland France.</summary>
    public const string Paris = "Europe/Paris";

    /// <summary>The latest date that a clock shows anywhere in France (Wallis-et-Futuna, UTC+12).</summary>
    public static DateOnly LatestToday(TimeProvider clock) => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime.AddHours(12));

    /// <summary>IANA name of the zone of a commune.</summary>
    /// <param name="insee">INSEE code of the commune.</param>
    public static string ZoneOf(string insee) => insee switch
    {
        // Fatu-Hiva, Hiva-Oa, Nuku-Hiva, Tahuata, Ua-Huka, Ua-Pou.
        "98718" or "98723" or "98731" or "98746" or "98756" or "98757" => "Pacific/Marquesas",
        "98719" => "Pacific/Gambier",
        _ => (insee.Length >= 3 ? insee[..3] : insee) switch
        {
            "971" => "America/Guadeloupe",
            "972" => "America/Martinique",
            "973" => "America/Cayenne",
            "974" => "Indian/Reunion",
            "975" => "America/Miquelon",
            "976" => "Indian/Mayotte",
            "977" => "America/St_Barthelemy",
            "978" => "America/Marigot",
            "984" => "Indian/Kerguelen",
            "986" => "Pacific/Wallis",
            "987" => "Pacific/Tahiti",
            "988" => "Pacific/Noumea",
            _ => Paris,
        },
    };
}
