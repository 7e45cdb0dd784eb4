using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Search;

/// <summary>Answers which espaces can take a mesure, best first, from the snapshot in memory.</summary>
internal sealed class SearchEspaces(SnapshotSource snapshots, PageTokens tokens, TimeProvider clock)
{
    private const int DefaultPage = 20;
    private const int MaxPage = 100;
    private const int MaxChildren = 20;

    /// <summary>Place of the last result, and the day on which the first page was made: pages read over midnight agree.</summary>
    private sealed record Cursor(int Unreachable, long Cost, Guid EspaceId, DateOnly Today);

    public async Task<SearchEspacesResponse> HandleAsync(SearchEspacesRequest request, Caller caller, CancellationToken ct)
    {
        var snapshot = await snapshots.GetAsync(ct);
        var geography = snapshot.Geography;
        var (needs, pageSize) = Check(request, geography);
        var mesure = request.Mesure;
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(request.PageToken, binding);
        var today = cursor?.Today ?? clock.TodayInParis();
        if (needs.Decision == default)
            needs = needs with { Decision = today };

        var travel = new FamilyTravel(
            mesure.HoteCommuneInsee.Length == 0 ? null : await geography.Travel.FromAsync(mesure.HoteCommuneInsee, ct),
            mesure.VisiteurCommuneInsee.Length == 0 ? null : await geography.Travel.FromAsync(mesure.VisiteurCommuneInsee, ct),
            request.HasDaysPerTravelHour ? request.DaysPerTravelHour : Ranking.DefaultDaysPerTravelHour);
        var (page, total) = RankedOffer.Find(
            snapshot.OffersOf(mesure.Modalite), needs, travel,
            cursor is null ? null : new RankKey(cursor.Unreachable, cursor.Cost, cursor.EspaceId), pageSize + 1);

        var courtDepartement = geography.CourtDepartements.GetValueOrDefault(mesure.CourtCode);
        var response = new SearchEspacesResponse { TotalCount = total };
        foreach (var ranked in page.AsSpan(0, Math.Min(page.Length, pageSize)))
            response.Results.Add(Result(ranked, snapshot.Espaces[ranked.Offer.EspaceId], needs, travel, courtDepartement, today));
        if (page.Length > pageSize)
        {
            var last = page[pageSize - 1].Key;
            response.NextPageToken = tokens.Protect(new Cursor(last.Unreachable, last.Cost, last.EspaceId, today), binding);
        }
        return response;
    }

    private static (MesureNeeds Needs, int PageSize) Check(SearchEspacesRequest request, Geography geography)
    {
        var check = new FieldChecks();
        var mesure = request.Mesure ?? new MesureProfile();
        check.That(request.Mesure is not null, "mesure", "is required");
        check.Known("mesure.modalite", mesure.Modalite);
        check.That(mesure.ChildAges.Count <= MaxChildren, "mesure.child_ages", "must have at most 20 entries");
        for (var i = 0; i < mesure.ChildAges.Count; i++)
        {
            if (mesure.ChildAges[i] is < 0 or > 17)
                check.Add($"mesure.child_ages[{i}]", "must be from 0 to 17");
        }
        for (var i = 0; i < mesure.Situations.Count; i++)
        {
            if (mesure.Situations[i] == SituationParticuliere.Unspecified || !Enum.IsDefined(mesure.Situations[i]))
                check.Known($"mesure.situations[{i}]", mesure.Situations[i]);
        }
        check.That(mesure.CourtCode.Length == 0 || geography.CourtDepartements.ContainsKey(mesure.CourtCode), "mesure.court_code", "is not a known court");
        Commune("mesure.hote_commune_insee", mesure.HoteCommuneInsee);
        Commune("mesure.visiteur_commune_insee", mesure.VisiteurCommuneInsee);
        var decision = check.OptionalDate("mesure.decision_date", mesure.DecisionDate);
        check.That(!request.HasDaysPerTravelHour || request.DaysPerTravelHour is >= 0 and <= 365, "days_per_travel_hour", "must be from 0 to 365");
        var pageSize = check.PageSize(request.PageSize, DefaultPage, MaxPage);
        check.ThrowIfAny();
        return (new MesureNeeds(
            mesure.ChildAges.Count == 0 ? null : mesure.ChildAges.Min(),
            mesure.ChildAges.Count == 0 ? null : mesure.ChildAges.Max(),
            SearchedEspace.Bits(mesure.Situations),
            mesure.ProtectionOrder,
            decision ?? default), pageSize);

        void Commune(string field, string insee) =>
            check.That(insee.Length == 0 || geography.CommuneNames.ContainsKey(insee), field, "is not a known commune");
    }

