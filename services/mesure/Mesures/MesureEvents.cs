using System.Diagnostics;
using System.Runtime.CompilerServices;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>From the facts of a mesure to the events that others receive: identifiers, codes and dates only.</summary>
internal static class MesureEvents
{
    /// <summary>The event of a fact, with the state that the mesure has after all of the call's facts.</summary>
    public static Contracts.Events.MesureEvent From(Mesure mesure, MesureFact fact) => Typed(mesure, fact) with
    {
        EventId = fact.Id,
        AggregateId = mesure.Id,
        AggregateVersion = fact.Version,
        OccurredAt = fact.OccurredAt,
        RecordedAt = fact.RecordedAt,
        CorrelationId = Activity.Current?.TraceId.ToString(),
        JuridictionId = mesure.JuridictionId,
        EspaceId = mesure.EspaceId,
        GestionnaireId = mesure.GestionnaireId,
        State = mesure.Status.State.ToCode(),
        Holder = mesure.Status.Holder.ToCode(),
        Modalite = mesure.Decision.Modalite == Modalite.Unspecified ? null : mesure.Decision.Modalite.ToCode(),
    };

    /// <summary>What is told when nobody waits for a deadline any more that had been told.</summary>
    /// <param name="mesure">The mesure after the act.</param>
    /// <param name="deadline">The deadline.</param>
    /// <param name="escalated">Whether the operator knows of it.</param>
    /// <param name="now">Now.</param>
    public static DeadlineLifted Lifted(Mesure mesure, Domain.Deadline deadline, bool escalated, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = mesure.Id,
        AggregateVersion = mesure.Version,
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = Activity.Current?.TraceId.ToString(),
        JuridictionId = mesure.JuridictionId,
        EspaceId = mesure.EspaceId,
        GestionnaireId = mesure.GestionnaireId,
        State = mesure.Status.State.ToCode(),
        Holder = mesure.Status.Holder.ToCode(),
        Modalite = mesure.Decision.Modalite == Modalite.Unspecified ? null : mesure.Decision.Modalite.ToCode(),
        Deadline = deadline.Kind.ToCode(),
        DueAt = deadline.DueAt,
        MustAct = deadline.MustAct.ToCode(),
        Escalated = escalated,
    };

