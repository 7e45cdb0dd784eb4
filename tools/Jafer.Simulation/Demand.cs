using System.Globalization;
using Jafer.Directory.Domain;

namespace Jafer.Simulation;

/// <summary>An espace that a judge could choose for a mesure.</summary>
/// <param name="Site">Number of the espace.</param>
/// <param name="Hote">Way of the hôte.</param>
/// <param name="Visiteur">Way of the visiteur.</param>
internal readonly record struct Choice(short Site, Travel Hote, Travel Visiteur);

/// <summary>
/// The mesures of all years as one seed draws them, before anybody chooses an espace: the same for every policy. Ordered by day.
/// </summary>
internal sealed class Demand
{
    /// <summary>Espaces among which a judge chooses: the nearest ones to the hôte that can take the mesure.</summary>
    public const int Choices = 8;

    private readonly Choice[] _choices;

    private Demand(int count, Parameters world, Draw draw)
    {
        (Count, World, Draw) = (count, world, draw);
        (Day, Hote, Visiteur, Terms) = (new int[count], new int[count], new int[count], new byte[count]);
        (Judicial, Handover, Interval) = (new bool[count], new bool[count], new byte[count]);
        (_choices, ChoiceCount) = (new Choice[count * Choices], new byte[count]);
        Interrupted = new float[count];
    }

    /// <summary>Number of mesures.</summary>
    public int Count { get; }

    /// <summary>The parameters.</summary>
    public Parameters World { get; }

    /// <summary>The random numbers.</summary>
    public Draw Draw { get; }

    /// <summary>Day of the order; of the request where no judge ordered.</summary>
    public int[] Day { get; }

    /// <summary>Commune of the hôte.</summary>
    public int[] Hote { get; }

    /// <summary>Commune of the visiteur.</summary>
    public int[] Visiteur { get; }

    /// <summary>Whether a judge ordered it.</summary>
    public bool[] Judicial { get; }

    /// <summary>Whether it is for handovers.</summary>
    public bool[] Handover { get; }

    /// <summary>Months from the first rencontre to the term.</summary>
    public byte[] Terms { get; }

    /// <summary>Days from one rencontre to the next.</summary>
    public byte[] Interval { get; }

    /// <summary>Days from the first rencontre after which somebody would interrupt it, if its term has not come.</summary>
    public float[] Interrupted { get; }

    /// <summary>How many espaces there are to choose from; at least one.</summary>
    public byte[] ChoiceCount { get; }

    /// <summary>The espaces to choose from, nearest to the hôte first.</summary>
    public ReadOnlySpan<Choice> ChoicesOf(int mesure) => _choices.AsSpan(mesure * Choices, ChoiceCount[mesure]);

    /// <summary>Slots a week that a mesure under way takes.</summary>
    public double Load(int mesure) => 7.0 / Interval[mesure];

    /// <summary>Draws the demand of a seed.</summary>
    public static Demand Of(Territory territory, Parameters world, int seed)
    {
        var draw = new Draw(seed);
        var days = new List<int>(220_000);
        for (var day = 0; day < Calendar.End; day++)
        {
            if (!Calendar.IsWeekday(day))
                continue;
            var mean = world.NewMesures / 365.25 * 7 / 5 * GrowthTo(world, day);
            // Poisson: arrivals until the gaps fill the day.
            for (var (gap, k) = (-Math.Log(1 - draw.Unit(Purpose.Arrivals, day)), 1); gap < mean; gap -= Math.Log(1 - draw.Unit(Purpose.Arrivals, day, k++)))
                days.Add(day);
        }
        var demand = new Demand(days.Count, world, draw);
        var terms = (Judicial: TermsOf("judicial"), Other: TermsOf("other"));
        var offers = Enumerable.Range(0, territory.Sites.Length).Select(s => Offer.Of(world, draw, s)).ToArray();
        for (var m = 0; m < days.Count; m++)
        {
            demand.Day[m] = days[m];
            demand.Hote[m] = territory.ByPopulation(draw.Unit(Purpose.Hote, m));
            demand.Visiteur[m] = Visiteurs(territory, world, draw, demand.Hote[m], m);
            var judicial = demand.Judicial[m] = draw.Chance(world.JudicialShare, Purpose.Judicial, m);
            var modality = draw.Unit(Purpose.Modality, m);
            demand.Handover[m] = modality < world.HandoverShare;
            var cadence = draw.Unit(Purpose.Cadence, m);
            demand.Interval[m] = (byte)(cadence < world.WeeklyShare ? 7 : cadence < world.WeeklyShare + world.MonthlyShare ? 30 : 14);
            demand.Terms[m] = Pick(judicial ? terms.Judicial : terms.Other, draw.Unit(Purpose.Term, m));
            demand.Interrupted[m] = (float)(30.4 * (judicial ? world.InterruptionMonthsJudicial : world.InterruptionMonthsOther)
                * Math.Pow(-Math.Log(1 - draw.Unit(Purpose.Interrupted, m)), 1 / (judicial ? world.InterruptionShapeJudicial : world.InterruptionShapeOther)));
            var situation = 0;
            if (judicial && draw.Chance(world.SituationShare, Purpose.Situation, m))
            {
                var kind = draw.Unit(Purpose.SituationKind, m);
                situation = kind < world.ViolenceShare ? 1 : kind < world.ViolenceShare + world.PsychiatricShare ? 2 : 4;
            }
            demand.Look(territory, offers, m, situation);
        }
        return demand;
    }

