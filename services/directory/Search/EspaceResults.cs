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
    public static EspaceResult ToProto(in RankedOffer ranked, SearchedEspace espace, MesureNeeds needs, in FamilyTravel travel, string? courtDepartement)
    {
        var offer = ranked.Offer;
        var lieu = offer.Espace.Lieux[ranked.Lieu];
        var (hote, visiteur) = (travel.Hote?[lieu.Commune], travel.Visiteur?[lieu.Commune]);
        var expected = offer.FirstRencontre(ranked.Lieu, needs.From);
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
            ExpectedFirstVisitDate = offer.Wait is null ? null : expected.ToProto(),
            HoteTravel = hote.ToProto(),
            VisiteurTravel = visiteur.ToProto(),
            AlertText = espace.AlertText,
            CapacityStatus = status,
            ReopeningDate = status == CapacityStatus.ClosedUntil ? Standing.ReopensOn(offer, needs.Today).ToProto() : null,
        };
        if (Standing.DemandOf(offer, needs.Today) is { } demand)
            result.DemandBalance = new() { ReceivedCount = demand.Received, CapacityCount = demand.Capacity, Ratio = demand.Ratio };
        if (espace.Exclusions.Length > 0)
            result.Exclusions.Add(espace.Exclusions);
        AddReasons(result, offer, expected.DayNumber - needs.From.DayNumber, hote, visiteur, travel.DaysPerTravelHour, courtDepartement);
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
        EspaceResult result, Offer offer, int days, Travel? hote, Travel? visiteur, double daysPerTravelHour, string? courtDepartement)
    {
        Span<(double Weight, RankingReasonCode Code, int Value)> reasons = stackalloc (double, RankingReasonCode, int)[6];
        var count = 0;
        if (hote is { IsUnreachable: true } || visiteur is { IsUnreachable: true })
            reasons[count++] = (double.MaxValue, RankingReasonCode.Unreachable, 0);
        var wait = offer.Wait?.Days ?? Wait.UnknownDays;
        reasons[count++] = (wait, offer.Wait is null ? RankingReasonCode.WaitUnknown : RankingReasonCode.Wait, wait);
        if (days > wait)
            reasons[count++] = (days - wait, RankingReasonCode.Closure, days - wait);
        if (hote is { HasMinutes: true } toHote)
            reasons[count++] = (toHote.Minutes / 60 * daysPerTravelHour, RankingReasonCode.HoteTravel, toHote.RoundedMinutes!.Value);
        if (visiteur is { HasMinutes: true } toVisiteur)
            reasons[count++] = (toVisiteur.Minutes / 60 * daysPerTravelHour, RankingReasonCode.VisiteurTravel, toVisiteur.RoundedMinutes!.Value);
        if (courtDepartement == offer.Espace.Departement)
            reasons[count++] = (-1, RankingReasonCode.SameDepartementAsCourt, 0);
        reasons = reasons[..count];
        reasons.Sort((a, b) => b.Weight.CompareTo(a.Weight) is var order and not 0 ? order : a.Code.CompareTo(b.Code));
        foreach (var (_, code, value) in reasons)
            result.Reasons.Add(new RankingReason { Code = code, Value = value });
    }
}
