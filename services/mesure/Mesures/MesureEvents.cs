using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>From the facts of a mesure to the events that others receive: identifiers, codes and dates only.</summary>
internal static class MesureEvents
{
    /// <summary>The event of a fact, with the state that the mesure has after all of the call's facts.</summary>
    public static Contracts.Events.MesureEvent From(Mesure mesure, MesureFact fact) =>
        About(Typed(mesure, fact), mesure) with { EventId = fact.Id, AggregateVersion = fact.Version, OccurredAt = fact.OccurredAt, RecordedAt = fact.RecordedAt };

    /// <summary>What is told when nobody waits for a deadline any more that had been told.</summary>
    /// <param name="mesure">The mesure after the act.</param>
    /// <param name="deadline">The deadline.</param>
    /// <param name="escalated">Whether the operator knows of it.</param>
    /// <param name="now">Now.</param>
    public static Contracts.Events.MesureEvent Lifted(Mesure mesure, Domain.Deadline deadline, bool escalated, DateTimeOffset now) => About(
        EventTypes.Blank<DeadlineLifted>() with
        {
            Deadline = deadline.Kind.ToCode(),
            DueAt = deadline.DueAt,
            MustAct = deadline.MustAct.ToCode(),
            Escalated = escalated,
        },
        mesure) with
    {
        EventId = Guid.CreateVersion7(now),
        AggregateVersion = mesure.Version,
        OccurredAt = now,
        RecordedAt = now,
    };

    private static Contracts.Events.MesureEvent About(Contracts.Events.MesureEvent own, Mesure mesure) => own with
    {
        AggregateId = mesure.Id,
        CorrelationId = Activity.Current?.TraceId.ToString(),
        JuridictionId = mesure.JuridictionId,
        EspaceId = mesure.EspaceId,
        GestionnaireId = mesure.GestionnaireId,
        State = mesure.Status.State.ToCode(),
        Holder = mesure.Status.Holder.ToCode(),
        Modalite = mesure.Decision.Modalite == Modalite.Unspecified ? null : mesure.Decision.Modalite.ToCode(),
    };

    private static TermsEvent WithTerms(TermsEvent own, Mesure mesure) => own with
    {
        DurationMonths = mesure.Decision.DurationMonths,
        TermDate = mesure.Term,
        RencontresPerYear = Cadence.Of(mesure.Decision)?.PerYear,
    };