    /// <summary>Demand and capacity on a day as a multiple of those in the middle of the counted year.</summary>
    public static double GrowthTo(Parameters world, int day) => Math.Pow(1 + world.Growth, (day - ((Calendar.YearFirst + Calendar.YearEnd) / 2)) / 365.25);

    private void Look(Territory territory, Offer[] offers, int m, int situation)
    {
        var near = territory.NearSites[Hote[m]];
        var count = 0;
        for (var i = 0; i < near.Length && count < Choices; i++)
        {
            if (offers[near[i]].Takes(Handover[m], situation))
                Add(near[i]);
        }
        // The nearest one then takes what it does not say it takes.
        if (count == 0)
            Add(near[0]);
        ChoiceCount[m] = (byte)count;

        void Add(short site) => _choices[(m * Choices) + count++] = new(site, territory.Way(Hote[m], site), territory.Way(Visiteur[m], site));
    }

    private static int Visiteurs(Territory territory, Parameters world, Draw draw, int hote, int m)
    {
        if (draw.Chance(world.SameCommuneShare, Purpose.Visiteur, m))
            return hote;
        var home = territory.Communes[hote];
        var km = Math.Min(900, world.ApartMedianKm * Math.Exp(world.ApartSpread * draw.Normal(Purpose.Apart, m)));
        // Of the communes at that distance in a few directions one is taken by its population.
        Span<int> found = stackalloc int[6];
        Span<double> upTo = stackalloc double[6];
        var total = 0.0;
        for (var i = 0; i < found.Length; i++)
        {
            var bearing = 2 * Math.PI * draw.Unit(Purpose.Bearing, m, i);
            found[i] = territory.NearestTo(home.Latitude + (km / 111.2 * Math.Cos(bearing)), home.Longitude + (km / 111.2 * Math.Sin(bearing) / Math.Cos(double.DegreesToRadians(home.Latitude))));
            upTo[i] = total += found[i] < 0 ? 0 : territory.Communes[found[i]].Population;
        }
        // An island all around.
        if (total == 0)
            return hote;
        var drawn = draw.Unit(Purpose.Bearing, m, found.Length) * total;
        var chosen = 0;
        while (chosen < found.Length - 1 && upTo[chosen] <= drawn)
            chosen++;
        return found[chosen];
    }

    private static (byte Months, double UpTo)[] TermsOf(string origin)
    {
        var total = 0.0;
        return [.. Territory.Rows("terms.csv").Where(r => r[0] == origin).Select(r =>
            (byte.Parse(r[1], CultureInfo.InvariantCulture), total += double.Parse(r[2], CultureInfo.InvariantCulture)))];
    }

    private static byte Pick((byte Months, double UpTo)[] terms, double unit)
    {
        unit *= terms[^1].UpTo;
        var i = 0;
        while (i < terms.Length - 1 && terms[i].UpTo <= unit)
            i++;
        return terms[i].Months;
    }

    /// <summary>What an espace takes.</summary>
    private readonly record struct Offer(bool Handovers, int Refused)
    {
        public static Offer Of(Parameters world, Draw draw, int site) => new(
            draw.Chance(world.HandoverOffered, Purpose.SiteHandover, site),
            (draw.Chance(world.ViolenceAccepted, Purpose.SiteSituation, site, 1) ? 0 : 1)
            | (draw.Chance(world.PsychiatricAccepted, Purpose.SiteSituation, site, 2) ? 0 : 2)
            | (draw.Chance(world.AddictionAccepted, Purpose.SiteSituation, site, 4) ? 0 : 4));

        public bool Takes(bool handover, int situation) => (!handover || Handovers) && (Refused & situation) == 0;
    }
}
