using System.Globalization;
using System.Text;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Simulation.Replay;

/// <summary>The national survey of a replayed year: its campaign, and its figures for the documentation.</summary>
internal static class ReplaySurvey
{
    private const string Begin = "<!-- replayed: written by ./jafer replay --statistics -->";
    private const string End = "<!-- /replayed -->";

    /// <summary>Opens the campaign of the year that was played, lets every gestionnaire but the last validate, and closes it.</summary>
    /// <param name="plan">What was played.</param>
    /// <param name="gestionnaires">Those that played.</param>
    /// <param name="callers">The services.</param>
    /// <param name="today">Today in Paris.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>How the returns of the year stand.</returns>
    public static async Task<string> CampaignAsync(ReplayPlan plan, IReadOnlyCollection<Caller> gestionnaires, Callers callers, DateOnly today, CancellationToken ct)
    {
        var year = plan.LastDay.Year;
        await callers.CallAsync("mesure", Stage.Statistician, (c, o) => new SurveyService.SurveyServiceClient(c).OpenSurveyCampaignAsync(
            new OpenSurveyCampaignRequest { Year = year, DueDate = today.AddMonths(2).ToProto(), RequestId = plan.IdOf("campaign:open") }, o), ct);
        foreach (var caller in gestionnaires.OrderBy(g => g.Key, StringComparer.Ordinal).Take(Math.Max(1, gestionnaires.Count - 1)))
        {
            var person = caller with { Person = "dominique" };
            var read = await callers.CallAsync("mesure", person, (c, o) => new SurveyService.SurveyServiceClient(c).GetSserReturnAsync(
                new GetSserReturnRequest { GestionnaireId = caller.Id.ToString(), Year = year }, o), ct);
            await callers.CallAsync("mesure", person, (c, o) => new SurveyService.SurveyServiceClient(c).ValidateSserReturnAsync(
                new ValidateSserReturnRequest { GestionnaireId = caller.Id.ToString(), Year = year, Etag = read.SserReturn.Etag, RequestId = plan.IdOf($"campaign:validate:{caller.Key}") }, o), ct);
        }

        var closed = await callers.CallAsync("mesure", Stage.Statistician, (c, o) => new SurveyService.SurveyServiceClient(c).CloseSurveyCampaignAsync(
            new CloseSurveyCampaignRequest { Year = year, RequestId = plan.IdOf("campaign:close") }, o), ct);
        return string.Create(CultureInfo.InvariantCulture, $"campaign of {year} closed: {string.Join(", ", closed.Campaign.States.Select(s => $"{s.Count} {s.State.ToCode()}"))}");
    }

    /// <summary>The figures of the year that was played, as Markdown: of the returns, of the books, and as they were published for 2024.</summary>
    /// <param name="plan">What was played.</param>
    /// <param name="figures">Figures by code.</param>
    /// <param name="callers">The services.</param>
    /// <param name="played">How much was played, by whom and when.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<string> TableAsync(
        ReplayPlan plan, IReadOnlyDictionary<string, (long Books, long Returns)> figures, Callers callers, string played, CancellationToken ct)
    {
        var catalogue = await callers.CallAsync("mesure", Stage.Operator, (c, o) => new SurveyService.SurveyServiceClient(c).GetSurveyDefinitionsAsync(
            new GetSurveyDefinitionsRequest { Year = plan.LastDay.Year }, o), ct);
        var nation = await callers.CallAsync("mesure", Stage.Operator, (c, o) => new SurveyService.SurveyServiceClient(c).GetNationalSurveyAsync(new GetNationalSurveyRequest { Year = 2024 }, o), ct);
        var published = nation.Totals.ToDictionary(t => t.Code, t => t.PublishedFigures);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{played}\n\n| | Returns | Books | | Share | SSER 2024 |\n|---|--:|--:|---|--:|---|\n");
        foreach (var figure in catalogue.Figures.Where(f => figures.ContainsKey(f.Code)))
        {
            var (books, returns) = figures[figure.Code];
            // Durations are read by the origin of the mesure, among those that have one.
            var origin = figure.Code.StartsWith("DUREE_JUDICIAIRES_", StringComparison.Ordinal) ? "DUREE_JUDICIAIRES_" : figure.Code.StartsWith("DUREE_NON_JUDICIAIRES_", StringComparison.Ordinal) ? "DUREE_NON_JUDICIAIRES_" : null;
            var whole = origin is null ? figures.GetValueOrDefault(figure.WholeCode).Returns : figures.Where(f => f.Key.StartsWith(origin, StringComparison.Ordinal)).Sum(f => f.Value.Returns);
            var beside = string.Join("; ", (published.GetValueOrDefault(figure.Code) ?? []).Select(p => p.Unit.StartsWith('%') ? Number($"{p.Value:0.#} %")
                : Number($"{p.Value:#,0}, of which {100 * plan.Fraction:0.##} %: {p.Value * plan.Fraction:#,0}")));
            if (books != 0 || returns != 0 || beside.Length > 0)
                text.Append(Number($"| {figure.Label} | {returns:#,0} | {books:#,0} | {(books == returns ? "equal" : "**differs**")} | {(whole > 0 ? Number($"{100.0 * returns / whole:0} %") : "")} | {beside} |\n"));
        }

        return text.ToString();

        static string Number(FormattableString of) => FormattableString.Invariant(of);
    }

    /// <summary>Puts a text between the marks of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="text">The text.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task WriteAsync(string file, string text, CancellationToken ct)
    {
        var whole = await File.ReadAllTextAsync(file, ct);
        var (begin, end) = (whole.IndexOf(Begin, StringComparison.Ordinal), whole.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin)
            throw new UsageException($"{file} has no lines {Begin} and {End}, between which the figures go.");
        await File.WriteAllTextAsync(file, $"{whole[..begin]}{Begin}\n{text}{whole[end..]}", ct);
    }
}
