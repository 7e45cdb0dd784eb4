using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Rencontres;

/// <summary>
/// The gRPC face of rencontres beyond the booking of one: what changes before and after the day (this file), series (.Series.cs),
/// free slots (.Slots.cs).
/// </summary>
internal sealed partial class RencontreGrpcService(
    MesuresDbContext db, MesureActs acts, Bookings bookings, SlotMatching matching, EspaceSchedule schedule, IOptions<OfferOptions> offers, PageTokens tokens, TimeProvider clock)
    : RencontreService.RencontreServiceBase
{
    public override Task<ConfirmRencontreResponse> ConfirmRencontre(ConfirmRencontreRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var role = RencontreChecks.Side(check, "party_role", request.PartyRole);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var (rencontre, _) = await OneAsync(mesure, rencontreId, ct);
            mesure.ConfirmRencontre(rencontre, role, acting);
            return new ConfirmRencontreResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<CancelRencontreResponse> CancelRencontre(CancelRencontreRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var outcome = RencontreChecks.CancelledBy(check, "outcome", request.Outcome);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var (rencontre, others) = await OneAsync(mesure, rencontreId, ct);
            mesure.CancelRencontre(rencontre, outcome, others, acting);
            var response = new CancelRencontreResponse { Mesure = mesure.ToSummary() };
            response.FreeSlots.AddRange(bookings.Free(mesure, rencontre, acting).Select(s => s.ToProto(acting.Now)));
            return response;
        });
    }

    public override Task<MoveRencontreResponse> MoveRencontre(MoveRencontreRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var sent = RencontreChecks.Planned(check, "planned", request.Planned);
        var slotId = check.OptionalUuid("free_slot_id", request.FreeSlotId);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var own = await bookings.ContextAsync(mesure, ct);
            var rencontre = own.Own.FirstOrDefault(r => r.Id == rencontreId) ?? throw NotOfTheMesure();
            var slot = slotId is { } id ? await bookings.SlotAsync(id, mesure, ct) : null;
            var (moved, warnings) = await bookings.BookAsync(
                mesure, own, sent.In(TimeZoneInfo.FindSystemTimeZoneById(rencontre.TimeZone)), slot, request.OverCapacity, acting, rencontre, ct);
            var response = new MoveRencontreResponse { Mesure = mesure.ToSummary(), RencontreId = moved.Id.ToString() };
            response.FreeSlots.AddRange(bookings.Free(mesure, rencontre, acting).Select(s => s.ToProto(acting.Now)));
            response.Warnings.AddRange(warnings.Select(w => w.ToProto()));
            return response;
        });
    }

    public override Task<CorrectRencontreOutcomeResponse> CorrectRencontreOutcome(CorrectRencontreOutcomeRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var sent = RencontreChecks.Corrected(check, "", RencontreChecks.Outcome(
            check, "", request.Outcome, request.VisiteurPresent, request.PresentChildIds, request.Presences, request.ActualStartTime, request.ActualEndTime), request.ReturnOutcome);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var known = new FieldChecks();
            sent.RequireChildren(known, "", await db.Children.Where(c => c.MesureId == mesure.Id).Select(c => c.Id).ToListAsync(ct));
            known.ThrowIfAny();
            var (rencontre, others) = await OneAsync(mesure, rencontreId, ct);
            var firstHeld = await db.Rencontres.AsNoTracking()
                .Where(r => r.MesureId == mesure.Id && r.Id != rencontreId && r.Outcome == RencontreOutcome.Held).OrderBy(r => r.StartsAt).FirstOrDefaultAsync(ct);
            if (sent.Correct(mesure, rencontre, firstHeld, others, acting))
            {
                bookings.Free(mesure, rencontre, acting);
            }

            return new CorrectRencontreOutcomeResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<RecordRemiseReturnResponse> RecordRemiseReturn(RecordRemiseReturnRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var outcome = RencontreChecks.Return(check, "outcome", request.Outcome);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var (remise, others) = await OneAsync(mesure, rencontreId, ct);
            mesure.RecordReturn(remise, outcome, others, acting);
            if (outcome != RencontreOutcome.Held)
            {
                bookings.Free(mesure, remise, acting);
            }

            return new RecordRemiseReturnResponse { Mesure = mesure.ToSummary() };
        });
    }

    private static DomainError NotOfTheMesure() => DomainError.Invalid("rencontre_id", "is not a rencontre of the mesure");

    /// <summary>A rencontre of a mesure, and the starts of what else has no outcome yet.</summary>
    private async Task<(Rencontre Rencontre, IReadOnlyCollection<DateTimeOffset> OtherPending)> OneAsync(Mesure mesure, Guid rencontreId, CancellationToken ct)
    {
        var rencontres = await db.Rencontres.Where(r => r.MesureId == mesure.Id
            && (r.Id == rencontreId || r.Outcome == RencontreOutcome.Scheduled || r.ReturnOutcome == RencontreOutcome.Scheduled)).ToListAsync(ct);
        var rencontre = rencontres.Find(r => r.Id == rencontreId) ?? throw NotOfTheMesure();
        return (rencontre, Bookings.Pending(rencontres.Where(r => r != rencontre)));
    }
}
