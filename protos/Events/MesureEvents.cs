using MassTransit;

namespace Jafer.Contracts.Events;

/// <summary>
/// An event of the life of a mesure. <see cref="DomainEvent.AggregateId"/> is the mesure. It carries who holds the mesure, so
/// that a consumer knows whom it concerns without asking.
/// </summary>
[ExcludeFromTopology]
[MessageUrn("mesure.mesure-event.v1")]
[ExcludeFromImplementedTypes]
public abstract record MesureEvent : DomainEvent
{
    /// <summary>The court as an organisation; absent for a non-judicial mesure.</summary>
    public Guid? JuridictionId { get; init; }

    /// <summary>The designated espace; absent before designation.</summary>
    public Guid? EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation; absent before transmission.</summary>
    public Guid? GestionnaireId { get; init; }

    /// <summary>State after the event, such as "TRANSMISE".</summary>
    public required string State { get; init; }

    /// <summary>Who must act next: "JURIDICTION", "ESPACE", "FAMILLE" or "PERSONNE".</summary>
    public required string Holder { get; init; }

    /// <summary>Modalité of the decision, such as "VISITE"; absent while it is not known.</summary>
    public string? Modalite { get; init; }
}

/// <summary>An event that tells for how long and how often a mesure takes a place: waits are forecast from when places become free.</summary>
[ExcludeFromTopology]
[MessageUrn("mesure.terms-event.v1")]
[ExcludeFromImplementedTypes]
public abstract record TermsEvent : MesureEvent
{
    /// <summary>Duration in months; absent while none is decided.</summary>
    public int? DurationMonths { get; init; }

    /// <summary>Last day; absent while it cannot be computed, as where the duration runs from a first rencontre that was not held.</summary>
    public DateOnly? TermDate { get; init; }

    /// <summary>Rencontres that the periodicity gives in a year, rounded: 52 for each week, 12 for each month; absent where it is left to the espace.</summary>
    public int? RencontresPerYear { get; init; }
}

/// <summary>A mesure was created by its court, or by its espace when no judge ordered it.</summary>
[EntityName("mesure.mesure-created.v1"), MessageUrn("mesure.mesure-created.v1")]
public sealed record MesureCreated : TermsEvent;

/// <summary>The content of a mesure that is not yet transmitted was changed.</summary>
[EntityName("mesure.mesure-updated.v1"), MessageUrn("mesure.mesure-updated.v1")]
public sealed record MesureUpdated : MesureEvent;

/// <summary>The content of a mesure was declared complete.</summary>
[EntityName("mesure.mesure-completed.v1"), MessageUrn("mesure.mesure-completed.v1")]
public sealed record MesureCompleted : MesureEvent;

/// <summary>A mesure was transmitted to its espace.</summary>
[EntityName("mesure.mesure-transmitted.v1"), MessageUrn("mesure.mesure-transmitted.v1")]
public sealed record MesureTransmitted : TermsEvent
{
    /// <summary>Day of the decision; absent when it is not yet rendered.</summary>
    public DateOnly? DecisionDate { get; init; }

    /// <summary>UUID of the mesure that this one continues, which has left its espace; absent when it continues none.</summary>
    public Guid? PredecessorMesureId { get; init; }
}

/// <summary>The espace read a mesure for the first time.</summary>
[EntityName("mesure.mesure-retrieved.v1"), MessageUrn("mesure.mesure-retrieved.v1")]
public sealed record MesureRetrieved : MesureEvent;

/// <summary>The espace acknowledged a mesure.</summary>
[EntityName("mesure.mesure-acknowledged.v1"), MessageUrn("mesure.mesure-acknowledged.v1")]
public sealed record MesureAcknowledged : MesureEvent;

/// <summary>The espace asked the court for information.</summary>
[EntityName("mesure.information-requested.v1"), MessageUrn("mesure.information-requested.v1")]
public sealed record InformationRequested : MesureEvent;

/// <summary>The court gave the information asked for.</summary>
[EntityName("mesure.information-provided.v1"), MessageUrn("mesure.information-provided.v1")]
public sealed record InformationProvided : MesureEvent;

