using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Mesures.Mesures;

internal sealed partial class MesureGrpcService
{
    private const int MaxText = 2000;

    public override Task<AcknowledgeMesureResponse> AcknowledgeMesure(AcknowledgeMesureRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), new FieldChecks(), (mesure, acting, _) =>
        {
            mesure.Acknowledge(acting);
            return Task.FromResult(new AcknowledgeMesureResponse { Mesure = mesure.ToSummary() });
        });

    public override Task<RequestInformationResponse> RequestInformation(RequestInformationRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var reason = check.Known("reason", request.Reason);
        var question = check.Text("question", request.Question, MaxText, required: true);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, (mesure, acting, _) =>
        {
            db.InformationExchanges.Add(mesure.RequestInformation(reason, question, acting));
            return Task.FromResult(new RequestInformationResponse { Mesure = mesure.ToSummary() });
        });
    }

    public override Task<ProvideInformationResponse> ProvideInformation(ProvideInformationRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var answer = check.Text("answer", request.Answer, MaxText, required: true);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, async (mesure, acting, ct) =>
        {
            var open = await db.InformationExchanges.SingleOrDefaultAsync(x => x.MesureId == mesure.Id && x.ProvidedAt == null, ct)
                ?? throw DomainError.StateForbids(mesure.Status.State.ToCode(), MesureAct.ProvideInformation.ToCode());
            mesure.ProvideInformation(open, answer, acting);
            return new ProvideInformationResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<TakeChargeResponse> TakeCharge(TakeChargeRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), new FieldChecks(), (mesure, acting, _) =>
        {
            mesure.TakeCharge(acting);
            return Task.FromResult(new TakeChargeResponse { Mesure = mesure.ToSummary() });
        });

    public override Task<RecordContactResponse> RecordContact(RecordContactRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var role = RencontreChecks.Side(check, "party_role", request.PartyRole);
        var outcome = check.Known("outcome", request.Outcome);
        var channel = check.KnownOrUnspecified("channel", request.Channel);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, (mesure, acting, _) =>
        {
            mesure.RecordContact(role, outcome == ContactOutcome.Reached, channel, acting);
            return Task.FromResult(new RecordContactResponse { Mesure = mesure.ToSummary() });
        });
    }

    public override Task<RecordInterviewResponse> RecordInterview(RecordInterviewRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var role = check.Known("party_role", request.PartyRole);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            await interviews.RecordAsync(mesure, role, acting, ct);
            return new RecordInterviewResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<ScheduleRencontreResponse> ScheduleRencontre(ScheduleRencontreRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var slotId = check.OptionalUuid("free_slot_id", request.FreeSlotId);
        var sent = RencontreChecks.Planned(
            check, "", request.StartTime, request.DurationMinutes, request.TimeZone, request.LieuId, request.Kind, request.ReturnTime, request.Outing, slotId is not null);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var slot = slotId is { } id ? await bookings.SlotAsync(id, mesure, ct) : null;
            var (rencontre, warnings) = await bookings.BookAsync(
                mesure, await bookings.ContextAsync(mesure, ct), sent.In(slot, mesure), slot, request.OverCapacity, acting, null, ct);
            var response = new ScheduleRencontreResponse { Mesure = mesure.ToSummary(), RencontreId = rencontre.Id.ToString() };
            response.Warnings.AddRange(warnings.Select(w => w.ToProto()));
            return response;
        });
    }

    public override Task<RecordRencontreOutcomeResponse> RecordRencontreOutcome(RecordRencontreOutcomeRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var sent = RencontreChecks.Outcome(
            check, "", request.Outcome, request.VisiteurPresent, request.PresentChildIds, request.Presences, request.ActualStartTime, request.ActualEndTime);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var children = await db.Children.Where(c => c.MesureId == mesure.Id).Select(c => c.Id).ToListAsync(ct);
            var known = new FieldChecks();
            sent.RequireChildren(known, "", children);
            var pending = await db.Rencontres.Where(r => r.MesureId == mesure.Id
                && (r.Id == rencontreId || r.Outcome == RencontreOutcome.Scheduled || r.ReturnOutcome == RencontreOutcome.Scheduled)).ToListAsync(ct);
            var rencontre = pending.Find(r => r.Id == rencontreId);
            known.That(rencontre is not null, "rencontre_id", "is not a rencontre of the mesure");
            known.ThrowIfAny();
            sent.Record(mesure, rencontre!, Bookings.Pending(pending.Where(r => r.Id != rencontreId)), acting);
            if (!sent.Held)
            {
                bookings.Free(mesure, rencontre!, acting);
            }

            return new RecordRencontreOutcomeResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<ReportDifficultyResponse> ReportDifficulty(ReportDifficultyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var (reason, comment) = MesureChecks.Difficulty(check, "", request.Reason, request.Comment);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, (mesure, acting, _) =>
        {
            var difficulty = mesure.ReportDifficulty(reason, comment, acting);
            db.Difficulties.Add(difficulty);
            return Task.FromResult(new ReportDifficultyResponse { Mesure = mesure.ToSummary(), DifficultyId = difficulty.Id.ToString() });
        });
    }

    public override Task<SuspendMesureResponse> SuspendMesure(SuspendMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var (reason, comment) = MesureChecks.Difficulty(check, "", request.Reason, request.Comment);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, (mesure, acting, _) =>
        {
            var difficulty = mesure.Suspend(reason, comment, acting);
            db.Difficulties.Add(difficulty);
            return Task.FromResult(new SuspendMesureResponse { Mesure = mesure.ToSummary(), DifficultyId = difficulty.Id.ToString() });
        });
    }

    public override Task<ResumeMesureResponse> ResumeMesure(ResumeMesureRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), new FieldChecks(), (mesure, acting, _) =>
        {
            mesure.Resume(acting);
            return Task.FromResult(new ResumeMesureResponse { Mesure = mesure.ToSummary() });
        });

    public override Task<ProposeClosureResponse> ProposeClosure(ProposeClosureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var reason = MesureChecks.SansSuite(check, "reason", request.Reason);
        var comment = check.Text("comment", request.Comment, MaxText);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, (mesure, acting, _) =>
        {
            var difficulty = mesure.ProposeClosure(reason, comment, acting);
            db.Difficulties.Add(difficulty);
            return Task.FromResult(new ProposeClosureResponse { Mesure = mesure.ToSummary(), DifficultyId = difficulty.Id.ToString() });
        });
    }

    public override Task<RecordExternalAlertResponse> RecordExternalAlert(RecordExternalAlertRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var difficultyId = check.Uuid("difficulty_id", request.DifficultyId);
        var recipient = check.Known("recipient", request.Recipient);
        var kind = check.Known("kind", request.Kind);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            db.ExternalAlerts.Add(mesure.RecordExternalAlert(await DifficultyOf(mesure, difficultyId, ct), recipient, kind, acting));
            return new RecordExternalAlertResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<CloseMesureResponse> CloseMesure(CloseMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var reason = check.Known("reason", request.Reason);
        var role = request.OnBehalfOfEspace ? Roles.Espace : context.Caller().Role;
        check.That(Closures.MayGive(role, reason), "reason", "is not a reason that this role may give");
        var comment = check.Text("comment", request.Comment, MaxText);
        var destination = check.KnownOrUnspecified("destination", request.Destination);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            await EndAsync(mesure, () => mesure.Close(reason, comment, destination, acting), acting, ct);
            return new CloseMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<ReopenMesureResponse> ReopenMesure(ReopenMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var comment = check.Text("comment", request.Comment, MaxText, required: true);
        var by = request.OnBehalfOfEspace ? Roles.Espace : context.Caller().Role;
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, null, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var history = await db.Facts.AsNoTracking().Where(f => f.MesureId == mesure.Id).ToListAsync(ct);
            var pending = await db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesure.Id
                && (r.Outcome == RencontreOutcome.Scheduled || r.ReturnOutcome == RencontreOutcome.Scheduled)).ToListAsync(ct);
            mesure.Reopen(history, Bookings.Pending(pending), by == Roles.Juridiction, comment, acting);
            return new ReopenMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    /// <summary>Ends a mesure: the interviews that it still had are given up before, the rencontres after, whose states need the end.</summary>
    private async Task EndAsync(Domain.Mesure mesure, Action end, Acting acting, CancellationToken ct)
    {
        await interviews.ReleaseAllAsync(mesure, acting, ct);
        end();
        await bookings.ReleaseAsync(mesure, acting, ct);
    }
}
