using Jafer.Cli.Territory;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Cli.PublicPages;

/// <summary>How much of the waits of a cell is told.</summary>
internal enum WaitTold
{
    /// <summary>Days and count.</summary>
    All,

    /// <summary>The days; the count is five or more and is withheld.</summary>
    Days,

    /// <summary>Nothing.</summary>
    Nothing,
}

/// <summary>The waits of a département, or of the nation, for one modalité: from the transmission to the first rencontre held.</summary>
/// <param name="Code">Code of the département, or FRANCE.</param>
/// <param name="Name">Its name.</param>
/// <param name="Modalite">The modalité.</param>
/// <param name="Told">How much is told.</param>
/// <param name="Count">Mesures that had their first rencontre, once published down to the multiple of five; null where withheld.</param>
/// <param name="MedianDays">Days by which half of them had it; null where withheld or not known yet.</param>
/// <param name="P80Days">Days by which eight in ten of them had it; null where withheld or not known yet.</param>
internal sealed record WaitCell(string Code, string Name, Modalite Modalite, WaitTold Told, int? Count, int? MedianDays, int? P80Days)
{
    /// <summary>Code of the nation.</summary>
    public const string Nation = "FRANCE";

    /// <summary>
    /// The cells as they are published: what may be told together, the nation first, counts down to the multiple of five, so that no figure
    /// of the survey less a count tells of a few.
    /// </summary>
    /// <param name="nation">The nation's cells.</param>
    /// <param name="departements">The départements'.</param>
    public static WaitCell[] Published(IEnumerable<WaitCell> nation, IReadOnlyCollection<WaitCell> departements) =>
        [.. Together(nation, departements).Concat(departements).Select(c => c with { Count = c.Count / 5 * 5 })];

    /// <summary>A cell of an answer; what is withheld there is not even read.</summary>
    public static WaitCell From(string code, string name, ObservedWaitRow row) => row switch
    {
        { Suppressed: true } => new(code, name, row.Modalite, WaitTold.Nothing, null, null, null),
        { CountsWithheld: true } => new(code, name, row.Modalite, WaitTold.Days, null, row.Median?.Days, row.P80?.Days),
        _ => new(code, name, row.Modalite, WaitTold.All, row.PassedCount, row.Median?.Days, row.P80?.Days),
    };

    /// <summary>
    /// The cells that may be told together. A count of the nation is left out where it, less those of the départements, would narrow
    /// down what a département withholds: it must leave every number from zero to four to each.
    /// </summary>
    /// <param name="nation">The nation's cells.</param>
    /// <param name="departements">The départements'; one of which nothing was observed has none.</param>
    public static IEnumerable<WaitCell> Together(IEnumerable<WaitCell> nation, IReadOnlyCollection<WaitCell> departements) =>
        nation.Select(of => IsSafe(of, [.. departements.Where(d => d.Modalite == of.Modalite)]) ? of : of with { Told = WaitTold.Days, Count = null });

    private static bool IsSafe(WaitCell nation, WaitCell[] departements)
    {
        var small = departements.Count(d => d.Told == WaitTold.Nothing);
        if (nation.Count is not { } all || small == 0)
        {
            return true;
        }

        // Each that tells nothing has from zero to four, each that tells its days alone five or more.
        var rest = all - departements.Sum(d => d.Count ?? 0);
        var large = departements.Count(d => d.Told == WaitTold.Days);
        return rest - (5 * large) >= 4 && (large > 0 || rest <= 4 * (small - 1));
    }
}