/// <summary>The espace took charge of a mesure.</summary>
[EntityName("mesure.charge-taken.v1"), MessageUrn("mesure.charge-taken.v1")]
public sealed record ChargeTaken : MesureEvent;

/// <summary>The espace recorded a contact, or an attempt.</summary>
[EntityName("mesure.contact-recorded.v1"), MessageUrn("mesure.contact-recorded.v1")]
public sealed record ContactRecorded : MesureEvent
{
    /// <summary>With whom: "HOTE" or "VISITEUR".</summary>
    public required string PartyRole { get; init; }

    /// <summary>Whether the party was reached.</summary>
    public required bool Reached { get; init; }
}

/// <summary>The espace recorded a preliminary interview.</summary>
[EntityName("mesure.interview-recorded.v1"), MessageUrn("mesure.interview-recorded.v1")]
public sealed record InterviewRecorded : MesureEvent
{
    /// <summary>With whom: "HOTE", "VISITEUR" or "ENFANT".</summary>
    public required string PartyRole { get; init; }
}

/// <summary>A preliminary interview was booked.</summary>
[EntityName("mesure.interview-booked.v1"), MessageUrn("mesure.interview-booked.v1")]
public sealed record InterviewBooked : MesureEvent
{
    /// <summary>UUID of the interview.</summary>
    public required Guid InterviewId { get; init; }

    /// <summary>With whom: "HOTE", "VISITEUR" or "ENFANT".</summary>
    public required string PartyRole { get; init; }

    /// <summary>When it starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>How long it lasts, in minutes.</summary>
    public required int DurationMinutes { get; init; }
}

/// <summary>A booked interview was given up. The reason is not told here.</summary>
[EntityName("mesure.interview-released.v1"), MessageUrn("mesure.interview-released.v1")]
public sealed record InterviewReleased : MesureEvent
{
    /// <summary>UUID of the interview.</summary>
    public required Guid InterviewId { get; init; }

    /// <summary>With whom: "HOTE", "VISITEUR" or "ENFANT".</summary>
    public required string PartyRole { get; init; }

    /// <summary>When it should have started, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }
}

/// <summary>A rencontre was scheduled.</summary>
[EntityName("mesure.rencontre-scheduled.v1"), MessageUrn("mesure.rencontre-scheduled.v1")]
public sealed record RencontreScheduled : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>How long it lasts, in minutes.</summary>
    public required int DurationMinutes { get; init; }

    /// <summary>UUID of the freed slot that it takes; absent when it is booked otherwise.</summary>
    public Guid? FreeSlotId { get; init; }
}

/// <summary>A rencontre was held.</summary>
[EntityName("mesure.rencontre-held.v1"), MessageUrn("mesure.rencontre-held.v1")]
public sealed record RencontreHeld : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it started, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }
}

/// <summary>A scheduled rencontre was not held.</summary>
[EntityName("mesure.rencontre-not-held.v1"), MessageUrn("mesure.rencontre-not-held.v1")]
public sealed record RencontreNotHeld : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it should have started, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>What became of it, such as "VISITEUR_ABSENT".</summary>
    public required string Outcome { get; init; }
}

/// <summary>A side confirmed a rencontre.</summary>
[EntityName("mesure.rencontre-confirmed.v1"), MessageUrn("mesure.rencontre-confirmed.v1")]
public sealed record RencontreConfirmed : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>Who confirmed: "HOTE" or "VISITEUR".</summary>
    public required string PartyRole { get; init; }
}

/// <summary>A rencontre was cancelled before it started.</summary>
[EntityName("mesure.rencontre-cancelled.v1"), MessageUrn("mesure.rencontre-cancelled.v1")]
public sealed record RencontreCancelled : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it should have started, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>By whom, such as "CANCELLED_BY_HOTE".</summary>
    public required string Outcome { get; init; }

    /// <summary>Minutes from the cancelling to the start.</summary>
    public required int NoticeMinutes { get; init; }
}

/// <summary>A rencontre was moved to another time.</summary>
[EntityName("mesure.rencontre-moved.v1"), MessageUrn("mesure.rencontre-moved.v1")]
public sealed record RencontreMoved : MesureEvent
{
    /// <summary>UUID of the rencontre at its new time.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it starts now, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>How long it lasts, in minutes.</summary>
    public required int DurationMinutes { get; init; }

