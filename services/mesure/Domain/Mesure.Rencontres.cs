using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>What a booking says beyond time, length and lieu.</summary>
internal sealed record BookingTerms
{
    /// <summary>A visite of which nothing more is said.</summary>
    public static readonly BookingTerms None = new();

    public RencontreKind Kind { get; init; } = RencontreKind.Visite;

    /// <summary>Start of the return of a remise.</summary>
    public DateTimeOffset? ReturnsAt { get; init; }

    public bool Outing { get; init; }

    /// <summary>Modalité in force on the day; null for that of the latest terms.</summary>
    public Modalite? Modalite { get; init; }

    public Arrivals Arrivals { get; init; } = Arrivals.Together;

    /// <summary>The free slot that it takes.</summary>
    public Guid? FreeSlotId { get; init; }

    /// <summary>Whether it goes beyond the declared capacity.</summary>
    public bool OverCapacity { get; init; }
}

/// <summary>What becomes of booked rencontres.</summary>
internal sealed partial class Mesure
{
    /// <summary>Whether an espace has it to plan for: from the transmission to the closing.</summary>
    public bool Plannable => GestionnaireId is not null && Status.ClosedAt is null;

    /// <summary>Refuses what no booking could do in this state.</summary>
    public void RequireBookable() => Require(MesureAct.ScheduleRencontre);

    /// <summary>Refuses a plan of rencontres where no espace has the mesure.</summary>
    public void RequirePlannable()
    {
        if (!Plannable)
        {
            throw DomainError.StateForbids(Status.State.ToCode(), MesureAct.ScheduleRencontre.ToCode());
        }
    }

    /// <summary>Refuses to move what has an outcome or has begun.</summary>
    public void RequireMovable(Rencontre rencontre, Acting acting)
    {
        RequireScheduled(rencontre, MesureAct.MoveRencontre);
        RequireBefore(rencontre, MesureAct.MoveRencontre, acting);
    }

    /// <summary>A side confirms a rencontre.</summary>
    public void ConfirmRencontre(Rencontre rencontre, PartyRole by, Acting acting)
    {
        RequireScheduled(rencontre, MesureAct.ConfirmRencontre);
        if ((by == PartyRole.Hote ? rencontre.HoteConfirmedAt : rencontre.VisiteurConfirmedAt) is not null)
        {
            throw Refused(MesureAct.ConfirmRencontre, "this side has confirmed it already");
        }

        if (by == PartyRole.Hote)
        {
            rencontre.HoteConfirmedAt = acting.OccurredAt;
        }
        else
        {
            rencontre.VisiteurConfirmedAt = acting.OccurredAt;
        }

        Add(MesureAct.ConfirmRencontre, acting, new FactDetails { RencontreId = rencontre.Id, StartsAt = rencontre.StartsAt, PartyRole = by });
    }

    /// <summary>A rencontre is cancelled before it starts.</summary>
    /// <param name="rencontre">The rencontre.</param>
    /// <param name="outcome">By whom, as an outcome.</param>
    /// <param name="otherPending">Starts of what else has no outcome yet.</param>
    /// <param name="acting">Who and when.</param>
    public void CancelRencontre(Rencontre rencontre, RencontreOutcome outcome, IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting)
    {
        RequireScheduled(rencontre, MesureAct.CancelRencontre);
        RequireBefore(rencontre, MesureAct.CancelRencontre, acting);
        rencontre.Lose(outcome, acting.OccurredAt);
        Add(MesureAct.CancelRencontre, acting, new FactDetails
        {
            RencontreId = rencontre.Id,
            StartsAt = rencontre.StartsAt,
            Outcome = outcome,
            NoticeMinutes = rencontre.NoticeMinutes(),
        });
        WaitFor(otherPending);
    }

