using System.Collections.Frozen;

namespace Jafer.Directory.Domain;

/// <summary>
/// Zones of the school holidays: A, B and C by académie since January 2016, Corse, and each overseas département or
/// collectivity on its own; Saint-Barthélemy and Saint-Martin belong to the académie of Guadeloupe.
/// </summary>
internal static class SchoolZones
{
    /// <summary>Zone of Corse.</summary>
    public const string Corse = "CORSE";

    private static readonly FrozenDictionary<string, string> s_metropole = new Dictionary<string, string>
    {
        // Besançon, Bordeaux, Clermont-Ferrand, Dijon, Grenoble, Limoges, Lyon, Poitiers.
        ["A"] = "25 39 70 90 24 33 40 47 64 03 15 43 63 21 58 71 89 07 26 38 73 74 19 23 87 01 42 69 16 17 79 86",
        // Aix-Marseille, Amiens, Lille, Nancy-Metz, Nantes, Nice, Normandie, Orléans-Tours, Reims, Rennes, Strasbourg.
        ["B"] = "04 05 13 84 02 60 80 59 62 54 55 57 88 44 49 53 72 85 06 83 14 27 50 61 76 18 28 36 37 41 45 08 10 51 52 22 29 35 56 67 68",
        // Créteil, Montpellier, Paris, Toulouse, Versailles.
        ["C"] = "77 93 94 11 30 34 48 66 75 09 12 31 32 46 65 81 82 78 91 92 95",
        [Corse] = "2A 2B",
    }.SelectMany(zone => zone.Value.Split(' ').Select(code => (Code: code, Zone: zone.Key))).ToFrozenDictionary(p => p.Code, p => p.Zone, StringComparer.Ordinal);

    /// <summary>Zone of a département.</summary>
    /// <param name="departement">Code of the département or overseas collectivity.</param>
    public static string Of(string departement) => s_metropole.GetValueOrDefault(departement) ?? departement switch
    {
        "977" or "978" => "971",
        _ => departement,
    };
}

/// <summary>Days without school in one zone.</summary>
/// <param name="Zone">Zone.</param>
/// <param name="SchoolYear">School year, such as "2026-2027".</param>
/// <param name="Days">The days, both ends included.</param>
internal sealed record SchoolHolidays(string Zone, string SchoolYear, Period Days);

/// <summary>
/// The school holidays that are known. A day is known up to the last holiday of its school year: what nobody published is
/// never taken for a day of school.
/// </summary>
internal sealed class SchoolCalendar
{
    private readonly FrozenDictionary<string, SchoolHolidays[]> _byZone;
    private readonly FrozenDictionary<string, Period[]> _known;

    /// <summary>Makes a calendar.</summary>
    /// <param name="holidays">The holidays, in any order.</param>
    public SchoolCalendar(IEnumerable<SchoolHolidays> holidays)
    {
        _byZone = holidays.GroupBy(h => h.Zone).ToFrozenDictionary(g => g.Key, g => g.OrderBy(h => h.Days.From).ToArray(), StringComparer.Ordinal);
        _known = _byZone.ToFrozenDictionary(z => z.Key, z => z.Value.GroupBy(h => h.SchoolYear).Select(year => KnownOf(year, z.Value)).ToArray(), StringComparer.Ordinal);
    }

    /// <summary>Whether a day is known to be without school.</summary>
    public bool IsHoliday(string zone, DateOnly day) => _byZone.TryGetValue(zone, out var holidays) && holidays.Any(h => h.Days.Contains(day));

    /// <summary>The school year of a day whose holidays are not known; null when they are.</summary>
    public string? UnknownYearOf(string zone, DateOnly day) =>
        (_known.TryGetValue(zone, out var known) && Array.Exists(known, days => days.Contains(day))) || IsHoliday(zone, day) ? null : YearOf(day);

    private static Period KnownOf(IGrouping<string, SchoolHolidays> year, SchoolHolidays[] ofZone)
    {
        // The year before, when it is known, tells where this one begins: the day after its last holiday.
        var before = ofZone.Where(h => string.CompareOrdinal(h.SchoolYear, year.Key) < 0).Select(h => h.Days.To!.Value).DefaultIfEmpty().Max();
        var august = new DateOnly(int.Parse(year.Key.AsSpan(0, 4), System.Globalization.CultureInfo.InvariantCulture), 8, 1);
        return new(before != default && before >= august.AddDays(-1) ? before.AddDays(1) : august, year.Max(h => h.Days.To!.Value));
    }

    /// <summary>The school year of a day, from September on.</summary>
    public static string YearOf(DateOnly day)
    {
        var first = day.Month >= 9 ? day.Year : day.Year - 1;
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{first}-{first + 1}");
    }
}
