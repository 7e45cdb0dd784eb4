using System.Globalization;
using System.Text;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Territory;

/// <summary>A figure of the survey; at most when it published only a ceiling.</summary>
internal readonly record struct Published(double Value, bool AtMost)
{
    public override string ToString() => (AtMost ? "<" : "") + Value.ToString("0.#", CultureInfo.InvariantCulture);
}

/// <summary>Access of one zone beside what the survey published of it.</summary>
/// <param name="Code">Code of the département, or FRANCE.</param>
/// <param name="Name">Name.</param>
/// <param name="Lieux">Lieux that may be designated.</param>
/// <param name="Minutes">Mean minutes; null when nobody is linked.</param>
/// <param name="Share">Percentage of the linked population under 30 minutes; null when nobody is linked.</param>
/// <param name="UnlinkedShare">Percentage of the population that no road links.</param>
/// <param name="PublishedMinutes">The survey's mean minutes; null when it published none.</param>
/// <param name="PublishedShare">The survey's share under 30 minutes.</param>
/// <param name="PublishedUnlinkedShare">The survey's share that is not linked.</param>
/// <param name="Latitude">Latitude of the zone's middle in degrees; 0 without coordinates.</param>
/// <param name="Longitude">Longitude of the zone's middle in degrees.</param>
internal sealed record AccessRow(
    string Code, string Name, int Lieux, double? Minutes, double? Share, double UnlinkedShare, Published? PublishedMinutes, Published? PublishedShare, Published? PublishedUnlinkedShare,
    double Latitude, double Longitude);

/// <summary>The access figures of the national survey (figure 1), computed from the running directory.</summary>
/// <param name="Rows">France, then the 101 départements.</param>
/// <param name="UnlinkedCommunes">Names of the communes that no road links, Mayotte's apart.</param>
/// <param name="Basis">Where the figures come from.</param>
internal sealed record AccessFigures(IReadOnlyList<AccessRow> Rows, IReadOnlyList<string> UnlinkedCommunes, CoverageBasis Basis)
{
    private const string Minutes = "temps de trajet aller moyen", Share = "part de la population a moins de 30 minutes", Unlinked = "part de la population non reliee";

    private static readonly string[] s_collectivities = ["975", "977", "978", "984", "986", "987", "988", "989"];

    /// <summary>Asks the directory.</summary>
    public static async Task<AccessFigures> ReadAsync(DirectoryService.DirectoryServiceClient directory, CancellationToken ct)
    {
        var published = Survey();
        var france = await directory.GetCoverageAsync(new GetCoverageRequest { Level = CoverageLevel.France }, cancellationToken: ct);
        var all = await directory.GetCoverageAsync(new GetCoverageRequest { Level = CoverageLevel.Departement }, cancellationToken: ct);
        var departements = all.Rows.Where(d => !s_collectivities.Contains(d.Code)).ToList();
        var unlinked = new List<string>();
        foreach (var departement in departements.Where(d => d.UnlinkedCommuneCount > 0 && d.UnlinkedCommuneCount < d.CommuneCount))
        {
            var communes = await directory.GetCoverageAsync(new GetCoverageRequest { Level = CoverageLevel.Commune, Departement = departement.Code }, cancellationToken: ct);
            unlinked.AddRange(communes.Rows.Where(c => c.UnlinkedCommuneCount > 0).Select(c => $"{c.Name} ({departement.Code})"));
        }
        return new AccessFigures([.. france.Rows.Concat(departements).Select(row => RowOf(row, published))], unlinked, france.Basis);
    }

    /// <summary>The figures for a reader, or as CSV.</summary>
    public string ToText(bool csv) => csv ? ToCsv() : ToTable();

    private static AccessRow RowOf(CoverageRow row, Dictionary<(string, string), Published> published)
    {
        double linked = row.Population - row.PopulationUnreachable;
        var key = row.Code == "FRANCE" ? "France" : $"departement {row.Code}";
        return new AccessRow(
            row.Code, row.Name, row.LieuCount,
            linked > 0 ? row.MeanMinutes : null,
            linked > 0 ? 100 * (row.Population - row.PopulationBeyond30Minutes) / linked : null,
            row.Population > 0 ? 100.0 * row.PopulationUnreachable / row.Population : 0,
            Find(Minutes), Find(Share), Find(Unlinked),
            row.Latitude, row.Longitude);

        Published? Find(string indicator) => published.TryGetValue((indicator, key), out var figure) ? figure : null;
    }

