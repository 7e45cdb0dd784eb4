using System.Collections.Frozen;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>
/// Which act is possible in which state, as data. An act without a row for the state is refused. Where the table says
/// <see cref="Next.Computed"/>, <see cref="MesureStatus"/> finds the next state from what happened before.
/// </summary>
/// <remarks>
/// The enums are those of the contract: one word for one thing in proto, code, database and docs.
/// </remarks>
internal static class Transitions
{
    private const MesureState None = MesureState.Unspecified;

    private static readonly MesureState[] s_open =
    [
        MesureState.Ordonnee, MesureState.Completee, MesureState.Transmise, MesureState.Recue, MesureState.PrecisionDemandee,
        MesureState.PriseEnCharge, MesureState.EnAttente, MesureState.Programmee, MesureState.EnCours, MesureState.Suspendue,
    ];

    private static readonly MesureState[] s_transmitted = [.. s_open.Except([MesureState.Ordonnee, MesureState.Completee])];

    private static readonly FrozenDictionary<(MesureState From, MesureAct Act), Next> s_table = new (MesureState From, MesureAct Act, Next To)[]
    {
        (None, MesureAct.Create, MesureState.Ordonnee),
        (None, MesureAct.Register, MesureState.Recue),
        (MesureState.Ordonnee, MesureAct.Update, MesureState.Ordonnee),
        (MesureState.Completee, MesureAct.Update, MesureState.Ordonnee),
        (MesureState.Ordonnee, MesureAct.Complete, MesureState.Completee),
        (MesureState.Completee, MesureAct.Transmit, MesureState.Transmise),

        (MesureState.Transmise, MesureAct.Acknowledge, MesureState.Recue),
        (MesureState.Recue, MesureAct.RequestInformation, MesureState.PrecisionDemandee),
        (MesureState.PrecisionDemandee, MesureAct.ProvideInformation, MesureState.Recue),
        (MesureState.Recue, MesureAct.TakeCharge, Next.Computed),
        (MesureState.PriseEnCharge, MesureAct.ContactReached, MesureState.EnAttente),

        (MesureState.EnAttente, MesureAct.ScheduleRencontre, MesureState.Programmee),
        (MesureState.Programmee, MesureAct.ScheduleRencontre, MesureState.Programmee),
        (MesureState.EnCours, MesureAct.ScheduleRencontre, MesureState.EnCours),
        (MesureState.Programmee, MesureAct.RencontreHeld, MesureState.EnCours),
        (MesureState.EnCours, MesureAct.RencontreHeld, MesureState.EnCours),
        (MesureState.Programmee, MesureAct.RencontreNotHeld, Next.Computed),
        (MesureState.EnCours, MesureAct.RencontreNotHeld, MesureState.EnCours),

        (MesureState.Programmee, MesureAct.Suspend, MesureState.Suspendue),
        (MesureState.EnCours, MesureAct.Suspend, MesureState.Suspendue),
        (MesureState.Suspendue, MesureAct.Resume, Next.Computed),
        (MesureState.Suspendue, MesureAct.RencontreHeld, MesureState.Suspendue),
        (MesureState.Suspendue, MesureAct.RencontreNotHeld, MesureState.Suspendue),

        (MesureState.Programmee, MesureAct.CancelRencontre, Next.Computed),
        (MesureState.EnCours, MesureAct.CancelRencontre, MesureState.EnCours),
        (MesureState.Suspendue, MesureAct.CancelRencontre, MesureState.Suspendue),
        (MesureState.Cloturee, MesureAct.ReleaseRencontre, MesureState.Cloturee),

        // What had begun before the closing may have been held, and a mistake be found afterwards.
        (MesureState.Cloturee, MesureAct.RencontreHeld, MesureState.Cloturee),
        (MesureState.Cloturee, MesureAct.RencontreNotHeld, MesureState.Cloturee),
        (MesureState.Cloturee, MesureAct.CorrectRencontreOutcome, MesureState.Cloturee),
        (MesureState.EnAttente, MesureAct.CorrectRencontreOutcome, Next.Computed),
        (MesureState.Programmee, MesureAct.CorrectRencontreOutcome, Next.Computed),
        (MesureState.EnCours, MesureAct.CorrectRencontreOutcome, Next.Computed),
        (MesureState.Suspendue, MesureAct.CorrectRencontreOutcome, MesureState.Suspendue),

        (MesureState.Cloturee, MesureAct.Reopen, Next.Computed),
        (MesureState.Cloturee, MesureAct.ExternalAlert, MesureState.Cloturee),
        (MesureState.Cloturee, MesureAct.Purge, MesureState.Cloturee),
    }
        .Concat(Staying(MesureAct.ConfirmRencontre, MesureState.Programmee, MesureState.EnCours))
        .Concat(Staying(MesureAct.MoveRencontre, MesureState.Programmee, MesureState.EnCours))
        .Concat(Staying(MesureAct.RecordRemiseReturn, MesureState.EnCours, MesureState.Suspendue, MesureState.Cloturee))
        .Concat(Staying(MesureAct.ContactReached, [.. s_transmitted.Except([MesureState.Transmise, MesureState.PriseEnCharge])]))
        .Concat(Staying(MesureAct.ContactAttempted, [.. s_transmitted.Except([MesureState.Transmise])]))
        .Concat(Staying(MesureAct.Interview, [.. s_transmitted.Except([MesureState.Transmise])]))
        .Concat(Staying(MesureAct.ProposeClosure, MesureState.Recue, MesureState.PrecisionDemandee, MesureState.PriseEnCharge, MesureState.EnAttente))
        .Concat(new[]
        {
            MesureAct.Retrieve, MesureAct.ReportDifficulty, MesureAct.AcknowledgeDifficulty, MesureAct.AnswerDifficulty, MesureAct.ExternalAlert, MesureAct.Modify,
            MesureAct.Deliver, MesureAct.BookInterview, MesureAct.ReleaseInterview,
        }.SelectMany(act => Staying(act, s_transmitted)))
        .Concat(s_open.Select(from => (From: from, Act: MesureAct.Close, To: (Next)MesureState.Cloturee)))
        .Concat(s_open.Select(from => (From: from, Act: MesureAct.Revoke, To: (Next)MesureState.Cloturee)))
        .Concat(s_transmitted.Select(from => (From: from, Act: MesureAct.Redesignate, To: (Next)MesureState.Cloturee)))
        .Concat(Staying(MesureAct.AgrementRetire, s_open))
        .Concat(Staying(MesureAct.AttachDecision, s_open))
        .ToFrozenDictionary(row => (row.From, row.Act), row => row.To);

    /// <summary>Every row.</summary>
    public static IEnumerable<(MesureState From, MesureAct Act, Next To)> Rows => s_table.Select(row => (row.Key.From, row.Key.Act, row.Value));

    /// <summary>The row of an act in a state; null when the act is not possible there.</summary>
    public static Next? Find(MesureState from, MesureAct act) => s_table.TryGetValue((from, act), out var next) ? next : null;

    private static IEnumerable<(MesureState From, MesureAct Act, Next To)> Staying(MesureAct act, params MesureState[] states) =>
        states.Select(state => (state, act, (Next)state));

    /// <summary>What an act leads to: a state, or one that follows from what happened before.</summary>
    /// <param name="State">The state; null when it is computed.</param>
    internal readonly record struct Next(MesureState? State)
    {
        /// <summary>The next state follows from what happened before.</summary>
        public static readonly Next Computed = new((MesureState?)null);

        public static implicit operator Next(MesureState state) => new(state);
    }
}
