using System.Globalization;

namespace Jafer.Benchmarks;

/// <summary>What a benchmark found.</summary>
/// <param name="Name">Name of the benchmark.</param>
/// <param name="Unit">Unit of value and floor.</param>
/// <param name="Value">Median over the rounds.</param>
/// <param name="Floor">Median of the floor over the rounds between them.</param>
/// <param name="Ratio">Median of the rounds' own ratios: a neighbour that slows a round slows both its sides.</param>
/// <param name="Goal">The ratio wanted: at least, for a throughput; at most, for a latency.</param>
/// <param name="Met">Whether the goal is met.</param>
internal sealed record Result(string Name, string Unit, double Value, double Floor, double Ratio, double Goal, bool Met)
{
    /// <summary>The result of a throughput, which must reach a share of its floor.</summary>
    public static Result AtLeast(string name, string unit, Rounds rounds, double goal) => Of(name, unit, rounds, goal, rounds.Ratio >= goal);

    /// <summary>The result of a latency, which must stay under a multiple of its floor.</summary>
    public static Result AtMost(string name, string unit, Rounds rounds, double goal) => Of(name, unit, rounds, goal, rounds.Ratio <= goal);

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Value:0.##} {Unit}, floor {Floor:0.##}, ratio {Ratio:0.00}, goal {Goal}: {(Met ? "met" : "missed")}");

    private static Result Of(string name, string unit, Rounds rounds, double goal, bool met) =>
        new(name, unit, Math.Round(rounds.Value, 3), Math.Round(rounds.Floor, 3), Math.Round(rounds.Ratio, 3), goal, met);
}

/// <summary>Writes results for a reader.</summary>
internal static class Table
{
    /// <summary>Writes a line for each result.</summary>
    public static void Write(IReadOnlyCollection<Result> results, TextWriter output)
    {
        output.WriteLine($"{"benchmark",-14} {"value",16} {"floor",10} {"ratio",7} {"goal",6}  met");
        foreach (var r in results)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{r.Name,-14} {$"{r.Value:0.##} {r.Unit}",16} {r.Floor,10:0.##} {r.Ratio,7:0.00} {r.Goal,6}  {(r.Met ? "yes" : "NO")}"));
        }
    }
}
