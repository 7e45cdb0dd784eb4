using System.Globalization;
using System.Text;

namespace Jafer.Simulation;

/// <summary>Writes what came out as Markdown with drawings beside it; figures and sentences follow from the results, so that none is older than they are.</summary>
internal sealed class Report(Territory territory, Results results)
{
    private readonly StringBuilder _text = new();
    private readonly IReadOnlyList<RunOutcome> _base = results.Of(World.Middle, Policy.Base);

    /// <summary>A short table for a terminal.</summary>
    public static string Short(Results results, Job job)
    {
        var text = new StringBuilder();
        var runs = job.Policies.ToDictionary(p => p, p => results.Of(job.World, p));
        text.Append(CultureInfo.InvariantCulture, $"{job.World.Name}, {runs.Values.Min(r => r.Count)} seeds\n{"",-20}").AppendJoin("", job.Policies.Select(p => $"{Cut(p.Name),14}")).Append('\n');
        foreach (var key in runs.Values.First()[0].Figures.Keys)
            text.Append(CultureInfo.InvariantCulture, $"{key,-20}").AppendJoin("", job.Policies.Select(p => string.Create(CultureInfo.InvariantCulture, $"{runs[p].Average(o => o.Figures[key]),14:0.###}"))).Append('\n');
        return text.ToString();

        static string Cut(string name) => name.Length <= 13 ? name : name[^13..];
    }

