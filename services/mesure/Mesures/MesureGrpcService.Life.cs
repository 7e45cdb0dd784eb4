using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Difficulty = Jafer.Mesures.Domain.Difficulty;

namespace Jafer.Mesures.Mesures;

internal sealed partial class MesureGrpcService
{
    private const int MaxText = 2000;

    public override Task<AcknowledgeMesureResponse> AcknowledgeMesure(AcknowledgeMesureRequest request, ServerCallContext context) =>
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), new FieldChecks(), (mesure, acting, _) =>
        {
            mesure.Acknowledge(acting);
            return Task.FromResult(new AcknowledgeMesureResponse { Mesure = mesure.ToSummary() });
        });

    public override Task<RequestInformationResponse> RequestInformation(RequestInformationRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var reason = check.Known("reason", request.Reason);
        var question = check.Text("question", request.Question, MaxText, required: true);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
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
        acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), new FieldChecks(), (mesure, acting, _) =>
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
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
        {
            mesure.RecordContact(role, outcome == ContactOutcome.Reached, acting);
            return Task.FromResult(new RecordContactResponse { Mesure = mesure.ToSummary() });
        });
    }

    public override Task<RecordInterviewResponse> RecordInterview(RecordInterviewRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var role = check.Known("party_role", request.PartyRole);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
        {
            mesure.RecordInterview(role, acting);
            return Task.FromResult(new RecordInterviewResponse { Mesure = mesure.ToSummary() });
        });
    }

    public override Task<ScheduleRencontreResponse> ScheduleRencontre(ScheduleRencontreRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        check.That(request.StartTime is not null, "start_time", "is required");
        var startsAt = check.OptionalTime("start_time", request.StartTime) ?? default;
        var minutes = check.Range("duration_minutes", request.DurationMinutes, 5, 720);
        var lieuId = check.OptionalUuid("lieu_id", request.LieuId);
        TimeZoneInfo? zone = null;
        var zoneId = request.TimeZone.Length == 0 ? "Europe/Paris" : request.TimeZone;
        check.That(
            zoneId.Length <= 50 && zoneId.Contains('/', StringComparison.Ordinal) && TimeZoneInfo.TryFindSystemTimeZoneById(zoneId, out zone),
            "time_zone", "must be an IANA time zone");
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
        {
            var rencontre = mesure.ScheduleRencontre(startsAt, minutes, zone!, lieuId, acting);
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
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, async (mesure, acting, ct) =>
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
        var reason = check.Known("reason", request.Reason);
        check.That(reason != DifficultyReason.DecisionContent, "reason", "is referred by Jafer itself");
        var comment = check.Text("comment", request.Comment, MaxText, required: reason == DifficultyReason.Other);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
        {
            var difficulty = mesure.ReportDifficulty(reason, comment, acting);
            db.Difficulties.Add(difficulty);
            return Task.FromResult(new ReportDifficultyResponse { Mesure = mesure.ToSummary(), DifficultyId = difficulty.Id.ToString() });
        });
    }

    public override Task<AcknowledgeDifficultyResponse> AcknowledgeDifficulty(AcknowledgeDifficultyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var difficultyId = check.Uuid("difficulty_id", request.DifficultyId);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            mesure.AcknowledgeDifficulty(await DifficultyOf(mesure, difficultyId, ct), acting);
            return new AcknowledgeDifficultyResponse { Mesure = mesure.ToSummary() };
        });
    }

    public override Task<AnswerDifficultyResponse> AnswerDifficulty(AnswerDifficultyRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var difficultyId = check.Uuid("difficulty_id", request.DifficultyId);
        var answer = check.Known("answer", request.Answer);
        var comment = check.Text("comment", request.Comment, MaxText);
        var revokes = answer == DifficultyAnswer.Revoke;
        check.That(revokes || request.Revocation is null, "revocation", "belongs to the answer REVOKE alone");
        var revokedOn = revokes ? RevokedOn(check, request.Revocation) : default;
        var redesignates = answer == DifficultyAnswer.Redesignate;
        check.That(redesignates || request.Redesignation is null, "redesignation", "belongs to the answer REDESIGNATE alone");
        var redesignated = redesignates ? Redesignated(check, request.Redesignation) : default;
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            mesure.AnswerDifficulty(await DifficultyOf(mesure, difficultyId, ct), answer, comment, acting);
            if (revokes)
            {
                mesure.Revoke(revokedOn, comment, acting);
            }

            var successor = redesignates ? await RedesignateAsync(mesure, redesignated, comment, acting, ct) : null;
            return new AnswerDifficultyResponse { Mesure = mesure.ToSummary(), Successor = successor?.ToSummary() };
        });
    }

    public override Task<RevokeMesureResponse> RevokeMesure(RevokeMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var decisionDate = RevokedOn(check, request.Revocation);
        var comment = check.Text("comment", request.Comment, MaxText);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, (mesure, acting, _) =>
        {
            mesure.Revoke(decisionDate, comment, acting);
            return Task.FromResult(new RevokeMesureResponse { Mesure = mesure.ToSummary() });
        });
    }

    public override Task<RedesignateMesureResponse> RedesignateMesure(RedesignateMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var redesignated = Redesignated(check, request.Redesignation);
        var comment = check.Text("comment", request.Comment, MaxText);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            var successor = await RedesignateAsync(mesure, redesignated, comment, acting, ct);
            return new RedesignateMesureResponse { Mesure = mesure.ToSummary(), Successor = successor.ToSummary() };
        });
    }

    public override Task<CloseMesureResponse> CloseMesure(CloseMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var reason = check.Known("reason", request.Reason);
        check.That(Closures.MayGive(context.Caller().Role, reason), "reason", "is not a reason that this role may give");
        var comment = check.Text("comment", request.Comment, MaxText);
        var destination = check.KnownOrUnspecified("destination", request.Destination);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId, request.OccurredTime), check, (mesure, acting, _) =>
        {
            mesure.Close(reason, comment, destination, acting);
            return Task.FromResult(new CloseMesureResponse { Mesure = mesure.ToSummary() });
        });
    }

    private DateOnly RevokedOn(FieldChecks check, Revocation? revocation)
    {
        if (revocation is null)
        {
            check.Add("revocation", "is required");
            return default;
        }

        var date = check.Date("revocation.decision_date", revocation.DecisionDate);
        check.That(date <= clock.TodayInParis(), "revocation.decision_date", "must not lie in the future");
        return date;
    }

    private (Guid? EspaceId, DateOnly? DecisionDate) Redesignated(FieldChecks check, Redesignation? redesignation)
    {
        if (redesignation is null)
        {
            check.Add("redesignation", "is required");
            return default;
        }

        var espaceId = check.OptionalUuid("redesignation.espace_id", redesignation.EspaceId);
        var date = check.OptionalDate("redesignation.decision_date", redesignation.DecisionDate);
        check.That(redesignation.EspaceId.Length > 0 == redesignation.DecisionDate is not null, "redesignation.decision_date", "must be given with espace_id, and only then");
        check.That(date is null || date <= clock.TodayInParis(), "redesignation.decision_date", "must not lie in the future");
        return (espaceId, date);
    }

    private async Task<Domain.Mesure> RedesignateAsync(Domain.Mesure mesure, (Guid? EspaceId, DateOnly? DecisionDate) to, string comment, Acting acting, CancellationToken ct)
    {
        var espaceId = to.EspaceId ?? mesure.Decision.SubsidiaryEspaceId
            ?? throw DomainError.Invalid("redesignation.espace_id", "is required: the decision names no subsidiary espace");
        var espace = await DesignableAsync(espaceId, ct);
        var held = await db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesure.Id && r.Outcome == RencontreOutcome.Held).OrderBy(r => r.StartsAt).FirstOrDefaultAsync(ct);
        DateOnly? heldOn = held is null ? null : DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(held.StartsAt, TimeZoneInfo.FindSystemTimeZoneById(held.TimeZone)).DateTime);
        var reference = await References.NextAsync(db, acting.OrganisationId, clock.TodayInParis().Year, ct);
        var (successor, difficulty) = mesure.Redesignate(Guid.CreateVersion7(acting.Now), reference, espace, to.DecisionDate, heldOn, comment, acting);
        db.Mesures.Add(successor);
        foreach (var party in await db.Parties.AsNoTracking().Where(p => p.MesureId == mesure.Id).ToListAsync(ct))
        {
            db.Parties.Add(party.For(Guid.CreateVersion7(acting.Now), successor.Id));
        }

        foreach (var child in await db.Children.AsNoTracking().Where(c => c.MesureId == mesure.Id).ToListAsync(ct))
        {
            db.Children.Add(child.For(Guid.CreateVersion7(acting.Now), successor.Id));
        }

        if (difficulty is not null)
        {
            db.Difficulties.Add(difficulty);
        }

        acts.Publish(successor);
        return successor;
    }

    private async Task<Difficulty> DifficultyOf(Domain.Mesure mesure, Guid difficultyId, CancellationToken ct) =>
        await db.Difficulties.SingleOrDefaultAsync(d => d.Id == difficultyId && d.MesureId == mesure.Id, ct)
        ?? throw DomainError.Invalid("difficulty_id", "is not a difficulty of the mesure");
}