/// <summary>Everything that the public page and its files are made of. Nothing in it is secret: what is withheld did not come.</summary>
/// <param name="Year">Year of the survey.</param>
/// <param name="Extracted">When it was asked for.</param>
/// <param name="Figures">The part of the catalogue that is told.</param>
/// <param name="Definitions">Definitions that count for the year.</param>
/// <param name="Survey">The survey.</param>
/// <param name="Access">Access to the nearest lieu.</param>
/// <param name="Waits">Waits of the nation, then of the départements, by code and modalité.</param>
/// <param name="WindowStart">First day of transmissions that count for the waits.</param>
/// <param name="WindowEnd">Last day that was looked at for them.</param>
/// <param name="Method">Name of the method of the waits.</param>
internal sealed record PublicData(
    int Year, DateTimeOffset Extracted, IReadOnlyList<SurveyFigureDefinition> Figures, IReadOnlyList<SurveyDefinition> Definitions, GetPublicSurveyResponse Survey,
    AccessFigures Access, IReadOnlyList<WaitCell> Waits, Contracts.Type.V1.Date WindowStart, Contracts.Type.V1.Date WindowEnd, string Method)
{
    /// <summary>Whether the figures come from invented espaces.</summary>
    public bool Fictive => Access.Basis.Fictive;

    /// <summary>Names of the zones by their codes.</summary>
    public string NameOf(string departement) => Access.Rows.FirstOrDefault(r => r.Code == departement)?.Name ?? departement;

    /// <summary>Asks the running system.</summary>
    /// <param name="survey">The survey of the mesure service.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="waits">Its waits.</param>
    /// <param name="year">Year of the survey; null for the last year whose campaign is closed.</param>
    /// <param name="clock">Clock.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<PublicData> ReadAsync(
        SurveyService.SurveyServiceClient survey, DirectoryService.DirectoryServiceClient directory, WaitService.WaitServiceClient waits, int? year, TimeProvider clock, CancellationToken ct)
    {
        var of = year ?? await LastYearAsync(survey, ct);
        var answer = await survey.GetPublicSurveyAsync(new GetPublicSurveyRequest { Year = of }, cancellationToken: ct);
        var definitions = await survey.GetSurveyDefinitionsAsync(new GetSurveyDefinitionsRequest { Year = of }, cancellationToken: ct);
        var access = await AccessFigures.ReadAsync(directory, ct);
        var nation = await waits.GetObservedWaitsAsync(RequestFor(""), cancellationToken: ct);
        var departements = new List<WaitCell>();
        foreach (var row in access.Rows.Where(r => r.Code != WaitCell.Nation))
        {
            var cells = await waits.GetObservedWaitsAsync(RequestFor(row.Code), cancellationToken: ct);
            departements.AddRange(cells.Rows.Select(r => WaitCell.From(row.Code, row.Name, r)));
        }

        return new PublicData(
            of, clock.GetUtcNow(), Told(definitions.Figures, answer), definitions.Definitions, answer, access,
            WaitCell.Published(nation.Rows.Select(r => WaitCell.From(WaitCell.Nation, "France", r)), departements),
            nation.WindowStartDate, nation.WindowEndDate, nation.Method);

        static GetObservedWaitsRequest RequestFor(string departement) => new() { Departement = departement, Start = WaitStart.Transmission, End = WaitEnd.Held };
    }

    /// <summary>The part of the catalogue that is told; a part of a whole that is not told stands for itself.</summary>
    /// <param name="figures">The catalogue.</param>
    /// <param name="survey">What is told.</param>
    public static IReadOnlyList<SurveyFigureDefinition> Told(IEnumerable<SurveyFigureDefinition> figures, GetPublicSurveyResponse survey)
    {
        var told = survey.Totals.Concat(survey.Departements.SelectMany(d => d.Totals)).Select(t => t.Code).ToHashSet();
        return [.. figures.Where(f => told.Contains(f.Code)).Select(f => told.Contains(f.WholeCode) ? f : new SurveyFigureDefinition(f) { WholeCode = "", Set = "" })];
    }

    private static async Task<int> LastYearAsync(SurveyService.SurveyServiceClient survey, CancellationToken ct)
    {
        var campaigns = await survey.ListSurveyCampaignsAsync(new ListSurveyCampaignsRequest { PageSize = 200 }, cancellationToken: ct);
        return campaigns.Campaigns.FirstOrDefault(c => c.State == SurveyCampaignState.Closed)?.Year
            ?? throw new UsageException("No campaign of the survey is closed yet: there is nothing to publish.");
    }
}