    /// <summary>Writes.</summary>
    /// <param name="path">The Markdown file; drawings go into a folder of its name.</param>
    public void Write(string path)
    {
        if (Policy.Main.Any(p => Runs(p).Count < 2))
            throw new UsageException("The main policies were not run yet: add --grid.");
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileNameWithoutExtension(path));
        System.IO.Directory.CreateDirectory(folder);
        var name = Path.GetFileName(folder);
        foreach (var (file, svg) in Drawings())
            File.WriteAllText(Path.Combine(folder, file), svg);
        Head();
        Survey();
        Main(name);
        Levers(name);
        Travel(name);
        Adoption();
        Ranges();
        Limits();
        ParameterTable();
        File.WriteAllText(path, _text.ToString());
    }

    private IEnumerable<(string File, string Svg)> Drawings()
    {
        yield return ("delays.svg", Plots.Incidence([.. Policy.Main.Select(p => new PlotLine(p.Title, Incidence(p)))], Outcome.Period));
        Policy[] steps = [Policy.Base, Policy.Main[2], .. Policy.Steps, Policy.All];
        string[] titles = ["nearest espace (base)", "Jafer's ranking", "lost slots", "same day, booked interview", "queue hygiene", "extra sessions"];
        yield return ("levers.svg", Plots.Waterfall(
            [.. steps.Select((p, i) => new PlotStep(titles[i], Mean(p, "mean"), i == 0 ? null : Paired(p, steps[i - 1], "mean"))), new("all together", Mean(Policy.All, "mean"), null)],
            Mean(Policy.Base, "mean") / 2));
        yield return ("travel.svg", Plots.Tradeoff(
            [
                .. Policy.Main.Where(p => p.Name is "nearest" or "declared" or "slots" or "same-day").Select(p => Point(p, p.Name == "same-day" ? "same day" : p.Title, "")),
                .. new[] { Policy.Main[2], Policy.All }.SelectMany(p => Policy.Variants.Where(v => v.Name.StartsWith(p.Name + "@days=", StringComparison.Ordinal)).Append(p)
                    .Select(v => Point(v, string.Create(CultureInfo.InvariantCulture, $"{v.DaysPerTravelHour:0}"), $"{p.Title}, at so many days of waiting for an hour of travel"))),
                .. Policy.Variants.Where(v => v.Name is "all@half" or "all@departement").Select(v => Point(v, v.Title, "")),
            ],
            Mean(Policy.Base, "mean"), Mean(Policy.Base, "hote")));
        yield return ("map.svg", Plots.Maps(territory, [("nearest espace (base)", ByDepartement(Policy.Base)), ("all together", ByDepartement(Policy.All))]));
    }

    private void Head()
    {
        var (change, minutes) = (Change(Policy.All), Paired(Policy.All, Policy.Base, "hote"));
        var within = Policy.Variants.Append(Policy.All).Where(p => p.Name.StartsWith("all", StringComparison.Ordinal) && p is { Compliance: 1, Connected: 1, DepartementOnly: false } && Runs(p).Count > 0)
            .Where(p => Paired(p, Policy.Base, "hote").Mean <= 5).OrderBy(p => Mean(p, "mean")).FirstOrDefault();
        var half = Policy.Variants.First(p => p.Name == "all@half");
        _text.Append(CultureInfo.InvariantCulture, $"""
            # The national year, simulated

            Written by `./jafer simulate --grid --report docs/national-year.md`; nothing here is edited by hand. A discrete-event simulation of one year of mesures in France, calibrated on the national survey (SSER 2024), with real communes and courts and **invented** espaces. It measures what Jafer could change of the time from the order to the first rencontre held, under assumptions that this page names. It is no forecast and says nothing of any real espace.

            **What came out.** Under the base the mean from the order to the first rencontre held is {Mean(Policy.Base, "mean"):F0} days. With all levers and every judge and espace taking part it is {Mean(Policy.All, "mean"):F0} days: **{Percent(change)}** ({Ci(Change(Policy.All), 100, "F1")} %), with {Ci(minutes, 1, "F1")} minutes more of mean travel for the hôte. The goal was half of the base with at most 5 minutes more: the first part is {(change.Mean <= -0.5 ? "reached" : "not reached")}, the second is {(minutes.Mean <= 5 ? "reached" : "**not** reached")} at the directory's own trade-off of {Policy.All.DaysPerTravelHour:0} days of waiting for an hour of travel.

            """);
        if (minutes.Mean > 5 && within is not null)
        {
            _text.Append(CultureInfo.InvariantCulture, $"At {within.DaysPerTravelHour:0} days for an hour both are {(Change(within).Mean <= -0.5 ? "met" : "not met")}: {Percent(Change(within))} with {Ci(Paired(within, Policy.Base, "hote"), 1, "F1")} minutes. ");
        }
        _text.Append(CultureInfo.InvariantCulture, $"With half of the judges and half of the espaces it is {Percent(Change(half))}. ");
        var (adverse, favourable) = (Of("adverse"), Of("favourable"));
        if (Runs(adverse, Policy.All).Count > 0)
            _text.Append(CultureInfo.InvariantCulture, $"Where everything that the survey leaves open is against it, all levers together bring {Percent(Change(adverse, Policy.All))}; where everything is for it, {Percent(Change(favourable, Policy.All))}. That range counts more than the intervals, which only say how well {_base.Count} seeds measure one set of assumptions.");
        _text.Append("\n\n");
    }

    private void Survey()
    {
        _text.Append(CultureInfo.InvariantCulture, $"""
            ## The base beside the survey

            Means of {_base.Count} seeds with 95 % intervals. Allowed: 3 % of a figure, 3 points of a share of closings. Duration of a mesure: **from the first rencontre planned to the closing, by calendar months** (a mesure of six months that ends on the same day of the month counts in "6 to less than 12"); mesures without a rencontre have none. "Waiting" is who made contact and has no rencontre scheduled, beside "under way", as the survey has it.

            | Figure | Survey | Simulated | Gap | |
            |---|---|---|---|---|

            """);
        foreach (var figure in SurveyFigure.All)
        {
            var value = Estimate.Of([.. _base.Select(r => r.Figures[figure.Name])]);
            var gap = figure.Gap(value.Mean);
            _text.Append(figure.Points || figure.Published < 1
                ? string.Create(CultureInfo.InvariantCulture, $"| {figure.Title} | {100 * figure.Published:F0} % | {100 * value.Mean:F1} ± {100 * value.Half:F1} % |")
                : string.Create(CultureInfo.InvariantCulture, $"| {figure.Title} | {figure.Published:N0} | {value.Mean:N0} ± {value.Half:N0} |"));
            _text.Append(CultureInfo.InvariantCulture, $" {100 * gap:+0.0;−0.0} {(figure.Points ? "points" : "%")} | {(Math.Abs(gap) <= 0.03 ? "within" : "**outside**")} |\n");
        }
        var (minutes, under) = territory.Access;
        _text.Append(CultureInfo.InvariantCulture, $"""
            | mean minutes to the nearest espace | 15 | {minutes:F1} | {100 * ((minutes / 15) - 1):+0.0;−0.0} % | {(Math.Abs((minutes / 15) - 1) <= 0.03 ? "within" : "**outside**")} |
            | population less than 30 minutes away | 85 % | {100 * under:F1} % | {100 * (under - 0.85):+0.0;−0.0} points | {(Math.Abs((under / 0.85) - 1) <= 0.03 ? "within" : "**outside**")} |

            Not published, for comparison: {100 * Mean(Policy.Base, "with queue"):F0} % of queues hold somebody at the end of the year (59 % of espaces had a list at the end of 2018); {100 * Mean(Policy.Base, "idle"):F0} % of the capacity stands empty; {Mean(Policy.Base, "not contacted"):N0} mesures were transmitted and have no contact yet. The survey publishes no wait: no line of this table proves the delays below. Of the {Mean(Policy.Base, "mean"):F0} days, {Mean(Policy.Base, "to transmission"):F0} lie before the transmission, {Mean(Policy.Base, "to contact"):F0} before the first contact, {Mean(Policy.Base, "to ready"):F0} before the end of the interviews, {Mean(Policy.Base, "to first held"):F0} after it (queue, notice, missed rencontres).


            """);
    }

    private void Main(string name)
    {
        _text.Append(CultureInfo.InvariantCulture, $"""
            ## Policies

            Judicial mesures ordered in the counted year, followed for a year and a half at least; policies act from two years before it. All on the same random numbers: the same families, saturation map, delays and absences. Every judge complies and every espace is connected; {_base.Count} seeds; differences to the base are paired, with 95 % intervals. The mean is that of mesures that have a rencontre; the restricted mean counts 365 days for every other and for all that take longer.

            | Policy | Mean, days | Change | Restricted mean (365 d) | Median | P90 | Within 60 days | Within a year | Never | Regular rhythm, mean |
            |---|---|---|---|---|---|---|---|---|---|

            """);
        foreach (var p in Policy.Main)
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Title} | {Value(p, "mean", "F1")} | {(p == Policy.Base ? "" : Percent(Change(p)))} | {Value(p, "restricted mean", "F1")} | {Value(p, "median", "F0")} | {Value(p, "P90", "F0")} | {Share(p, "within 60")} | {Share(p, "within 365")} | {Share(p, "never")} | {Value(p, "regular", "F1")} |\n");
        _text.Append(CultureInfo.InvariantCulture, $"""

            ![Share of mesures that had their first rencontre]({name}/delays.svg)

            | Policy | Hôte, mean minutes | P90 | Visiteur, mean | P90 | Moved | Moved: hôte more (mean, P90) | Moved: visiteur more | Gini of départements | Idle capacity | Waiting on 31 December |
            |---|---|---|---|---|---|---|---|---|---|---|

            """);
        foreach (var p in Policy.Main)
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Title} | {Value(p, "hote", "F1")} | {Value(p, "hote P90", "F0")} | {Value(p, "visiteur", "F1")} | {Value(p, "visiteur P90", "F0")} | {100 * Mean(p, "moved"):F0} % | {Mean(p, "moved hote"):F0}, {Mean(p, "moved hote P90"):F0} | {Mean(p, "moved visiteur"):F0} | {Value(p, "gini", "F2")} | {100 * Mean(p, "idle"):F0} % | {Mean(p, "waiting"):N0} |\n");
        var declared = Policy.Variants.Where(v => v.Name.StartsWith("declared-", StringComparison.Ordinal)).Append(Policy.Main[1]).OrderBy(v => v.DeclaredEvery);
        _text.Append(CultureInfo.InvariantCulture, $"""

            **Herding.** Ranking by declared waits, each exact on its day, changes the mean by {string.Join(", ", declared.Select(p => string.Create(CultureInfo.InvariantCulture, $"{Percent(Change(p))} when they are declared every {p.DeclaredEvery} days")))}: everybody goes where it was short, until the next declaration. Jafer's ranking looks at the queue with those on their way to it and changes it by {Percent(Change(Policy.Main[2]))}.

            **Ceiling.** With room for everybody everywhere and nothing else changed the mean would be {Mean(Variant("unlimited"), "mean"):F0} days ({Percent(Change(Variant("unlimited")))}): what acts on the queue alone can gain no more.

            ![Mean days by département, before and after]({name}/map.svg)

            One draw of the saturation map (seed 0); over many draws every département has the same mean, because nothing is known of the load of real ones.


            """);
    }

    private void Levers(string name)
    {
        var slots = Runs(Policy.Main[3]);
        _text.Append(CultureInfo.InvariantCulture, $"""
            ## Levers one after the other

            ![What each lever takes away]({name}/levers.svg)

            | Step | Mean, days | Added by it | Restricted mean | P90 | Regular rhythm |
            |---|---|---|---|---|---|

            """);
        Policy[] steps = [Policy.Base, Policy.Main[2], .. Policy.Steps, Policy.All];
        foreach (var (i, p) in steps.Index())
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Title} | {Mean(p, "mean"):F1} | {(i == 0 ? "" : Ci(Paired(p, steps[i - 1], "mean"), 1, "F1"))} | {Mean(p, "restricted mean"):F1} | {Mean(p, "P90"):F0} | {Mean(p, "regular"):F1} |\n");
        _text.Append(CultureInfo.InvariantCulture, $"""

            A lost slot gives an early first rencontre, not a rhythm: with lost slots alone the regular rhythm begins after {Mean(Policy.Main[3], "regular"):F0} days in the mean ({Mean(Policy.Base, "regular"):F0} under the base; who holds out longer because of an early rencontre lengthens that queue). {slots.Average(r => r.Figures["slots offered"]):N0} slots a year are known early enough, {slots.Average(r => r.Figures["slots taken"]):N0} find a family.


            """);
    }

    private void Travel(string name)
    {
        _text.Append(CultureInfo.InvariantCulture, $"""
            ## Days against minutes

            ![Days against minutes]({name}/travel.svg)

            How many days of waiting count as one hour more of travel of both parents together is a parameter of the directory's search ({Policy.All.DaysPerTravelHour:0} unless the court says otherwise).

            | Policy | Days per hour | Mean, days | Change | Hôte, minutes more | Visiteur, minutes more | Hôte P90 |
            |---|---|---|---|---|---|---|

            """);
        foreach (var p in new[] { Policy.Main[2], Policy.All }.SelectMany(p => Policy.Variants.Where(v => v.Name.StartsWith(p.Name + "@days=", StringComparison.Ordinal)).Append(p).OrderBy(v => v.DaysPerTravelHour)))
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Title.Split(',')[0]} | {p.DaysPerTravelHour:0} | {Mean(p, "mean"):F1} | {Percent(Change(p))} | {Ci(Paired(p, Policy.Base, "hote"), 1, "F1")} | {Ci(Paired(p, Policy.Base, "visiteur"), 1, "F1")} | {Mean(p, "hote P90"):F0} |\n");
        _text.Append('\n');
    }

    private void Adoption()
    {
        _text.Append("""
            ## Who takes part

            | Policy | Mean, days | Change | Restricted mean | P90 | Hôte, minutes more |
            |---|---|---|---|---|---|

            """);
        foreach (var p in Policy.Variants.Where(v => v.Compliance < 1 || v.Connected < 1 || v.DepartementOnly))
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Title} | {Mean(p, "mean"):F1} | {Percent(Change(p))} | {Mean(p, "restricted mean"):F1} | {Mean(p, "P90"):F0} | {Ci(Paired(p, Policy.Base, "hote"), 1, "F1")} |\n");
        _text.Append("\nJudges who do not comply choose the nearest espace and transmit as before. An espace that is not connected confirms its queue once a year and uses no lever of its own.\n\n");
    }

    private void Ranges()
    {
        var worlds = World.All.Where(w => Runs(w, Policy.Base).Count > 1).ToArray();
        _text.Append(CultureInfo.InvariantCulture, $"""
            ## What cannot be identified

            The survey's figures do not say how unlike espaces are, how long families hold out, how the 27 % without follow-up are made up, nor anything before the first contact. Each is taken low and high, one at a time; saturation and refusals are set again so that the stock that waits and the closings without follow-up stay near the survey's (`worlds.csv`). Change of the mean with its 95 % interval, {worlds.Select(w => Runs(w, Policy.Base).Count).DefaultIfEmpty().Min()} seeds each.

            | World | Base, days | Waiting on 31 December | Idle | {string.Join(" | ", Grid.InWorlds.Skip(1).Select(p => p.Title))} | Hôte, minutes more (all) |
            |---|---|---|---|{string.Concat(Enumerable.Repeat("---|", Grid.InWorlds.Length))}

            """);
        foreach (var world in worlds)
        {
            _text.Append(CultureInfo.InvariantCulture, $"| {world.Title} | {Runs(world, Policy.Base).Average(r => r.Figures["mean"]):F0} | {Runs(world, Policy.Base).Average(r => r.Figures["waiting"]):N0} | {100 * Runs(world, Policy.Base).Average(r => r.Figures["idle"]):F0} % |");
            foreach (var p in Grid.InWorlds.Skip(1))
                _text.Append(CultureInfo.InvariantCulture, $" {Ci(Change(world, p), 100, "F0")} % |");
            _text.Append(CultureInfo.InvariantCulture, $" {Paired(Runs(world, Policy.All), Runs(world, Policy.Base), "hote").Mean:+0.0;−0.0} |\n");
        }
        _text.Append("\nThe range beside the interval of each policy, over all of these worlds one at a time, and with the two joint ones:\n\n| Policy | Change | 95 % interval | One at a time | All at once |\n|---|---|---|---|---|\n");
        foreach (var p in Grid.InWorlds.Skip(1))
        {
            var single = worlds.Where(w => w.Name is not ("adverse" or "favourable")).Select(w => Change(w, p).Mean).ToArray();
            var joint = worlds.Where(w => w.Name is "adverse" or "favourable").Select(w => Change(w, p).Mean).DefaultIfEmpty(double.NaN).ToArray();
            var change = Change(p);
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Title} | {Percent(change)} | {Pc(change.Mean - change.Half)} to {Pc(change.Mean + change.Half)} | {Pc(single.Min())} to {Pc(single.Max())} | {Pc(joint.Min())} to {Pc(joint.Max())} |\n");
        }
        _text.Append('\n');
    }

    private void Limits() => _text.Append("""
        ## What limits this

        * **The base is an assumption.** Judges are taken to choose the nearest espace to the hôte that takes the mesure. If they already avoid long queues, the ranking gains less than here.
        * **Nothing before the first contact is measured anywhere.** The whole effect of the same-day transmission with a booked interview lies in that hidden segment. Whether a booked interview makes more families come is left out: their number stays the same.
        * **Fewer families give up, and they take part of the gain.** Who would have given up takes a place instead: rencontres held grow, and the queue is longer than if demand were fixed.
        * **All judges and all espaces** is the upper end; the section on who takes part shows the rest.
        * **The forecaster learns from events only**: the queue, transmissions in flight, starts of the last year, the chance of joining and the days until then are counted from what happened. It knows no parameter. It is the directory's and the Delays library's own code; the order in which a lost slot is offered is the mesure service's.
        * **Early rencontres do not start the term** here; it runs from the regular rhythm. If it ran from an early rencontre, families would lose rencontres and the queue would look shorter. Let it run from the order and no load gives the survey's stocks together (`--world term-order`: with the stock that waits some 8,200 would be under way).
        * **A place is a share of an espace's weekly slots**, one set for visits with or without outing and one for handovers; staff, opening days, children and holidays of each espace are not modelled. Absences are independent of each other. A lost slot that is known early is known in time for any family that accepts it.
        * **Espaces are invented**; their capacity follows from the demand nearest to them and a saturation that is drawn anew by each seed. So the map shows what such a country looks like, not France.
        * **Choice among eight**: the nearest eight that take the mesure. Travel is the model's, by car, without traffic.
        * The year has no seasons but the closed weeks of August and December. Demand and capacity grow by the same 5 % a year; the survey's closings fit within 3 % only with growth.
        * The seeds share the calibration: intervals say nothing of it.


        """);

    private void ParameterTable()
    {
        _text.Append("## Parameters\n\nEverything that is assumed, with its source. \"calibrated\" parameters were set to meet the table beside the survey and nothing else. Durations ordered: `tools/Jafer.Simulation/terms.csv`, calibrated to the duration bands.\n\n| Parameter | Low | Middle | High | Unit | Kind | Source |\n|---|---|---|---|---|---|---|\n");
        foreach (var p in Parameters.Stated)
            _text.Append(CultureInfo.InvariantCulture, $"| {p.Name} | {(p.HasRange ? p.Values[0].ToString(CultureInfo.InvariantCulture) : "")} | {p.Values[1]} | {(p.HasRange ? p.Values[2].ToString(CultureInfo.InvariantCulture) : "")} | {p.Unit} | {p.Kind} | {p.Source} |\n");
    }

    private static World Of(string name) => World.All.First(w => w.Name == name);

    private static Policy Variant(string name) => Policy.Variants.First(v => v.Name == name);

    private IReadOnlyList<RunOutcome> Runs(Policy policy) => results.Of(World.Middle, policy);

    private IReadOnlyList<RunOutcome> Runs(World world, Policy policy) => results.Of(world, policy);

    private double Mean(Policy policy, string figure) => Runs(policy).Select(r => r.Figures[figure]).DefaultIfEmpty(double.NaN).Average();

    private Estimate Paired(Policy policy, Policy other, string figure) => Paired(Runs(policy), Runs(other), figure);

    private static Estimate Paired(IReadOnlyList<RunOutcome> with, IReadOnlyList<RunOutcome> without, string figure) =>
        with.Count == 0 || without.Count == 0 ? new(double.NaN, 0) : Estimate.Paired([.. with.Select(r => r.Figures[figure])], [.. without.Select(r => r.Figures[figure])]);

    // Of each seed the change as a share of its own base.
    private Estimate Change(Policy policy) => Change(World.Middle, policy);

    private Estimate Change(World world, Policy policy)
    {
        var (with, without) = (Runs(world, policy), Runs(world, Policy.Base));
        var both = Math.Min(with.Count, without.Count);
        return both == 0 ? new(double.NaN, 0) : Estimate.Of([.. Enumerable.Range(0, both).Select(i => (with[i].Figures["mean"] / without[i].Figures["mean"]) - 1)]);
    }

    private double[] Incidence(Policy policy)
    {
        var runs = Runs(policy);
        var shares = new double[runs[0].Visited.Length];
        foreach (var run in runs)
        {
            var (sum, all) = (0, run.Visited.Sum());
            for (var i = 0; i < shares.Length - 1; i++)
                shares[i + 1] += (sum += run.Visited[i]) / (double)all / runs.Count;
        }
        return shares;
    }

    // Of one seed: the mean of many saturation maps is the same everywhere.
    private Dictionary<string, double> ByDepartement(Policy policy) => Runs(policy)[0].Departements.ToDictionary(d => d.Key, d => d.Value[1] / d.Value[0]);

    private PlotPoint Point(Policy policy, string title, string curve) => new(title, Mean(policy, "hote"), Mean(policy, "mean"), curve);

    private string Value(Policy policy, string figure, string format) => policy == Policy.Base
        ? Mean(policy, figure).ToString(format, CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Mean(policy, figure).ToString(format, CultureInfo.InvariantCulture)} ({Ci(Paired(policy, Policy.Base, figure), 1, format)})");

    private string Share(Policy policy, string figure) => policy == Policy.Base
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * Mean(policy, figure):F1} %")
        : string.Create(CultureInfo.InvariantCulture, $"{100 * Mean(policy, figure):F1} % ({Ci(Paired(policy, Policy.Base, figure), 100, "F1")})");

    private static string Ci(Estimate estimate, double scale, string format) =>
        (estimate.Mean < 0 ? "−" : "+") + Math.Abs(scale * estimate.Mean).ToString(format, CultureInfo.InvariantCulture) + " ± " + (scale * estimate.Half).ToString(format == "F0" ? "F1" : format, CultureInfo.InvariantCulture);

    private static string Percent(Estimate change) => Pc(change.Mean);

    private static string Pc(double share) => double.IsNaN(share) ? "not run" : string.Create(CultureInfo.InvariantCulture, $"{100 * share:+0;−0;0} %");
}