    private static EspaceResult Result(
        in RankedOffer ranked, SearchedEspace espace, in MesureNeeds needs, in FamilyTravel travel, string? courtDepartement, DateOnly today)
    {
        var offer = ranked.Offer;
        var commune = offer.LieuCommunes[ranked.Lieu];
        var (hote, visiteur) = (travel.Hote?[commune], travel.Visiteur?[commune]);
        var result = new EspaceResult
        {
            EspaceId = espace.Id,
            Name = espace.Name,
            Fictive = espace.Fictive,
            Departement = offer.Departement,
            Lieu = espace.Lieux[ranked.Lieu],
            ModaliteState = offer.State,
            DeclaredWait = offer.Wait.ToProto(offer.WaitSource, today),
            ExpectedFirstVisitDate = offer.Wait?.ExpectedFirstVisit(needs.Decision, today).ToProto(),
            HoteTravel = ToProto(hote),
            VisiteurTravel = ToProto(visiteur),
            AlertText = espace.AlertText,
        };
        AddReasons(result, offer, hote, visiteur, travel.DaysPerTravelHour, courtDepartement);
        AddWarnings(result, offer, needs.Decision, today);
        return result;
    }

    private static void AddReasons(
        EspaceResult result, Offer offer, Travel? hote, Travel? visiteur, double daysPerTravelHour, string? courtDepartement)
    {
        Span<(double Weight, RankingReasonCode Code, int Value)> reasons = stackalloc (double, RankingReasonCode, int)[5];
        var count = 0;
        if (hote is { IsUnreachable: true } || visiteur is { IsUnreachable: true })
            reasons[count++] = (double.MaxValue, RankingReasonCode.Unreachable, 0);
        reasons[count++] = offer.Wait is { } wait
            ? (wait.Days, RankingReasonCode.Wait, wait.Days)
            : (Wait.UnknownDays, RankingReasonCode.WaitUnknown, Wait.UnknownDays);
        if (hote is { HasMinutes: true } toHote)
            reasons[count++] = (toHote.Minutes / 60 * daysPerTravelHour, RankingReasonCode.HoteTravel, toHote.RoundedMinutes!.Value);
        if (visiteur is { HasMinutes: true } toVisiteur)
            reasons[count++] = (toVisiteur.Minutes / 60 * daysPerTravelHour, RankingReasonCode.VisiteurTravel, toVisiteur.RoundedMinutes!.Value);
        if (courtDepartement == offer.Departement)
            reasons[count++] = (-1, RankingReasonCode.SameDepartementAsCourt, 0);
        reasons = reasons[..count];
        reasons.Sort((a, b) => b.Weight.CompareTo(a.Weight) is var order and not 0 ? order : a.Code.CompareTo(b.Code));
        foreach (var (_, code, value) in reasons)
            result.Reasons.Add(new RankingReason { Code = code, Value = value });
    }

    private static void AddWarnings(EspaceResult result, Offer offer, DateOnly decision, DateOnly today)
    {
        if (offer.Wait is not { } wait)
            result.Warnings.Add(new ResultWarning { Code = ResultWarningCode.WaitUnknown });
        else if (wait.IsStaleOn(today))
            result.Warnings.Add(new ResultWarning { Code = ResultWarningCode.WaitStale, Date = wait.AsOf.ToProto() });
        if (Domain.Agrement.ValidUntil(offer.Periods, decision) is { } last && last.AddYears(-1) < decision)
            result.Warnings.Add(new ResultWarning { Code = ResultWarningCode.AgrementEnds, Date = last.ToProto() });
        if (offer.State == ModaliteState.ListeAttente)
            result.Warnings.Add(new ResultWarning { Code = ResultWarningCode.WaitingList });
        if (offer.State == ModaliteState.Limitee)
            result.Warnings.Add(new ResultWarning { Code = ResultWarningCode.LimitedCapacity });
    }

    private static TravelTime? ToProto(Travel? way) => way switch
    {
        { IsUnreachable: true, Source: var source } => new TravelTime { Source = source },
        { HasMinutes: true, Source: var source, RoundedMinutes: { } minutes, MarginMinutes: { } margin } => new TravelTime
        {
            Reachable = true,
            Minutes = minutes,
            MinMinutes = Math.Max(0, minutes - margin),
            MaxMinutes = minutes + margin,
            Source = source,
        },
        _ => null,
    };
}