    private static Contracts.Events.MesureEvent Typed(Mesure mesure, MesureFact fact)
    {
        var details = fact.Details;
        return fact.Act switch
        {
            MesureAct.Create => Blank<MesureCreated>(),
            MesureAct.Update => Blank<MesureUpdated>(),
            MesureAct.Complete => Blank<MesureCompleted>(),
            MesureAct.Transmit => Blank<MesureTransmitted>() with { DecisionDate = mesure.Decision.Date, PredecessorMesureId = mesure.PredecessorId },
            MesureAct.Deliver => Blank<MesureDelivered>() with { OnBehalf = !Transmissions.IsProvedBySystem(details.Delivery) },
            MesureAct.Retrieve => Blank<MesureRetrieved>(),
            MesureAct.Acknowledge => Blank<MesureAcknowledged>(),
            MesureAct.RequestInformation => Blank<InformationRequested>(),
            MesureAct.ProvideInformation => Blank<InformationProvided>(),
            MesureAct.TakeCharge => Blank<ChargeTaken>(),
            MesureAct.ContactReached => Blank<ContactRecorded>() with { PartyRole = details.PartyRole!.Value.ToCode(), Reached = true },
            MesureAct.ContactAttempted => Blank<ContactRecorded>() with { PartyRole = details.PartyRole!.Value.ToCode(), Reached = false },
            MesureAct.Interview => Blank<InterviewRecorded>() with { PartyRole = details.PartyRole!.Value.ToCode() },
            MesureAct.BookInterview => Blank<InterviewBooked>() with
            {
                InterviewId = details.InterviewId!.Value,
                PartyRole = details.PartyRole!.Value.ToCode(),
                StartsAt = details.StartsAt!.Value,
                DurationMinutes = details.DurationMinutes!.Value,
            },
            MesureAct.ReleaseInterview => Blank<InterviewReleased>() with
            {
                InterviewId = details.InterviewId!.Value,
                PartyRole = details.PartyRole!.Value.ToCode(),
                StartsAt = details.StartsAt!.Value,
            },
            MesureAct.ScheduleRencontre => Blank<RencontreScheduled>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                DurationMinutes = details.DurationMinutes!.Value,
            },
            MesureAct.RencontreHeld => Blank<RencontreHeld>() with { RencontreId = details.RencontreId!.Value, StartsAt = details.StartsAt!.Value },
            MesureAct.RencontreNotHeld => Blank<RencontreNotHeld>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                Outcome = details.Outcome!.Value.ToCode(),
            },
            MesureAct.CorrectRencontreOutcome => Blank<RencontreOutcomeCorrected>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                PreviousOutcome = details.Before!.Outcome.ToCode(),
                Outcome = details.Outcome!.Value.ToCode(),
            },
            MesureAct.ConfirmRencontre => Blank<RencontreConfirmed>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                PartyRole = details.PartyRole!.Value.ToCode(),
            },
            MesureAct.CancelRencontre or MesureAct.ReleaseRencontre => Blank<RencontreCancelled>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                Outcome = details.Outcome!.Value.ToCode(),
                NoticeMinutes = details.NoticeMinutes!.Value,
            },
            MesureAct.MoveRencontre => Blank<RencontreMoved>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                DurationMinutes = details.DurationMinutes!.Value,
                PreviousRencontreId = details.PreviousRencontreId!.Value,
                PreviousStartsAt = details.PreviousStartsAt!.Value,
            },
            MesureAct.RecordRemiseReturn => Blank<RemiseReturnRecorded>() with
            {
                RencontreId = details.RencontreId!.Value,
                StartsAt = details.StartsAt!.Value,
                Outcome = details.Outcome!.Value.ToCode(),
            },
            MesureAct.ReportDifficulty => Blank<DifficultyReported>() with { DifficultyId = details.DifficultyId!.Value, Urgent = details.Urgent ?? false },
            MesureAct.AcknowledgeDifficulty => Blank<DifficultyAcknowledged>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.AnswerDifficulty => Blank<DifficultyAnswered>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.Register => Blank<MesureCreated>(),
            MesureAct.Modify => Blank<MesureModified>() with
            {
                DecisionVersion = details.DecisionVersion!.Value,
                EffectiveDate = details.EffectiveOn!.Value,
                ConflictingRencontreIds = details.Conflicts ?? [],
            },
            MesureAct.Suspend => Blank<MesureSuspended>(),
            MesureAct.Resume => Blank<MesureResumed>(),
            MesureAct.ProposeClosure => Blank<ClosureProposed>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.ExternalAlert => Blank<ExternalAlertRecorded>() with { DifficultyId = details.DifficultyId!.Value },
            MesureAct.Reopen => Blank<MesureReopened>(),
            MesureAct.Close or MesureAct.Revoke or MesureAct.Redesignate => Blank<MesureClosed>(),
            MesureAct.AgrementRetire => Blank<AgrementRetired>() with { LastDay = details.LastDay!.Value, LieuId = details.LieuId },
            MesureAct.AttachDecision => Blank<DecisionAttached>() with { DocumentId = details.DocumentId!.Value, SizeBytes = details.SizeBytes!.Value, Sha256 = details.Sha256! },
            _ => throw new InvalidOperationException($"{fact.Act} has no event"),
        };
    }

    /// <summary>An event that is filled by whoever asks for it: its header in one place. Until then it is not looked at.</summary>
    public static T Blank<T>()
        where T : Contracts.Events.MesureEvent => (T)RuntimeHelpers.GetUninitializedObject(typeof(T));
}
