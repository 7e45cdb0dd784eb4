using System.Globalization;

namespace Jafer.Directory.Domain;

/// <summary>Paris, Lyon and Marseille: communes whose arrondissements have INSEE codes of their own.</summary>
internal static class Arrondissements
{
    private static readonly Dictionary<string, string[]> s_of = new(StringComparer.Ordinal)
    {
        ["75056"] = Codes(75101, 20),
        ["69123"] = Codes(69381, 9),
        ["13055"] = Codes(13201, 16),
    };

    /// <summary>The commune of an arrondissement; any other code itself.</summary>
    /// <param name="insee">INSEE code.</param>
    public static string WholeCommune(string insee) => insee switch
    {
        ['7', '5', '1', ..] => "75056",
        ['6', '9', '3', '8', ..] => "69123",
        ['1', '3', '2', ..] => "13055",
        _ => insee,
    };

    /// <summary>Codes by which others may mean the same place: of an arrondissement its commune, of such a commune its arrondissements.</summary>
    /// <param name="insee">INSEE code.</param>
    public static IReadOnlyList<string> OtherCodesOf(string insee) =>
        s_of.TryGetValue(insee, out var parts) ? parts : WholeCommune(insee) is var whole && whole != insee ? [whole] : [];

    private static string[] Codes(int first, int count) => [.. Enumerable.Range(first, count).Select(code => code.ToString("D5", CultureInfo.InvariantCulture))];
}
