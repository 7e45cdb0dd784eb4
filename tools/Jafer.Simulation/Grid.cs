namespace Jafer.Simulation;

/// <summary>A mistake of whoever calls the tool.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>What the report needs.</summary>
internal static class Grid
{
    /// <summary>Policies that are looked at in every world.</summary>
    public static readonly Policy[] InWorlds = [.. Policy.Main.Where(p => p.Name is "nearest" or "ranking" or "slots" or "same-day" or "extra" or "all")];

    /// <summary>The runs.</summary>
    /// <param name="seeds">Seeds of each.</param>
    public static IReadOnlyList<Job> Jobs(int seeds) =>
    [
        new(World.Middle, [.. Policy.Main, .. Policy.Steps, .. Policy.Variants], seeds),
        .. World.All.Where(w => w != World.Middle && w.Name != "term-order").Select(w => new Job(w, InWorlds, seeds)),
    ];
}
