using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Jafer.Simulation.Tests;

/// <summary>The report and its drawings, of results made up from one real run: each policy, world and seed has figures of its own.</summary>
public sealed class ReportTests(SimulatedYears years) : IDisposable
{
    private static readonly string[] s_drawings = ["delays.svg", "levers.svg", "map.svg", "travel.svg"];

    private readonly string _folder = System.IO.Directory.CreateTempSubdirectory("jafer-report-").FullName;

    public void Dispose() => System.IO.Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Write_OfTheWholeGrid_TellsEachPolicyWithTheFiguresAndIntervalsOfItsRuns()
    {
        using var results = Made();

        var text = Written(results);

        Assert.DoesNotContain(text.Split('\n'), line => line.Contains("NaN", StringComparison.Ordinal) || line.Contains("not run", StringComparison.Ordinal));
        Assert.All(Policy.Main.Concat(Policy.Steps).Concat(Policy.Variants.Where(v => v is { Compliance: < 1 } or { Connected: < 1 } or { DepartementOnly: true })), p => Assert.Contains($"\n| {p.Title} |", text, StringComparison.Ordinal));
        Assert.All(World.All.Where(w => w.Name != "term-order"), w => Assert.Contains($"\n| {w.Title} |", text, StringComparison.Ordinal));
        Assert.All(SurveyFigure.All, f => Assert.Contains($"\n| {f.Title} |", text, StringComparison.Ordinal));
        Assert.All(Parameters.Stated, p => Assert.Contains($"\n| {p.Name} |", text, StringComparison.Ordinal));
        foreach (var column in (string[])["Restricted mean (365 d)", "Median", "P90", "Within 60 days", "Never", "Regular rhythm", "Hôte, mean minutes", "Visiteur, mean", "Moved: hôte more (mean, P90)", "Gini of départements", "One at a time"])
            Assert.Contains(column, text, StringComparison.Ordinal);

        // The mean of seeds, the paired difference and its interval, by arithmetic of their own.
        foreach (var policy in Policy.Main)
        {
            double[] with = Means(results, policy), without = Means(results, Policy.Base);
            var row = Regex.Match(text, $@"\n\| {Regex.Escape(policy.Title)} \| ([0-9.]+)(?: \(([+−])([0-9.]+) ± ([0-9.]+)\))? \|").Groups;
            Assert.Equal(with.Sum() / with.Length, Number(row[1]), 0.051);
            if (policy == Policy.Base)
                continue;
            double[] differences = [.. with.Zip(without, (a, b) => a - b)];
            var mean = differences.Sum() / differences.Length;
            var deviation = Math.Sqrt(differences.Sum(d => Math.Pow(d - mean, 2)) / (differences.Length - 1));
            Assert.Equal(mean, (row[2].Value == "−" ? -1 : 1) * Number(row[3]), 0.051);
            // Student's 97.5 % quantile for 5 seeds.
            Assert.Equal(2.776 * deviation / Math.Sqrt(5), Number(row[4]), 0.06);
        }
    }

    [Fact]
    public void Write_OfTheWholeGrid_DrawsPicturesThatAreReadAloudAndNameWhatTheyShow()
    {
        using var results = Made();

        var text = Written(results);

        XNamespace svg = "http://www.w3.org/2000/svg";
        foreach (var file in s_drawings)
        {
            var root = XDocument.Load(Path.Combine(_folder, "report", file)).Root!;
            Assert.Equal((svg + "svg", "img", "title desc"), (root.Name, (string?)root.Attribute("role"), (string?)root.Attribute("aria-labelledby")));
            foreach (var part in (string[])["title", "desc"])
                Assert.True(root.Elements(svg + part).Single(e => (string?)e.Attribute("id") == part).Value.Length > 15, $"{file} has no {part}");
            var shapes = root.Descendants().SelectMany(e => new[] { "d", "points", "x", "y", "width", "height", "cx", "cy" }.Select(a => (string?)e.Attribute(a))).Where(a => a is not null).ToList();
            Assert.True(shapes.Count > 20, file);
            Assert.All(shapes, s => Assert.DoesNotContain("NaN", s!, StringComparison.Ordinal));
            Assert.Matches($@"!\[[^\]]{{10,}}\]\(report/{Regex.Escape(file)}\)", text);
        }

        var lines = XDocument.Load(Path.Combine(_folder, "report", "delays.svg")).Root!;
        Assert.Equal(Policy.Main.Length, lines.Elements(svg + "polyline").Count());
        Assert.All(Policy.Main, p => Assert.Contains(lines.Elements(svg + "text"), t => t.Value == p.Title));
        // A curve never falls, and up is a smaller number.
        Assert.All(lines.Elements(svg + "polyline"), l =>
        {
            double[] heights = [.. ((string)l.Attribute("points")!).Split(' ').Select(p => double.Parse(p.Split(',')[1], CultureInfo.InvariantCulture))];
            Assert.Equal(heights.OrderDescending(), heights);
        });
        Assert.Equal(Policy.Steps.Length + 4, XDocument.Load(Path.Combine(_folder, "report", "levers.svg")).Descendants(svg + "rect").Count(r => (string?)r.Attribute("height") == "34"));
    }

    [Fact]
    public void Write_BeforeTheMainPoliciesWereRun_IsRefused()
    {
        using var results = new Results(null);

        Assert.Throws<UsageException>(() => new Report(years.Territory, results).Write(Path.Combine(_folder, "report.md")));
    }

    private string Written(Results results)
    {
        var path = Path.Combine(_folder, "report.md");
        new Report(years.Territory, results).Write(path);
        return File.ReadAllText(path);
    }

    private static double[] Means(Results results, Policy policy) => [.. results.Of(World.Middle, policy).Select(r => r.Figures["mean"])];

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    private Results Made()
    {
        var real = Outcome.Of(years.Territory, years.Demands[0], years.Books[0]);
        var results = new Results(null);
        foreach (var job in Grid.Jobs(seeds: 5))
        {
            foreach (var (number, policy) in job.Policies.Index())
            {
                for (var seed = 0; seed < job.Seeds; seed++)
                {
                    // Neither equal nor in step from seed to seed.
                    var factor = (1 / (1 + (0.04 * number))) + (0.01 * ((seed * (number + 3)) % 4));
                    var figures = real.Figures.ToDictionary(f => f.Key, f => f.Value * factor);
                    results.Add(new(job.World.Name, World.PrintOf(job.World.Parameters), policy.Name, seed, real with { Figures = figures }));
                }
            }
        }
        return results;
    }
}
