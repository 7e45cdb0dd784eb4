using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain.Survey;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Survey;

internal sealed partial class SurveyGrpcService
{
    public override async Task<GetNationalSurveyResponse> GetNationalSurvey(GetNationalSurveyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var year = Year(check, request.Year);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var nation = await NationAsync(year, false, ct);
        var (before, first) = (await NationAsync(year - 1, true, ct), await NationAsync(PublishedFigures.FirstYear, true, ct));
        var response = new GetNationalSurveyResponse
        {
            AskedCount = nation.Asked,
            AnsweredCount = nation.Answered,
            ImputedCount = nation.Imputed,
            Provisional = await IsProvisionalAsync(year, ct),
        };
        foreach (var figure in SurveyCatalogue.BuiltIn.Figures)
        {
            var total = OfNation(figure.Code, year, (nation.Values, null), (before.Values, null), (first.Values, null));
            total.ImputedValue = nation.Imputations.GetValueOrDefault(figure.Code);
            if (total.HasValue || total.HasPreviousValue || total.HasFirstValue || total.PublishedFigures.Count > 0)
            {
                response.Totals.Add(total);
            }
        }

        response.PublishedFigures.AddRange(PublishedBeside(year));
        return response;
    }

    // A figure of three years without what is withheld of each, beside what was published.
    private static SurveyTotal OfNation(
        string code, int year, (Dictionary<string, long> Values, IReadOnlySet<string>? Withheld) now, (Dictionary<string, long> Values, IReadOnlySet<string>? Withheld) before,
        (Dictionary<string, long> Values, IReadOnlySet<string>? Withheld) first)
    {
        var total = new SurveyTotal { Code = code, Withheld = now.Withheld?.Contains(code) == true };
        if (Told(now) is { } value)
        {
            total.Value = value;
        }

        if (Told(before) is { } previous)
        {
            total.PreviousValue = previous;
        }

        if (Told(first) is { } earliest)
        {
            total.FirstValue = earliest;
        }

        total.PublishedFigures.AddRange(PublishedFigures.All.Where(p => p.Year == year && p.Code == code).Select(p => p.ToProto()));
        return total;

        long? Told((Dictionary<string, long> Values, IReadOnlySet<string>? Withheld) of) =>
            of.Withheld?.Contains(code) != true && of.Values.TryGetValue(code, out var told) ? told : null;
    }

    private static IEnumerable<PublishedSurveyFigure> PublishedBeside(int year) => PublishedFigures.All.Where(p => p.Year == year && p.Code is null)
        .Select(p => new PublishedSurveyFigure { Figure = p.Figure, Label = p.Label, Published = p.ToProto() });

    private static SurveyTotal Total(SurveyFigureRow figure, long value, bool withheld)
    {
        var total = new SurveyTotal { Code = figure.Code, Withheld = withheld };
        if (!withheld)
        {
            total.Value = value;
        }

        return total;
    }

    private sealed record Nation(Dictionary<string, long> Values, Dictionary<string, long> Imputations, int Asked, int Answered, int Imputed);

    // The sums of the returns as they stand. Of a year without a campaign, what was imported of the nation, or else what the statistician
    // recorded of gestionnaires, or was published: what some of them made of themselves is told last, and never compared with.
    private async Task<Nation> NationAsync(int year, bool compared, CancellationToken ct)
    {
        var rows = await db.SserReturns.AsNoTracking().Where(r => r.Year == year).ToListAsync(ct);
        var known = await db.NationalFigures.AsNoTracking().Where(f => f.Year == year).ToDictionaryAsync(f => f.Code, f => f.Value, ct);
        var imported = known.Count > 0;
        foreach (var published in PublishedFigures.All.Where(p => p.Year == year && p.IsNumber))
        {
            known.TryAdd(published.Code!, (long)published.Value);
        }

        var told = rows.Exists(r => r.State != SserReturnState.Missing);
        if (told && ((known.Count == 0 && !compared) || await db.SurveyCampaigns.AnyAsync(c => c.Year == year, ct)))
        {
            return NationOf(rows);
        }

        var recorded = imported ? [] : rows.Where(r => r.Source is SserReturnSource.Typed or SserReturnSource.Imported).ToList();
        return recorded.Count > 0 ? NationOf(recorded) : new Nation(known, [], rows.Count, 0, 0);
    }

    private static Nation NationOf(IReadOnlyCollection<Domain.Survey.SserReturn> rows)
    {
        return new Nation(
            Sums(_ => true), Sums(f => f.Origin == SurveyFigureOrigin.Imputed), rows.Count,
            rows.Count(r => r.State == SserReturnState.Validated), rows.Count(r => r.State == SserReturnState.Imputed));

        Dictionary<string, long> Sums(Func<ReturnFigure, bool> of) =>
            rows.SelectMany(r => r.Figures).Where(of).GroupBy(f => f.Code).ToDictionary(g => g.Key, g => g.Sum(f => f.Value));
    }
}
