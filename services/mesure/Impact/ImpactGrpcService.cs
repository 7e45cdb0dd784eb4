using System.Globalization;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Impact;

/// <summary>What became of families after their mesure.</summary>
internal sealed class ImpactGrpcService(MesuresDbContext db, ImpactReader impact, TimeProvider clock) : ImpactService.ImpactServiceBase
{
    /// <summary>Months after the closing within which a new mesure is a return.</summary>
    private const int ReturnMonths = 12;

    public override async Task<GetImpactResponse> GetImpact(GetImpactRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var today = clock.TodayInParis();
        var check = new FieldChecks();
        var juridictionId = check.OptionalUuid("juridiction_id", request.JuridictionId);
        var gestionnaireId = check.OptionalUuid("gestionnaire_id", request.GestionnaireId);
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var from = check.OptionalDate("from_date", request.FromDate);
        var to = check.OptionalDate("to_date", request.ToDate);
        check.That(from is null || to is null || from <= to, "to_date", "must not lie before from_date");
        var grouping = check.KnownOrUnspecified("grouping", request.Grouping);
        check.ThrowIfAny();

        if (caller is { Tenancy: Tenancy.Own, Role: Roles.Juridiction })
        {
            caller.Require(juridictionId ??= caller.OrganisationId);
        }
        else if (caller.Tenancy == Tenancy.Own)
        {
            caller.Require(gestionnaireId ??= caller.OrganisationId);
            if (espaceId is { } id)
            {
                caller.Require((await db.EspaceAsync(id, ct))?.GestionnaireId);
            }
        }

        var lastMonth = (to is { } end && end < today ? end : today).FirstOfMonth();
        var mature = today.AddMonths(-ReturnMonths);
        var figures = await impact.ReadAsync(
            new ImpactQuestion(
                juridictionId, gestionnaireId, espaceId, (from ?? DateOnly.MinValue).FirstOfMonth(), lastMonth.AddMonths(1).AddDays(-1), mature, grouping,
                caller.Tenancy == Tenancy.Own ? caller.OrganisationId : null)
            {
                Departements = caller.Territory?.Departements,
            },
            ct);
        var response = new GetImpactResponse { MatureDate = mature.ToProto(), AsOfTime = clock.GetStoredNow().ToProto() };
        response.Rows.AddRange(caller.Tenancy == Tenancy.Own ? figures.Select(f => Whole(grouping, f.Key, f.Value)) : OfOthers(grouping, figures));
        return response;
    }

    private static IEnumerable<ImpactRow> OfOthers(ImpactGrouping grouping, SortedDictionary<string, ImpactFigures> figures)
    {
        var all = figures.Values.ToArray();
        if (SmallCells.Withheld([.. all.Select(f => new[] { f.Ended })]) is not { } suppressed)
        {
            yield break;
        }

        var destinations = all.SelectMany(f => f.Destinations.Keys).Distinct().ToArray();
        var undivided = SmallCells.Undivided([.. all.Select(f => destinations.Select(d => f.Destinations.GetValueOrDefault(d)).ToArray())], suppressed);
        var returns = SmallCells.Undivided([.. all.Select(f => new[] { f.Ended - f.Mature, f.Mature - f.Returned, f.Returned })], suppressed);
        foreach (var ((group, of), i) in figures.Select((f, i) => (f, i)))
        {
            if (suppressed[i])
            {
                var nothing = Row(grouping, group);
                nothing.Suppressed = true;
                yield return nothing;
                continue;
            }

            var row = Whole(grouping, group, of);
            if (undivided[i])
            {
                row.DestinationsWithheld = true;
                row.Destinations.Clear();
            }

            if (returns[i])
            {
                row.ReturnsWithheld = true;
                row.MatureCount = row.YoungCount = row.ReturnedCount = 0;
                row.ClearReturnRate();
            }

            yield return row;
        }
    }

    private static ImpactRow Whole(ImpactGrouping grouping, string group, ImpactFigures of)
    {
        var row = Row(grouping, group);
        row.EndedCount = (int)of.Ended;
        row.Destinations.AddRange(of.Destinations.Select(d => new ImpactDestination { Destination = d.Key, EndedCount = (int)d.Value, Share = (double)d.Value / of.Ended }));
        row.MatureCount = (int)of.Mature;
        row.YoungCount = (int)(of.Ended - of.Mature);
        row.ReturnedCount = (int)of.Returned;
        if (of.Mature > 0)
        {
            row.ReturnRate = (double)of.Returned / of.Mature;
        }

        return row;
    }

    private static ImpactRow Row(ImpactGrouping grouping, string group) => grouping switch
    {
        ImpactGrouping.Juridiction => new ImpactRow { JuridictionId = group },
        ImpactGrouping.Gestionnaire => new ImpactRow { GestionnaireId = group },
        ImpactGrouping.Espace => new ImpactRow { EspaceId = group },
        ImpactGrouping.Month => new ImpactRow { MonthDate = DateOnly.ParseExact(group, "yyyy-MM-dd", CultureInfo.InvariantCulture).ToProto() },
        _ => new ImpactRow(),
    };
}
