using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// Where a mesure stands: the fold of its facts in the order of their versions. Nothing here is ever set by hand.
/// </summary>
/// <remarks>
/// Facts are ordered by version, the order in which each was found permissible; late news therefore move the milestones
/// (which keep business time) but never undo a state. The order of the list given to <see cref="Fold"/> does not matter.
/// </remarks>
internal sealed record MesureStatus
{
    /// <summary>Before the first fact.</summary>
    public static readonly MesureStatus Nothing = new();

    public MesureState State { get; init; }

    public Holder Holder { get; init; }

    /// <summary>Business time since which the holder must act.</summary>
    public DateTimeOffset HolderSince { get; init; }

    /// <summary>When Jafer learnt that; null where it was not noted.</summary>
    public DateTimeOffset? HolderRecordedAt { get; init; }

    /// <summary>Rencontres that are scheduled and have no outcome yet.</summary>
    public int PendingRencontres { get; init; }

    /// <summary>Whether a rencontre was ever scheduled: the pivot between "sans suite" and "interruption" (SSER).</summary>
    public bool EverScheduled { get; init; }

    public int OpenDifficulties { get; init; }

    public DateTimeOffset? TransmittedAt { get; init; }

    public DateTimeOffset? DeliveredAt { get; init; }

    public DateTimeOffset? RetrievedAt { get; init; }

    public DateTimeOffset? AcknowledgedAt { get; init; }

    public DateTimeOffset? ChargeTakenAt { get; init; }

    /// <summary>First attempt to reach a party, with or without success.</summary>
    public DateTimeOffset? FirstAttemptAt { get; init; }

    public DateTimeOffset? VisiteurContactAt { get; init; }

    public DateTimeOffset? HoteContactAt { get; init; }

    /// <summary>When a first interview was booked.</summary>
    public DateTimeOffset? InterviewBookedAt { get; init; }

    public DateTimeOffset? InterviewAt { get; init; }

    public DateTimeOffset? FirstSchedulingAt { get; init; }

    public DateTimeOffset? FirstPlannedRencontreAt { get; init; }

