using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;

namespace Jafer.Simulation;

/// <summary>What is counted of a run.</summary>
/// <param name="Figures">Figures by name, see <see cref="Outcome"/>.</param>
/// <param name="Visited">Judicial mesures of the cohort that had their first rencontre, by periods of <see cref="Outcome.Period"/> days; the last is all that is later or never.</param>
/// <param name="Departements">By département of the hôte: mesures of the cohort that had a first rencontre, and the sum of their days.</param>
/// <param name="Sites">By espace: the same.</param>
internal sealed record RunOutcome(Dictionary<string, double> Figures, int[] Visited, Dictionary<string, double[]> Departements, double[][] Sites);

/// <summary>Counts a run as the national survey does, and what became of the cohort: the judicial mesures ordered in the counted year.</summary>
internal static class Outcome
{
    /// <summary>Days of a period of the distribution.</summary>
    public const int Period = 15;

    /// <summary>Days after which a restricted mean stops.</summary>
    public const int Horizon = 365;

    /// <summary>Counts.</summary>
    public static RunOutcome Of(Territory territory, Demand demand, Books books)
    {
        var figures = new Dictionary<string, double>();
        Survey(demand, books, figures);
        var (visited, departements, sites) = Cohort(territory, demand, books, figures);
        return new(figures, visited, departements, sites);
    }

    private static void Survey(Demand demand, Books books, Dictionary<string, double> figures)
    {
        var (fresh, closed, underWay, waiting, unseen) = (0, 0, 0, 0, 0);
        var before = 0;
        var categories = new int[16];
        var bands = new int[2, 3];
        for (var m = 0; m < demand.Count; m++)
        {
            var (received, end) = (books.Transmitted[m], books.Closed[m]);
            if (received < 0 || received >= Calendar.YearEnd)
                continue;
            if (received >= Calendar.YearFirst)
                fresh++;
            if (received < Calendar.YearFirst && (end < 0 || end >= Calendar.YearFirst))
                before++;
            if (end >= Calendar.YearFirst && end < Calendar.YearEnd)
            {
                closed++;
                categories[(int)Closures.CategoryOf(books.Reason[m], books.Scheduled[m] >= 0)]++;
                if (books.RegularPlanned[m] is >= 0 and var first)
                    bands[demand.Judicial[m] ? 0 : 1, end < Calendar.AddMonths(first, 6) ? 0 : end < Calendar.AddMonths(first, 12) ? 1 : 2]++;
            }
            if (end < 0 || end >= Calendar.YearEnd)
            {
                if (books.Scheduled[m] is >= 0 and var scheduled && scheduled < Calendar.YearEnd)
                    underWay++;
                else if (books.Contacted[m] is >= 0 and var contacted && contacted < Calendar.YearEnd)
                    waiting++;
                else
                    unseen++;
            }
        }
        double Sum(int[] days) => days.AsSpan(Calendar.YearFirst, Calendar.YearEnd - Calendar.YearFirst).ToArray().Sum();
        double Share(ClosureCategory category) => categories[(int)category] / (double)closed;
        figures["new"] = fresh;
        figures["closed"] = closed;
        figures["under way"] = underWay;
        figures["waiting"] = waiting;
        figures["not contacted"] = unseen;
        figures["stock before"] = before;
        figures["scheduled"] = Sum(books.ScheduledOn);
        figures["held"] = Sum(books.HeldOn);
        figures["without follow-up"] = Share(ClosureCategory.SansSuite);
        figures["term"] = Share(ClosureCategory.ArriveeATerme);
        figures["interruption"] = Share(ClosureCategory.InterruptionEspace) + Share(ClosureCategory.InterruptionHote) + Share(ClosureCategory.InterruptionJuge);
        figures["other"] = Share(ClosureCategory.Autre);
        for (var band = 0; band < 3; band++)
        {
            double judicial = bands[0, band], other = bands[1, band];
            figures[$"band {band}"] = (judicial + other) / (All(0) + All(1));
            figures[$"judicial band {band}"] = judicial / All(0);
            figures[$"other band {band}"] = other / All(1);
        }
        figures["idle"] = books.Capacity.Idle;
        figures["with queue"] = books.Capacity.WithQueue;
        figures["slots offered"] = books.Slots.Offered;
        figures["slots taken"] = books.Slots.Taken;

        double All(int origin) => bands[origin, 0] + bands[origin, 1] + bands[origin, 2];
    }

