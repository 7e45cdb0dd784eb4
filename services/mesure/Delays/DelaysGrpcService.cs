using System.Globalization;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Delays;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Delays;

/// <summary>How long the steps to the first rencontre held take.</summary>
internal sealed class DelaysGrpcService(MesuresDbContext db, DelayReader delays, TimeProvider clock) : DelaysService.DelaysServiceBase
{
    private const int MaturityDays = 365;

    private static readonly DelaySegment[] s_segments = [.. Enum.GetValues<DelaySegment>().Where(s => s != DelaySegment.Unspecified)];

    public override async Task<GetDelaysResponse> GetDelays(GetDelaysRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var today = clock.TodayInParis();
        var check = new FieldChecks();
        var juridictionId = check.OptionalUuid("juridiction_id", request.JuridictionId);
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var modalite = check.KnownOrUnspecified("modalite", request.Modalite);
        var from = check.OptionalDate("from_date", request.FromDate);
        var to = check.OptionalDate("to_date", request.ToDate);
        check.That(from is null || to is null || from <= to, "to_date", "must not lie before from_date");
        var maturity = request.MaturityDays == 0 ? MaturityDays : check.Range("maturity_days", request.MaturityDays, 1, 1825);
        var grouping = check.KnownOrUnspecified("grouping", request.Grouping);
        check.ThrowIfAny();

        Guid? gestionnaireId = null;
        if (caller is { Tenancy: Tenancy.Own, Role: Roles.Juridiction })
        {
            caller.Require(juridictionId ??= caller.OrganisationId);
        }
        else if (caller.Tenancy == Tenancy.Own)
        {
            gestionnaireId = caller.OrganisationId;
            if (espaceId is { } id)
            {
                caller.Require((await db.EspaceAsync(id, ct))?.GestionnaireId);
            }
        }

        // A month counts once its last decision is old enough.
        var ripe = today.AddDays(1 - maturity).FirstOfMonth().AddMonths(-1);
        var lastMonth = to is { } end && end.FirstOfMonth() < ripe ? end.FirstOfMonth() : ripe;
        var question = new DelayQuestion(
            juridictionId, gestionnaireId, espaceId, modalite == Modalite.Unspecified ? null : modalite.ToCode(),
            (from ?? DateOnly.MinValue).FirstOfMonth(), lastMonth, grouping)
        {
            Departements = caller.Territory?.Departements,
        };
        var response = new GetDelaysResponse
        {
            FromDate = from is null ? null : question.From.ToProto(),
            ToDate = lastMonth.AddMonths(1).AddDays(-1).ToProto(),
            AsOfTime = clock.GetStoredNow().ToProto(),
        };
        var figures = await delays.ReadAsync(question, today, ct);
        var withheld = caller.Tenancy == Tenancy.Own ? [] : Withheld(figures);
        if (withheld is not null)
        {
            response.Rows.AddRange(figures.Select(f => ToRow(grouping, f.Key.Group, f.Key.Segment, f.Value, withheld.Contains(f.Key.Group))));
        }

        return response;
    }

    // A segment begins where the one before ends, so that the counts of a group follow from one another: all of them are told, or
    // none, where any of them is small, a part of a row (one mesure that was closed) as well as the whole.
    private static HashSet<string>? Withheld(IReadOnlyDictionary<(string Group, DelaySegment Segment), DelayFigures> figures)
    {
        var groups = figures.Keys.Select(k => k.Group).Distinct().ToArray();
        var withheld = SmallCells.Withheld([.. groups.Select(group => s_segments.SelectMany(segment => Counts(figures.GetValueOrDefault((group, segment)))).ToArray())]);
        return withheld is null ? null : [.. groups.Where((_, i) => withheld[i])];

        static long[] Counts(DelayFigures? of) => of is null ? [0, 0, 0, 0] : [of.Counts.Count, of.Counts.Passed, of.Counts.Waiting, of.Counts.Ended];
    }

    private static DelayRow ToRow(DelayGrouping grouping, string group, DelaySegment segment, DelayFigures figures, bool withheld)
    {
        var row = new DelayRow { Segment = segment };
        switch (grouping)
        {
            case DelayGrouping.Juridiction: row.JuridictionId = group; break;
            case DelayGrouping.Espace: row.EspaceId = group == Guid.Empty.ToString() ? "" : group; break;
            case DelayGrouping.Modalite: row.Modalite = ProtoConversions.FromCode<Modalite>(group); break;
            case DelayGrouping.Month: row.MonthDate = DateOnly.ParseExact(group, "yyyy-MM-dd", CultureInfo.InvariantCulture).ToProto(); break;
        }

        var counts = figures.Counts;
        if (withheld && SmallCells.IsSmall(counts.Count))
        {
            row.Suppressed = true;
            return row;
        }

        if (withheld)
        {
            row.CountsWithheld = true;
        }
        else
        {
            row.ObservedCount = (int)counts.Passed;
            row.WaitingCount = (int)counts.Waiting;
            row.ClosedCount = (int)counts.Ended;
        }

        // Beside many who wait, the delay of one who passed would stand there as it was.
        if (withheld && SmallCells.IsSmall(counts.Passed))
        {
            return row;
        }

        var estimate = CumulativeIncidence.Of(counts);
        if (estimate.Quantile(0.5) is { Days: var median })
        {
            row.MedianDays = median;
        }

        if (estimate.Quantile(0.9) is { Days: var p90 })
        {
            row.P90Days = p90;
        }

        return row;
    }
}
