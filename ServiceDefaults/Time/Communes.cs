namespace Jafer.ServiceDefaults.Time;

/// <summary>Where a commune lies, by its INSEE code: département and time zone (in French Polynesia that of the archipelago).</summary>
public static class Communes
{
    /// <summary>IANA name of the zone of mainland France.</summary>
    public const string Paris = "Europe/Paris";

    /// <summary>Code of the département or overseas territory.</summary>
    /// <param name="insee">INSEE code of the commune.</param>
    public static string DepartementOf(string insee)
    {
        ArgumentNullException.ThrowIfNull(insee);
        var length = insee.StartsWith("97", StringComparison.Ordinal) || insee.StartsWith("98", StringComparison.Ordinal) ? 3 : 2;
        return insee.Length > length ? insee[..length] : insee;
    }

    /// <summary>IANA name of the zone of a commune.</summary>
    /// <param name="insee">INSEE code of the commune.</param>
    public static string ZoneOf(string insee) => insee switch
    {
        // Fatu-Hiva, Hiva-Oa, Nuku-Hiva, Tahuata, Ua-Huka, Ua-Pou.
        "98718" or "98723" or "98731" or "98746" or "98756" or "98757" => "Pacific/Marquesas",
        "98719" => "Pacific/Gambier",
        _ => DepartementOf(insee) switch
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

    /// <summary>The commune in which a court sits, which its code names.</summary>
    /// <param name="code">Code of the court, such as "tj69123", or what begins with one, in letters of any case; null for none.</param>
    /// <returns>INSEE code of the commune; null where the code names none.</returns>
    public static string? OfCourt(string? code)
    {
        var start = code?.AsSpan().IndexOfAnyInRange('0', '9') ?? -1;
        if (start < 1 || code!.Length < start + 5 || (code.Length > start + 5 && char.IsAsciiLetterOrDigit(code[start + 5])))
        {
            return null;
        }

        var insee = code.Substring(start, 5).ToUpperInvariant();
        return insee.Where((c, i) => !char.IsAsciiDigit(c) && !(i == 1 && c is 'A' or 'B')).Any() ? null : insee;
    }
}
