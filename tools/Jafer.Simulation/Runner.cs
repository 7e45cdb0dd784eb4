using System.Diagnostics;
using System.Text.Json;

namespace Jafer.Simulation;

/// <summary>One run, as a line of the results.</summary>
/// <param name="World">Name of the world.</param>
/// <param name="Print">Print of its parameters.</param>
/// <param name="Policy">Name of the policy.</param>
/// <param name="Seed">Seed.</param>
/// <param name="Outcome">What came out.</param>
internal sealed record RunLine(string World, string Print, string Policy, int Seed, RunOutcome Outcome);

/// <summary>The results so far: a file with a line for each run, to which runs are appended as they end.</summary>
internal sealed class Results : IDisposable
{
    private readonly Dictionary<(string Print, string World, string Policy, int Seed), RunOutcome> _known = [];
    private readonly StreamWriter? _file;
    private readonly Lock _gate = new();

    /// <summary>Reads what a file holds and goes on with it.</summary>
    /// <param name="path">The file; null to keep nothing.</param>
    public Results(string? path)
    {
        if (path is null)
            return;
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (File.Exists(path))
        {
            foreach (var line in File.ReadLines(path))
            {
                if (Read(line) is { } run)
                    _known[(run.Print, run.World, run.Policy, run.Seed)] = run.Outcome;
            }
        }
        // Two tools that append to one file write over each other.
        _file = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None)) { NewLine = "\n" };
        if (_file.BaseStream.Length > 0)
            _file.WriteLine();
    }

    /// <summary>What came out of a run; null when it was not run yet.</summary>
    public RunOutcome? Find(World world, Policy policy, int seed)
    {
        lock (_gate)
            return _known.GetValueOrDefault((World.PrintOf(world.Parameters), world.Name, policy.Name, seed));
    }

    /// <summary>The runs of a policy, by seed, from 0 as far as there are.</summary>
    public IReadOnlyList<RunOutcome> Of(World world, Policy policy)
    {
        var print = World.PrintOf(world.Parameters);
        var runs = new List<RunOutcome>();
        while (_known.TryGetValue((print, world.Name, policy.Name, runs.Count), out var run))
            runs.Add(run);
        return runs;
    }

    /// <summary>Keeps a run.</summary>
    public void Add(RunLine run)
    {
        lock (_gate)
        {
            _known[(run.Print, run.World, run.Policy, run.Seed)] = run.Outcome;
            _file?.WriteLine(JsonSerializer.Serialize(run));
            _file?.Flush();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file?.Dispose();

    // A line that a kill cut off is run again.
    private static RunLine? Read(string line)
    {
        try
        {
            return line.Length == 0 ? null : JsonSerializer.Deserialize<RunLine>(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What is to be run.</summary>
/// <param name="World">World.</param>
/// <param name="Policies">Policies.</param>
/// <param name="Seeds">Seeds from 0.</param>
internal sealed record Job(World World, IReadOnlyList<Policy> Policies, int Seeds);

/// <summary>Runs what the results do not hold yet, a seed at a time on each core, so that its demand is drawn once for all policies.</summary>
/// <param name="territory">Where everything is.</param>
/// <param name="results">The results.</param>
/// <param name="progress">Is told how far it is.</param>
internal sealed class Runner(Territory territory, Results results, Action<string> progress)
{
    /// <summary>Runs; what has ended stays when it is cancelled.</summary>
    /// <param name="jobs">What to run.</param>
    /// <param name="ct">Cancellation: the runs under way are given up.</param>
    public void Run(IReadOnlyList<Job> jobs, CancellationToken ct)
    {
        var todo = (from job in jobs
                    from seed in Enumerable.Range(0, job.Seeds)
                    let policies = job.Policies.Where(p => results.Find(job.World, p, seed) is null).ToArray()
                    where policies.Length > 0
                    select (job.World, Seed: seed, Policies: policies)).ToArray();
        var (all, done) = (todo.Sum(t => t.Policies.Length), 0);
        var known = jobs.Sum(j => j.Policies.Count * j.Seeds) - all;
        var clock = Stopwatch.StartNew();
        progress(FormattableString.Invariant($"{all} runs to do, {known} known"));
        Parallel.ForEach(
            Partitioner(todo), new ParallelOptions { MaxDegreeOfParallelism = Math.Clamp(Environment.ProcessorCount, 1, 8), CancellationToken = ct }, task =>
            {
                var parameters = task.World.Parameters;
                var print = World.PrintOf(parameters);
                var demand = Demand.Of(territory, parameters, task.Seed);
                foreach (var policy in task.Policies)
                {
                    ct.ThrowIfCancellationRequested();
                    results.Add(new(task.World.Name, print, policy.Name, task.Seed, Outcome.Of(territory, demand, Engine.Run(territory, demand, policy))));
                    var so = Interlocked.Increment(ref done);
                    progress(FormattableString.Invariant(
                        $"{so} of {all}, {clock.Elapsed.TotalSeconds:F0} s, {clock.Elapsed.TotalSeconds / so * (all - so):F0} s to go: {task.World.Name}, seed {task.Seed}, {policy.Name}"));
                }
            });
    }

    private static System.Collections.Concurrent.OrderablePartitioner<T> Partitioner<T>(T[] items) =>
        System.Collections.Concurrent.Partitioner.Create(items, loadBalance: true);
}
