using System.Collections.Frozen;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Domain;

/// <summary>What follows when a group has not been confirmed for longer than its rule allows.</summary>
internal enum StaleEffect
{
    /// <summary>It is shown all the same, and marked.</summary>
    Marked,

    /// <summary>It is marked, and an opening that it states counts as unconfirmed: openness expires.</summary>
    Unconfirmed,
}

/// <summary>How long a group of an espace's fields counts as true without anybody confirming it.</summary>
/// <param name="Group">The group.</param>
/// <param name="FreshDays">Days after the last confirmation on which it still counts as fresh.</param>
/// <param name="Then">What follows afterwards.</param>
/// <param name="Reason">Why so long.</param>
internal sealed record FreshnessRule(EspaceGroup Group, int FreshDays, StaleEffect Then, string Reason);

/// <summary>The freshness rules, as <c>freshness.csv</c> states them.</summary>
internal static class Freshness
{
    private static readonly FrozenDictionary<EspaceGroup, FreshnessRule> s_rules = Read();

    /// <summary>Every rule, in the order of the groups.</summary>
    public static IEnumerable<FreshnessRule> Rules => s_rules.Values.OrderBy(r => r.Group);

    /// <summary>Days without any confirmation after which an espace is silent: longer than any rule allows.</summary>
    public static int LongestFreshDays { get; } = s_rules.Values.Max(r => r.FreshDays);

    /// <summary>The rule of a group.</summary>
    public static FreshnessRule Of(EspaceGroup group) => s_rules[group];

    /// <summary>Last day on which a group counts as fresh.</summary>
    /// <param name="group">The group.</param>
    /// <param name="confirmed">Day on which it was last said or confirmed; for a declared wait the day for which it holds.</param>
    public static DateOnly FreshUntil(EspaceGroup group, DateOnly confirmed) => confirmed.PlusDays(Of(group).FreshDays);

    /// <summary>True when a group was not confirmed for longer than its rule allows.</summary>
    /// <param name="group">The group.</param>
    /// <param name="confirmed">Day on which it was last said or confirmed; for a declared wait the day for which it holds.</param>
    /// <param name="day">The day asked for.</param>
    public static bool IsStaleOn(EspaceGroup group, DateOnly confirmed, DateOnly day) => day > FreshUntil(group, confirmed);

    /// <summary>True when what a group says of being open no longer counts: ask before relying on it.</summary>
    /// <param name="group">The group; in general <see cref="EspaceGroup.Modalite"/>.</param>
    /// <param name="confirmed">Day on which it was last said or confirmed.</param>
    /// <param name="day">The day asked for.</param>
    public static bool OpennessExpiredOn(EspaceGroup group, DateOnly confirmed, DateOnly day) =>
        Of(group).Then == StaleEffect.Unconfirmed && IsStaleOn(group, confirmed, day);

    private static FrozenDictionary<EspaceGroup, FreshnessRule> Read()
    {
        using var reader = new StreamReader(typeof(Freshness).Assembly.GetManifestResourceStream("freshness.csv")!);
        var lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // The reason comes last, so that its commas need no parser.
        return lines.Skip(1).Select(line => line.Split(',', 4)).Select(cells => new FreshnessRule(
            ProtoConversions.FromCode<EspaceGroup>(cells[0]), int.Parse(cells[1], System.Globalization.CultureInfo.InvariantCulture),
            Enum.Parse<StaleEffect>(cells[2], ignoreCase: true), cells[3].Trim('"'))).ToFrozenDictionary(r => r.Group);
    }
}
