using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Time;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>What another espace would gain or cost a mesure, in days and minutes.</summary>
internal static class Gains
{
    /// <summary>
    /// The day on which the first rencontre can be expected where the mesure is: the next one that is scheduled, else what the directory
    /// expects of whoever joins the queue today, less the days that the mesure has stood in it. Null when it is not known, or one was held.
    /// </summary>
    /// <param name="mesure">The mesure.</param>
    /// <param name="present">Its espace as a search shows it; null when not known.</param>
    /// <param name="today">Today in Paris.</param>
    public static DateOnly? ExpectedHere(Mesure mesure, EspaceResult? present, DateOnly today)
    {
        if (mesure.Status.FirstHeldRencontreAt is not null)
        {
            return null;
        }

        if (mesure.NextRencontreAt is { } next && next.DayInParis() >= today)
        {
            return next.DayInParis();
        }

        if (DayOf(present) is not { } expected)
        {
            return null;
        }

        var waited = mesure.Status.TransmittedAt is { } transmitted ? Math.Max(0, today.DayNumber - transmitted.DayInParis().DayNumber) : 0;
        return expected.AddDays(-waited) is var day && day > today ? day : today;
    }

    /// <summary>Fills in what an alternative gains and adds.</summary>
    /// <param name="alternative">The alternative, with its espace.</param>
    /// <param name="here">Expected first rencontre in the present espace; null when not known.</param>
    /// <param name="present">The present espace as a search shows it; null when not known.</param>
    public static void Fill(AlternativeEspace alternative, DateOnly? here, EspaceResult? present)
    {
        if (here is { } day && DayOf(alternative.Espace) is { } there)
        {
            alternative.DaysGained = day.DayNumber - there.DayNumber;
        }

        if (Added(alternative.Espace.HoteTravel, present?.HoteTravel) is { } hote)
        {
            alternative.HoteMinutesAdded = hote;
        }

        if (Added(alternative.Espace.VisiteurTravel, present?.VisiteurTravel) is { } visiteur)
        {
            alternative.VisiteurMinutesAdded = visiteur;
        }
    }

    private static int? Added(TravelTime? there, TravelTime? here) => there is { Reachable: true } && here is { Reachable: true } ? there.Minutes - here.Minutes : null;

    private static DateOnly? DayOf(EspaceResult? espace) => espace?.ExpectedFirstVisitDate is { } date ? new DateOnly(date.Year, date.Month, date.Day) : null;
}
