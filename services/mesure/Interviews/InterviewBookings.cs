using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Interview = Jafer.Mesures.Domain.Interview;
using InterviewSlot = Jafer.Mesures.Domain.InterviewSlot;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Interviews;

/// <summary>Books and releases first interviews in the transaction of the act that they belong to.</summary>
internal sealed class InterviewBookings(MesuresDbContext db)
{
    /// <summary>
    /// Slots, locked until the transaction ends, in the order of the ids; null where there is none. Rows are locked in one
    /// order, so that takers of several wait and never deadlock.
    /// </summary>
    public async Task<InterviewSlot?[]> LockAsync(Guid[] ids, CancellationToken ct)
    {
        var found = await LockedAsync($"select * from interview_slots where id = any({ids}) order by id for update", ct);
        return [.. ids.Select(id => found.Find(s => s.Id == id))];
    }

    /// <summary>
    /// Books slots for a mesure at its transmission, each for one party. What else it held is free again: slots are held for a
    /// decision that is being completed.
    /// </summary>
    /// <param name="mesure">The mesure, transmitted.</param>
    /// <param name="slotIds">The slots, in the order of the request.</param>
    /// <param name="field">Path of the field that names them.</param>
    /// <param name="acting">Who and when.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task BookAsync(Mesure mesure, Guid[] slotIds, Func<int, string> field, Acting acting, CancellationToken ct)
    {
        var found = await LockWithHeldAsync(mesure, slotIds, ct);
        Book(mesure, [.. slotIds.Select(id => found.Find(s => s.Id == id))], field, acting);
        FreeHeld(mesure, found, acting);
    }

    /// <summary>Books one slot.</summary>
    public Interview Book(Mesure mesure, InterviewSlot slot, PartyRole role, Acting acting)
    {
        var interview = Of(mesure, slot, role, acting);
        db.Interviews.Add(interview);
        return interview;
    }

    /// <summary>The interview by which a mesure takes a slot; when it may not, everything is left as it was.</summary>
    public static Interview Of(Mesure mesure, InterviewSlot slot, PartyRole role, Acting acting)
    {
        slot.RequireOpenTo(mesure.Id, acting.Now);
        var interview = mesure.BookInterview(
            role, slot.Id, new SlotContent(slot.StartsAt, slot.DurationMinutes, slot.TimeZone, slot.LieuId, slot.PartyRole), acting);
        slot.Book(mesure.Id, acting.Now);
        return interview;
    }

    /// <summary>The refusal of a second interview for a party.</summary>
    public static DomainError Doubled(Mesure mesure) =>
        DomainError.StateForbids(mesure.Status.State.ToCode(), MesureAct.BookInterview.ToCode(), "an interview of this party is booked already");

    /// <summary>
    /// Records an interview that took place. One that was booked for that party is held by it; a slot that still lies ahead is free
    /// again.
    /// </summary>
    public async Task RecordAsync(Mesure mesure, PartyRole role, Acting acting, CancellationToken ct)
    {
        var booked = await db.Interviews.SingleOrDefaultAsync(i => i.MesureId == mesure.Id && i.PartyRole == role && i.State == InterviewState.Booked, ct);
        mesure.RecordInterview(role, booked, acting);
        if (booked is not null)
        {
            await FreeAsync(booked, acting, ct);
        }
    }

    /// <summary>Gives up one interview.</summary>
    public async Task ReleaseAsync(Mesure mesure, Interview interview, InterviewReleaseReason reason, Acting acting, CancellationToken ct)
    {
        mesure.ReleaseInterview(interview, reason, acting);
        await FreeAsync(interview, acting, ct);
    }

    /// <summary>
    /// Gives up what is booked and lies ahead, and what is held, because the mesure ends: its facts come before that of the end.
    /// </summary>
    public async Task ReleaseAllAsync(Mesure mesure, Acting acting, CancellationToken ct)
    {
        var ahead = await db.Interviews
            .Where(i => i.MesureId == mesure.Id && i.State == InterviewState.Booked && i.StartsAt > acting.Now)
            .OrderBy(i => i.SlotId).ToListAsync(ct);
        FreeHeld(mesure, await LockWithHeldAsync(mesure, [.. ahead.Select(i => i.SlotId).OfType<Guid>()], ct), acting);
        foreach (var interview in ahead)
        {
            await ReleaseAsync(mesure, interview, InterviewReleaseReason.MesureEnded, acting, ct);
        }
    }

    private void Book(Mesure mesure, IReadOnlyList<InterviewSlot?> slots, Func<int, string> field, Acting acting)
    {
        var check = new FieldChecks();
        for (var i = 0; i < slots.Count; i++)
        {
            check.That(slots[i]?.EspaceId == mesure.EspaceId, field(i), "is not a slot of the designated espace");
        }

        check.ThrowIfAny();
        var roles = InterviewSlot.Assign([.. slots.OfType<InterviewSlot>()], mesure.Id, acting.Now);
        for (var i = 0; i < slots.Count; i++)
        {
            check.That(roles[i] is not null, field(i), "has no party left: one interview for each");
        }

        check.ThrowIfAny();
        for (var i = 0; i < slots.Count; i++)
        {
            Book(mesure, slots[i]!, roles[i]!.Value, acting);
        }
    }

    private static void FreeHeld(Mesure mesure, IEnumerable<InterviewSlot> slots, Acting acting)
    {
        foreach (var slot in slots.Where(s => s.HeldBy(mesure.Id, acting.Now)))
        {
            slot.Free();
        }
    }

    private Task<List<InterviewSlot>> LockWithHeldAsync(Mesure mesure, Guid[] ids, CancellationToken ct) => LockedAsync(
        $"select * from interview_slots where id = any({ids}) or (mesure_id = {mesure.Id} and state = 'ON_HOLD') order by id for update", ct);

    private async Task<List<InterviewSlot>> LockedAsync(FormattableString select, CancellationToken ct)
    {
        if (db.Database.CurrentTransaction is null)
        {
            await db.Database.BeginTransactionAsync(ct);
        }

        return await db.InterviewSlots.FromSql(select).ToListAsync(ct);
    }

    private async Task FreeAsync(Interview interview, Acting acting, CancellationToken ct)
    {
        if (interview.SlotAhead(acting.Now) is { } slotId)
        {
            (await LockAsync([slotId], ct))[0]?.GiveUp(interview.MesureId);
        }
    }
}
