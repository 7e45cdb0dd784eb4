using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Jafer.Benchmarks;

// Jafer.Benchmarks [NAME…]: measures each benchmark beside its floor, in one run, and writes artifacts/bench.json.
// What a service can do is asked by one caller, who may take all of it here. Processes that a benchmark starts have it too.
foreach (var limit in new[] { "CallerRate", "CallerBurst", "OrganisationRate", "OrganisationBurst", "CallerCalls", "OrganisationCalls", "CallerStreams", "OrganisationStreams", "AddressConnections" })
{
    Environment.SetEnvironmentVariable("Limits__" + limit, "1000000");
}

var benchmarks = new (string Name, Func<CancellationToken, Task<Result>> Run)[]
{
    (SearchBenchmark.Name, SearchBenchmark.RunAsync),
    (SearchBenchmark.ManyName, SearchBenchmark.RunManyAsync),
    (SearchBenchmark.GrowthName, SearchBenchmark.RunGrowthAsync),
    (SearchBenchmark.HistoryName, SearchBenchmark.RunHistoryAsync),
    (TransmitBenchmark.Name, TransmitBenchmark.RunAsync),
    (StatusBenchmark.Name, StatusBenchmark.RunAsync),
    (IntakeBenchmark.Name, IntakeBenchmark.RunAsync),
    (RelayBenchmark.Name, RelayBenchmark.RunAsync),
    (WatchBenchmark.Name, WatchBenchmark.RunAsync),
    (WatchersBenchmark.Name, WatchersBenchmark.RunAsync),
    (FeedBenchmark.Name, FeedBenchmark.RunAsync),
    (WebhookBenchmark.Name, WebhookBenchmark.RunAsync),
    (MailBenchmark.Name, MailBenchmark.RunAsync),
    (DistancierBenchmark.Name, DistancierBenchmark.RunAsync),
    (CoverageBenchmark.Name, CoverageBenchmark.RunAsync),
    (ImportBenchmark.Name, ImportBenchmark.RunAsync),
    (CommunesBenchmark.Name, CommunesBenchmark.RunAsync),
    (JournalBenchmark.Name, JournalBenchmark.RunAsync),
    (WaitsBenchmark.EstimateName, WaitsBenchmark.RunEstimateAsync),
    (WaitsBenchmark.ForecastName, WaitsBenchmark.RunForecastAsync),
    (SlotFitBenchmark.Name, SlotFitBenchmark.RunAsync),
    (WorklistBenchmark.ListName, WorklistBenchmark.RunListAsync),
    (WorklistBenchmark.WorklistsName, WorklistBenchmark.RunWorklistsAsync),
    (WorklistBenchmark.DelaysName, WorklistBenchmark.RunDelaysAsync),
    (SurveyBenchmark.Name, SurveyBenchmark.RunAsync),
    (SurveyBenchmark.TwentyName, SurveyBenchmark.RunTwentyAsync),
};
if (args.Except(benchmarks.Select(b => b.Name)).FirstOrDefault() is { } unknown)
{
    await Console.Error.WriteLineAsync($"There is no benchmark {unknown}; there are {string.Join(", ", benchmarks.Select(b => b.Name))}.");
    return 2;
}

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
var results = new List<Result>();
try
{
    foreach (var (name, run) in benchmarks.Where(b => args.Length == 0 || args.Contains(b.Name)))
    {
        var start = Stopwatch.GetTimestamp();
        Console.WriteLine($"{name} …");
        var result = await run(stop.Token);
        results.Add(result);
        Console.WriteLine($"{name}: {result} ({Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s)");
    }
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 130;
}
catch (InvalidOperationException e) when (e.TargetSite?.DeclaringType == typeof(Jafer.Testing.Servers))
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}

var folder = Path.Combine(Environment.GetEnvironmentVariable("JAFER_ROOT") ?? Environment.CurrentDirectory, "artifacts");
Directory.CreateDirectory(folder);
await File.WriteAllTextAsync(
    Path.Combine(folder, "bench.json"), JsonSerializer.Serialize(results, new JsonSerializerOptions(JsonSerializerDefaults.Web) { WriteIndented = true }) + "\n");
Table.Write(results, Console.Out);
return 0;

void End(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
