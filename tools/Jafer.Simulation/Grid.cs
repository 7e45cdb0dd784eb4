namespace Jafer.Simulation;

/// <summary>A mistake of whoever calls the tool.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What the report needs.</summary>
internal static class Grid
{
    /// <summary>Policies that are looked at in every world.</summary>
    public static readonly Policy[] InWorlds = [.. Policy.Main.Where(p => p.Name is "nearest" or "ranking" or "slots" or "same-day" or "extra" or "all")];

    /// <summary>The runs: main policies and steps with many seeds, variants and worlds with some.</summary>
    public static IReadOnlyList<Job> Jobs(int seeds, int gridSeeds) =>
    [
        new(World.Middle, [.. Policy.Main, .. Policy.Steps], seeds),
        new(World.Middle, Policy.Variants, gridSeeds),
        .. World.All.Where(w => w != World.Middle && w.Name != "term-order").Select(w => new Job(w, InWorlds, (gridSeeds + 1) / 2)),
    ];
}
