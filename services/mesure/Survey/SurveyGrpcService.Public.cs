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

        var departements = await figures.ByDepartementAsync(year, null, ct);
        var (nation, before, first) = (await NationAsync(year, ct), await NationAsync(year - 1, ct), await NationAsync(PublishedFigures.FirstYear, ct));
        var (withheld, withheldThere) = (PublicFigures.Withheld(nation.Values, departements), PublicFigures.Withheld(departements));
        // What the year before withheld, by the same tables, is not told a year later.
        var previouslyWithheld = PublicFigures.Withheld(before.Values, await figures.ByDepartementAsync(year - 1, null, ct));
        var firstWithheld = PublicFigures.Withheld(first.Values, await figures.ByDepartementAsync(PublishedFigures.FirstYear, null, ct));
        var response = new GetPublicSurveyResponse { AskedCount = nation.Asked, AnsweredCount = nation.Answered };
        foreach (var figure in PublicFigures.Told)
        {
            var total = new SurveyTotal { Code = figure.Code, Withheld = withheld.Contains(figure.Code) };
            if (!total.Withheld && nation.Values.TryGetValue(figure.Code, out var value))
            {
                total.Value = value;
                total.ImputedValue = nation.Imputations.GetValueOrDefault(figure.Code);
            }

            if (!previouslyWithheld.Contains(figure.Code) && before.Values.TryGetValue(figure.Code, out var previous))
            {
                total.PreviousValue = previous;
            }

            if (!firstWithheld.Contains(figure.Code) && first.Values.TryGetValue(figure.Code, out var earliest))
            {
                total.FirstValue = earliest;
            }

            total.PublishedFigures.AddRange(PublishedFigures.All.Where(p => p.Year == year && p.Code == figure.Code).Select(p => p.ToProto()));
            if (total.Withheld || total.HasValue || total.HasPreviousValue || total.HasFirstValue || total.PublishedFigures.Count > 0)
            {
                response.Totals.Add(total);
            }
        }

        response.Departements.AddRange(departements.Where(d => d.Key.Length > 0).Select(d => Told(d.Key, d.Value, withheldThere[d.Key])));
        response.PublishedFigures.AddRange(PublishedBeside(year));
        return response;
    }

    public override async Task<GetTerritorySurveyResponse> GetTerritorySurvey(GetTerritorySurveyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var all = await figures.ByDepartementAsync(year, null, ct);
        var withheld = PublicFigures.Withheld(all);
        var territory = context.Caller().Territory?.Departements;
        var own = all.Where(d => d.Key.Length > 0 && territory?.Contains(d.Key) != false).ToList();
        var response = new GetTerritorySurveyResponse { Provisional = !returns.IsOver(year) };
        foreach (var figure in PublicFigures.Told.Where(f => f.IsCounted))
        {
            // A sum is told where it follows from what is told anyway: it would be one more equation else.
            var told = own.TrueForAll(d => !withheld[d.Key].Contains(figure.Code));
            response.Totals.Add(Total(figure, told ? own.Sum(d => d.Value.GetValueOrDefault(figure.Code)) : 0, !told));
        }

        response.Departements.AddRange(own.Select(d => Told(d.Key, d.Value, withheld[d.Key])));
        return response;
    }

    private static DepartementSurvey Told(string departement, Dictionary<string, long> values, IReadOnlySet<string> withheld)
    {
        var row = new DepartementSurvey { Departement = departement };
        row.Totals.AddRange(PublicFigures.Told.Where(f => f.IsCounted).Select(f => Total(f, values.GetValueOrDefault(f.Code), withheld.Contains(f.Code))));
        return row;
    }
}
