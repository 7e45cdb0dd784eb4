using System.CommandLine;
using System.Globalization;
using Jafer.Simulation;
using Jafer.Simulation.Replay;

var policyNames = new Option<string[]>("--policy") { Description = "Names of policies, or main, steps, variants; default: main. --list shows all.", AllowMultipleArgumentsPerToken = true };
var seeds = new Option<int>("--seeds") { Description = "Seeds of each policy and world.", DefaultValueFactory = _ => 30 };
var worldNames = new Option<string[]>("--world") { Description = "Names of worlds (what the survey leaves open taken low or high); default: middle.", AllowMultipleArgumentsPerToken = true };
var grid = new Option<bool>("--grid") { Description = "Everything that the report shows: main policies, steps, variants, and the main ones in the worlds." };
var report = new Option<string?>("--report") { Description = "Writes the report with its drawings from the results: a Markdown file." };
var file = new Option<string>("--results") { Description = "The results: runs that it holds are not run again.", DefaultValueFactory = _ => "artifacts/national-year/results.jsonl" };
var calibrate = new Option<bool>("--calibrate") { Description = "Sets the calibrated parameters of the worlds anew and prints their rows of worlds.csv." };
var backtest = new Option<bool>("--backtest") { Description = "Forecasts the first rencontre of every mesure of the counted year and prints how far the forecasts lay from what came." };
var stored = new Option<string?>("--stored") { Description = "With --backtest: the waits that a directory has stored, a CSV file (docs/delays.md), in place of simulated ones." };
var draw = new Option<string?>("--draw-waits") { Description = "Draws what is known of the waits of one espace: an SVG file." };
var list = new Option<bool>("--list") { Description = "Lists policies and worlds." };
var root = new RootCommand("Simulates a national year of mesures, calibrated on the national survey of 2024.") { policyNames, seeds, worldNames, grid, report, file, calibrate, backtest, stored, draw, list };
// On a thread of its own: Ctrl+C is only listened to once the action has returned its task.
root.SetAction((parsed, ct) => Task.Run(() =>
{
    Policy[] all = [.. Policy.Everything];
    if (parsed.GetValue(list))
    {
        foreach (var policy in all)
            Console.WriteLine($"{policy.Name,-36} {policy.Title}");
        foreach (var world in World.All)
            Console.WriteLine($"{"--world " + world.Name,-36} {world.Title}");
        return 0;
    }
    var policies = (parsed.GetValue(policyNames) is { Length: > 0 } named ? named : ["main"]).SelectMany(name => name switch
    {
        "main" => Policy.Main,
        "steps" => Policy.Steps,
        "variants" => Policy.Variants,
        _ => [all.FirstOrDefault(p => p.Name == name) ?? throw new UsageException($"There is no policy {name}.")],
    }).Prepend(Policy.Base).Distinct().ToArray();
    var worlds = (parsed.GetValue(worldNames) is { Length: > 0 } given ? given : ["middle"]).SelectMany(name => name == "all"
        ? World.All : [World.All.FirstOrDefault(w => w.Name == name) ?? throw new UsageException($"There is no world {name}.")]).ToArray();

    using var results = new Results(parsed.GetValue(file));
    var jobs = parsed.GetValue(grid) ? Grid.Jobs(parsed.GetValue(seeds)) : [.. worlds.Select(w => new Job(w, policies, parsed.GetValue(seeds)))];
    var territory = Territory.Read();
    try
    {
        if (parsed.GetValue(calibrate))
        {
            foreach (var row in worlds.SelectMany(w => Calibration.Of(territory, w, Math.Min(parsed.GetValue(seeds), 8), Progress, ct)).ToArray())
                Console.WriteLine(row);
            return 0;
        }
        if (parsed.GetValue(draw) is { } drawing)
        {
            File.WriteAllText(drawing, Backtest.Drawing(territory));
            return 0;
        }
        if (parsed.GetValue(stored) is { } waits)
        {
            Console.Write(Backtest.OfStored(waits));
            return 0;
        }
        if (parsed.GetValue(backtest))
        {
            Console.Write(Backtest.Table(territory, policies, parsed.GetValue(seeds), Progress, ct));
            return 0;
        }
        if (parsed.GetValue(report) is null || parsed.GetValue(grid))
            new Runner(territory, results, Progress).Run(jobs, ct);
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine("\nStopped; what was run is kept, and the same command goes on with it.");
        return 130;
    }
    if (parsed.GetValue(report) is { } markdown)
        new Report(territory, results).Write(markdown);
    else
    {
        foreach (var job in jobs)
            Console.Write(Report.Short(results, job));
    }
    return 0;
}, CancellationToken.None));
root.Add(ReplayRun.Command(Progress));
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
}
catch (IOException e)
{
    Console.Error.WriteLine($"jafer: {e.Message}");
    return 2;
}
catch (Exception e) when (e is UsageException or Jafer.Cli.UsageException)
{
    Console.Error.WriteLine($"jafer: {e.Message}");
    return 2;
}

// One line that is written over on a terminal; lines of their own in a log.
static void Progress(string text)
{
    if (Console.IsErrorRedirected)
        Console.Error.WriteLine(text);
    else
        Console.Error.Write($"\r{text}\e[K");
}
