using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Survey;

/// <summary>What others are told of the survey. All of it is withheld together, so that one answer less another tells nothing.</summary>
internal sealed partial class SurveyGrpcService
{
    public override async Task<GetPublicSurveyResponse> GetPublicSurvey(GetPublicSurveyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var campaign = await db.SurveyCampaigns.AsNoTracking().SingleOrDefaultAsync(c => c.Year == year, ct);
        if (campaign?.State != SurveyCampaignState.Closed)
        {
            throw DomainError.StateForbids((campaign?.State ?? SurveyCampaignState.Unspecified).ToCode(), "GET_PUBLIC_SURVEY", "the campaign of the year is not closed");
        }

        return GetPublicSurveyResponse.Parser.ParseFrom(campaign.Publication);
    }

    /// <summary>What everybody is told of a year, worked out once, when its campaign is closed.</summary>
    private async Task<GetPublicSurveyResponse> PublicationAsync(int year, Nation nation, CancellationToken ct)
    {
        var departements = await figures.ByDepartementAsync(year, ct);
        var pattern = patterns.Of(departements);
        var (before, first) = (await NationAsync(year - 1, true, ct), await NationAsync(PublishedFigures.FirstYear, true, ct));
        var withheld = PublicFigures.Withheld(nation.Values, pattern);
        // What was withheld of an earlier year is not told a year later.
        var (thenWithheld, firstWithheld) = (await WithheldOfAsync(year - 1, before, ct), await WithheldOfAsync(PublishedFigures.FirstYear, first, ct));
        var response = new GetPublicSurveyResponse { AskedCount = nation.Asked, AnsweredCount = nation.Answered };
        foreach (var figure in PublicFigures.Told)
        {
            // What of it was imputed is what Jafer counted of single gestionnaires: that is not told.
            var total = OfNation(figure.Code, year, (nation.Values, withheld), (before.Values, thenWithheld), (first.Values, firstWithheld));
            if (total.Withheld || total.HasValue || total.HasPreviousValue || total.HasFirstValue || total.PublishedFigures.Count > 0)
            {
                response.Totals.Add(total);
            }
        }

        response.Departements.AddRange(departements.Where(d => d.Key.Length > 0).Select(d => Told(d.Key, d.Value, pattern.Departements[d.Key])));
        response.PublishedFigures.AddRange(PublishedBeside(year));
        return response;
    }

    public override async Task<GetTerritorySurveyResponse> GetTerritorySurvey(GetTerritorySurveyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var territory = context.Caller().Territory?.Departements;
        var rows = (await DepartementsAsync(year, ct)).Where(d => territory?.Contains(d.Departement) != false).ToList();
        var response = new GetTerritorySurveyResponse { Provisional = !returns.IsOver(year) || await db.SurveyCampaigns.AnyAsync(c => c.Year == year && c.State == SurveyCampaignState.Open, ct) };
        foreach (var figure in PublicFigures.ToldByDepartement)
        {
            var cells = rows.ConvertAll(d => d.Totals.FirstOrDefault(t => t.Code == figure.Code));
            // What a year was published without is not told of it later.
            if (cells.Contains(null))
            {
                continue;
            }

            // A sum is told where it follows from what is told anyway: it would be one more equation else.
            var told = cells.TrueForAll(c => !c!.Withheld);
            response.Totals.Add(Total(figure, told ? cells.Sum(c => c!.Value) : 0, !told));
        }

        response.Departements.AddRange(rows);
        return response;
    }

    // As published, once they are: two answers would tell more than each.
    private async Task<IEnumerable<DepartementSurvey>> DepartementsAsync(int year, CancellationToken ct)
    {
        if (await db.SurveyCampaigns.AsNoTracking().Where(c => c.Year == year).Select(c => c.Publication).SingleOrDefaultAsync(ct) is { } publication)
        {
            return GetPublicSurveyResponse.Parser.ParseFrom(publication).Departements;
        }

        var all = await figures.ByDepartementAsync(year, ct);
        var withheld = patterns.Of(all).Departements;
        return all.Where(d => d.Key.Length > 0).Select(d => Told(d.Key, d.Value, withheld[d.Key]));
    }

    // As it was published; of a year without a campaign what its own figures ask for.
    private async Task<IReadOnlySet<string>> WithheldOfAsync(int year, Nation nation, CancellationToken ct) =>
        await db.SurveyCampaigns.AsNoTracking().Where(c => c.Year == year).Select(c => c.Publication).SingleOrDefaultAsync(ct) is { } publication
            ? GetPublicSurveyResponse.Parser.ParseFrom(publication).Totals.Where(t => t.Withheld).Select(t => t.Code).ToHashSet()
            : PublicFigures.Withheld(nation.Values);

    private static DepartementSurvey Told(string departement, Dictionary<string, long> values, IReadOnlySet<string> withheld)
    {
        var row = new DepartementSurvey { Departement = departement };
        row.Totals.AddRange(PublicFigures.ToldByDepartement.Select(f => Total(f, values.GetValueOrDefault(f.Code), withheld.Contains(f.Code))));
        return row;
    }
}