    /// <summary>A rencontre is moved: the old one stays on record and names the new one.</summary>
    /// <param name="rencontre">The rencontre.</param>
    /// <param name="planned">As it shall be.</param>
    /// <param name="terms">What else the booking says.</param>
    /// <param name="otherPending">Starts of what else has no outcome yet.</param>
    /// <param name="acting">Who and when.</param>
    /// <returns>The new one.</returns>
    public Rencontre MoveRencontre(Rencontre rencontre, PlannedRencontre planned, BookingTerms terms, IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting)
    {
        RequireMovable(rencontre, acting);
        var moved = Book(planned.StartsAt, planned.Minutes, planned.Zone, planned.LieuId, terms, MesureAct.MoveRencontre, acting, rencontre.Id);
        rencontre.Lose(RencontreOutcome.Moved, acting.OccurredAt);
        rencontre.MovedToId = moved.Id;
        Add(MesureAct.MoveRencontre, acting, new FactDetails
        {
            RencontreId = moved.Id,
            StartsAt = moved.StartsAt,
            DurationMinutes = moved.DurationMinutes,
            PreviousRencontreId = rencontre.Id,
            PreviousStartsAt = rencontre.StartsAt,
        });
        WaitFor([.. otherPending, moved.StartsAt]);
        return moved;
    }

    /// <summary>The espace records what became of the return of a remise.</summary>
    public void RecordReturn(Rencontre remise, RencontreOutcome outcome, IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting)
    {
        Require(MesureAct.RecordRemiseReturn);
        if (remise.ReturnOutcome != RencontreOutcome.Scheduled || remise.Outcome != RencontreOutcome.Held)
        {
            throw Refused(MesureAct.RecordRemiseReturn, "no return of a handover that was held is waited for");
        }

        if (outcome == RencontreOutcome.Held && acting.OccurredAt < remise.StartsAt)
        {
            throw Refused(MesureAct.RecordRemiseReturn, "the remise has not begun yet");
        }

        remise.ReturnOutcome = outcome;
        Add(MesureAct.RecordRemiseReturn, acting, new FactDetails { RencontreId = remise.Id, StartsAt = remise.ReturnsAt, Outcome = outcome });
        WaitFor(otherPending);
    }

    /// <summary>What was recorded of a rencontre was a mistake: what is right takes its place, and what was said before stays in the history.</summary>
    /// <param name="rencontre">The rencontre.</param>
    /// <param name="outcome">What really became of it; the same where only a presence was wrong.</param>
    /// <param name="visiteurPresent">Whether the visiteur came.</param>
    /// <param name="presentChildIds">Children who came.</param>
    /// <param name="firstHeldBeside">The first of the other rencontres that were held; null when none was.</param>
    /// <param name="otherPending">Starts of what else has no outcome yet.</param>
    /// <param name="acting">Who and when.</param>
    /// <param name="returnOutcome">What really became of the return of a remise, which was recorded too; unspecified leaves it.</param>
    public void CorrectOutcome(
        Rencontre rencontre, RencontreOutcome outcome, bool visiteurPresent, Guid[] presentChildIds, Rencontre? firstHeldBeside,
        IReadOnlyCollection<DateTimeOffset> otherPending, Acting acting, RencontreOutcome returnOutcome = RencontreOutcome.Unspecified)
    {
        Require(MesureAct.CorrectRencontreOutcome);
        if (!rencontre.HasOutcome)
        {
            throw Refused(MesureAct.CorrectRencontreOutcome, "no outcome of the rencontre was recorded");
        }

        var held = outcome == RencontreOutcome.Held;
        if (held && rencontre.Outcome != RencontreOutcome.Held)
        {
            RequireHoldable(rencontre, MesureAct.CorrectRencontreOutcome, acting);
        }

        if (returnOutcome != RencontreOutcome.Unspecified
            && !(held && rencontre is { Outcome: RencontreOutcome.Held, ReturnOutcome: not (RencontreOutcome.Unspecified or RencontreOutcome.Scheduled) }))
        {
            throw Refused(MesureAct.CorrectRencontreOutcome, "no outcome of the return of a handover that was held was recorded");
        }

        var before = rencontre.Recorded();
        rencontre.Correct(outcome);
        rencontre.ReturnOutcome = returnOutcome == RencontreOutcome.Unspecified ? rencontre.ReturnOutcome : returnOutcome;
        rencontre.VisiteurPresent = visiteurPresent;
        rencontre.PresentChildIds = presentChildIds;
        var first = held && !(firstHeldBeside?.StartsAt < rencontre.StartsAt) ? rencontre : firstHeldBeside;
        Add(MesureAct.CorrectRencontreOutcome, acting, new FactDetails
        {
            RencontreId = rencontre.Id,
            StartsAt = rencontre.StartsAt,
            Outcome = outcome,
            FirstHeldAt = first?.StartsAt,
            Before = before,
        });
        WaitFor([.. otherPending, .. rencontre.PendingStart() is { } back ? [back] : (DateTimeOffset[])[]]);
        Term = Decision.Term(first?.Day);
    }

