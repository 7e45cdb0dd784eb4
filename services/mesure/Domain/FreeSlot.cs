using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Privacy;

namespace Jafer.Mesures.Domain;

/// <summary>
/// The time of a lost rencontre that another family may use. It expires by itself when its time comes; at most one rencontre
/// takes it, which the version ensures.
/// </summary>
[Holds(DataCategory.CaseLife, Processing.Mesures, Kept.WithMesure)]
internal sealed class FreeSlot
{
    public required Guid Id { get; init; }

    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace when the slot became free.</summary>
    public required Guid GestionnaireId { get; init; }

    public Guid? LieuId { get; init; }

    public required DateTimeOffset StartsAt { get; init; }

    public required int DurationMinutes { get; init; }

    /// <summary>IANA zone of the lieu.</summary>
    public required string TimeZone { get; init; }

    public Modalite Modalite { get; init; }

    /// <summary>The rencontre that was lost.</summary>
    public required Guid RencontreId { get; init; }

    public required DateTimeOffset FreedAt { get; init; }

    /// <summary>When it was offered; null while no family fits, or when it became free too late to tell one.</summary>
    public DateTimeOffset? OfferedAt { get; private set; }

    /// <summary>Until when it is offered; null while it was not.</summary>
    public DateTimeOffset? OfferExpiresAt { get; private set; }

    /// <summary>How many mesures it fitted when it was offered.</summary>
    public int OfferCandidates { get; private set; }

    /// <summary>When its offer is looked at next: to make it, or to end it; null when nothing of it is left to do.</summary>
    public DateTimeOffset? OfferDueAt { get; private set; }

    public Guid? TakenByMesureId { get; private set; }

    public Guid? TakenByRencontreId { get; private set; }

    public DateTimeOffset? TakenAt { get; private set; }

    /// <summary>1 when free, 2 when taken.</summary>
    public long Version { get; private set; } = 1;

    /// <summary>The slots that a lost rencontre leaves: none for what of it has begun, two for a remise of which neither half has.</summary>
    /// <param name="rencontre">The rencontre.</param>
    /// <param name="espaceId">Its espace.</param>
    /// <param name="gestionnaireId">The gestionnaire of that espace.</param>
    /// <param name="acting">When it was lost.</param>
    public static IReadOnlyList<FreeSlot> Of(Rencontre rencontre, Guid espaceId, Guid gestionnaireId, Acting acting) =>
    [
        .. new[] { rencontre.StartsAt, rencontre.ReturnsAt }.OfType<DateTimeOffset>().Where(start => start > acting.Now).Select(start => new FreeSlot
        {
            Id = Guid.CreateVersion7(acting.Now),
            EspaceId = espaceId,
            GestionnaireId = gestionnaireId,
            LieuId = rencontre.LieuId,
            StartsAt = start,
            DurationMinutes = rencontre.DurationMinutes,
            TimeZone = rencontre.TimeZone,
            Modalite = rencontre.Modalite,
            RencontreId = rencontre.Id,
            FreedAt = acting.OccurredAt,
            OfferDueAt = acting.Now,
        }),
    ];

    /// <summary>Where it stands at a time.</summary>
    public FreeSlotState StateAt(DateTimeOffset now) =>
        TakenAt is not null ? FreeSlotState.Taken : StartsAt <= now ? FreeSlotState.Expired : FreeSlotState.Free;

    /// <summary>Whether there is still time to make an offer.</summary>
    /// <param name="notice">How long before its start parents must be told.</param>
    /// <param name="now">Now.</param>
    public bool CanBeOffered(TimeSpan notice, DateTimeOffset now) => TakenAt is null && OfferedAt is null && StartsAt - notice > now;

    /// <summary>Offers it to the families that wait.</summary>
    /// <param name="candidates">How many it fits; none: it is looked at again later.</param>
    /// <param name="notice">How long before its start parents must be told.</param>
    /// <param name="again">How long to wait before it is looked at again.</param>
    /// <param name="now">Now.</param>
    /// <returns>Whether it was offered.</returns>
    public bool Offer(int candidates, TimeSpan notice, TimeSpan again, DateTimeOffset now)
    {
        var last = StartsAt - notice;
        if (candidates == 0)
        {
            OfferDueAt = now + again < last ? now + again : null;
            return false;
        }

        (OfferedAt, OfferCandidates, OfferExpiresAt, OfferDueAt) = (now, candidates, last, last);
        return true;
    }

    /// <summary>Nothing of its offer is left to do. True when it was offered and nobody took it.</summary>
    public bool EndOffer()
    {
        OfferDueAt = null;
        return OfferedAt is not null && TakenAt is null;
    }

    /// <summary>Refuses who comes too late for its offer.</summary>
    /// <param name="notice">How long before its start parents must be told, where it was not offered yet.</param>
    /// <param name="now">Now.</param>
    /// <exception cref="DomainError">It is taken or over, or its offer has expired.</exception>
    public void RequireOnOffer(TimeSpan notice, DateTimeOffset now)
    {
        var (state, because) = StateAt(now) switch
        {
            FreeSlotState.Taken => ("TAKEN", "another mesure has taken it"),
            FreeSlotState.Expired => ("EXPIRED", "its time has come"),
            _ => (OfferExpiresAt ?? StartsAt - notice) <= now ? ("OFFER_EXPIRED", "its offer has expired; until it starts ScheduleRencontre takes it by hand") : ("", ""),
        };
        if (state.Length > 0)
        {
            throw DomainError.FreeSlotTaken(Id, state, because);
        }
    }

    /// <summary>Refuses what cannot take it.</summary>
    /// <exception cref="DomainError">It is taken or over, or the rencontre does not lie within it.</exception>
    public void RequireOpenTo(PlannedRencontre planned, DateTimeOffset now)
    {
        if (StateAt(now) is not FreeSlotState.Free and var state)
        {
            throw DomainError.StateForbids(state.ToCode(), MesureAct.ScheduleRencontre.ToCode(), "the slot is taken or its time has come");
        }

        if (planned.StartsAt < StartsAt || planned.StartsAt.AddMinutes(planned.Minutes) > StartsAt.AddMinutes(DurationMinutes))
        {
            throw DomainError.Invalid("free_slot_id", "the rencontre does not lie within the slot");
        }
    }

    /// <summary>Gives it to a rencontre, which <see cref="RequireOpenTo"/> let pass.</summary>
    public void Take(Rencontre by, Acting acting)
    {
        TakenByMesureId = by.MesureId;
        TakenByRencontreId = by.Id;
        TakenAt = acting.OccurredAt;
        OfferDueAt = null;
        Version++;
    }
}
