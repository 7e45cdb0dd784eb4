using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using RencontreConflict = Jafer.Contracts.Mesure.V1.RencontreConflict;

namespace Jafer.Mesures.Mesures;

internal sealed partial class MesureGrpcService
{
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
        var modifies = answer == DifficultyAnswer.Modify;
        check.That(modifies || request.Modification is null, "modification", "belongs to the answer MODIFY alone");
        var change = modifies ? Modified(check, request.Modification) : null;
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            var difficulty = await DifficultyOf(mesure, difficultyId, ct);
            mesure.AnswerDifficulty(difficulty, answer, comment, acting);
            var response = new AnswerDifficultyResponse();
            switch (answer)
            {
                case DifficultyAnswer.Revoke:
                    await EndAsync(mesure, () => mesure.Revoke(revokedOn, comment, acting), acting, ct);
                    break;
                case DifficultyAnswer.Redesignate:
                    response.Successor = (await RedesignateAsync(mesure, redesignated, comment, acting, ct)).ToSummary();
                    break;
                case DifficultyAnswer.Modify:
                    response.Conflicts.AddRange(await ModifyAsync(mesure, change!, acting, ct));
                    break;
                case DifficultyAnswer.Close:
                    await EndAsync(mesure, () => mesure.Close(difficulty.ProposedClosure, comment, ClosureDestination.Unspecified, acting), acting, ct);
                    break;
            }

            response.Mesure = mesure.ToSummary();
            return response;
        });
    }

    public override Task<ModifyMesureResponse> ModifyMesure(ModifyMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var change = Modified(check, request.Modification);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            var response = new ModifyMesureResponse();
            response.Conflicts.AddRange(await ModifyAsync(mesure, change!, acting, ct));
            response.Mesure = mesure.ToSummary();
            return response;
        });
    }

    public override Task<RevokeMesureResponse> RevokeMesure(RevokeMesureRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var decisionDate = RevokedOn(check, request.Revocation);
        var comment = check.Text("comment", request.Comment, MaxText);
        return acts.RunAsync(context, request, new ActHeader(request.MesureId, request.Etag, request.RequestId), check, async (mesure, acting, ct) =>
        {
            await EndAsync(mesure, () => mesure.Revoke(decisionDate, comment, acting), acting, ct);
            return new RevokeMesureResponse { Mesure = mesure.ToSummary() };
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
        var heldOn = await FirstHeldOnAsync(mesure, ct);
        var reference = await References.NextAsync(db, acting.OrganisationId, clock.TodayInParis().Year, ct);
        Domain.Mesure successor = null!;
        Domain.Difficulty? difficulty = null;
        await EndAsync(
            mesure, () => (successor, difficulty) = mesure.Redesignate(Guid.CreateVersion7(acting.Now), reference, espace, to.DecisionDate, heldOn, comment, acting), acting, ct);
        db.Mesures.Add(successor);
        await CopyFamilyAsync(mesure.Id, successor.Id, successor.JuridictionId, acting.Now, ct);
        // The other espace reads the same decision; its bytes are kept once.
        foreach (var document in await db.DecisionDocuments.AsNoTracking().Where(d => d.MesureId == mesure.Id && d.ReplacedAt == null).ToListAsync(ct))
        {
            db.DecisionDocuments.Add(document.For(Guid.CreateVersion7(acting.Now), successor.Id));
        }

        if (difficulty is not null)
        {
            db.Difficulties.Add(difficulty);
        }

        acts.Publish(successor);
        return successor;
    }

    private DecisionChange? Modified(FieldChecks check, Modification? modification)
    {
        if (modification is null)
        {
            check.Add("modification", "is required");
            return null;
        }

        var decidedOn = check.Date("modification.decision_date", modification.DecisionDate);
        check.That(decidedOn <= clock.TodayInParis(), "modification.decision_date", "must not lie in the future");
        var effectiveOn = check.OptionalDate("modification.effective_date", modification.EffectiveDate) ?? decidedOn;
        check.That(effectiveOn >= decidedOn, "modification.effective_date", "must not lie before decision_date");
        check.That(
            modification.HasModalite || modification.HasDurationMonths || modification.Periodicity is not null || modification.HasRencontreMinutes
                || modification.HasOutingGranted || modification.HasInterdictionDeContact || modification.HasRestrictions || modification.HasRemiseGranted,
            "modification", "at least one of the terms must be set");
        MesureChecks.Periodicity(check, "modification.periodicity", modification.Periodicity);
        return new DecisionChange(decidedOn, effectiveOn)
        {
            Modalite = modification.HasModalite ? check.Known("modification.modalite", modification.Modalite) : null,
            DurationMonths = modification.HasDurationMonths ? check.Range("modification.duration_months", modification.DurationMonths, 1, 60) : null,
            Periodicity = modification.Periodicity is { } p ? (p.RencontreCount, p.IntervalCount, p.Unit) : null,
            RencontreMinutes = modification.HasRencontreMinutes ? check.Range("modification.rencontre_minutes", modification.RencontreMinutes, 5, 720) : null,
            OutingGranted = modification.HasOutingGranted ? modification.OutingGranted : null,
            RemiseGranted = modification.HasRemiseGranted ? modification.RemiseGranted : null,
            InterdictionDeContact = modification.HasInterdictionDeContact ? modification.InterdictionDeContact : null,
            Restrictions = modification.HasRestrictions ? check.Text("modification.restrictions", modification.Restrictions, MaxText) : null,
        };
    }

    private async Task<IEnumerable<RencontreConflict>> ModifyAsync(Domain.Mesure mesure, DecisionChange change, Acting acting, CancellationToken ct)
    {
        var before = await db.DecisionVersions.Where(v => v.MesureId == mesure.Id).ToListAsync(ct);
        var pending = await db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesure.Id && r.Outcome == RencontreOutcome.Scheduled).ToListAsync(ct);
        var (added, conflicts) = mesure.Modify(change, before, pending, await FirstHeldOnAsync(mesure, ct), acting);
        db.DecisionVersions.AddRange(added);
        return conflicts.Select(c => c.ToProto());
    }

    private async Task<DateOnly?> FirstHeldOnAsync(Domain.Mesure mesure, CancellationToken ct) =>
        (await db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesure.Id && r.Outcome == RencontreOutcome.Held).OrderBy(r => r.StartsAt).FirstOrDefaultAsync(ct))?.Day;

    private async Task<Domain.Difficulty> DifficultyOf(Domain.Mesure mesure, Guid difficultyId, CancellationToken ct) =>
        await db.Difficulties.SingleOrDefaultAsync(d => d.Id == difficultyId && d.MesureId == mesure.Id, ct)
        ?? throw DomainError.Invalid("difficulty_id", "is not a difficulty of the mesure");
}
