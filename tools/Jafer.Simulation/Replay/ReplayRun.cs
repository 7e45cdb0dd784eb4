using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Jafer.Cli;
using Jafer.ServiceDefaults.Time;

#pragma warning disable RS0030 // What a client catches.

namespace Jafer.Simulation.Replay;

/// <summary>Simulates, plays and compares.</summary>
internal static class ReplayRun
{
    /// <summary>The command.</summary>
    /// <param name="say">Tells how far it is.</param>
    public static Command Command(Action<string> say)
    {
        var fraction = new Option<double>("--year-fraction") { Description = "Share of the gestionnaires, above 0 to 1; each with all its mesures.", DefaultValueFactory = _ => 1 };
        var seed = new Option<int>("--seed") { Description = "Seed of the simulated year.", DefaultValueFactory = _ => 0 };
        var policy = new Option<string>("--policy") { Description = "Policy under which the year was simulated; ./jafer simulate --list shows all.", DefaultValueFactory = _ => Policy.Base.Name };
        var lastDay = new Option<DateOnly?>("--last-day") { Description = "Day on which the year ends, such as 2026-11-28; default: yesterday. To resume a replay of another day." };
        var concurrency = new Option<int>("--concurrency") { Description = "Calls at the same time.", DefaultValueFactory = _ => 12 };
        var report = new Option<string>("--report") { Description = "The report.", DefaultValueFactory = _ => "artifacts/replay/report.md" };
        var statistics = new Option<string?>("--statistics") { Description = "A Markdown file into which the survey's figures of the year are written, between its two marks; such as docs/statistics.md.", HelpName = "FILE" };
        var campaign = new Option<bool>("--campaign") { Description = "At the end opens the survey's campaign of the year, lets all gestionnaires but one validate, and closes it; with a --last-day of an earlier year." };
        var command = new Command("replay", "Plays the simulated year through the running services and compares every count with the books.") { fraction, seed, policy, lastDay, concurrency, report, statistics, campaign };
        command.SetAction((parsed, ct) => Task.Run(async () =>
        {
            var today = TimeProvider.System.TodayInParis();
            var plan = new ReplayPlan(parsed.GetValue(seed), parsed.GetValue(fraction), parsed.GetValue(lastDay) ?? today.AddDays(-1))
            {
                Policy = Policy.Everything.FirstOrDefault(p => p.Name == parsed.GetValue(policy)) ?? throw new UsageException($"There is no policy {parsed.GetValue(policy)}."),
            };
            if (plan.Fraction is not (> 0 and <= 1) || plan.LastDay >= today || parsed.GetValue(concurrency) < 1)
                throw new UsageException("--year-fraction lies above 0 and at most at 1, --last-day in the past, --concurrency at 1 or more.");
            if (parsed.GetValue(campaign) && plan.LastDay.Year >= today.Year)
                throw new UsageException("A campaign asks for a year that is over: name a --last-day in it, such as its 31 December.");
            using var system = new RunningSystem(Environment.GetEnvironmentVariable);
            using var callers = new Callers(service => new Uri(system.AddressOf(service)), (caller, token) => system.TokenAsync($"{caller.Role}.{caller.Key}", token, caller.Person));
            try
            {
                var (figures, text) = await RunAsync(plan, callers, parsed.GetValue(concurrency), today, say, parsed.GetValue(statistics), parsed.GetValue(campaign), ct);
                var file = parsed.GetValue(report)!;
                System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
                await File.WriteAllTextAsync(file, text, ct);
                Console.WriteLine("\n" + text);
                return figures.TrueForAll(f => f.IsEqual) ? 0 : 1;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                Console.Error.WriteLine("\nStopped; the same command goes on with it.");
                return 130;
            }
            catch (RpcException e)
            {
                Console.Error.WriteLine($"\njafer: a service refused: {e.Status}");
                return 1;
            }
        }, CancellationToken.None));
        return command;
    }

