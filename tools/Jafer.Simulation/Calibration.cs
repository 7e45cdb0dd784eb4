using System.Globalization;

namespace Jafer.Simulation;

/// <summary>A figure of the survey and what the base run gives.</summary>
/// <param name="Name">Name of the figure in a run's outcome.</param>
/// <param name="Title">Title.</param>
/// <param name="Published">The survey's value.</param>
/// <param name="Points">True when it is a share that is compared in points.</param>
internal sealed record SurveyFigure(string Name, string Title, double Published, bool Points)
{
    private static readonly string[] s_bands = ["duree moins de 6 mois", "duree 6 mois a moins de 12 mois", "duree 12 mois et plus"];

    /// <summary>The figures that the base run must reproduce: within 3 %, bands within 3 points.</summary>
    public static readonly SurveyFigure[] All =
    [
        new("new", "new mesures", Activity("mesures nouvelles"), false),
        new("closed", "closed", Activity("mesures cloturees"), false),
        new("under way", "under way on 31 December", Activity("mesures en cours au 31-12"), false),
        new("waiting", "waiting on 31 December", Activity("mesures en attente au 31-12"), false),
        new("scheduled", "rencontres scheduled", Activity("rencontres programmees"), false),
        new("held", "rencontres held", Activity("rencontres realisees"), false),
        new("without follow-up", "closed without follow-up", Closing("sans suite", "mesures cloturees"), false),
        new("term", "closed at term", Closing("terme", "mesures cloturees"), true),
        new("interruption", "closed by interruption", Closing("interruption", "mesures cloturees"), true),
        new("other", "closed otherwise", Closing("autre ou non renseigne", "mesures cloturees"), true),
        .. Bands("band", "", "ensemble"), .. Bands("judicial band", "judicial, ", "judiciaires"), .. Bands("other band", "not judicial, ", "non judiciaires"),
    ];

    /// <summary>How far a value is from the survey's: a share of it, or points.</summary>
    public double Gap(double value) => Points ? value - Published : (value / Published) - 1;

    private static IEnumerable<SurveyFigure> Bands(string name, string title, string population) =>
        s_bands.Select((row, band) => new SurveyFigure(
            FormattableString.Invariant($"{name} {band}"), title + (band switch { 0 => "less than 6 months", 1 => "6 to less than 12 months", _ => "12 months and more" }), Closing(row, population), true));

    private static double Activity(string indicator) =>
        Territory.Rows("survey-activity.csv").Where(r => r[1] == indicator && r[5] == "2024").Select(r => double.Parse(r[3], CultureInfo.InvariantCulture)).First();

    private static double Closing(string indicator, string population) =>
        Territory.Rows("survey-closings.csv").Where(r => r[1] == indicator && r[2] == population).Select(r => double.Parse(r[3], CultureInfo.InvariantCulture)).First() / 100;
}

/// <summary>
/// Sets the mean saturation and the share of refusals of a world so that its base gives the survey's stock that waits and its
/// closings without follow-up. Nothing of a policy is looked at.
/// </summary>
internal static class Calibration
{
    /// <summary>Solves by a damped Newton iteration on the means of some seeds.</summary>
    /// <returns>Rows for <c>worlds.csv</c>.</returns>
    public static IEnumerable<string> Of(Territory territory, World world, int seeds, Action<string> progress, CancellationToken ct)
    {
        var parameters = world.Parameters;
        for (var round = 0; round < 7; round++)
        {
            var (waiting, without, underWay, idle) = (new double[seeds], new double[seeds], new double[seeds], new double[seeds]);
            var now = parameters;
            Parallel.For(0, seeds, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = ct }, seed =>
            {
                var demand = Demand.Of(territory, now, seed);
                var figures = Outcome.Of(territory, demand, Engine.Run(territory, demand, Policy.Base)).Figures;
                (waiting[seed], without[seed], underWay[seed], idle[seed]) = (figures["waiting"], figures["without follow-up"], figures["under way"], figures["idle"]);
            });
            var (stock, share) = (waiting.Average(), without.Average());
            progress(FormattableString.Invariant(
                $"{world.Name}: mean {parameters.SaturationMean:F4}, refusals {parameters.RefusalShare:F4}: waiting {stock:F0}, without follow-up {share:P2}, under way {underWay.Average():F0}, idle {idle.Average():P1}"));
            if (Math.Abs(stock / 5100 - 1) < 0.01 && Math.Abs(share - 0.27) < 0.002)
                break;
            // A tenth more load makes the stock that waits grow by some 1,700.
            parameters = parameters.With("SaturationMean", parameters.SaturationMean + Math.Clamp((5100 - stock) / 17000, -0.06, 0.06));
            parameters = parameters.With("RefusalShare", Math.Clamp(parameters.RefusalShare + (0.27 - share), 0, 0.2));
        }
        yield return FormattableString.Invariant($"{world.Name},SaturationMean,{parameters.SaturationMean:F4}");
        yield return FormattableString.Invariant($"{world.Name},RefusalShare,{parameters.RefusalShare:F4}");
    }
}