    /// <summary>UUID of the rencontre that was moved.</summary>
    public required Guid PreviousRencontreId { get; init; }

    /// <summary>When that should have started, UTC.</summary>
    public required DateTimeOffset PreviousStartsAt { get; init; }
}

/// <summary>What was recorded of a rencontre was corrected: its outcome, or who came.</summary>
[EntityName("mesure.rencontre-outcome-corrected.v1"), MessageUrn("mesure.rencontre-outcome-corrected.v1")]
public sealed record RencontreOutcomeCorrected : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When it was planned to start, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>What was recorded before, such as "VISITEUR_ABSENT".</summary>
    public required string PreviousOutcome { get; init; }

    /// <summary>What really became of it, such as "HELD"; the same where only a presence was wrong.</summary>
    public required string Outcome { get; init; }
}

/// <summary>What became of the return of a remise was recorded.</summary>
[EntityName("mesure.remise-return-recorded.v1"), MessageUrn("mesure.remise-return-recorded.v1")]
public sealed record RemiseReturnRecorded : MesureEvent
{
    /// <summary>UUID of the rencontre.</summary>
    public required Guid RencontreId { get; init; }

    /// <summary>When the return was planned, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>What became of it, such as "HELD".</summary>
    public required string Outcome { get; init; }
}

/// <summary>
/// The time of a lost rencontre became free. <see cref="DomainEvent.AggregateId"/> is the slot. For the espace alone: what
/// became of another family's rencontre is no court's but its own.
/// </summary>
[EntityName("mesure.slot-freed.v1"), MessageUrn("mesure.slot-freed.v1")]
public sealed record SlotFreed : DomainEvent
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The lieu; absent when it is not known.</summary>
    public Guid? LieuId { get; init; }

    /// <summary>When it starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>How long it lasts, in minutes.</summary>
    public required int DurationMinutes { get; init; }

    /// <summary>Modalité of the lost rencontre, such as "VISITE"; absent when it is not known.</summary>
    public string? Modalite { get; init; }

    /// <summary>UUID of the rencontre that was lost.</summary>
    public required Guid RencontreId { get; init; }
}

/// <summary>A rencontre took a free slot. <see cref="DomainEvent.AggregateId"/> is the slot.</summary>
[EntityName("mesure.slot-taken.v1"), MessageUrn("mesure.slot-taken.v1")]
public sealed record SlotTaken : DomainEvent
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>When it starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>The mesure that took it.</summary>
    public required Guid MesureId { get; init; }

    /// <summary>UUID of the rencontre that took it.</summary>
    public required Guid RencontreId { get; init; }
}

/// <summary>
/// A free slot is offered: families wait that it fits. <see cref="DomainEvent.AggregateId"/> is the slot, whose version it repeats.
/// Who they are, in which order, is asked for (ListSlotCandidates); TakeFreeSlot takes it.
/// </summary>
[EntityName("mesure.slot-offered.v1"), MessageUrn("mesure.slot-offered.v1")]
public sealed record SlotOffered : DomainEvent
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The lieu; absent when it is not known.</summary>
    public Guid? LieuId { get; init; }

    /// <summary>When it starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }

    /// <summary>How long it lasts, in minutes.</summary>
    public required int DurationMinutes { get; init; }

    /// <summary>Modalité of the slot, such as "VISITE"; absent when it is not known.</summary>
    public string? Modalite { get; init; }

    /// <summary>How many mesures it fits, of the hundred that come first; from 1.</summary>
    public required int CandidateCount { get; init; }

    /// <summary>Until when it is offered, UTC; before it starts, so that parents can be told.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>
/// The offer of a slot expired and nobody took it. <see cref="DomainEvent.AggregateId"/> is the slot, whose version it repeats. It
/// may still be taken by hand until it starts.
/// </summary>
[EntityName("mesure.slot-offer-expired.v1"), MessageUrn("mesure.slot-offer-expired.v1")]
public sealed record SlotOfferExpired : DomainEvent
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>When the slot starts, UTC.</summary>
    public required DateTimeOffset StartsAt { get; init; }
}

