using System.Globalization;

namespace Jafer.Cli.Demonstration;

/// <summary>An invented association and what it did in a year.</summary>
internal sealed record AssociationRow(string Id, string Departement, int WaitDays, int RencontresPerYear);

/// <summary>An invented lieu d'accueil.</summary>
internal sealed record LieuRow(string Id, string AssociationId, string Name, string CommuneInsee, string Commune, double Latitude, double Longitude);

/// <summary>The invented associations and lieux that Jafer carries with it.</summary>
internal static class InventedRows
{
    /// <summary>The associations, in the order of their ids.</summary>
    public static IReadOnlyList<AssociationRow> Associations() =>
    [
        .. Read("associations.csv").Select(r => new AssociationRow(
            r["association_id"], r["departement"], Int(r["attente_little_jours"]), Int(r["rencontres_programmees"]))).OrderBy(a => a.Id, StringComparer.Ordinal),
    ];

    /// <summary>The lieux by association.</summary>
    public static ILookup<string, LieuRow> Lieux() => Read("lieux.csv").Select(r => new LieuRow(
        r["lieu_id"], r["association_id"], r["nom_fictif"], r["commune_insee"], r["commune"], Double(r["lat"]), Double(r["lon"])))
        .ToLookup(l => l.AssociationId);

    /// <summary>Names of the départements by code.</summary>
    public static IReadOnlyDictionary<string, string> Departements() => Read("departements.csv").ToDictionary(r => r["code"], r => r["nom"]);

    private static List<Dictionary<string, string>> Read(string resource)
    {
        using var stream = typeof(InventedRows).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{resource} is not part of the tool");
        using var reader = new StreamReader(stream);
        var header = reader.ReadLine()!.Split(',');
        var rows = new List<Dictionary<string, string>>();
        while (reader.ReadLine() is { } line)
            rows.Add(header.Zip(line.Split(',')).ToDictionary(pair => pair.First, pair => pair.Second));
        return rows;
    }

    private static int Int(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static double Double(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