    public DateTimeOffset? FirstHeldRencontreAt { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Since when it is suspended; null unless it is.</summary>
    public DateTimeOffset? SuspendedAt { get; init; }

    /// <summary>How long it was suspended before: the clocks were paused for as long.</summary>
    public TimeSpan SuspendedFor { get; init; }

    /// <summary>Difficulties about a danger of which nobody outside was told yet.</summary>
    public int DangersUntold { get; init; }

    /// <summary>Where it stood before the last closing; unspecified when it never was closed.</summary>
    public MesureState StateBeforeClosing { get; init; }

    /// <summary>Who held it then.</summary>
    public Holder HolderBeforeClosing { get; init; }

    /// <summary>The espace that lost its agrément while it was the mesure's; null when none did.</summary>
    public Guid? AgrementEndedEspaceId { get; init; }

    /// <summary>Last day of that agrément.</summary>
    public DateOnly? AgrementEndedOn { get; init; }

    /// <summary>The lieu of the mesure that lost its agrément while the espace kept one; null when none did.</summary>
    public Guid? LieuEndedId { get; init; }

    /// <summary>Last day on which an agrément covered that lieu.</summary>
    public DateOnly? LieuEndedOn { get; init; }

    /// <summary>Where a mesure of which a rencontre may be scheduled stands by what is scheduled and was held.</summary>
    private MesureState ByRencontres => FirstHeldRencontreAt is not null ? MesureState.EnCours
        : PendingRencontres > 0 ? MesureState.Programmee : MesureState.EnAttente;

    private bool Contacted => VisiteurContactAt is not null || HoteContactAt is not null;

    /// <summary>The fold of facts, whatever their order in the list.</summary>
    public static MesureStatus Fold(IEnumerable<MesureFact> facts) =>
        facts.OrderBy(f => f.Version).Aggregate(Nothing, (status, fact) => status.Apply(fact));

    /// <summary>Whether an act is possible now.</summary>
    public bool Allows(MesureAct act) => Transitions.Find(State, act) is not null;

    /// <summary>The status after one more fact; the fact was found permissible when it was recorded.</summary>
    public MesureStatus Apply(MesureFact fact)
    {
        var next = Transitions.Find(State, fact.Act)
            ?? throw new InvalidOperationException($"{fact.Act} is not possible in {State}");
        var counted = Count(fact);
        var state = next.State ?? counted.ComputeState(fact.Act);
        // What was to come was released by the closing: whoever waited for it does so no longer.
        var holder = fact.Act == MesureAct.Reopen && state is not (MesureState.EnAttente or MesureState.Programmee or MesureState.EnCours)
            ? HolderBeforeClosing : counted.HolderIn(state, fact.Act);
        var moved = holder != Holder || state != State;
        return counted with
        {
            State = state,
            Holder = holder,
            HolderSince = moved ? fact.OccurredAt : HolderSince,
            HolderRecordedAt = moved ? fact.RecordedAt : HolderRecordedAt,
        };
    }

    private MesureStatus Count(MesureFact fact) => fact.Act switch
    {
        MesureAct.Transmit => this with { TransmittedAt = fact.OccurredAt },
        MesureAct.Deliver => this with { DeliveredAt = fact.OccurredAt },
        MesureAct.Retrieve => this with { RetrievedAt = Earliest(RetrievedAt, fact.OccurredAt) },
        MesureAct.Acknowledge or MesureAct.Register => this with { AcknowledgedAt = fact.OccurredAt },
        MesureAct.TakeCharge => this with { ChargeTakenAt = fact.OccurredAt },
        MesureAct.ContactReached when fact.Details.PartyRole == PartyRole.Visiteur => this with
        {
            VisiteurContactAt = Earliest(VisiteurContactAt, fact.OccurredAt),
            FirstAttemptAt = Earliest(FirstAttemptAt, fact.OccurredAt),
        },
        MesureAct.ContactReached => this with
        {
            HoteContactAt = Earliest(HoteContactAt, fact.OccurredAt),
            FirstAttemptAt = Earliest(FirstAttemptAt, fact.OccurredAt),
        },
        MesureAct.ContactAttempted => this with { FirstAttemptAt = Earliest(FirstAttemptAt, fact.OccurredAt) },
        MesureAct.BookInterview => this with { InterviewBookedAt = Earliest(InterviewBookedAt, fact.OccurredAt) },
        MesureAct.Interview => this with { InterviewAt = Earliest(InterviewAt, fact.OccurredAt) },
        MesureAct.ScheduleRencontre => this with
        {
            PendingRencontres = PendingRencontres + 1,
            EverScheduled = true,
            FirstSchedulingAt = Earliest(FirstSchedulingAt, fact.OccurredAt),
            FirstPlannedRencontreAt = FirstPlannedRencontreAt ?? fact.Details.StartsAt,
        },
        MesureAct.RencontreHeld => this with
        {
            PendingRencontres = PendingRencontres - 1,
            FirstHeldRencontreAt = Earliest(FirstHeldRencontreAt, fact.Details.StartsAt ?? fact.OccurredAt),
        },
        MesureAct.CorrectRencontreOutcome => this with { FirstHeldRencontreAt = fact.Details.FirstHeldAt },
        MesureAct.RencontreNotHeld or MesureAct.CancelRencontre or MesureAct.ReleaseRencontre => this with { PendingRencontres = PendingRencontres - 1 },
        MesureAct.ReportDifficulty or MesureAct.ProposeClosure => this with
        {
            OpenDifficulties = OpenDifficulties + 1,
            DangersUntold = DangersUntold + (fact.Details.Danger == true ? 1 : 0),
        },
        MesureAct.ExternalAlert => this with { DangersUntold = DangersUntold - (fact.Details.Danger == true ? 1 : 0) },
        MesureAct.AnswerDifficulty => this with { OpenDifficulties = OpenDifficulties - 1 },
        MesureAct.Suspend => this with { SuspendedAt = fact.OccurredAt },
        MesureAct.Resume => this with { SuspendedAt = null, SuspendedFor = SuspendedFor + SuspendedUntil(fact.OccurredAt) },
        MesureAct.Close or MesureAct.Revoke or MesureAct.Redesignate => this with
        {
            ClosedAt = fact.OccurredAt,
            StateBeforeClosing = State,
            HolderBeforeClosing = Holder,
        },
        MesureAct.Reopen => this with { ClosedAt = null },
        MesureAct.AgrementRetire when fact.Details.LieuId is { } lieu => this with { LieuEndedId = lieu, LieuEndedOn = fact.Details.LastDay },
        MesureAct.AgrementRetire => this with { AgrementEndedEspaceId = fact.Details.EspaceId, AgrementEndedOn = fact.Details.LastDay },
        _ => this,
    };

    private MesureState ComputeState(MesureAct act) => act switch
    {
        // A family may have called before the espace took charge.
        MesureAct.TakeCharge => Contacted ? MesureState.EnAttente : MesureState.PriseEnCharge,
        MesureAct.RencontreNotHeld or MesureAct.CancelRencontre => PendingRencontres > 0 ? MesureState.Programmee : MesureState.EnAttente,
        MesureAct.Resume or MesureAct.CorrectRencontreOutcome => ByRencontres,
        // What was still to come was released by the closing, and what had begun may have been recorded since.
        MesureAct.Reopen => StateBeforeClosing is MesureState.EnAttente or MesureState.Programmee or MesureState.EnCours ? ByRencontres : StateBeforeClosing,
        _ => throw new InvalidOperationException($"the table does not say where {act} leads"),
    };

    private Holder HolderIn(MesureState state, MesureAct act) => state switch
    {
        MesureState.Ordonnee or MesureState.Completee or MesureState.PrecisionDemandee => Holder.Juridiction,
        // The espace calls first; once it has tried in vain, the family must come forward.
        MesureState.PriseEnCharge => act == MesureAct.ContactAttempted ? Holder.Famille
            : act == MesureAct.TakeCharge ? Holder.Espace : Holder,
        MesureState.Programmee => Holder.Famille,
        MesureState.EnCours => PendingRencontres > 0 ? Holder.Famille : Holder.Espace,
        // What suspended it waits for the judge; one that no judge ordered was never transmitted.
        MesureState.Suspendue => OpenDifficulties > 0 && TransmittedAt is not null ? Holder.Juridiction : Holder.Espace,
        MesureState.Cloturee => Holder.Personne,
        _ => Holder.Espace,
    };

    // Late news may resume before they suspend: then nothing was paused.
    private TimeSpan SuspendedUntil(DateTimeOffset resumed) => SuspendedAt is { } since && resumed > since ? resumed - since : TimeSpan.Zero;

    private static DateTimeOffset Earliest(DateTimeOffset? known, DateTimeOffset other) => known is { } k && k < other ? k : other;
}
