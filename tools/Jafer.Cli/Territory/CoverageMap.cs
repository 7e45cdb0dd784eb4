using System.Globalization;
using System.Security;
using System.Text;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Territory;

/// <summary>How far a commune is from the nearest lieu, as the map shows it.</summary>
internal enum AccessClass
{
    /// <summary>Less than 15 minutes.</summary>
    Under15,

    /// <summary>From 15 to less than 30 minutes.</summary>
    Under30,

    /// <summary>From 30 to less than 60 minutes.</summary>
    Under60,

    /// <summary>60 minutes or more.</summary>
    Over60,

    /// <summary>No road leads to any lieu.</summary>
    Unreachable,
}

/// <summary>What the map is drawn from.</summary>
/// <param name="Communes">A row for each commune of the 101 départements.</param>
/// <param name="Basis">Where the figures come from.</param>
internal sealed record CoverageMapData(IReadOnlyList<CoverageRow> Communes, CoverageBasis Basis);

/// <summary>
/// Draws France as the points of its communes: the mainland and Corsica in a conformal conic projection, the five overseas
/// départements in boxes. Classes differ by lightness, so that the map is read in grey too; what no road reaches is crossed.
/// </summary>
internal static class CoverageMap
{
    private const int Width = 1200, Height = 1290;

    private static readonly (AccessClass Class, string Label, string Colour)[] s_classes =
    [
        (AccessClass.Under15, "moins de 15 minutes", "#f4d77e"),
        (AccessClass.Under30, "de 15 à moins de 30 minutes", "#e8963f"),
        (AccessClass.Under60, "de 30 à moins de 60 minutes", "#b03a48"),
        (AccessClass.Over60, "60 minutes et plus", "#431144"),
        (AccessClass.Unreachable, "aucune route vers un lieu", "#16161d"),
    ];

    // Written out: the tool runs without tables of cultures too.
    private static readonly string[] s_months =
        ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"];

    // The middle of what a box shows, and how many kilometres it is across.
    private static readonly (string Departement, string Name, double Latitude, double Longitude, double KmAcross)[] s_overseas =
    [
        ("971", "Guadeloupe", 16.19, -61.42, 105),
        ("972", "Martinique", 14.64, -61.02, 85),
        ("973", "Guyane", 4.0, -53.1, 480),
        ("974", "La Réunion", -21.13, 55.53, 85),
        ("976", "Mayotte", -12.82, 45.16, 52),
    ];

    /// <summary>Asks the directory for every commune.</summary>
    public static async Task<CoverageMapData> ReadAsync(DirectoryService.DirectoryServiceClient directory, CancellationToken ct)
    {
        var departements = await directory.GetCoverageAsync(new GetCoverageRequest { Level = CoverageLevel.Departement }, cancellationToken: ct);
        var communes = new List<CoverageRow>(35_000);
        foreach (var departement in departements.Rows.Where(d => d.Code.Length == 2 || s_overseas.Any(o => o.Departement == d.Code)))
        {
            var answer = await directory.GetCoverageAsync(
                new GetCoverageRequest { Level = CoverageLevel.Commune, Departement = departement.Code }, cancellationToken: ct);
            communes.AddRange(answer.Rows);
        }
        return new CoverageMapData(communes, departements.Basis);
    }

    /// <summary>The class of a commune.</summary>
    public static AccessClass ClassOf(CoverageRow commune) => commune switch
    {
        { UnlinkedCommuneCount: > 0 } => AccessClass.Unreachable,
        { MeanMinutes: < 15 } => AccessClass.Under15,
        { MeanMinutes: < 30 } => AccessClass.Under30,
        { MeanMinutes: < 60 } => AccessClass.Under60,
        _ => AccessClass.Over60,
    };

