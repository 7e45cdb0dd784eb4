using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>A reason to close a mesure, and since when there is one.</summary>
internal readonly record struct ProposedEnd(ClosureReason Reason, DateTimeOffset Since);

/// <summary>Which open mesures may be closed, by the deadlines that they missed. A proposal: nothing is closed by itself. Pure.</summary>
internal static class ClosureProposals
{
    /// <summary>The deadlines after which a place in the queue is stale.</summary>
    public static readonly DeadlineKind[] Kinds = [DeadlineKind.ContactDeadline, DeadlineKind.TermPassed];

    /// <summary>The proposal for a mesure; null for none.</summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="kind">The deadline that it missed.</param>
    /// <param name="dueAt">When that was due.</param>
    public static ProposedEnd? Of(Mesure mesure, DeadlineKind kind, DateTimeOffset dueAt) => (mesure.Status.ClosedAt, kind) switch
    {
        (null, DeadlineKind.TermPassed) => new(ClosureReason.ArriveeATerme, dueAt),
        (null, DeadlineKind.ContactDeadline) => new(
            (mesure.Status.HoteContactAt, mesure.Status.VisiteurContactAt) switch
            {
                (null, null) => ClosureReason.SansSuiteAbsenceDeContactDesDeux,
                (null, _) => ClosureReason.SansSuiteAbsenceDeContactHote,
                _ => ClosureReason.SansSuiteAbsenceDeContactVisiteur,
            }, dueAt),
        _ => null,
    };
}
