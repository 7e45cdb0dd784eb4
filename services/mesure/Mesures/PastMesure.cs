using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using DecisionVersion = Jafer.Mesures.Domain.DecisionVersion;
using Difficulty = Jafer.Mesures.Domain.Difficulty;
using ExternalAlert = Jafer.Mesures.Domain.ExternalAlert;
using Interview = Jafer.Mesures.Domain.Interview;
using Mesure = Jafer.Mesures.Domain.Mesure;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Mesures;

/// <summary>A mesure as Jafer knew it at an instant: what its facts recorded by then say, and nothing that came later.</summary>
internal static class PastMesure
{
    /// <summary>The mesure as it was known.</summary>
    /// <param name="mesure">The mesure as it is.</param>
    /// <param name="known">Its facts recorded by then, one at least, in the order of their versions.</param>
    /// <param name="corrected">Facts recorded later that corrected what became of a rencontre, in the order of their versions.</param>
    /// <param name="versions">All versions of its terms.</param>
    /// <param name="rencontres">All rencontres.</param>
    /// <param name="interviews">All interviews with a date.</param>
    /// <param name="difficulties">All difficulties.</param>
    /// <param name="alerts">All external alerts.</param>
    /// <param name="asOf">The instant.</param>
    public static Contracts.Mesure.V1.Mesure Of(
        Mesure mesure, IReadOnlyList<MesureFact> known, IReadOnlyList<MesureFact> corrected, IReadOnlyList<DecisionVersion> versions, IReadOnlyList<Rencontre> rencontres,
        IEnumerable<Interview> interviews, IEnumerable<Difficulty> difficulties, IReadOnlyCollection<ExternalAlert> alerts, DateTimeOffset asOf)
    {
        var status = MesureStatus.Fold(known);
        foreach (var rencontre in rencontres)
        {
            if (corrected.FirstOrDefault(f => f.Details.RencontreId == rencontre.Id)?.Details.Before is { } before)
            {
                rencontre.Restore(before);
            }
        }

        var versionsThen = versions.Where(v => v.RecordedAt <= asOf).OrderBy(v => v.Number).ToList();
        var ordered = versions.FirstOrDefault(v => v.Number == 1)?.Content ?? mesure.Decision;
        var past = new Contracts.Mesure.V1.Mesure
        {
            Summary = mesure.ToSummary(),
            Decision = versionsThen.InForceOn(asOf.DayInParis(), ordered).ToProto(),
            Milestones = mesure.ToMilestones(status),
            Origin = mesure.Origin,
        };
        past.Rencontres.AddRange(rencontres.Select(r => Then(r.ToProto(), known)).OfType<Contracts.Mesure.V1.Rencontre>());
        past.Interviews.AddRange(interviews.Select(i => Then(i.ToProto(), known)).OfType<Contracts.Mesure.V1.Interview>());
        past.Difficulties.AddRange(difficulties.Select(d => Then(d.ToProto(), known)).OfType<Contracts.Mesure.V1.Difficulty>());
        foreach (var difficulty in past.Difficulties)
        {
            difficulty.ExternalAlerts.AddRange(alerts.Where(a => a.DifficultyId.ToString() == difficulty.DifficultyId && WasTold(a, known)).Select(a => a.ToProto()));
        }

        if (versionsThen.Count > 1)
        {
            past.DecisionVersions.AddRange(versionsThen.Select(v => v.ToProto()));
        }

        var firstHeld = rencontres.FirstOrDefault(r => past.Rencontres.Any(p => p.RencontreId == r.Id.ToString() && p.Outcome == RencontreOutcome.Held));
        var decidedLast = versionsThen.LastOrDefault()?.Content ?? ordered;
        var summary = past.Summary;
        summary.State = status.State;
        summary.Holder = status.Holder;
        summary.HolderSinceTime = status.HolderSince.ToProto();
        summary.OpenDifficultyCount = status.OpenDifficulties;
        summary.Modalite = decidedLast.Modalite;
        summary.DefectCount = known.LastOrDefault(f => f.Act is MesureAct.Update or MesureAct.Complete or MesureAct.Transmit or MesureAct.Modify)?.Details.Defects?.Count ?? 0;
        summary.NextRencontreTime = status.ClosedAt is null ? past.Rencontres
            .Select(r => r.Outcome == RencontreOutcome.Scheduled ? r.StartTime : r.ReturnOutcome == RencontreOutcome.Scheduled ? r.ReturnTime : null).Where(t => t is not null).Min() : null;
        summary.TermDate = decidedLast.Term(firstHeld?.Day).ToProto();
        summary.GestionnaireId = status.TransmittedAt is null && mesure.JuridictionId is not null ? "" : summary.GestionnaireId;
        summary.UpdateTime = known[^1].RecordedAt.ToProto();
        summary.Etag = known[^1].Version.ToEtag();

        if (status.ClosedAt is { } closedAt)
        {
            var closing = known.Last(f => f.Details.ClosureReason is not null);
            past.Closure = new Closure
            {
                Reason = closing.Details.ClosureReason!.Value,
                ClosedTime = closedAt.ToProto(),
                Category = Closures.CategoryOf(closing.Details.ClosureReason.Value, status.EverScheduled),
            };

            // What was said with a closing that was taken back since is not kept.
            if (closedAt == mesure.Status.ClosedAt && past.Closure.Reason == mesure.ClosureReason)
            {
                past.Closure.Comment = mesure.ClosureComment;
                past.Closure.Destination = mesure.ClosureDestination;
                past.Closure.DecisionDate = mesure.ClosureDecisionDate.ToProto();
            }
        }

        return past;
    }