    /// <summary>The map as an SVG document.</summary>
    public static string Draw(CoverageMapData data)
    {
        var places = data.Communes.Where(c => c is not { Latitude: 0, Longitude: 0 }).Select(c => (Row: c, Class: ClassOf(c), Point: Project(c))).ToList();
        var widths = Widths([.. places.Select(p => p.Point).Distinct()]);
        var people = data.Communes.GroupBy(ClassOf).ToDictionary(g => g.Key, g => g.Sum(c => c.Population));
        var day = data.Basis.AsOfDate is var date && date.Day == 1 ? "1er" : date.Day.ToString(CultureInfo.InvariantCulture);
        day = string.Create(CultureInfo.InvariantCulture, $"{day} {s_months[date.Month - 1]} {date.Year}");
        var title = "Temps de trajet vers le lieu d'accueil le plus proche d'un espace de rencontre";
        var note = data.Basis.Fictive ? "Données fictives : espaces de rencontre inventés" : "Espaces de rencontre désignables";
        var svg = new StringBuilder(400_000);
        svg.Append(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" role="img" aria-labelledby="title desc" font-family="Marianne, Arial, sans-serif" fill="#16161d">
            <title id="title">{Text(title)}</title>
            <desc id="desc">{Text(Description(data, people, note, day))}</desc>
            <rect width="{Width}" height="{Height}" fill="#fff"/>
            <text x="40" y="48" font-size="25" font-weight="bold">{Text(title)}</text>
            <text x="40" y="78" font-size="17">{Text($"En voiture, depuis le chef-lieu de chaque commune, au {day}. {note}.")}</text>

            """);
        foreach (var (departement, name, _, _, _) in s_overseas)
            Box(svg, departement, name);
        // Ten units to a pixel: whole numbers are short.
        svg.Append("""<g transform="scale(.1)" fill="none" stroke-linecap="round">""").Append('\n');
        foreach (var (kind, label, colour) in s_classes)
        {
            if (!places.Any(p => p.Class == kind))
                continue;
            svg.Append(CultureInfo.InvariantCulture, $"""<g stroke="{colour}"><title>{Text(label)}</title>""").Append('\n');
            foreach (var group in places.Where(p => p.Class == kind).GroupBy(p => kind == AccessClass.Unreachable ? 12 : widths[p.Point]).OrderByDescending(g => g.Key))
                svg.Append(CultureInfo.InvariantCulture, $"""<path stroke-width="{group.Key}" d="{Path([.. group.Select(p => p.Point)], kind == AccessClass.Unreachable ? "m-30-30l60 60m0-60l-60 60m30-30" : "h0")}"/>""").Append('\n');
            svg.Append("</g>\n");
        }
        var lieux = places.Where(p => p.Row.LieuCount > 0).Select(p => p.Point).ToList();
        if (lieux.Count > 0)
            svg.Append(CultureInfo.InvariantCulture, $"""<g stroke="#16161d" stroke-width="42"><title>Communes qui accueillent un lieu</title><path d="{Path(lieux, "h0")}"/></g>""").Append('\n');
        svg.Append("</g>\n");
        Legend(svg, people, lieux.Count);
        Sources(svg, data.Basis);
        return svg.Append("</svg>\n").ToString();
    }

    private static void Box(StringBuilder svg, string departement, string name)
    {
        var (x, y, size) = BoxOf(departement);
        svg.Append(CultureInfo.InvariantCulture, $"""
            <rect x="{x}" y="{y}" width="{size}" height="{size}" fill="none" stroke="#929292"/>
            <text x="{x + 6}" y="{y + 18}" font-size="13">{Text(name)}</text>

            """);
    }

    private static void Legend(StringBuilder svg, Dictionary<AccessClass, long> people, int lieux)
    {
        double all = Math.Max(1, people.Values.Sum());
        svg.Append("""<g font-size="15"><text x="880" y="150" font-weight="bold">Trajet aller</text><text x="880" y="170" font-size="13">(part de la population)</text>""").Append('\n');
        var y = 198;
        foreach (var (kind, label, colour) in s_classes)
        {
            svg.Append(kind == AccessClass.Unreachable
                ? string.Create(CultureInfo.InvariantCulture, $"""<path d="M884 {y - 9}l8 8m0-8l-8 8" stroke="{colour}" stroke-width="2"/>""")
                : string.Create(CultureInfo.InvariantCulture, $"""<circle cx="888" cy="{y - 5}" r="8" fill="{colour}"/>"""));
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="904" y="{y}">{Text(label)} ({Percent(people.GetValueOrDefault(kind) / all)})</text>""").Append('\n');
            y += 24;
        }
        svg.Append(CultureInfo.InvariantCulture, $"""<circle cx="888" cy="{y - 5}" r="3" fill="#16161d"/><text x="904" y="{y}">commune qui accueille un lieu ({lieux})</text></g>""").Append('\n');
    }

    private static void Sources(StringBuilder svg, CoverageBasis basis)
    {
        var ways = basis.DistancierWayCount == 0 ? "Temps estimés par un modèle, hors embouteillages." : "Temps d'un distancier importé, à défaut estimés par un modèle.";
        var lines = Wrapped($"{ways} Populations légales {basis.PopulationYear}. Un point par commune. Collectivités d'outre-mer non représentées. {basis.Attribution}", 185);
        for (var i = 0; i < lines.Count; i++)
            svg.Append(CultureInfo.InvariantCulture, $"""<text x="40" y="{Height - 20 - 16 * (lines.Count - 1 - i)}" font-size="12">{Text(lines[i])}</text>""").Append('\n');
    }

    private static string Description(CoverageMapData data, Dictionary<AccessClass, long> people, string note, string day)
    {
        double all = Math.Max(1, people.Values.Sum());
        var shares = s_classes.Select(c => $"{c.Label} : {Percent(people.GetValueOrDefault(c.Class) / all)} de la population");
        return $"Carte de France par points, un par commune ({data.Communes.Count}), au {day}. {string.Join(" ; ", shares)}. {note}.";
    }

    // Where communes are large their points are: as wide as the way to the fourth neighbour, so that the shape has no holes.
    private static Dictionary<(int X, int Y), int> Widths(List<(int X, int Y)> points)
    {
        const int Cell = 100, Least = 42, Most = 102, Step = 12;
        var cells = points.ToLookup(p => (p.X / Cell, p.Y / Cell));
        return points.ToDictionary(p => p, p =>
        {
            var near = new List<int>();
            for (var x = p.X / Cell - 1; x <= p.X / Cell + 1; x++)
            {
                for (var y = p.Y / Cell - 1; y <= p.Y / Cell + 1; y++)
                    near.AddRange(cells[(x, y)].Select(o => (o.X - p.X) * (o.X - p.X) + (o.Y - p.Y) * (o.Y - p.Y)));
            }
            near.Sort();
            var width = near.Count > 4 ? 1.2 * Math.Sqrt(near[4]) : Most;
            return (int)Math.Clamp(Math.Round(width / Step) * Step, Least, Most);
        });
    }

    // Sorted in stripes, so that steps from point to point are short.
    private static string Path(List<(int X, int Y)> points, string mark)
    {
        var path = new StringBuilder(points.Count * 12);
        var (x, y) = (0, 0);
        foreach (var point in points.OrderBy(p => p.X / 100).ThenBy(p => p.X / 100 % 2 == 0 ? p.Y : -p.Y))
        {
            var (dx, dy) = (point.X - x, point.Y - y);
            path.Append(path.Length == 0 ? 'M' : 'm').Append(CultureInfo.InvariantCulture, $"{dx}{(dy < 0 ? "" : " ")}{dy}").Append(mark);
            (x, y) = point;
        }
        return path.ToString();
    }

    private static (int X, int Y) Project(CoverageRow commune)
    {
        foreach (var (departement, _, latitude, longitude, km) in s_overseas)
        {
            if (!commune.Code.StartsWith(departement, StringComparison.Ordinal))
                continue;
            var (left, top, size) = BoxOf(departement);
            var scale = size / km * 111.2;
            return (
                (int)Math.Round(10 * (left + size / 2.0 + (commune.Longitude - longitude) * Math.Cos(double.DegreesToRadians(latitude)) * scale)),
                (int)Math.Round(10 * (top + size / 2.0 + 6 - (commune.Latitude - latitude) * scale)));
        }
        var (x, y) = Conic(commune.Latitude, commune.Longitude);
        return ((int)Math.Round(10 * (550 + 0.84 * x)), (int)Math.Round(10 * (530 - 0.84 * y)));
    }

    /// <summary>Lambert's conformal conic with the parallels of Lambert-93 (44° and 49°, origin 46.5° N 3° E), on a sphere; kilometres.</summary>
    public static (double X, double Y) Conic(double latitude, double longitude)
    {
        var (first, second) = (double.DegreesToRadians(44), double.DegreesToRadians(49));
        var n = Math.Log(Math.Cos(first) / Math.Cos(second)) / Math.Log(Stretch(second) / Stretch(first));
        var f = 6371 * Math.Cos(first) * Math.Pow(Stretch(first), n) / n;
        var radius = f / Math.Pow(Stretch(double.DegreesToRadians(latitude)), n);
        var origin = f / Math.Pow(Stretch(double.DegreesToRadians(46.5)), n);
        var (sin, cos) = Math.SinCos(n * double.DegreesToRadians(longitude - 3));
        return (radius * sin, origin - radius * cos);

        static double Stretch(double phi) => Math.Tan(Math.PI / 4 + phi / 2);
    }

    private static (int X, int Y, int Size) BoxOf(string departement) =>
        (40 + 230 * Array.FindIndex(s_overseas, o => o.Departement == departement), 1010, 200);

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture).Replace('.', ',') + " %";

    private static string Text(string text) => SecurityElement.Escape(text);

    private static List<string> Wrapped(string text, int width)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
        {
            if (lines[^1].Length + word.Length >= width)
                lines.Add(word);
            else
                lines[^1] += lines[^1].Length == 0 ? word : " " + word;
        }
        return lines;
    }
}