    private static Contracts.Events.MesureEvent Typed(Mesure mesure, MesureFact fact)
    {
        var details = fact.Details;
        return fact.Act switch
        {
            MesureAct.Create => WithTerms(EventTypes.Blank<MesureCreated>(), mesure),
            MesureAct.Update => EventTypes.Blank<MesureUpdated>(),
            MesureAct.Complete => EventTypes.Blank<MesureCompleted>(),
            MesureAct.Transmit => WithTerms(EventTypes.Blank<MesureTransmitted>() with { DecisionDate = mesure.Decision.Date, PredecessorMesureId = mesure.PredecessorId }, mesure),
            MesureAct.Deliver => EventTypes.Blank<MesureDelivered>() with { OnBehalf = !Transmissions.IsProvedBySystem(details.Delivery) },
            MesureAct.Retrieve => EventTypes.Blank<MesureRetrieved>(),
            MesureAct.Acknowledge => EventTypes.Blank<MesureAcknowledged>(),
            MesureAct.RequestInformation => EventTypes.Blank<InformationRequested>(),
            MesureAct.ProvideInformation => EventTypes.Blank<InformationProvided>(),
            MesureAct.TakeCharge => EventTypes.Blank<ChargeTaken>(),
            MesureAct.ContactReached => EventTypes.Blank<ContactRecorded>() with { PartyRole = details.PartyRole!.Value.ToCode(), Reached = true },
            MesureAct.ContactAttempted => EventTypes.Blank<ContactRecorded>() with { PartyRole = details.PartyRole!.Value.ToCode(), Reached = false },
            MesureAct.Interview => EventTypes.Blank<InterviewRecorded>() with { PartyRole = details.PartyRole!.Value.ToCode() },
            MesureAct.BookInterview => EventTypes.Blank<InterviewBooked>() with
            {
                InterviewId = details.InterviewId!.Value,
                PartyRole = details.PartyRole!.Value.ToCode(),
                StartsAt = details.StartsAt!.Value,
                DurationMinutes = details.DurationMinutes!.Value,
            },
            MesureAct.ReleaseInterview => EventTypes.Blank<InterviewReleased>() with
            {
                InterviewId = details.InterviewId!.Value,
                PartyRole = details.PartyRole!.Value.ToCode(),
                StartsAt = details.StartsAt!.Value,
            },
            MesureAct.ScheduleRencontre => EventTypes.Blank<RencontreScheduled>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                DurationMinutes = details.DurationMinutes!.Value,
                FreeSlotId = details.FreeSlotId,
            },
            MesureAct.RencontreHeld => EventTypes.Blank<RencontreHeld>() with { RencontreId = details.RencontreId!.Value, StartsAt = details.StartsAt!.Value },
            MesureAct.RencontreNotHeld => EventTypes.Blank<RencontreNotHeld>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                Outcome = details.Outcome!.Value.ToCode(),
            },
            MesureAct.CorrectRencontreOutcome => EventTypes.Blank<RencontreOutcomeCorrected>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                PreviousOutcome = details.Before!.Outcome.ToCode(),
                Outcome = details.Outcome!.Value.ToCode(),
            },
            MesureAct.ConfirmRencontre => EventTypes.Blank<RencontreConfirmed>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                PartyRole = details.PartyRole!.Value.ToCode(),
            },
            MesureAct.CancelRencontre or MesureAct.ReleaseRencontre => EventTypes.Blank<RencontreCancelled>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                Outcome = details.Outcome!.Value.ToCode(),
                NoticeMinutes = details.NoticeMinutes!.Value,
            },
            MesureAct.MoveRencontre => EventTypes.Blank<RencontreMoved>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                DurationMinutes = details.DurationMinutes!.Value,
                PreviousRencontreId = details.PreviousRencontreId!.Value,
                PreviousStartsAt = details.PreviousStartsAt!.Value,
            },
            MesureAct.RecordRemiseReturn => EventTypes.Blank<RemiseReturnRecorded>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                Outcome = details.Outcome!.Value.ToCode(),
            },
            MesureAct.ReportDifficulty => EventTypes.Blank<DifficultyReported>() with { DifficultyId = details.DifficultyId!.Value, Urgent = details.Urgent ?? false },
            MesureAct.AcknowledgeDifficulty => EventTypes.Blank<DifficultyAcknowledged>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.AnswerDifficulty => EventTypes.Blank<DifficultyAnswered>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.Register => WithTerms(EventTypes.Blank<MesureCreated>(), mesure),
            MesureAct.Modify => WithTerms(
                EventTypes.Blank<MesureModified>() with
                {
                    DecisionVersion = details.DecisionVersion!.Value,
                    EffectiveDate = details.EffectiveOn!.Value,
                    ConflictingRencontreIds = details.Conflicts ?? [],
                },
                mesure),
            MesureAct.Suspend => EventTypes.Blank<MesureSuspended>(),
            MesureAct.Resume => EventTypes.Blank<MesureResumed>(),
            MesureAct.ProposeClosure => EventTypes.Blank<ClosureProposed>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.ExternalAlert => EventTypes.Blank<ExternalAlertRecorded>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.Reopen => EventTypes.Blank<MesureReopened>(),
            MesureAct.Close or MesureAct.Revoke or MesureAct.Redesignate => EventTypes.Blank<MesureClosed>(),
            MesureAct.AgrementRetire => EventTypes.Blank<AgrementRetired>() with { LastDay = details.LastDay!.Value, LieuId = details.LieuId },
            MesureAct.AttachDecision => EventTypes.Blank<DecisionAttached>() with { DocumentId = details.DocumentId!.Value, SizeBytes = details.SizeBytes!.Value, Sha256 = details.Sha256! },
            MesureAct.Purge => EventTypes.Blank<MesurePurged>() with { Scope = details.Purge!.Value.ToCode(), Reason = "RETENTION" },
            _ => throw new InvalidOperationException($"{fact.Act} has no event"),
        };
    }
}
