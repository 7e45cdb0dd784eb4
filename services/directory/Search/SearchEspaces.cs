using System.Collections.Frozen;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Search;

/// <summary>Answers which espaces can take a mesure, best first, from the snapshot in memory.</summary>
internal sealed class SearchEspaces(SnapshotSource snapshots, PastSnapshots past, PageTokens tokens, TimeProvider clock)
{
    private const int DefaultPage = 20;
    private const int MaxPage = 100;
    private const int MaxIds = 20;

    /// <summary>Place of the last result, and the day on which the first page was made: pages read over midnight agree.</summary>
    private sealed record Cursor(int Unreachable, long Cost, Guid EspaceId, DateOnly Today);

    public async Task<SearchEspacesResponse> HandleAsync(SearchEspacesRequest request, Caller caller, CancellationToken ct)
    {
        var current = await snapshots.GetAsync(ct);
        var geography = current.Geography;
        var check = new FieldChecks();
        var today = clock.TodayInParis();
        var asOf = check.OptionalDate("as_of_date", request.AsOfDate);
        check.That(!(asOf > today), "as_of_date", "must not lie in the future");
        var needs = MesureProfiles.Check(check, request.Mesure, geography, asOf ?? today);
        check.That(!request.HasDaysPerTravelHour || request.DaysPerTravelHour is >= 0 and <= 365, "days_per_travel_hour", "must be from 0 to 365");
        var only = Ids(check, "espace_ids", request.EspaceIds, current);
        var excluded = Ids(check, "excluding_espace_ids", request.ExcludingEspaceIds, null);
        var pageSize = check.PageSize(request.PageSize, DefaultPage, MaxPage);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var snapshot = asOf is { } day && day < today ? await past.GetAsync(day, current, ct) : current;
        if (excluded is not null)
            needs = needs with { Excluded = excluded };
        if (cursor is not null)
            needs = needs with { Today = cursor.Today, Decision = request.Mesure.DecisionDate is null ? cursor.Today : needs.Decision };

        var travel = await MesureProfiles.TravelAsync(
            request.Mesure, snapshot, request.HasDaysPerTravelHour ? request.DaysPerTravelHour : Ranking.DefaultDaysPerTravelHour, ct);
        var index = snapshot.OffersOf(needs.Modalite, needs.Today);
        var matches = index.Match(needs, only);
        var page = index.Best(matches, needs, travel, cursor is null ? null : new RankKey(cursor.Unreachable, cursor.Cost, cursor.EspaceId), pageSize + 1);

        var courtDepartement = geography.CourtDepartements.GetValueOrDefault(needs.Court);
        var response = new SearchEspacesResponse { TotalCount = matches.Count };
        foreach (var ranked in page.AsSpan(0, Math.Min(page.Length, pageSize)))
            response.Results.Add(EspaceResults.ToProto(ranked, snapshot.Find(ranked.Offer.Espace.Id)!, needs, travel, courtDepartement, snapshot.WaitsOf(needs.Modalite, needs.Today)));
        if (page.Length > pageSize)
        {
            var last = page[pageSize - 1].Key;
            response.NextPageToken = tokens.Protect(new Cursor(last.Unreachable, last.Cost, last.EspaceId, needs.Today), binding);
        }
        if (cursor is not null)
            return response;

        response.Notes.Add(Notes.Of(snapshot, index, matches, page, request.Mesure, needs, travel, only is not null));
        if (request.Facets)
            response.Facets.Add(Facets.Of(snapshot, matches, needs, only));
        if (request.Explain)
            response.ExcludedEspaces.Add(Explanation.Of(snapshot, matches, needs, only, travel, courtDepartement));
        return response;
    }

    // An id to leave out that nobody knows leaves nothing out; one to look at would be passed over in silence.
    private static FrozenSet<Guid>? Ids(FieldChecks check, string field, Google.Protobuf.Collections.RepeatedField<string> ids, Snapshot? known)
    {
        if (ids.Count == 0)
            return null;
        check.That(ids.Count <= MaxIds, field, "must have at most 20 entries");
        return ids.Take(MaxIds).Select((text, i) =>
        {
            var id = check.Uuid($"{field}[{i}]", text);
            check.That(known is null || id == Guid.Empty || known.Find(id) is not null, $"{field}[{i}]", "is not a known espace");
            return id;
        }).ToFrozenSet();
    }
}

/// <summary>Says whether one espace may be designated, by the same rules as a search.</summary>
internal sealed class CheckDesignation(SnapshotSource snapshots, TimeProvider clock)
{
    public async Task<CheckDesignationResponse> HandleAsync(CheckDesignationRequest request, Caller caller, CancellationToken ct)
    {
        var snapshot = await snapshots.GetAsync(ct);
        var check = new FieldChecks();
        var id = check.Uuid("espace_id", request.EspaceId);
        var needs = MesureProfiles.Check(check, request.Mesure, snapshot.Geography, clock.TodayInParis());
        var mesureId = check.OptionalUuid("mesure_id", request.MesureId);
        check.ThrowIfAny();
        var espace = snapshot.Find(id) ?? throw DomainError.NotFound($"espaces/{id}");

        var offer = espace.OfferOf(needs.Modalite);
        if (mesureId is { } own && caller.Role == Roles.Systeme)
            offer = offer?.SeenBy(own);
        var findings = DesignationRules.Findings(espace.Facts, offer, needs);
        var response = new CheckDesignationResponse { Designable = findings.Count == 0 };
        response.Findings.Add(findings.Select(f => f.ToProto()));
        if (offer is not null)
        {
            var travel = await MesureProfiles.TravelAsync(request.Mesure, snapshot, Ranking.DefaultDaysPerTravelHour, ct);
            // Where no lieu suits, it is shown by all of them: the findings say what stands against it.
            var suitable = DesignationRules.SuitableLieux(espace.Facts, needs) is not 0 and var lieux ? lieux : espace.Facts.AllLieux;
            response.Result = EspaceResults.ToProto(
                travel.Rank(offer, suitable, needs), espace, needs, travel, snapshot.Geography.CourtDepartements.GetValueOrDefault(needs.Court),
                snapshot.WaitsOf(needs.Modalite, needs.Today));
            response.Warnings.Add(response.Result.Warnings.Select(w => w.Clone()));
        }
        return response;
    }
}
