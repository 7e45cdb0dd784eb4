using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Mesures.Domain;

/// <summary>Something in which a booked rencontre does not fit a decision.</summary>
/// <param name="RencontreId">The rencontre.</param>
/// <param name="Code">Stable code, one of <see cref="RencontreConflicts"/>.</param>
internal readonly record struct RencontreConflict(Guid RencontreId, string Code);

/// <summary>
/// In what booked rencontres do not fit a decision, such as one that modified the mesure after they were booked. Pure; what is
/// found stops nothing: the espace moves or cancels.
/// </summary>
internal static class RencontreConflicts
{
    /// <summary>The rencontre lies after the term.</summary>
    public const string AfterTerm = "AFTER_TERM";

    /// <summary>It was booked under another modalité.</summary>
    public const string ModaliteDiffers = "MODALITE_DIFFERS";

    /// <summary>It leaves the premises and the decision grants no outing.</summary>
    public const string OutingNotGranted = "OUTING_NOT_GRANTED";

    /// <summary>It is longer or shorter than the decision says.</summary>
    public const string LengthDiffers = "LENGTH_DIFFERS";

    /// <summary>The rencontres before it in its interval are all that the periodicity allows.</summary>
    public const string TooFrequent = "TOO_FREQUENT";

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
            var day = TimeZoneInfo.FindSystemTimeZoneById(rencontre.TimeZone).DayOf(rencontre.StartsAt);
            anchor ??= day;
            var inInterval = 0;
            if (cadence is { } known)
            {
                var interval = known.IntervalOf(day, anchor.Value);
                counts[interval] = inInterval = counts.GetValueOrDefault(interval) + 1;
            }

            if (rencontre.Outcome == RencontreOutcome.Scheduled)
            {
                Add(day > term, AfterTerm);
                Add(Differs(rencontre.Modalite, decision.Modalite), ModaliteDiffers);
                Add(rencontre.Outing && !decision.OutingGranted, OutingNotGranted);
                Add(decision.RencontreMinutes is { } minutes && minutes != rencontre.DurationMinutes, LengthDiffers);
                Add(inInterval > cadence?.Count, TooFrequent);
            }

            void Add(bool found, string code)
            {
                if (found)
                {
                    conflicts.Add(new RencontreConflict(rencontre.Id, code));
                }
            }
        }

        return conflicts;
    }

    // What one of the two does not say is no conflict.
    private static bool Differs(Contracts.Type.V1.Modalite booked, Contracts.Type.V1.Modalite ordered) => booked != ordered && booked != default && ordered != default;
}