    /// <summary>Plays a plan through running services and compares.</summary>
    /// <param name="plan">What is replayed.</param>
    /// <param name="callers">The services.</param>
    /// <param name="concurrency">Calls at the same time.</param>
    /// <param name="today">Today in Paris.</param>
    /// <param name="say">Tells how far it is.</param>
    /// <param name="statistics">File into which the figures of the survey go; null for none.</param>
    /// <param name="campaign">Whether the campaign of the year is held at the end.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>The figures and a report in Markdown.</returns>
    public static async Task<(List<Figure> Figures, string Report)> RunAsync(
        ReplayPlan plan, Callers callers, int concurrency, DateOnly today, Action<string> say, string? statistics, bool campaign, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        say("simulating");
        var (territory, demand, books) = Simulate(plan);
        var stage = new Stage(plan.LastDay);
        var lives = Life.Of(territory, demand, books, plan, stage);
        var simulated = watch.Elapsed.TotalSeconds;
        var player = new Player(plan, stage, lives, callers, concurrency, say);
        await player.PlayAsync(ct);
        var played = watch.Elapsed.TotalSeconds;
        var reconciliation = new Reconciliation(plan, stage, lives, player.Mesures, callers, today, concurrency);
        var figures = await reconciliation.CompareAsync(TimeSpan.FromMinutes(1), say, ct);
        foreach (var wrong in player.Pushed.Wrong.Take(20))
            figures.Add(new("an item that was not taken", "", wrong));

        var report = new StringBuilder();
        report.Append(CultureInfo.InvariantCulture, $"""
            # Replay

            Seed {plan.Seed}, policy {plan.Policy.Name}, {plan.Fraction:P1} of the gestionnaires of the simulated year, which ended on {plan.LastDay:yyyy-MM-dd}. {figures.Count(f => !f.IsEqual)} of {figures.Count} figures differ.

            {lives.Count:N0} mesures, {lives.Sum(l => l.Steps.Count):N0} acts; {player.Pushed.Applied:N0} items applied, of which {player.Pushed.Waited:N0} waited for earlier ones, and {player.Pushed.Duplicates:N0} came again; {callers.Repeated:N0} calls were made again.

            | Part | Count | Seconds |
            |---|---|---|
            | simulated | {lives.Count:N0} | {simulated:0.0} |

            """);
        foreach (var (phase, count, seconds) in player.Times)
            report.Append(CultureInfo.InvariantCulture, $"| {phase} | {count:N0} | {seconds:0.0} |\n");
        foreach (var (what, count, seconds) in reconciliation.Times)
            report.Append(CultureInfo.InvariantCulture, $"| equal or not: {what} | {count:N0} | {seconds:0.0} |\n");
        report.Append(CultureInfo.InvariantCulture, $"| drained and compared | {figures.Count:N0} | {watch.Elapsed.TotalSeconds - played:0.0} |\n| all | | {watch.Elapsed.TotalSeconds:0.0} |\n\n");
        report.Append(Reconciliation.Table(figures));
        if (statistics is not null)
        {
            var how = string.Create(CultureInfo.InvariantCulture, $"""
                Seed {plan.Seed}, policy {plan.Policy.Name}, {100 * plan.Fraction:0.##} % of the gestionnaires ({reconciliation.Gestionnaires.Count}), the simulated year that ended on {plan.LastDay:yyyy-MM-dd}: {lives.Count:N0} mesures and {lives.Sum(l => l.Steps.Count):N0} acts, played on {today:yyyy-MM-dd} by
                `./jafer replay --year-fraction {plan.Fraction:0.####} --seed {plan.Seed} --last-day {plan.LastDay:yyyy-MM-dd} --statistics docs/statistics.md`. {figures.Count(f => !f.IsEqual)} of the {figures.Count:N0} figures that the replay compares differ.
                """);
            await ReplaySurvey.WriteAsync(statistics, await ReplaySurvey.TableAsync(plan, reconciliation.SurveyFigures.GetValueOrDefault(plan.LastDay.Year) ?? [], callers, how, ct), ct);
        }

        if (campaign)
        {
            say("holding the campaign");
            report.Append(CultureInfo.InvariantCulture, $"\n{await ReplaySurvey.CampaignAsync(plan, reconciliation.Gestionnaires, callers, today, ct)}\n");
        }

        return (figures, report.ToString());
    }

    /// <summary>The year of a plan with its acts.</summary>
    public static (Territory Territory, Demand Demand, Books Books) Simulate(ReplayPlan plan)
    {
        var territory = Territory.Read();
        var demand = Demand.Of(territory, Parameters.Middle, plan.Seed);
        return (territory, demand, Engine.Run(territory, demand, plan.Policy, withActs: true));
    }
}
