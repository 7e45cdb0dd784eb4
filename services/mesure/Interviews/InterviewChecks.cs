using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Mesures.Interviews;

/// <summary>Validates what is sent of interviews.</summary>
internal static class InterviewChecks
{
    /// <summary>How an interview is booked: by a slot, which says all of it, or by what was agreed.</summary>
    /// <param name="check">The checks.</param>
    /// <param name="path">Path of the message with its dot; empty for the request itself.</param>
    /// <param name="role">With whom.</param>
    /// <param name="slot">UUID of the slot; may be empty.</param>
    /// <param name="startTime">Start.</param>
    /// <param name="durationMinutes">Length.</param>
    /// <param name="timeZone">Zone; may be empty.</param>
    /// <param name="lieu">UUID of the lieu; may be empty.</param>
    /// <param name="after">The start must lie after it; null where it may lie anywhere.</param>
    /// <returns>The slot, or null and the rest, of which the zone is empty when none is named.</returns>
    public static (Guid? SlotId, SlotContent Agreed) Booked(
        FieldChecks check, string path, PartyRole role, string slot, Timestamp? startTime, int durationMinutes, string timeZone, string lieu, DateTimeOffset? after)
    {
        var slotId = check.OptionalUuid($"{path}slot_id", slot);
        var startsAt = check.OptionalTime($"{path}start_time", startTime);
        var minutes = durationMinutes == 0 ? 0 : check.Range($"{path}duration_minutes", durationMinutes, 5, 240);
        var zone = MesureChecks.Zone(check, $"{path}time_zone", timeZone);
        var lieuId = check.OptionalUuid($"{path}lieu_id", lieu);
        if (check.Passed)
        {
            const string withSlot = "is that of the slot: leave it out";
            var agreed = slotId is null;
            check.That(
                agreed ? startsAt is not null && !(startsAt <= after) : startsAt is null,
                $"{path}start_time", !agreed ? withSlot : after is null ? "is required" : "is required, ahead of now");
            check.That(agreed == minutes > 0, $"{path}duration_minutes", agreed ? "is required" : withSlot);
            check.That(agreed || zone is null, $"{path}time_zone", withSlot);
            check.That(agreed || lieuId is null, $"{path}lieu_id", withSlot);
        }

        return (slotId, new SlotContent(startsAt ?? default, minutes, zone?.Id ?? "", lieuId, role));
    }
}
