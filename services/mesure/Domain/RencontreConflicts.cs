using Jafer.Contracts.Mesure.V1;
using Code = Jafer.Contracts.Mesure.V1.RencontreConflictCode;

namespace Jafer.Mesures.Domain;

/// <summary>Something in which a booked rencontre does not fit a decision.</summary>
/// <param name="Rencontre">The rencontre.</param>
/// <param name="Code">What does not fit.</param>
internal readonly record struct RencontreConflict(Rencontre Rencontre, Code Code);

/// <summary>
/// In what booked rencontres do not fit a decision, such as one that modified the mesure after they were booked. Pure; what is
/// found stops nothing: the espace moves or cancels.
/// </summary>
internal static class RencontreConflicts
{
    /// <summary>
    /// The conflicts with the terms in force on the day of each rencontre, by their start. Terms that were never modified were
    /// looked at when it was booked; only a term that begins with the first rencontre was not known then.
    /// </summary>
    /// <param name="versions">All versions of the terms; empty while they were never modified.</param>
    /// <param name="unmodified">The terms of a mesure without versions.</param>
    /// <param name="term">Last day of the mesure; null while it cannot be known.</param>
    /// <param name="rencontres">Those still scheduled.</param>
    public static IReadOnlyList<RencontreConflict> Of(
        IReadOnlyCollection<DecisionVersion> versions, Decision unmodified, DateOnly? term, IEnumerable<Rencontre> rencontres) =>
        [.. rencontres.GroupBy(r => versions.InForceOn(r.Day, unmodified)).SelectMany(g => Of(g.Key, term, g))
            .Where(c => versions.Count > 0 || c.Code == Code.Term).OrderBy(c => c.Rencontre.StartsAt)];

    /// <summary>The conflicts, in the order of the rencontres' starts; several of one rencontre are told one by one.</summary>
    /// <param name="decision">The decision as it holds for them.</param>
    /// <param name="term">Last day of the mesure; null while it cannot be known.</param>
    /// <param name="rencontres">
    /// The future ones; only those still scheduled are looked at. Held ones may be given too: they count in the periodicity.
    /// </param>
    public static IReadOnlyList<RencontreConflict> Of(Decision decision, DateOnly? term, IEnumerable<Rencontre> rencontres)
    {
        var conflicts = new List<RencontreConflict>();
        var cadence = Cadence.Of(decision);
        var counts = new Dictionary<int, int>();
        DateOnly? anchor = null;
        foreach (var rencontre in rencontres.Where(r => r.Outcome is RencontreOutcome.Scheduled or RencontreOutcome.Held).OrderBy(r => r.StartsAt).ThenBy(r => r.Id))
        {
            var day = rencontre.Day;
            anchor ??= day;
            var inInterval = 0;
            if (cadence is { } known)
            {
                var interval = known.IntervalOf(day, anchor.Value);
                counts[interval] = inInterval = counts.GetValueOrDefault(interval) + 1;
            }

            if (rencontre.Outcome == RencontreOutcome.Scheduled)
            {
                Add(day > term, Code.Term);
                Add(Differs(rencontre.Modalite, decision.Modalite), Code.Modalite);
                Add(rencontre.Outing && !decision.OutingGranted, Code.Outing);
                Add(rencontre.Kind == RencontreKind.Remise && !decision.GrantsRemises, Code.Remise);
                Add(!rencontre.Arrivals.Separated && Arrivals.MustBeSeparated(decision), Code.Separation);
                Add(rencontre.Kind == RencontreKind.Visite && decision.RencontreMinutes is { } minutes && minutes != rencontre.DurationMinutes, Code.Length);
                Add(inInterval > cadence?.Count, Code.Frequency);
            }

            void Add(bool found, Code code)
            {
                if (found)
                {
                    conflicts.Add(new RencontreConflict(rencontre, code));
                }
            }
        }

        return conflicts;
    }

    // What one of the two does not say is no conflict.
    private static bool Differs(Contracts.Type.V1.Modalite booked, Contracts.Type.V1.Modalite ordered) => booked != ordered && booked != default && ordered != default;
}