    private static Dictionary<(string Indicator, string Zone), Published> Survey()
    {
        using var stream = typeof(AccessFigures).Assembly.GetManifestResourceStream("survey-access.csv")
            ?? throw new InvalidOperationException("survey-access.csv is not part of the tool");
        using var reader = new StreamReader(stream);
        var figures = new Dictionary<(string, string), Published>();
        while (reader.ReadLine() is { } line)
        {
            // Only the remark, which is last, holds commas.
            var cells = line.Split(',', 8);
            foreach (var indicator in (ReadOnlySpan<string>)[Minutes, Share, Unlinked])
            {
                if (cells[1].StartsWith(indicator, StringComparison.Ordinal) && double.TryParse(cells[3], NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                    figures[(indicator, cells[2])] = new Published(value, cells[4].Contains("maximum", StringComparison.Ordinal));
            }
        }
        return figures;
    }

    private string ToTable()
    {
        var text = new StringBuilder();
        text.AppendLine("Access to the nearest lieu d'accueil by car: mean minutes, and share of the population under 30 minutes.");
        text.AppendLine("In brackets what the national survey (SSER, 2024) published; it published nothing of the other départements.");
        text.AppendLine();
        text.AppendLine($"{"zone",-28} {"lieux",5} {"minutes",7} {"survey",7} {"under 30",9} {"survey",7} {"unlinked",9} {"survey",7}");
        foreach (var r in Rows)
        {
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Cut($"{r.Code} {(r.Code == "FRANCE" ? "" : r.Name)}"),-28} {r.Lieux,5} {Number(r.Minutes),7} {Bracketed(r.PublishedMinutes),7} {Number(r.Share),7} % {Bracketed(r.PublishedShare),7} {r.UnlinkedShare,7:0.0} % {Bracketed(r.PublishedUnlinkedShare),7}"));
        }
        text.AppendLine();
        foreach (var note in Notes())
            text.AppendLine(note);
        return text.ToString();
    }

    private string ToCsv()
    {
        var text = new StringBuilder("zone,lieux,mean_minutes,survey_mean_minutes,under_30_percent,survey_under_30_percent,unlinked_percent,survey_unlinked_percent\n");
        foreach (var r in Rows)
        {
            text.Append(string.Create(
                CultureInfo.InvariantCulture,
                $"{r.Code},{r.Lieux},{r.Minutes:0.0},{r.PublishedMinutes},{r.Share:0.0},{r.PublishedShare},{r.UnlinkedShare:0.0},{r.PublishedUnlinkedShare}\n"));
        }
        return text.ToString();
    }

    private IEnumerable<string> Notes()
    {
        yield return $"Populations: legal populations {Basis.PopulationYear} (INSEE) here, 2021 in the survey. Communes without a road to any lieu are left out of both.";
        yield return Basis.DistancierWayCount == 0
            ? "Ways: the fitted model here; the survey used Metric-OSRM of INSEE. Between chefs-lieux, 0 within the commune of a lieu."
            : $"Ways: {Basis.DistancierWayCount} communes by the imported distancier, {Basis.ModelWayCount} by the fitted model. Between chefs-lieux, 0 within the commune of a lieu.";
        yield return $"Not linked here ({UnlinkedCommunes.Count}, départements without any link apart): {(UnlinkedCommunes.Count == 0 ? "none" : string.Join(", ", UnlinkedCommunes))}.";
        yield return "Not linked in the survey: all of Mayotte; Capesterre-de-Marie-Galante, Grand-Bourg, Deshayes (971); Roura, Maripasoula, Grand-Santi, Papaïchton (973).";
        yield return "The model's road blocks link Roura and Deshayes, which the survey's tool could not reach.";
        if (Basis.Fictive)
            yield return $"The lieux are invented ({Rows[0].Lieux} of the demonstration's 278 may be designated today), and their number was tuned until the national mean came near the published 15 minutes: agreement there proves nothing of the model.";
        yield return Basis.Attribution;
    }

    private static string Cut(string text) => text.Length <= 28 ? text : text[..28];

    private static string Number(double? value) => value?.ToString("0.0", CultureInfo.InvariantCulture) ?? "–";

    private static string Bracketed(Published? figure) => figure is { } known ? $"({known})" : "";
}