/// <summary>An espace needs extra sessions and asked its gestionnaire. <see cref="DomainEvent.AggregateId"/> is the request.</summary>
[EntityName("mesure.sessions-requested.v1"), MessageUrn("mesure.sessions-requested.v1")]
public sealed record SessionsRequested : DomainEvent
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The modalité, such as "VISITE".</summary>
    public required string Modalite { get; init; }

    /// <summary>Extra sessions a week.</summary>
    public required int SessionsPerWeek { get; init; }

    /// <summary>Last day for which they are wanted.</summary>
    public required DateOnly Until { get; init; }
}

/// <summary>A request for extra sessions was answered. <see cref="DomainEvent.AggregateId"/> is the request.</summary>
[EntityName("mesure.sessions-answered.v1"), MessageUrn("mesure.sessions-answered.v1")]
public sealed record SessionsAnswered : DomainEvent
{
    /// <summary>The espace.</summary>
    public required Guid EspaceId { get; init; }

    /// <summary>The gestionnaire of the espace as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>The modalité, such as "VISITE".</summary>
    public required string Modalite { get; init; }

    /// <summary>"AGREED" or "DECLINED".</summary>
    public required string State { get; init; }
}

/// <summary>A difficulty was referred to the judge. Its reason is not told here: it may reveal violence or illness.</summary>
[EntityName("mesure.difficulty-reported.v1"), MessageUrn("mesure.difficulty-reported.v1")]
public sealed record DifficultyReported : MesureEvent
{
    /// <summary>UUID of the difficulty.</summary>
    public required Guid DifficultyId { get; init; }

    /// <summary>Whether it must be read at once.</summary>
    public required bool Urgent { get; init; }
}

/// <summary>The court acknowledged a difficulty.</summary>
[EntityName("mesure.difficulty-acknowledged.v1"), MessageUrn("mesure.difficulty-acknowledged.v1")]
public sealed record DifficultyAcknowledged : MesureEvent
{
    /// <summary>UUID of the difficulty.</summary>
    public required Guid DifficultyId { get; init; }
}

/// <summary>The judge answered a difficulty.</summary>
[EntityName("mesure.difficulty-answered.v1"), MessageUrn("mesure.difficulty-answered.v1")]
public sealed record DifficultyAnswered : MesureEvent
{
    /// <summary>UUID of the difficulty.</summary>
    public required Guid DifficultyId { get; init; }
}

/// <summary>The terms of a mesure were modified, by the judge or, where none ordered it, by agreement.</summary>
[EntityName("mesure.mesure-modified.v1"), MessageUrn("mesure.mesure-modified.v1")]
public sealed record MesureModified : TermsEvent
{
    /// <summary>Number of the new version of the terms.</summary>
    public required int DecisionVersion { get; init; }

    /// <summary>First day on which it holds.</summary>
    public required DateOnly EffectiveDate { get; init; }

    /// <summary>UUIDs of the scheduled rencontres that do not fit it; empty when all do.</summary>
    public required IReadOnlyList<Guid> ConflictingRencontreIds { get; init; }
}

/// <summary>The espace suspended the rencontres of a mesure. Why is referred to the judge as a difficulty.</summary>
[EntityName("mesure.mesure-suspended.v1"), MessageUrn("mesure.mesure-suspended.v1")]
public sealed record MesureSuspended : MesureEvent;

/// <summary>A suspended mesure goes on.</summary>
[EntityName("mesure.mesure-resumed.v1"), MessageUrn("mesure.mesure-resumed.v1")]
public sealed record MesureResumed : MesureEvent;

/// <summary>The espace proposed to the judge to close a mesure without follow-up. The reason is not told here.</summary>
[EntityName("mesure.closure-proposed.v1"), MessageUrn("mesure.closure-proposed.v1")]
public sealed record ClosureProposed : MesureEvent
{
    /// <summary>UUID of the difficulty as which it was referred.</summary>
    public required Guid DifficultyId { get; init; }
}

/// <summary>It was recorded that somebody outside was told of a difficulty. Who, and in which form, is not told here.</summary>
[EntityName("mesure.external-alert-recorded.v1"), MessageUrn("mesure.external-alert-recorded.v1")]
public sealed record ExternalAlertRecorded : MesureEvent
{
    /// <summary>UUID of the difficulty.</summary>
    public required Guid DifficultyId { get; init; }
}

