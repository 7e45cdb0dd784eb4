using Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Domain;

/// <summary>Why a scheduled rencontre is likely lost.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Absences">Rencontres in a row that the side missed; 0 for a suspension.</param>
/// <param name="Since">Start of the last one missed, or the suspension.</param>
internal readonly record struct Doubt(DoubtReason Reason, int Absences, DateTimeOffset Since);

/// <summary>
/// Which scheduled rencontres are likely lost, as data: nothing is freed by it, the espace is told whom to ask. Two absences without
/// notice in a row are Jafer's own measure: one in five rencontres is lost anyhow (SSER), a second one running is a habit.
/// </summary>
internal static class RencontreDoubts
{
    /// <summary>Days ahead for which it is worth asking: what is freed later is seen by the next look.</summary>
    public const int DaysAhead = 28;

    private static readonly (DoubtReason Reason, RencontreOutcome Absence, int InARow, Func<Rencontre, DateTimeOffset?> Confirmed)[] s_rows =
    [
        (DoubtReason.VisiteurAbsences, RencontreOutcome.VisiteurAbsent, 2, r => r.VisiteurConfirmedAt),
        (DoubtReason.HoteAbsences, RencontreOutcome.HoteAbsent, 2, r => r.HoteConfirmedAt),
    ];

    /// <summary>The doubt about a rencontre that is scheduled; null for none.</summary>
    /// <param name="rencontre">The rencontre.</param>
    /// <param name="own">All rencontres of its mesure.</param>
    /// <param name="suspendedAt">Since when the mesure is suspended; null when it is not.</param>
    public static Doubt? Of(Rencontre rencontre, IEnumerable<Rencontre> own, DateTimeOffset? suspendedAt)
    {
        if (suspendedAt is { } suspended)
        {
            return new(DoubtReason.Suspended, 0, suspended);
        }

        // What was cancelled in time or moved says nothing of whether somebody comes.
        var past = own.Where(r => r.StartsAt < rencontre.StartsAt && r.Outcome is RencontreOutcome.Held or RencontreOutcome.VisiteurAbsent or RencontreOutcome.HoteAbsent)
            .OrderByDescending(r => r.StartsAt).ToList();
        foreach (var (reason, absence, inARow, confirmed) in s_rows)
        {
            var missed = past.TakeWhile(r => r.Outcome == absence).Count();
            if (missed >= inARow && confirmed(rencontre) is null)
            {
                return new(reason, missed, past[0].StartsAt);
            }
        }

        return null;
    }
}
