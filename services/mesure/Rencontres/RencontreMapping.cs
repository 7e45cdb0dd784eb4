using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Rencontres;

/// <summary>From the domain's types to the contract's messages.</summary>
internal static class RencontreMapping
{
    /// <summary>The times of a rencontre with this start and end.</summary>
    public static Proto.Arrivals ToProto(this Arrivals arrivals, DateTimeOffset startsAt, DateTimeOffset endsAt) => new()
    {
        HoteArrivalTime = startsAt.AddMinutes(arrivals.HoteArrival).ToProto(),
        VisiteurArrivalTime = startsAt.AddMinutes(arrivals.VisiteurArrival).ToProto(),
        VisiteurDepartureTime = endsAt.AddMinutes(arrivals.VisiteurDeparture).ToProto(),
        HoteDepartureTime = endsAt.AddMinutes(arrivals.HoteDeparture).ToProto(),
        Separated = arrivals.Separated,
    };

    public static Proto.PlannedRencontre ToProto(this PlannedRencontre planned) => new()
    {
        StartTime = planned.StartsAt.ToProto(),
        DurationMinutes = planned.Minutes,
        TimeZone = planned.Zone.Id,
        LieuId = planned.LieuId?.ToString() ?? "",
        Kind = planned.Kind,
        ReturnTime = planned.ReturnsAt.ToProto(),
        Outing = planned.Outing,
    };

    public static Proto.RencontreFinding ToProto(this BookingFinding finding) => new()
    {
        Code = finding.Code,
        Description = finding.Description,
        DescriptionFr = finding.DescriptionFr,
    };

    /// <summary>A slot as its espace sees it, or whoever may know no more than that it is free.</summary>
    public static Proto.FreeSlot ToProto(this FreeSlot slot, DateTimeOffset now, bool whole = true) => new()
    {
        FreeSlotId = slot.Id.ToString(),
        EspaceId = slot.EspaceId.ToString(),
        LieuId = slot.LieuId?.ToString() ?? "",
        StartTime = slot.StartsAt.ToProto(),
        DurationMinutes = slot.DurationMinutes,
        TimeZone = slot.TimeZone,
        Modalite = slot.Modalite,
        RencontreId = whole ? slot.RencontreId.ToString() : "",
        FreedTime = slot.FreedAt.ToProto(),
        State = slot.StateAt(now),
        TakenByMesureId = slot.TakenByMesureId?.ToString() ?? "",
        TakenByRencontreId = slot.TakenByRencontreId?.ToString() ?? "",
        TakenTime = slot.TakenAt.ToProto(),
        OfferTime = whole ? slot.OfferedAt.ToProto() : null,
        OfferExpireTime = whole ? slot.OfferExpiresAt.ToProto() : null,
        OfferCandidateCount = whole ? slot.OfferCandidates : 0,
    };
}