/// <summary>A closing was taken back as a mistake: the mesure is where it stood before.</summary>
[EntityName("mesure.mesure-reopened.v1"), MessageUrn("mesure.mesure-reopened.v1")]
public sealed record MesureReopened : MesureEvent;

/// <summary>A mesure was closed. The reason is not told here.</summary>
[EntityName("mesure.mesure-closed.v1"), MessageUrn("mesure.mesure-closed.v1")]
public sealed record MesureClosed : MesureEvent;

/// <summary>
/// The espace of an open mesure, or the lieu of its rencontres, has no valid agrément any more. A warning: the mesure goes on
/// until its judge decides.
/// </summary>
[EntityName("mesure.agrement-retired.v1"), MessageUrn("mesure.agrement-retired.v1")]
public sealed record AgrementRetired : MesureEvent
{
    /// <summary>Last day on which the espace could be designated, or on which an agrément covered the lieu.</summary>
    public required DateOnly LastDay { get; init; }

    /// <summary>The lieu that alone is covered no more, while the espace keeps an agrément; absent when the espace has none.</summary>
    public Guid? LieuId { get; init; }
}

/// <summary>A transmission reached its espace: proof of delivery.</summary>
[EntityName("mesure.mesure-delivered.v1"), MessageUrn("mesure.mesure-delivered.v1")]
public sealed record MesureDelivered : MesureEvent
{
    /// <summary>Whether somebody else recorded it for an espace that is not connected.</summary>
    public required bool OnBehalf { get; init; }
}

/// <summary>
/// A deadline passed and the act is missing. No act itself: the version is the one that the mesure has. Told once for each due time.
/// </summary>
[EntityName("mesure.deadline-due.v1"), MessageUrn("mesure.deadline-due.v1")]
public sealed record DeadlineDue : MesureEvent
{
    /// <summary>What is missing, such as "ACKNOWLEDGE".</summary>
    public required string Deadline { get; init; }

    /// <summary>When it was due, UTC.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Who must act: "JURIDICTION" or "ESPACE".</summary>
    public required string MustAct { get; init; }

    /// <summary>Whether it goes beyond who must act: to the others of their organisation, and to the operator.</summary>
    public required bool Escalated { get; init; }

    /// <summary>Whether somebody may be in danger; absent from older versions.</summary>
    public bool? Urgent { get; init; }

    /// <summary>Who is reminded by it, such as "MUST_ACT" (<c>ReminderRung</c>); absent from older versions.</summary>
    public string? Rung { get; init; }

    /// <summary>Which reminder of that rung: 1, or the next where the same deadline had been lifted and runs again; absent from older versions.</summary>
    public int? Reminder { get; init; }
}

/// <summary>
/// A further reminder of a deadline that was told (<see cref="DeadlineDue"/>) and still is not met. No act itself: the version is
/// the one that the mesure has. Each is told once, to the one that is reminded.
/// </summary>
[EntityName("mesure.reminder-due.v1"), MessageUrn("mesure.reminder-due.v1")]
public sealed record ReminderDue : MesureEvent
{
    /// <summary>What is missing, such as "ACKNOWLEDGE".</summary>
    public required string Deadline { get; init; }

    /// <summary>When it was due, UTC.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Who must act: "JURIDICTION" or "ESPACE".</summary>
    public required string MustAct { get; init; }

    /// <summary>Whether somebody may be in danger.</summary>
    public required bool Urgent { get; init; }

    /// <summary>Who is reminded: "MUST_ACT", "COLLEAGUE", "MANAGER" (all of the organisation that must act) or "OPERATOR".</summary>
    public required string Rung { get; init; }

    /// <summary>Which reminder of this rung, from 1 to 3.</summary>
    public required int Reminder { get; init; }
}

/// <summary>
/// Nobody waits for a deadline any more that had been told: the act was done, or the mesure went another way. It is published with
/// the act; no reminder comes after it. No act itself: the version is the one that the mesure has.
/// </summary>
[EntityName("mesure.deadline-lifted.v1"), MessageUrn("mesure.deadline-lifted.v1")]
public sealed record DeadlineLifted : MesureEvent
{
    /// <summary>What was missing, such as "ACKNOWLEDGE".</summary>
    public required string Deadline { get; init; }

