using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using InterviewSlot = Jafer.Mesures.Domain.InterviewSlot;

namespace Jafer.Mesures.Interviews;

/// <summary>From slots to the contract's messages.</summary>
internal static class InterviewMapping
{
    /// <summary>A slot as a caller may see it.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="now">Now.</param>
    /// <param name="ownedByCaller">Whether it is of the caller's espace: then its external id and the mesure that booked it are shown.</param>
    /// <param name="heldByCaller">Whether a mesure of the caller holds it: then that is shown. The espace does not see drafts.</param>
    public static Contracts.Mesure.V1.InterviewSlot ToProto(this InterviewSlot slot, DateTimeOffset now, bool ownedByCaller, bool heldByCaller = false)
    {
        var state = slot.StateAt(now);
        return new()
        {
            SlotId = slot.Id.ToString(),
            EspaceId = slot.EspaceId.ToString(),
            ExternalId = ownedByCaller ? slot.ExternalId : "",
            LieuId = slot.LieuId?.ToString() ?? "",
            StartTime = slot.StartsAt.ToProto(),
            DurationMinutes = slot.DurationMinutes,
            TimeZone = slot.TimeZone,
            PartyRole = slot.PartyRole,
            State = state,
            MesureId = heldByCaller || (ownedByCaller && state == InterviewSlotState.Booked) ? slot.MesureId?.ToString() ?? "" : "",
            HoldExpireTime = state == InterviewSlotState.OnHold ? slot.HeldUntil.ToProto() : null,
        };
    }
}
