using Jafer.Delays;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Domain;

/// <summary>A mesure that a court transmitted, as far as the wait for its first rencontre goes. Days are numbers; 0 is not yet.</summary>
/// <param name="TransmittedOn">Day on which it came.</param>
/// <param name="HeldOn">Day of its first rencontre held.</param>
/// <param name="ClosedOn">Day on which it was closed.</param>
internal readonly record struct FollowedMesure(int TransmittedOn, int HeldOn, int ClosedOn);

/// <summary>A wait as it was observed, in days from the transmission to the first rencontre held.</summary>
/// <param name="Median">By when half of the mesures had it.</param>
/// <param name="P80">By when eight in ten had; null when that is not known yet.</param>
/// <param name="P90">By when nine in ten had; null when that is not known yet.</param>
/// <param name="Mesures">Mesures behind the figures.</param>
/// <param name="From">First day of the transmissions that count.</param>
/// <param name="To">Last day of them.</param>
internal sealed record ObservedFigures(int Median, int? P80, int? P90, int Mesures, DateOnly From, DateOnly To);

/// <summary>
/// The wait that Jafer observes itself, beside the one that an espace declares: by the product-limit estimator, as delays are,
/// so that those who still wait make it no shorter.
/// </summary>
internal static class ObservedWaits
{
    /// <summary>Name of the method.</summary>
    public const string Method = "product-limit-24-months";

    /// <summary>Months of transmissions that count: a wait of a year is still seen, and an old one is forgotten.</summary>
    public const int Months = 24;

    /// <summary>First rencontres that must have been seen: fewer are small cells, which tell of families.</summary>
    public const int LeastHeld = 5;

    /// <summary>The wait as it is known on a day; null while too little is.</summary>
    /// <param name="mesures">The mesures, in any order.</param>
    /// <param name="today">The day.</param>
    public static ObservedFigures? Of(IReadOnlyCollection<FollowedMesure> mesures, DateOnly today)
    {
        if (mesures.Count < LeastHeld)
            return null;
        var from = today.AddMonths(-Months).AddDays(1);
        var estimate = new DelayEstimate();
        foreach (var (transmitted, held, closed) in mesures)
        {
            if (transmitted < from.DayNumber || transmitted > today.DayNumber)
                continue;
            if (held != 0 && held <= today.DayNumber)
                estimate.AddObserved(Math.Max(held - transmitted, 0), 1);
            // Closed before any rencontre: it will never have one, and tells of no wait.
            else if (closed == 0 || closed > today.DayNumber)
                estimate.AddWaiting(today.DayNumber - transmitted, 1);
        }
        return estimate.Observed >= LeastHeld && estimate.Quantile(0.5) is { } median
            ? new(median, estimate.Quantile(0.8), estimate.Quantile(0.9), (int)(estimate.Observed + estimate.Waiting), from, today)
            : null;
    }
}
