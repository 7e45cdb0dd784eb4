using System.Diagnostics;
using System.Globalization;

namespace Jafer.Benchmarks;

/// <summary>The rounds of a benchmark: each measures the product and its floor one after the other, the order changing.</summary>
internal sealed class Rounds
{
    private readonly List<(double Value, double Floor)> _pairs = [];

    private Rounds()
    {
    }

    /// <summary>Median of the product's rounds.</summary>
    public double Value => Median(_pairs.Select(p => p.Value));

    /// <summary>Median of the floor's rounds.</summary>
    public double Floor => Median(_pairs.Select(p => p.Floor));

    /// <summary>Median of the ratios of neighbours.</summary>
    public double Ratio => Median(_pairs.Select(p => p.Value / p.Floor));

    /// <summary>Measures.</summary>
    /// <param name="warmUps">Rounds before those that count: the runtime compiles what is called often a second time, in the background.</param>
    /// <param name="count">Rounds that count.</param>
    /// <param name="value">Measures the product once.</param>
    /// <param name="floor">Measures the floor once.</param>
    public static async Task<Rounds> RunAsync(int warmUps, int count, Func<Task<double>> value, Func<Task<double>> floor)
    {
        var rounds = new Rounds();
        for (var i = 0; i < warmUps; i++)
        {
            await value();
            await floor();
        }

        for (var i = 0; i < count; i++)
        {
            var (v, f) = (0d, 0d);
            if (i % 2 == 0)
            {
                v = await value();
                f = await floor();
            }
            else
            {
                f = await floor();
                v = await value();
            }

            rounds.Add(v, f);
        }

        return rounds;
    }

    /// <summary>Measures single samples of both in turn; a round is the medians of its samples.</summary>
    /// <param name="warmUps">Rounds before those that count.</param>
    /// <param name="count">Rounds that count.</param>
    /// <param name="samples">Samples of each side in a round.</param>
    /// <param name="value">Takes a sample of the product.</param>
    /// <param name="floor">Takes a sample of the floor.</param>
    public static async Task<Rounds> SampleAsync(int warmUps, int count, int samples, Func<Task<double>> value, Func<Task<double>> floor)
    {
        var rounds = new Rounds();
        for (var i = -warmUps; i < count; i++)
        {
            var (values, floors) = (new double[samples], new double[samples]);
            for (var sample = 0; sample < samples; sample++)
            {
                values[sample] = await value();
                floors[sample] = await floor();
            }

            if (i >= 0)
            {
                rounds.Add(Median(values), Median(floors));
            }
        }

        return rounds;
    }

    /// <summary>Calls per second of concurrent callers.</summary>
    /// <param name="callers">Callers.</param>
    /// <param name="calls">Calls of all callers together.</param>
    /// <param name="call">Makes a call, given the caller and the number of the call.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<double> ThroughputAsync(int callers, int calls, Func<int, int, Task> call, CancellationToken ct)
    {
        GC.Collect();
        var next = -1;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(
            async () =>
            {
                while (Interlocked.Increment(ref next) is var number && number < calls)
                {
                    ct.ThrowIfCancellationRequested();
                    await call(caller, number);
                }
            },
            ct)));
        return calls / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Add(double value, double floor)
    {
        _pairs.Add((value, floor));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  round {_pairs.Count}: {value:0.##} / {floor:0.##} = {value / floor:0.00}"));
    }

    /// <summary>The median.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