    /// <summary>When it was due, UTC.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Who had to act: "JURIDICTION" or "ESPACE".</summary>
    public required string MustAct { get; init; }

    /// <summary>Whether it had gone beyond who had to act, so that the operator knows of it.</summary>
    public required bool Escalated { get; init; }
}

/// <summary>The court attached the decision as a file, or a corrected one in its place.</summary>
[EntityName("mesure.decision-attached.v1"), MessageUrn("mesure.decision-attached.v1")]
public sealed record DecisionAttached : MesureEvent
{
    /// <summary>UUID of the file.</summary>
    public required Guid DocumentId { get; init; }

    /// <summary>Its length in bytes.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>SHA-256 of its bytes, 64 hexadecimal digits in lower case.</summary>
    public required string Sha256 { get; init; }
}

/// <summary>
/// Jafer erased what concerned persons in a mesure. Whoever holds something of it must erase the same: what is told once cannot be
/// taken back otherwise.
/// </summary>
[EntityName("mesure.mesure-purged.v1"), MessageUrn("mesure.mesure-purged.v1")]
public sealed record MesurePurged : MesureEvent
{
    /// <summary>"FILES": the files of the decision and the attachments of the thread; "CONTENT": everything that concerns persons.</summary>
    public required string Scope { get; init; }

    /// <summary>Why: "RETENTION", the time to keep it was over. Others may be added.</summary>
    public required string Reason { get; init; }
}

/// <summary>
/// No run of retention was finished for too long: what is kept no longer is not erased. Told once, until a run is finished again and
/// that one is too long ago. <see cref="DomainEvent.AggregateId"/> is the last run that was finished; while none ever was, the first.
/// </summary>
[EntityName("mesure.retention-overdue.v1"), MessageUrn("mesure.retention-overdue.v1")]
public sealed record RetentionOverdue : DomainEvent
{
    /// <summary>When that run began.</summary>
    public required DateTimeOffset LastRunAt { get; init; }
}

/// <summary>
/// Software of an espace that reported its mesures has been silent for longer than its own rhythm. Told once for each silence.
/// <see cref="DomainEvent.AggregateId"/> is the source: this software of this gestionnaire.
/// </summary>
[EntityName("mesure.source-silent.v1"), MessageUrn("mesure.source-silent.v1")]
public sealed record SourceSilent : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Name that the software gives itself, such as "planning".</summary>
    public required string SourceSystem { get; init; }

    /// <summary>Last day on which it reported, in Paris.</summary>
    public required DateOnly LastDay { get; init; }

    /// <summary>Days that nine in ten of its pauses did not pass; absent when it reported too seldom to say.</summary>
    public int? UsualDays { get; init; }
}

/// <summary>
/// The national survey (SSER) of a year was opened, and a gestionnaire is asked for its return. <see cref="DomainEvent.AggregateId"/> is
/// the return: this gestionnaire and this year.
/// </summary>
[EntityName("mesure.survey-opened.v1"), MessageUrn("mesure.survey-opened.v1")]
public sealed record SurveyOpened : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Calendar year that is asked about.</summary>
    public required int Year { get; init; }

    /// <summary>Last day on which the return is expected.</summary>
    public required DateOnly DueDate { get; init; }
}

/// <summary>
/// A gestionnaire is reminded that it has not validated its return for the national survey. <see cref="DomainEvent.AggregateId"/> is the
/// return. Whoever validated is not reminded.
/// </summary>
[EntityName("mesure.survey-reminder-due.v1"), MessageUrn("mesure.survey-reminder-due.v1")]
public sealed record SurveyReminderDue : DomainEvent
{
    /// <summary>The gestionnaire as an organisation.</summary>
    public required Guid GestionnaireId { get; init; }

    /// <summary>Calendar year that is asked about.</summary>
    public required int Year { get; init; }

    /// <summary>Last day on which the return is expected; may have passed.</summary>
    public required DateOnly DueDate { get; init; }
}
