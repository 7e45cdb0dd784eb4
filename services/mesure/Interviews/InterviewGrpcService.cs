using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using InterviewSlot = Jafer.Mesures.Domain.InterviewSlot;

namespace Jafer.Mesures.Interviews;

/// <summary>The gRPC face of first interviews with a date: the slots of espaces, and their bookings.</summary>
internal sealed class InterviewGrpcService(
    MesuresDbContext db, MesureActs acts, InterviewBookings bookings, Commands<MesuresDbContext> commands, PageTokens tokens, TimeProvider clock)
    : InterviewService.InterviewServiceBase
{
    private const int MaxSlots = 200;
    private const int MaxPlacesInAll = 500;
    private const int MaxHolds = 3;

    public override Task<PublishInterviewSlotsResponse> PublishInterviewSlots(PublishInterviewSlotsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var requestId = check.RequestId(request.RequestId);
        check.That(request.Slots.Count is >= 1 and <= MaxSlots, "slots", "must be from 1 to 200");
        var published = request.Slots.Take(MaxSlots).Select((slot, i) => Published(check, MesureChecks.Index("slots", i), slot, now)).ToList();
        check.That(published.Sum(p => p.Places) <= MaxPlacesInAll, "slots", "must be at most 500 places in all");
        check.That(published.DistinctBy(p => p.ExternalId).Count() == published.Count, "slots", "must not repeat an external id");
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var espace = await EspaceOfAsync(espaceId, caller, ct);
            var externalIds = published.Select(p => p.ExternalId).ToArray();
            var known = await bookings.LockAsync(
                await db.InterviewSlots.AsNoTracking().Where(s => s.EspaceId == espaceId && externalIds.Contains(s.ExternalId)).OrderBy(s => s.Place).Select(s => s.Id).ToArrayAsync(ct), ct);
            var response = new PublishInterviewSlotsResponse();
            foreach (var (externalId, places, given) in published)
            {
                var content = given with { TimeZone = given.TimeZone.Length > 0 ? given.TimeZone : espace.TimeZone };
                var before = known.OfType<InterviewSlot>().Where(s => s.ExternalId == externalId).OrderBy(s => s.Place).ToList();
                foreach (var slot in before)
                {
                    if (slot.Place < places)
                    {
                        slot.Republish(content, now);
                    }
                    else if (slot.StateAt(now) == InterviewSlotState.Free)
                    {
                        slot.Withdraw(false, now);
                    }
                }

                var added = Enumerable.Range(0, places).Except(before.Select(s => s.Place))
                    .Select(place => InterviewSlot.Publish(Guid.CreateVersion7(now), espace, externalId, place, content)).ToList();
                db.InterviewSlots.AddRange(added);
                response.Slots.AddRange(before.Concat(added).OrderBy(s => s.Place).Select(s => s.ToProto(now, ownedByCaller: true)));
            }

            return response;
        }, _ => $"espaces/{espaceId}/interview-slots");
    }

    public override Task<WithdrawInterviewSlotsResponse> WithdrawInterviewSlots(WithdrawInterviewSlotsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var requestId = check.RequestId(request.RequestId);
        check.That(request.SlotIds.Count is >= 1 and <= MaxSlots, "slot_ids", "must be from 1 to 200");
        var slotIds = request.SlotIds.Take(MaxSlots).Select((id, i) => check.Uuid(MesureChecks.Index("slot_ids", i), id)).ToArray();
        check.That(slotIds.Distinct().Count() == slotIds.Length, "slot_ids", "must not repeat an id");
        var source = new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource).By(caller, check);
        check.ThrowIfAny();
        // Nobody names a version of the mesures that lose an interview by it.
        return MesureActs.InTurnAsync(() => commands.RunAsync(context, request, requestId, async ct =>
        {
            await EspaceOfAsync(espaceId, caller, ct);
            var slots = await bookings.LockAsync(slotIds, ct);
            var found = new FieldChecks();
            for (var i = 0; i < slots.Length; i++)
            {
                found.That(slots[i]?.EspaceId == espaceId, MesureChecks.Index("slot_ids", i), "is not a slot of the espace");
            }

            found.ThrowIfAny();
            var acting = new Acting(caller.OrganisationId, caller.Subject, now, now, source);
            var released = new HashSet<Domain.Mesure>();
            var response = new WithdrawInterviewSlotsResponse();
            foreach (var slot in slots.OfType<InterviewSlot>())
            {
                if (slot.Withdraw(request.IncludingTaken, now) is { } mesureId
                    && await db.Interviews.SingleOrDefaultAsync(i => i.SlotId == slot.Id && i.State == InterviewState.Booked, ct) is { } interview
                    && await db.MesureAsync(mesureId, ct) is { } mesure
                    // What a mesure had booked before it was closed stays as it was.
                    && mesure.Status.Allows(MesureAct.ReleaseInterview))
                {
                    mesure.ReleaseInterview(interview, InterviewReleaseReason.SlotWithdrawn, acting);
                    released.Add(mesure);
                }

                response.Slots.Add(slot.ToProto(now, ownedByCaller: true));
            }

            foreach (var mesure in released)
            {
                acts.Publish(mesure);
            }

            return response;
        }, _ => $"espaces/{espaceId}/interview-slots"));
    }

    public override async Task<ListInterviewSlotsResponse> ListInterviewSlots(ListInterviewSlotsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var day = check.OptionalDate("from_date", request.FromDate);
        var size = check.PageSize(request.PageSize, 50, 200);
        for (var i = 0; i < request.States.Count; i++)
        {
            check.Known(MesureChecks.Index("states", i), request.States[i]);
        }

        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<SlotCursor>(request.PageToken, binding);
        var espace = await EspaceOfAsync(espaceId, caller, ct);
        var owned = caller.Role != Roles.Juridiction;
        var zone = TimeZoneInfo.FindSystemTimeZoneById(espace.TimeZone);
        var from = zone.At(day ?? zone.DayOf(now), 0);
        var slots = db.InterviewSlots.AsNoTracking().Where(s => s.EspaceId == espaceId && s.StartsAt >= from);
        var states = owned ? request.States.Distinct().ToArray() : [InterviewSlotState.Free];
        if (states.Length > 0)
        {
            // A hold that ran out is free, whatever stands in its row.
            var free = states.Contains(InterviewSlotState.Free);
            var onHold = states.Contains(InterviewSlotState.OnHold);
            var others = states.Where(s => s != InterviewSlotState.OnHold).ToArray();
            slots = slots.Where(s => others.Contains(s.State) || (s.State == InterviewSlotState.OnHold && ((free && s.HeldUntil <= now) || (onHold && s.HeldUntil > now))));
        }

        if (!owned)
        {
            slots = slots.Where(s => s.StartsAt > now);
        }

        if (cursor is not null)
        {
            slots = slots.Where(s => s.StartsAt > cursor.StartsAt || (s.StartsAt == cursor.StartsAt && s.Id > cursor.Id));
        }

        var page = await slots.OrderBy(s => s.StartsAt).ThenBy(s => s.Id).Take(size + 1).ToListAsync(ct);
        var response = new ListInterviewSlotsResponse();
        response.Slots.AddRange(page.Take(size).Select(s => s.ToProto(now, owned)));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new SlotCursor(page[size - 1].StartsAt, page[size - 1].Id), binding);
        }

        return response;
    }

    public override Task<HoldInterviewSlotResponse> HoldInterviewSlot(HoldInterviewSlotRequest request, ServerCallContext context)
    {
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var role = check.KnownOrUnspecified("party_role", request.PartyRole);
        var minutes = request.Minutes == 0 ? 15 : check.Range("minutes", request.Minutes, 1, 120);
        return OnSlotAsync(context, request, (request.MesureId, request.SlotId, request.RequestId), check, async (mesure, slot, ct) =>
        {
            if (mesure.Status.State is not (MesureState.Ordonnee or MesureState.Completee))
            {
                throw DomainError.StateForbids(mesure.Status.State.ToCode(), "HOLD_INTERVIEW_SLOT", "slots are held for a mesure that is not transmitted yet");
            }

            if (slot.PartyRole != PartyRole.Unspecified)
            {
                if (role != PartyRole.Unspecified && role != slot.PartyRole)
                {
                    throw DomainError.Invalid("party_role", "is not the party of the slot");
                }

                role = slot.PartyRole;
            }
            else if (role == PartyRole.Enfant)
            {
                throw DomainError.Invalid("party_role", "must be a parent: the slot is for either");
            }

            var others = await db.InterviewSlots.CountAsync(
                s => s.MesureId == mesure.Id && s.Id != slot.Id && s.State == InterviewSlotState.OnHold && s.HeldUntil > now, ct);
            if (others >= MaxHolds)
            {
                throw DomainError.LimitExceeded("a mesure may hold three slots at once", TimeSpan.FromMinutes(1));
            }

            slot.Hold(mesure.Id, role, now.AddMinutes(minutes), now);
            return new HoldInterviewSlotResponse { Slot = slot.ToProto(now, ownedByCaller: false, heldByCaller: true) };
        });
    }

    public override Task<ReleaseInterviewSlotResponse> ReleaseInterviewSlot(ReleaseInterviewSlotRequest request, ServerCallContext context)
    {
        var now = clock.GetStoredNow();
        return OnSlotAsync(context, request, (request.MesureId, request.SlotId, request.RequestId), new FieldChecks(), (mesure, slot, _) =>
        {
            if (slot.HeldBy(mesure.Id, now))
            {
                slot.Free();
            }

            return Task.FromResult(new ReleaseInterviewSlotResponse { Slot = slot.ToProto(now, ownedByCaller: false) });
        });
    }

    public override Task<BookInterviewResponse> BookInterview(BookInterviewRequest request, ServerCallContext context)
    {
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var role = check.Known("party_role", request.PartyRole);
        var (slotId, agreed) = InterviewChecks.Booked(
            check, "", role, request.SlotId, request.StartTime, request.DurationMinutes, request.TimeZone, request.LieuId, after: now);
        var header = new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource));
        return acts.RunAsync(context, request, header, check, async (mesure, acting, ct) =>
        {
            if (await db.Interviews.AnyAsync(i => i.MesureId == mesure.Id && i.PartyRole == role && i.State == InterviewState.Booked, ct))
            {
                throw InterviewBookings.Doubled(mesure);
            }

            var interview = slotId is { } id
                ? await BookSlotAsync(mesure, id, role, acting, ct)
                : await BookDateAsync(mesure, role, agreed, acting, ct);
            return new BookInterviewResponse { Mesure = mesure.ToSummary(), InterviewId = interview.Id.ToString() };
        });
    }

    public override Task<CancelInterviewResponse> CancelInterview(CancelInterviewRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var interviewId = check.Uuid("interview_id", request.InterviewId);
        var reason = MesureChecks.Release(check, "reason", request.Reason);
        var header = new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource));
        return acts.RunAsync(context, request, header, check, async (mesure, acting, ct) =>
        {
            var interview = await db.Interviews.SingleOrDefaultAsync(i => i.Id == interviewId && i.MesureId == mesure.Id, ct)
                ?? throw DomainError.Invalid("interview_id", "is not an interview of the mesure");
            await bookings.ReleaseAsync(mesure, interview, reason, acting, ct);
            return new CancelInterviewResponse { Mesure = mesure.ToSummary() };
        });
    }

    private static (string ExternalId, int Places, SlotContent Content) Published(FieldChecks check, string at, InterviewSlotToPublish slot, DateTimeOffset now)
    {
        var startsAt = check.OptionalTime($"{at}.start_time", slot.StartTime);
        check.That(slot.StartTime is not null, $"{at}.start_time", "is required");
        check.That(startsAt is null || startsAt > now, $"{at}.start_time", "must lie ahead of now");
        return (
            check.Text($"{at}.external_id", slot.ExternalId, 100, required: true),
            slot.PlaceCount == 0 ? 1 : Math.Clamp(check.Range($"{at}.place_count", slot.PlaceCount, 1, 20), 1, 20),
            new SlotContent(
                startsAt ?? now, check.Range($"{at}.duration_minutes", slot.DurationMinutes, 5, 240), MesureChecks.Zone(check, $"{at}.time_zone", slot.TimeZone)?.Id ?? "",
                check.OptionalUuid($"{at}.lieu_id", slot.LieuId), check.KnownOrUnspecified($"{at}.party_role", slot.PartyRole)));
    }

    private async Task<Domain.Interview> BookSlotAsync(Domain.Mesure mesure, Guid slotId, PartyRole role, Acting acting, CancellationToken ct)
    {
        var slot = (await bookings.LockAsync([slotId], ct))[0] ?? throw InterviewSlot.NotOfTheEspace();
        slot.RequireFor(mesure, role);
        return bookings.Book(mesure, slot, role, acting);
    }

    private async Task<Domain.Interview> BookDateAsync(Domain.Mesure mesure, PartyRole role, SlotContent content, Acting acting, CancellationToken ct)
    {
        if (content.TimeZone.Length == 0)
        {
            var espace = mesure.EspaceId is { } espaceId ? await db.EspaceAsync(espaceId, ct) : null;
            content = content with { TimeZone = espace?.TimeZone ?? "Europe/Paris" };
        }

        var interview = mesure.BookInterview(role, null, content, acting);
        db.Interviews.Add(interview);
        return interview;
    }

    /// <summary>An act of a court on a slot, for a mesure of its own: the mesure first, so that others learn nothing of slots.</summary>
    private Task<TResponse> OnSlotAsync<TResponse>(
        ServerCallContext context, Google.Protobuf.IMessage request, (string MesureId, string SlotId, string RequestId) ids, FieldChecks check,
        Func<Domain.Mesure, InterviewSlot, CancellationToken, Task<TResponse>> act)
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        var mesureId = check.Uuid("mesure_id", ids.MesureId);
        var slotId = check.Uuid("slot_id", ids.SlotId);
        var requestId = check.RequestId(ids.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var mesure = await acts.LoadAsync(mesureId, context.Caller(), ct);
            var slot = (await bookings.LockAsync([slotId], ct))[0] ?? throw DomainError.NotFound($"interview-slots/{slotId}");
            return await act(mesure, slot, ct);
        }, _ => $"interview-slots/{slotId}");
    }

    /// <summary>The espace, if the caller may touch its slots; those who may touch any learn that it does not exist.</summary>
    private async Task<EspaceView> EspaceOfAsync(Guid espaceId, Caller caller, CancellationToken ct)
    {
        var espace = await db.EspaceAsync(espaceId, ct);
        caller.Require(espace?.GestionnaireId, espaceId: espace?.Id);
        return espace ?? throw DomainError.NotFound($"espaces/{espaceId}");
    }

    private sealed record SlotCursor(DateTimeOffset StartsAt, Guid Id);
}
