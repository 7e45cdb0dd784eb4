using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
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
        var role = check.Known("party_role", request.PartyRole);
        check.That(role != PartyRole.Enfant, "party_role", "must be the hôte or the visiteur");
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
            await bookings.RecordAsync(mesure, role, acting, ct);
            return new RecordInterviewResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<ScheduleRencontreResponse> ScheduleRencontre(ScheduleRencontreRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        check.That(request.StartTime is not null, "start_time", "is required");
        var startsAt = check.OptionalTime("start_time", request.StartTime) ?? default;
        var minutes = check.Range("duration_minutes", request.DurationMinutes, 5, 720);
        var lieuId = check.OptionalUuid("lieu_id", request.LieuId);
        var zone = MesureChecks.Zone(check, "time_zone", request.TimeZone) ?? TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, (mesure, acting, _) =>
        {
            var rencontre = mesure.ScheduleRencontre(startsAt, minutes, zone, lieuId, acting);
            db.Rencontres.Add(rencontre);
            return Task.FromResult(new ScheduleRencontreResponse { Mesure = mesure.ToSummary(), RencontreId = rencontre.Id.ToString() });
        });
    }

    public override Task<RecordRencontreOutcomeResponse> RecordRencontreOutcome(RecordRencontreOutcomeRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var rencontreId = check.Uuid("rencontre_id", request.RencontreId);
        var outcome = check.Known("outcome", request.Outcome);
        check.That(outcome != RencontreOutcome.Scheduled, "outcome", "must say what became of the rencontre");
        var held = outcome == RencontreOutcome.Held;
        check.That(!held || request.VisiteurPresent, "visiteur_present", "must be true for a rencontre that was held");
        check.That(!held || request.PresentChildIds.Count > 0, "present_child_ids", "must name at least one child for a rencontre that was held");
        var childIds = request.PresentChildIds.Select((id, i) => check.Uuid(MesureChecks.Index("present_child_ids", i), id)).ToArray();
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource)), check, async (mesure, acting, ct) =>
        {
            var children = await db.Children.Where(c => c.MesureId == mesure.Id).Select(c => c.Id).ToListAsync(ct);
            var known = new FieldChecks();
            for (var i = 0; i < childIds.Length; i++)
            {
                known.That(children.Contains(childIds[i]), MesureChecks.Index("present_child_ids", i), "is not a child of the mesure");
            }

            var pending = await db.Rencontres.Where(r => r.MesureId == mesure.Id && (r.Id == rencontreId || r.Outcome == RencontreOutcome.Scheduled)).ToListAsync(ct);
            var rencontre = pending.Find(r => r.Id == rencontreId);
            known.That(rencontre is not null, "rencontre_id", "is not a rencontre of the mesure");
            known.ThrowIfAny();
            mesure.RecordOutcome(rencontre!, outcome, request.VisiteurPresent, childIds, [.. pending.Where(r => r.Id != rencontreId).Select(r => r.StartsAt)], acting);
            return new RecordRencontreOutcomeResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<ReportDifficultyResponse> ReportDifficulty(ReportDifficultyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var (reason, comment) = Difficulty(check, request.Reason, request.Comment);
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
        var (reason, comment) = Difficulty(check, request.Reason, request.Comment);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
        {
            var difficulty = mesure.Suspend(reason, comment, acting);
            db.Difficulties.Add(difficulty);
            return Task.FromResult(new SuspendMesureResponse { Mesure = mesure.ToSummary(), DifficultyId = difficulty.Id.ToString() });
        });
    }

    public override Task<ResumeMesureResponse> ResumeMesure(ResumeMesureRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), new FieldChecks(), (mesure, acting, _) =>
        {
            mesure.Resume(acting);
            return Task.FromResult(new ResumeMesureResponse { Mesure = mesure.ToSummary() });
        });

    public override Task<ProposeClosureResponse> ProposeClosure(ProposeClosureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var reason = check.Known("reason", request.Reason);
        check.That(reason == ClosureReason.Unspecified || Closures.IsSansSuite(reason), "reason", "must be one of SANS_SUITE");
        var comment = check.Text("comment", request.Comment, MaxText);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
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
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, async (mesure, acting, ct) =>
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

        // A court closes by itself too; everybody else closes for the espace.
        OnBehalf? forEspace = role == Roles.Juridiction ? null : new OnBehalf(request.OnBehalfOfEspace, request.OnBehalfSource);
        check.That(forEspace is not null || request.OnBehalfSource == OnBehalfSource.Unspecified, "on_behalf_source", "belongs to on_behalf_of_espace alone");
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime, forEspace), check, async (mesure, acting, ct) =>
        {
            await bookings.ReleaseAllAsync(mesure, acting, ct);
            mesure.Close(reason, comment, destination, acting);
            return new CloseMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<ReopenMesureResponse> ReopenMesure(ReopenMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var comment = check.Text("comment", request.Comment, MaxText, required: true);
        var byTheCourt = context.Caller().Role == Roles.Juridiction;
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            var history = await db.Facts.AsNoTracking().Where(f => f.MesureId == mesure.Id).ToListAsync(ct);
            var pending = await db.Rencontres.Where(r => r.MesureId == mesure.Id && r.Outcome == RencontreOutcome.Scheduled).Select(r => r.StartsAt).ToListAsync(ct);
            mesure.Reopen(history, pending, byTheCourt, comment, acting);
            return new ReopenMesureResponse { Mesure = mesure.ToSummary() };
        });
    }

    private static (DifficultyReason Reason, string Comment) Difficulty(FieldChecks check, DifficultyReason given, string comment)
    {
        var reason = check.Known("reason", given);
        check.That(reason is not (DifficultyReason.DecisionContent or DifficultyReason.EspaceFerme), "reason", "is not referred by an espace");
        return (reason, check.Text("comment", comment, MaxText, required: reason == DifficultyReason.Other));
    }
}