    private static (int[] Visited, Dictionary<string, double[]> Departements, double[][] Sites) Cohort(Territory territory, Demand demand, Books books, Dictionary<string, double> figures)
    {
        var days = new List<int>(20_000);
        var (hote, visiteur) = (new List<double>(20_000), new List<double>(20_000));
        var (movedHote, movedVisiteur) = (new List<double>(), new List<double>());
        var visited = new int[(2 * Horizon / Period) + 2];
        var departements = new Dictionary<string, double[]>(StringComparer.Ordinal);
        var sites = territory.Sites.Select(_ => new double[2]).ToArray();
        var (cohort, restricted, regular, regulars, never) = (0, 0.0, 0.0, 0, 0);
        var segments = new double[4];
        for (var m = 0; m < demand.Count; m++)
        {
            if (!demand.Judicial[m] || demand.Day[m] < Calendar.YearFirst || demand.Day[m] >= Calendar.YearEnd)
                continue;
            cohort++;
            var choices = demand.ChoicesOf(m);
            var (near, chosen) = (choices[0], choices[books.Chosen[m]]);
            hote.Add(chosen.Hote.Minutes);
            if (chosen.Visiteur.HasMinutes)
                visiteur.Add(chosen.Visiteur.Minutes);
            if (books.Chosen[m] > 0)
            {
                movedHote.Add(chosen.Hote.Minutes - near.Hote.Minutes);
                if (chosen.Visiteur.HasMinutes && near.Visiteur.HasMinutes)
                    movedVisiteur.Add(chosen.Visiteur.Minutes - near.Visiteur.Minutes);
            }
            var took = books.FirstHeld[m] < 0 ? -1 : books.FirstHeld[m] - demand.Day[m];
            restricted += took < 0 ? Horizon : Math.Min(took, Horizon);
            visited[took < 0 ? ^1 : Math.Min(took / Period, visited.Length - 1)]++;
            if (took < 0)
            {
                never += books.Closed[m] >= 0 ? 1 : 0;
                continue;
            }
            days.Add(took);
            var departement = territory.Communes[demand.Hote[m]].Departement;
            if (!departements.TryGetValue(departement, out var sum))
                departements.Add(departement, sum = new double[2]);
            sum[0]++;
            sum[1] += took;
            sites[books.Site[m]][0]++;
            sites[books.Site[m]][1] += took;
            if (books.RegularHeld[m] >= 0)
            {
                regular += books.RegularHeld[m] - demand.Day[m];
                regulars++;
            }
            segments[0] += books.Transmitted[m] - demand.Day[m];
            segments[1] += books.Contacted[m] - books.Transmitted[m];
            segments[2] += books.Ready[m] - books.Contacted[m];
            segments[3] += books.FirstHeld[m] - books.Ready[m];
        }
        days.Sort();
        hote.Sort();
        visiteur.Sort();
        movedHote.Sort();
        figures["cohort"] = cohort;
        figures["mean"] = days.Average();
        figures["restricted mean"] = restricted / cohort;
        figures["median"] = days[(days.Count - 1) / 2];
        figures["P90"] = days[(int)(0.9 * (days.Count - 1))];
        figures["within 60"] = days.Count(d => d <= 60) / (double)cohort;
        figures["within 180"] = days.Count(d => d <= 180) / (double)cohort;
        figures["within 365"] = days.Count(d => d <= Horizon) / (double)cohort;
        figures["never"] = never / (double)cohort;
        figures["still waiting"] = (cohort - never - days.Count) / (double)cohort;
        figures["regular"] = regular / regulars;
        figures["to transmission"] = segments[0] / days.Count;
        figures["to contact"] = segments[1] / days.Count;
        figures["to ready"] = segments[2] / days.Count;
        figures["to first held"] = segments[3] / days.Count;
        figures["hote"] = hote.Average();
        figures["hote P90"] = hote[(int)(0.9 * (hote.Count - 1))];
        figures["visiteur"] = visiteur.Average();
        figures["visiteur P90"] = visiteur[(int)(0.9 * (visiteur.Count - 1))];
        figures["moved"] = movedHote.Count / (double)cohort;
        figures["moved hote"] = movedHote.Count == 0 ? 0 : movedHote.Average();
        figures["moved hote P90"] = movedHote.Count == 0 ? 0 : movedHote[(int)(0.9 * (movedHote.Count - 1))];
        figures["moved visiteur"] = movedVisiteur.Count == 0 ? 0 : movedVisiteur.Average();
        figures["gini"] = Gini([.. departements.Values.Select(d => (d[0], d[1] / d[0]))]);
        return (visited, departements, sites);
    }

    /// <summary>Gini of values that count by their weight: 0 when all are equal.</summary>
    public static double Gini((double Weight, double Value)[] values)
    {
        var (all, mean, apart) = (values.Sum(v => v.Weight), values.Sum(v => v.Weight * v.Value), 0.0);
        foreach (var a in values)
        {
            foreach (var b in values)
                apart += a.Weight * b.Weight * Math.Abs(a.Value - b.Value);
        }
        return mean == 0 ? 0 : apart / (2 * all * mean);
    }
}
