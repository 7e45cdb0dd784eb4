using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Rencontres;

internal sealed partial class RencontreGrpcService
{
    public override async Task<ListFreeSlotsResponse> ListFreeSlots(ListFreeSlotsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();

        // Others than the espace book for one that is not connected; a court sees no more of it than what can be booked.
        var own = caller.Role == Roles.Espace;
        var whole = caller.Role != Roles.Juridiction;
        var espaceId = own ? check.OptionalUuid("espace_id", request.EspaceId) : check.Uuid("espace_id", request.EspaceId);
        for (var i = 0; i < request.States.Count; i++)
        {
            check.Known(MesureChecks.Index("states", i), request.States[i]);
        }

        var modalite = check.KnownOrUnspecified("modalite", request.Modalite);
        var size = check.PageSize(request.PageSize, 50, 200);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<SlotCursor>(request.PageToken, binding);

        if (!own)
        {
            caller.Require(null, espaceId: espaceId);
        }

        var now = clock.GetStoredNow();
        var free = request.States.Count == 0 || request.States.Contains(FreeSlotState.Free);
        var taken = whole && request.States.Contains(FreeSlotState.Taken);
        var expired = whole && request.States.Contains(FreeSlotState.Expired);
        var slots = db.FreeSlots.AsNoTracking().Where(
            s => (free && s.TakenAt == null && s.StartsAt > now) || (taken && s.TakenAt != null) || (expired && s.TakenAt == null && s.StartsAt <= now));
        if (own)
        {
            slots = slots.Where(s => s.GestionnaireId == caller.OrganisationId);
        }

        if (espaceId is { } id)
        {
            slots = slots.Where(s => s.EspaceId == id);
        }

        if (modalite != default)
        {
            slots = slots.Where(s => s.Modalite == modalite);
        }

        if (cursor is not null)
        {
            slots = slots.Where(s => s.StartsAt > cursor.StartsAt || (s.StartsAt == cursor.StartsAt && s.Id > cursor.Id));
        }

        var page = await slots.OrderBy(s => s.StartsAt).ThenBy(s => s.Id).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListFreeSlotsResponse();
        response.FreeSlots.AddRange(page.Take(size).Select(s => s.ToProto(now, whole)));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new SlotCursor(page[size - 1].StartsAt, page[size - 1].Id), binding);
        }

        return response;
    }

    public override async Task<ListSlotCandidatesResponse> ListSlotCandidates(ListSlotCandidatesRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var slotId = check.Uuid("free_slot_id", request.FreeSlotId);
        var size = check.PageSize(request.PageSize, 20, 100);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<CandidateCursor>(request.PageToken, binding);

        var ct = context.CancellationToken;
        var slot = await db.FreeSlots.AsNoTracking().SingleOrDefaultAsync(s => s.Id == slotId, ct);
        caller.Require(slot?.GestionnaireId, espaceId: slot?.EspaceId);
        var now = clock.GetStoredNow();
        var response = new ListSlotCandidatesResponse();
        if (slot is null)
        {
            // Those who may touch any learn that it does not exist.
            throw DomainError.NotFound($"free-slots/{slotId}");
        }

        if (slot.StateAt(now) != FreeSlotState.Free)
        {
            return response;
        }

        var page = await matching.Waiting(slot, cursor?.Claim).Take(size + 1).ToListAsync(ct);
        var looked = page.Take(size).ToList();
        var day = SlotMatching.DayOf(slot);
        response.Candidates.AddRange((await matching.FittingAsync(slot, looked, now, ct)).Select(mesure => new SlotCandidate
        {
            Mesure = mesure.ToSummary(),
            FirstRencontre = mesure.Status.FirstHeldRencontreAt is null,
            WaitingDays = Math.Max(0, (int)(now - SlotClaim.SinceOf(mesure)).TotalDays),
            Urgency = SlotClaim.Of(mesure, day).Urgency,
        }));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new CandidateCursor(SlotClaim.Of(looked[^1], day)), binding);
        }

        return response;
    }

    public override Task<TakeFreeSlotResponse> TakeFreeSlot(TakeFreeSlotRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var slotId = check.Uuid("free_slot_id", request.FreeSlotId);
        var returnsAt = check.OptionalTime("return_time", request.ReturnTime);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, null, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var slot = await bookings.SlotAsync(slotId, mesure, ct);
            slot.RequireOnOffer(offers.Value.Notice, acting.Now);
            mesure.RequireBookable();
            var booking = await bookings.ContextAsync(mesure, ct);
            var planned = SlotFit.Planned(slot, booking.TermsOn(SlotMatching.DayOf(slot)), TimeZoneInfo.FindSystemTimeZoneById(slot.TimeZone), returnsAt);
            RencontreChecks.RequireReturn("return_time", planned);
            Bookings.Refuse((await matching.LookAsync(slot, mesure, booking, planned, acting.Now, ct)).Select(f => f with { Refuses = true }));
            var (rencontre, _) = await bookings.BookAsync(mesure, booking, planned, slot, overCapacity: false, acting, null, ct);
            return new TakeFreeSlotResponse
            {
                Mesure = mesure.ToSummary(),
                RencontreId = rencontre.Id.ToString(),
                StartTime = rencontre.StartsAt.ToProto(),
                DurationMinutes = rencontre.DurationMinutes,
                LieuId = rencontre.LieuId?.ToString() ?? "",
            };
        });
    }

    public override async Task<ListRencontresInDoubtResponse> ListRencontresInDoubt(ListRencontresInDoubtRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<SlotCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        var espace = await db.EspaceAsync(espaceId, ct);
        caller.Require(espace?.GestionnaireId, espaceId: espaceId);
        if (espace is null)
        {
            throw DomainError.NotFound($"espaces/{espaceId}");
        }

        var now = clock.GetStoredNow();
        var last = now.AddDays(RencontreDoubts.DaysAhead);
        var ahead = db.Rencontres.AsNoTracking().Where(r => r.EspaceId == espaceId && r.Outcome == RencontreOutcome.Scheduled && r.StartsAt > now && r.StartsAt <= last)
            .Where(r => db.Mesures.Any(m => m.Id == r.MesureId && m.GestionnaireId == espace.GestionnaireId
                && (m.Status.SuspendedAt != null || db.Rencontres.Count(
                    p => p.MesureId == m.Id && (p.Outcome == RencontreOutcome.VisiteurAbsent || p.Outcome == RencontreOutcome.HoteAbsent)) > 1)));
        if (cursor is not null)
        {
            ahead = ahead.Where(r => r.StartsAt > cursor.StartsAt || (r.StartsAt == cursor.StartsAt && r.Id > cursor.Id));
        }

        var page = await ahead.OrderBy(r => r.StartsAt).ThenBy(r => r.Id).Take(size + 1).ToListAsync(ct);
        var looked = page.Take(size).ToList();
        var ids = looked.Select(r => r.MesureId).Distinct().ToList();
        var mesures = await db.Mesures.AsNoTracking().Where(m => ids.Contains(m.Id)).ToDictionaryAsync(m => m.Id, ct);
        var own = (await db.Rencontres.AsNoTracking().Where(r => ids.Contains(r.MesureId)).ToListAsync(ct)).ToLookup(r => r.MesureId);
        var response = new ListRencontresInDoubtResponse();
        foreach (var rencontre in looked)
        {
            var mesure = mesures[rencontre.MesureId];
            if (RencontreDoubts.Of(rencontre, own[mesure.Id], mesure.Status.SuspendedAt) is { } doubt)
            {
                response.Rencontres.Add(new RencontreInDoubt
                {
                    Mesure = mesure.ToSummary(),
                    RencontreId = rencontre.Id.ToString(),
                    StartTime = rencontre.StartsAt.ToProto(),
                    DurationMinutes = rencontre.DurationMinutes,
                    Reason = doubt.Reason,
                    AbsenceCount = doubt.Absences,
                    SinceTime = doubt.Since.ToProto(),
                });
            }
        }

        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new SlotCursor(looked[^1].StartsAt, looked[^1].Id), binding);
        }

        return response;
    }

    private sealed record SlotCursor(DateTimeOffset StartsAt, Guid Id);

    private sealed record CandidateCursor(SlotClaim Claim);
}
