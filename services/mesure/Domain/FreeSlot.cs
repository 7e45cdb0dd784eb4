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
        }),
    ];

    /// <summary>Where it stands at a time.</summary>
    public FreeSlotState StateAt(DateTimeOffset now) =>
        TakenAt is not null ? FreeSlotState.Taken : StartsAt <= now ? FreeSlotState.Expired : FreeSlotState.Free;

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
        Version++;
    }
}
