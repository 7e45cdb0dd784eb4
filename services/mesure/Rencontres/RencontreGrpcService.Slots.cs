using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;

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

        var zone = TimeZoneInfo.FindSystemTimeZoneById(slot.TimeZone);
        var day = zone.DayOf(slot.StartsAt);
        var waiting = db.Mesures.AsNoTracking().Where(m => m.EspaceId == slot.EspaceId && m.GestionnaireId == slot.GestionnaireId
            && m.Decision.Modalite == slot.Modalite && m.Status.PendingRencontres == 0
            && (m.Status.State == MesureState.EnAttente || m.Status.State == MesureState.EnCours)
            && (m.Decision.RencontreMinutes == null || m.Decision.RencontreMinutes <= slot.DurationMinutes)
            && (m.Term == null || m.Term >= day));
        var page = await waiting.After(cursor?.Claim).InOrderOfOffering().Take(size + 1).ToListAsync(ct);
        var fitting = page.Take(size).ToList();
        var ids = fitting.Select(m => m.Id).ToList();
        var rencontres = (await db.Rencontres.AsNoTracking().Where(r => ids.Contains(r.MesureId)).ToListAsync(ct)).ToLookup(r => r.MesureId);
        var (others, capacity) = await bookings.OthersAsync(slot.EspaceId, slot.Modalite, slot.StartsAt, slot.StartsAt.AddMinutes(slot.DurationMinutes), lockBookings: false, ct);
        var espace = await db.EspaceAsync(slot.EspaceId, ct);
        var versions = (await db.DecisionVersions.AsNoTracking().Where(v => ids.Contains(v.MesureId)).ToListAsync(ct)).ToLookup(v => v.MesureId);
        var parties = (await db.Parties.AsNoTracking().Where(p => ids.Contains(p.MesureId)).ToListAsync(ct)).ToLookup(p => p.MesureId);
        foreach (var mesure in fitting)
        {
            var booking = Bookings.ContextOf(mesure, [.. versions[mesure.Id]], [.. rencontres[mesure.Id]], [.. parties[mesure.Id]]) with
            {
                Others = others,
                Capacity = capacity,
                Premises = espace is null ? null : Bookings.PremisesOf(mesure, espace, now),
            };
            var planned = new PlannedRencontre(slot.StartsAt, mesure.Decision.RencontreMinutes ?? slot.DurationMinutes, zone, slot.LieuId);
            if (BookingRules.Look(booking, planned, overCapacity: false, open: null).Count == 0)
            {
                response.Candidates.Add(new SlotCandidate
                {
                    Mesure = mesure.ToSummary(),
                    FirstRencontre = mesure.Status.FirstHeldRencontreAt is null,
                    WaitingDays = Math.Max(0, (int)(now - SlotClaim.SinceOf(mesure)).TotalDays),
                });
            }
        }

        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new CandidateCursor(SlotClaim.Of(fitting[^1])), binding);
        }

        return response;
    }

    private sealed record SlotCursor(DateTimeOffset StartsAt, Guid Id);

    private sealed record CandidateCursor(SlotClaim Claim);
}
