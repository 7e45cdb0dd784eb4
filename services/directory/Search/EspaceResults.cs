using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Search;

/// <summary>From a ranked offer to what is sent.</summary>
internal static class EspaceResults
{
    /// <summary>The result of an espace.</summary>
    /// <param name="ranked">Its place.</param>
    /// <param name="espace">The espace.</param>
    /// <param name="needs">What the mesure asks.</param>
    /// <param name="travel">Travel of the parents.</param>
    /// <param name="courtDepartement">Département of the court; null when it was not given.</param>
    /// <param name="waits">What régions and the nation saw of the modalité.</param>
    public static EspaceResult ToProto(
        in RankedOffer ranked, SearchedEspace espace, MesureNeeds needs, in FamilyTravel travel, string? courtDepartement, WiderWaits waits)
    {
        var offer = ranked.Offer;
        var lieu = offer.Espace.Lieux[ranked.Lieu];
        var (hote, visiteur) = (travel.Hote?[lieu.Commune], travel.Visiteur?[lieu.Commune]);
        var expected = offer.FirstRencontre(ranked.Lieu, needs, travel.UnknownWait);
        var forecast = offer.ExpectedOn(needs.Today);
        var status = Standing.Status(offer, needs.Today);
        var result = new EspaceResult
        {
            EspaceId = espace.Id,
            Name = espace.Name,
            Fictive = espace.Fictive,
            Departement = offer.Espace.Departement,
            Lieu = espace.Lieux[ranked.Lieu],
            ModaliteState = offer.State,
            DeclaredWait = offer.Wait.ToProto(offer.WaitSource, needs.Today),
            ObservedWait = offer.ObservedOn(needs.Today, waits.InRegionOf(offer.Espace.Departement)).ToProto(),
            ExpectedFirstVisitDate = forecast is null ? null : expected.ToProto(),
            Forecast = forecast is not { } known ? null : new()
            {
                EarliestDate = offer.FirstRencontreAfter(ranked.Lieu, needs, known.LowDays).ToProto(),
                LatestDate = offer.FirstRencontreAfter(ranked.Lieu, needs, known.HighDays).ToProto(),
                Basis = known.Basis,
                PastForecastCount = known.LearnedFrom,
            },
            HoteTravel = hote.ToProto(),
            VisiteurTravel = visiteur.ToProto(),
            AlertText = espace.AlertText,
            CapacityStatus = status,
            CapacityConfirmedDate = offer.ConfirmedOn.ToProto(),
            ReopeningDate = status == CapacityStatus.ClosedUntil ? Standing.ReopensOn(offer, needs.Today).ToProto() : null,
        };
        if (Standing.DemandOf(offer, needs.Today) is { } demand)
        {
            result.DemandBalance = new()
            {
                ReceivedCount = demand.Received,
                CapacityCount = demand.Capacity,
                Ratio = demand.Ratio,
                ComputedFromSchedule = offer.SlotsPerWeek == 0,
            };
        }
        result.Places = PlaceCount.Of(offer, needs.Today).ToProto();
        if (espace.Exclusions.Length > 0)
            result.Exclusions.Add(espace.Exclusions);
        AddReasons(result, ranked, needs, expected, hote, visiteur, travel, courtDepartement);
        foreach (var warning in Standing.Warnings(offer, ranked.Lieu, needs))
            result.Warnings.Add(warning.ToProto());
        return result;
    }

    /// <summary>An espace that was left out, with why.</summary>
    public static ExcludedEspace ToProto(SearchedEspace espace, Travel? hote, Travel? visiteur, IEnumerable<Finding> findings)
    {
        var excluded = new ExcludedEspace
        {
            EspaceId = espace.Id,
            Name = espace.Name,
            Fictive = espace.Fictive,
            Departement = espace.Facts.Departement,
            HoteTravel = hote.ToProto(),
            VisiteurTravel = visiteur.ToProto(),
        };
        excluded.Findings.Add(findings.Select(ToProto));
        return excluded;
    }

    /// <summary>The finding as it is sent.</summary>
    public static RuleFinding ToProto(this Finding finding) => new()
    {
        Rule = finding.Rule,
        LegalSource = finding.LegalSource,
        Date = finding.Date.ToProto(),
        Value = finding.Value,
    };

    /// <summary>The warning as it is sent.</summary>
    public static ResultWarning ToProto(this Warning warning) => new() { Code = warning.Code, Date = warning.Date.ToProto(), Value = warning.Value };