    private static bool WasTold(ExternalAlert alert, IReadOnlyList<MesureFact> known) => known.Any(f =>
        f.Act == MesureAct.ExternalAlert && f.Details.DifficultyId == alert.DifficultyId && f.OccurredAt == alert.AlertedAt && f.ActorOrganisationId == alert.ActorOrganisationId);

    private static Contracts.Mesure.V1.Rencontre? Then(Contracts.Mesure.V1.Rencontre rencontre, IReadOnlyList<MesureFact> known)
    {
        var own = known.Where(f => f.Details.RencontreId?.ToString() == rencontre.RencontreId).ToList();
        if (own.Count == 0)
        {
            return null;
        }

        var remise = rencontre.Kind == RencontreKind.Remise;
        var moved = known.Any(f => f.Details.PreviousRencontreId?.ToString() == rencontre.RencontreId);
        if (!moved && !own.Exists(f => f.Act is MesureAct.RencontreHeld or MesureAct.RencontreNotHeld or MesureAct.CancelRencontre or MesureAct.ReleaseRencontre))
        {
            rencontre.Outcome = RencontreOutcome.Scheduled;
            rencontre.ReturnOutcome = remise ? RencontreOutcome.Scheduled : RencontreOutcome.Unspecified;
            rencontre.VisiteurPresent = false;
            rencontre.PresentChildIds.Clear();
            rencontre.Presences.Clear();
            rencontre.ActualStartTime = null;
            rencontre.ActualEndTime = null;
            rencontre.CancelledTime = null;
            rencontre.NoticeMinutes = 0;
            rencontre.MovedToRencontreId = "";
        }
        else if (remise && rencontre.Outcome == RencontreOutcome.Held && !own.Exists(f => f.Act == MesureAct.RecordRemiseReturn))
        {
            rencontre.ReturnOutcome = RencontreOutcome.Scheduled;
        }

        rencontre.HoteConfirmedTime = ConfirmedBy(PartyRole.Hote) ? rencontre.HoteConfirmedTime : null;
        rencontre.VisiteurConfirmedTime = ConfirmedBy(PartyRole.Visiteur) ? rencontre.VisiteurConfirmedTime : null;

        return rencontre;

        bool ConfirmedBy(PartyRole role) => own.Exists(f => f.Act == MesureAct.ConfirmRencontre && f.Details.PartyRole == role);
    }

    private static Contracts.Mesure.V1.Interview? Then(Contracts.Mesure.V1.Interview interview, IReadOnlyList<MesureFact> known)
    {
        var own = known.Where(f => f.Details.InterviewId?.ToString() == interview.InterviewId).Select(f => f.Act).ToHashSet();
        if (own.Count == 0)
        {
            return null;
        }

        if (!own.Contains(MesureAct.Interview) && !own.Contains(MesureAct.ReleaseInterview))
        {
            interview.State = InterviewState.Booked;
            interview.ReleaseReason = InterviewReleaseReason.Unspecified;
        }

        return interview;
    }

    private static Contracts.Mesure.V1.Difficulty? Then(Contracts.Mesure.V1.Difficulty difficulty, IReadOnlyList<MesureFact> known)
    {
        var own = known.Where(f => f.Details.DifficultyId?.ToString() == difficulty.DifficultyId).Select(f => f.Act).ToHashSet();
        if (own.Count == 0)
        {
            return null;
        }

        if (!own.Contains(MesureAct.AnswerDifficulty))
        {
            var acknowledged = own.Contains(MesureAct.AcknowledgeDifficulty);
            difficulty.State = acknowledged ? DifficultyState.Acknowledged : DifficultyState.Open;
            difficulty.AcknowledgedTime = acknowledged ? difficulty.AcknowledgedTime : null;
            difficulty.Answer = DifficultyAnswer.Unspecified;
            difficulty.AnswerComment = "";
            difficulty.AnsweredTime = null;
        }

        return difficulty;
    }
}
