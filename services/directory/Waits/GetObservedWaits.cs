using Google.Protobuf.Collections;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Delays;
using Jafer.Directory.Domain;
using Jafer.Directory.Search;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Waits;

/// <summary>What was observed of waits: of an espace, a département, a région, a court or the nation.</summary>
internal sealed class GetObservedWaits(SnapshotSource snapshots, TimeProvider clock)
{
    private static readonly int[] s_days = [30, 60, 90, 180, 365];
    private static readonly WaitStart[] s_starts = [.. Enum.GetValues<WaitStart>().Where(s => s != WaitStart.Unspecified)];
    private static readonly WaitEnd[] s_ends = [.. Enum.GetValues<WaitEnd>().Where(e => e != WaitEnd.Unspecified)];

    public async Task<GetObservedWaitsResponse> HandleAsync(GetObservedWaitsRequest request, CancellationToken ct)
    {
        var snapshot = await snapshots.GetAsync(ct);
        var (geography, today) = (snapshot.Geography, clock.TodayInParis());
        var check = new FieldChecks();
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var juridictionId = check.OptionalUuid("juridiction_id", request.JuridictionId);
        check.That(request.Departement.Length == 0 || geography.Departements.Contains(request.Departement), "departement", "is not a known département");
        check.That(request.Region.Length == 0 || geography.Regions.Values.Contains(request.Region, StringComparer.Ordinal), "region", "is not a known région");
        var modalite = check.KnownOrUnspecified("modalite", request.Modalite);
        var start = check.KnownOrUnspecified("start", request.Start);
        var end = check.KnownOrUnspecified("end", request.End);
        string[] given =
        [
            .. new[] { ("espace_id", request.EspaceId), ("departement", request.Departement), ("region", request.Region), ("juridiction_id", request.JuridictionId) }
                .Where(f => f.Item2.Length > 0).Select(f => f.Item1),
        ];
        foreach (var field in given.Skip(1))
            check.That(false, field, "must be empty: only one of espace_id, departement, region and juridiction_id says whose waits are meant");
        check.ThrowIfAny();
        var espace = espaceId is { } id ? snapshot.Find(id) ?? throw DomainError.NotFound($"espaces/{id}") : null;

        var response = new GetObservedWaitsResponse
        {
            WindowStartDate = ObservedWaits.WindowStart(today).ToProto(),
            WindowEndDate = today.ToProto(),
            Method = ObservedWaits.Method,
        };
        foreach (var each in snapshot.Modalites.Where(m => modalite is Modalite.Unspecified || m == modalite).Order())
        {
            FollowedMesure[] mesures = [.. Mesures(each)];
            foreach (var from in start == WaitStart.Unspecified ? s_starts : [start])
            {
                foreach (var until in end == WaitEnd.Unspecified ? s_ends : [end])
                {
                    var own = CumulativeIncidence.Of(ObservedWaits.Count(mesures, today, from, until));
                    if (own.Passed + own.Ended + own.Waiting > 0)
                        response.Rows.Add(ToRow(each, from, until, own, ObservedWaits.Pooled(own, Wider(each, from, until)), ObservedWaits.Change(mesures, today, from, until)));
                }
            }
        }
        return response;

        IEnumerable<FollowedMesure> Mesures(Modalite of) => espace is not null ? espace.OfferOf(of)?.Followed ?? []
            : request.Departement.Length > 0 ? snapshot.FollowedIn(of, departement => departement == request.Departement)
            : request.Region.Length > 0 ? snapshot.FollowedIn(of, departement => geography.Regions.GetValueOrDefault(departement) == request.Region)
            : juridictionId is { } court ? snapshot.FollowedIn(of, _ => true).Where(m => m.JuridictionId == court)
            : snapshot.FollowedIn(of, _ => true);

        PooledWait? Wider(Modalite of, WaitStart from, WaitEnd until) =>
            (espace?.Facts.Departement ?? request.Departement) is { Length: > 0 } departement ? snapshot.WaitsOf(of, today, from, until).InRegionOf(departement)
            : given.Length > 0 ? snapshot.WaitsOf(of, today, from, until).Nation : null;
    }

    private static ObservedWaitRow ToRow(Modalite modalite, WaitStart start, WaitEnd end, CumulativeIncidence own, Delays.PooledWait pooled, RecentChange change)
    {
        var row = new ObservedWaitRow { Modalite = modalite, Start = start, End = end, Suppressed = own.Passed < ObservedWaits.LeastSeen };
        if (!pooled.IsEmpty)
        {
            row.Pooled = new() { OwnWeight = pooled.OwnWeight };
            if (pooled.Quantile(0.5) is { } median)
                row.Pooled.MedianDays = median;
            if (pooled.Quantile(0.8) is { } p80)
                row.Pooled.P80Days = p80;
            if (pooled.Quantile(0.9) is { } p90)
                row.Pooled.P90Days = p90;
        }
        if (row.Suppressed)
            return row;
        row.CountsWithheld = IsSmall(own.Waiting) || IsSmall(own.Ended);
        if (!row.CountsWithheld)
            (row.PassedCount, row.WaitingCount, row.EndedCount) = ((int)own.Passed, (int)own.Waiting, (int)own.Ended);
        row.EventualShare = own.EventualShare;
        (row.Median, row.P80, row.P90) = (ToProto(own.Quantile(0.5)), ToProto(own.Quantile(0.8)), ToProto(own.Quantile(0.9)));
        AddIncidence(row.Points, own);
        row.RecentChange = new() { Trend = ObservedWaits.TrendOf(change), PassedCount = (int)change.Passed, ExpectedCount = change.Expected };
        return row;
    }

    private static void AddIncidence(RepeatedField<IncidencePoint> points, CumulativeIncidence own)
    {
        foreach (var days in s_days.Where(d => d <= own.FollowedDays))
        {
            var passed = own.PassedAt(days);
            points.Add(new IncidencePoint
            {
                Days = days,
                PassedShare = passed.Value,
                PassedLowShare = passed.Low,
                PassedHighShare = passed.High,
                EndedShare = own.EndedAt(days).Value,
                WaitingShare = own.StillAt(days).Value,
            });
        }
    }

    private static WaitQuantile? ToProto(DelayQuantile? quantile)
    {
        if (quantile is not { } known)
            return null;
        var proto = new WaitQuantile { Days = known.Days };
        if (known.Low is { } low)
            proto.LowDays = low;
        if (known.High is { } high)
            proto.HighDays = high;
        return proto;
    }

    private static bool IsSmall(long count) => count is > 0 and < ObservedWaits.LeastSeen;
}