    /// <summary>How places stand, as it is sent; null when nothing can be said.</summary>
    public static PlaceStanding? ToProto(this PlaceCount places)
    {
        if (places is { Declared: null, Held: 0 })
            return null;
        var standing = new PlaceStanding { AsOfDate = (places.Declared?.AsOf).ToProto(), TransmittedCount = places.Transmitted, HeldCount = places.Held };
        if (places.Left is { } left)
            standing.FreeCount = left;
        return standing;
    }

    /// <summary>The observed wait as it is sent; null when too little is known.</summary>
    public static ObservedWait? ToProto(this ObservedFigures? observed) => observed is null ? null : new ObservedWait
    {
        MedianDays = observed.Median,
        P80Days = observed.P80 ?? 0,
        P90Days = observed.P90 ?? 0,
        SampleSize = observed.Mesures,
        WindowStartDate = observed.From.ToProto(),
        WindowEndDate = observed.To.ToProto(),
        Method = ObservedWaits.Method,
        OwnWeight = observed.OwnWeight,
        Trend = observed.Trend,
    };

    /// <summary>The way as it is sent: rounded, with its range; null when nothing can be said.</summary>
    public static TravelTime? ToProto(this Travel? way) => way switch
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

    private static void AddReasons(
        EspaceResult result, in RankedOffer ranked, MesureNeeds needs, DateOnly expected, Travel? hote, Travel? visiteur, in FamilyTravel travel, string? courtDepartement)
    {
        Span<(double Weight, RankingReasonCode Code, int Value)> reasons = stackalloc (double, RankingReasonCode, int)[10];
        var (count, offer, daysPerTravelHour) = (0, ranked.Offer, travel.DaysPerTravelHour);
        if (hote is { IsUnreachable: true } || visiteur is { IsUnreachable: true })
            reasons[count++] = (double.MaxValue, RankingReasonCode.Unreachable, 0);
        var (from, known) = (needs.From, offer.ExpectedOn(needs.Today));
        var wait = known?.Days ?? travel.UnknownWait;
        var said = wait - (known?.Change ?? 0);
        reasons[count++] = (said, known switch { null => RankingReasonCode.WaitUnknown, { Basis: ForecastBasis.ObservedQueue } => RankingReasonCode.ObservedWait, _ => RankingReasonCode.Wait }, said);
        if (known is { Change: not 0 and var change })
            reasons[count++] = (Math.Abs(change), RankingReasonCode.QueueChange, change);
        // Until it reopens, or past the closure of the day; the rest is for the opening days.
        var open = offer.Espace.FirstOpenDay(ranked.Lieu, offer.TakesFrom(from).PlusDays(wait));
        if (open.DayNumber - from.DayNumber - wait is > 0 and var closed)
            reasons[count++] = (closed, RankingReasonCode.Closure, closed);
        if (expected.DayNumber - open.DayNumber is > 0 and var shut)
            reasons[count++] = (shut, RankingReasonCode.OpeningDay, shut);
        if (offer.LoadDaysOn(needs.Today) is > 0 and var load)
            reasons[count++] = (load, RankingReasonCode.DemandAboveCapacity, load);
        if (result.Places is { FreeCount: > 0 and var free })
            reasons[count++] = (0, RankingReasonCode.CapacityAvailable, free);
        if (hote is { } toHote && ReasonOf(toHote, RankingReasonCode.HoteTravel, RankingReasonCode.HoteTravelUnknown) is { } first)
            reasons[count++] = first;
        if (visiteur is { } toVisiteur && ReasonOf(toVisiteur, RankingReasonCode.VisiteurTravel, RankingReasonCode.VisiteurTravelUnknown) is { } second)
            reasons[count++] = second;
        if (courtDepartement == offer.Espace.Departement)
            reasons[count++] = (-1, RankingReasonCode.SameDepartementAsCourt, 0);
        reasons = reasons[..count];
        reasons.Sort((a, b) => b.Weight.CompareTo(a.Weight) is var order and not 0 ? order : a.Code.CompareTo(b.Code));
        foreach (var (_, code, value) in reasons)
            result.Reasons.Add(new RankingReason { Code = code, Value = value });

        (double, RankingReasonCode, int)? ReasonOf(Travel way, RankingReasonCode minutes, RankingReasonCode unknown) =>
            way.IsUnreachable ? null
            : way.HasMinutes ? (way.Minutes / 60 * daysPerTravelHour, minutes, way.RoundedMinutes!.Value)
            : (Ranking.UnknownMinutes / 60 * daysPerTravelHour, unknown, (int)Ranking.UnknownMinutes);
    }
}