    /// <summary>A rencontre that was still to come when the mesure was closed: it will not be held, and no longer counts as scheduled.</summary>
    public void ReleaseRencontre(Rencontre rencontre, Acting acting)
    {
        RequireScheduled(rencontre, MesureAct.ReleaseRencontre);
        rencontre.Lose(RencontreOutcome.MesureClosed, acting.OccurredAt);
        Add(MesureAct.ReleaseRencontre, acting, new FactDetails
        {
            RencontreId = rencontre.Id,
            StartsAt = rencontre.StartsAt,
            Outcome = RencontreOutcome.MesureClosed,
            NoticeMinutes = rencontre.NoticeMinutes(),
        }, byJafer: true);
    }

    /// <summary>What is waited for now. A closed mesure waits for nothing.</summary>
    private void WaitFor(IEnumerable<DateTimeOffset> starts)
    {
        PendingStarts = Status.ClosedAt is null ? [.. starts.Distinct().Order().Take(MostPendingStarts)] : [];
        NextRencontreAt = PendingStarts.Length == 0 ? null : PendingStarts[0];
    }

    private void RequireHoldable(Rencontre rencontre, MesureAct act, Acting acting)
    {
        if (rencontre.StartsAt >= Status.SuspendedAt)
        {
            throw Refused(act, "the rencontre lies in the suspension");
        }

        if (rencontre.StartsAt >= Status.ClosedAt)
        {
            throw Refused(act, "the rencontre lies after the closing");
        }

        if (acting.OccurredAt < rencontre.StartsAt)
        {
            throw Refused(act, "the rencontre has not begun yet");
        }
    }

    private Rencontre Book(
        DateTimeOffset startsAt, int durationMinutes, TimeZoneInfo zone, Guid? lieuId, BookingTerms terms, MesureAct act, Acting acting, Guid? movedFrom = null)
    {
        Require(act);
        var day = zone.DayOf(terms.ReturnsAt ?? startsAt);
        if (Term is { } term && day > term)
        {
            throw Refused(act, "the rencontre lies after the term of the mesure");
        }

        return new Rencontre
        {
            Id = NewId(acting),
            MesureId = Id,
            EspaceId = EspaceId,
            Kind = terms.Kind,
            StartsAt = startsAt,
            DurationMinutes = durationMinutes,
            TimeZone = zone.Id,
            LieuId = lieuId,
            Modalite = terms.Modalite ?? Decision.Modalite,
            Outing = terms.Outing,
            Arrivals = terms.Arrivals,
            ReturnsAt = terms.ReturnsAt,
            ReturnOutcome = terms.ReturnsAt is null ? RencontreOutcome.Unspecified : RencontreOutcome.Scheduled,
            FreeSlotId = terms.FreeSlotId,
            OverCapacity = terms.OverCapacity,
            MovedFromId = movedFrom,
        };
    }

    private void RequireScheduled(Rencontre rencontre, MesureAct act)
    {
        Require(act);
        if (rencontre.Outcome != RencontreOutcome.Scheduled)
        {
            throw Refused(act, "the rencontre has an outcome already");
        }
    }

    private void RequireBefore(Rencontre rencontre, MesureAct act, Acting acting)
    {
        if (acting.OccurredAt >= rencontre.StartsAt)
        {
            throw Refused(act, "the rencontre has begun: what became of it is an outcome");
        }
    }

    private DomainError Refused(MesureAct act, string because) => DomainError.StateForbids(Status.State.ToCode(), act.ToCode(), because);
}
