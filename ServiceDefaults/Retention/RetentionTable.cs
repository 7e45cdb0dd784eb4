using System.Globalization;
using System.Text.RegularExpressions;
using Jafer.Contracts.Csv;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Retention;

/// <summary>A period of months, days or hours, written as ISO 8601 has it.</summary>
/// <param name="Months">Months of the calendar.</param>
/// <param name="Days">Days of 24 hours.</param>
/// <param name="Hours">Hours.</param>
public readonly partial record struct RetentionPeriod(int Months, int Days, int Hours)
{
    /// <summary>The instant that lies this period before another.</summary>
    /// <param name="instant">The later one.</param>
    public DateTimeOffset Before(DateTimeOffset instant) => instant.AddMonths(-Months).AddDays(-Days).AddHours(-Hours);

    /// <summary>The period as a length of time; one of months has none.</summary>
    public TimeSpan Span => Months == 0 ? new TimeSpan(Days, Hours, 0, 0) : throw new InvalidOperationException("months have no fixed length");

    /// <summary>Reads a period such as P24M, P90D or PT24H.</summary>
    /// <param name="text">The period.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static RetentionPeriod Parse(string text)
    {
        var match = Form().Match(text);
        if (!match.Success)
        {
            throw new FormatException("a period is written P24M, P90D or PT24H");
        }

        return new RetentionPeriod(Number("m"), Number("d"), Number("h"));

        int Number(string group) => match.Groups[group].Success ? int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture) : 0;
    }

    /// <inheritdoc/>
    public override string ToString() => Months > 0 ? $"P{Months}M" : Days > 0 ? $"P{Days}D" : $"PT{Hours}H";

    [GeneratedRegex(@"^P(?:(?<m>\d{1,4})M|(?<d>\d{1,5})D|T(?<h>\d{1,5})H)$")]
    private static partial Regex Form();
}

/// <summary>How long something is kept, and what becomes of it then.</summary>
/// <param name="Code">Stable code.</param>
/// <param name="What">What it is about, in English.</param>
/// <param name="After">From when the period runs.</param>
/// <param name="Keep">The period.</param>
/// <param name="Shortest">The shortest that an installation may choose.</param>
/// <param name="Longest">The longest that an installation may choose.</param>
/// <param name="How">What becomes of it.</param>
/// <param name="Source">Where the period comes from.</param>
public sealed record RetentionRule(
    string Code, string What, string After, RetentionPeriod Keep, RetentionPeriod Shortest, RetentionPeriod Longest, string How, string Source);

/// <summary>The rules of retention, as retention.csv has them.</summary>
public sealed class RetentionTable
{
    // Periods are compared from one day on; which one does not matter within these bounds.
    private static readonly DateTimeOffset s_day = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private RetentionTable(IReadOnlyList<RetentionRule> rules) => Rules = rules;

    /// <summary>The table that is built in.</summary>
    public static RetentionTable BuiltIn { get; } = LoadBuiltIn();

    /// <summary>All rules, in the order of the file.</summary>
    public IReadOnlyList<RetentionRule> Rules { get; }

    /// <summary>A rule by its code.</summary>
    /// <param name="code">The code.</param>
    public RetentionRule this[string code] => Rules.First(r => r.Code == code);

    /// <summary>The table with the periods that an installation chose (Retention:Keep).</summary>
    /// <param name="configuration">Configuration.</param>
    /// <exception cref="InvalidOperationException">A period is none, is outside of its bounds, or of no rule.</exception>
    public RetentionTable With(IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var chosen = configuration.GetSection("Retention:Keep").GetChildren().ToDictionary(s => s.Key, s => s.Value ?? "", StringComparer.OrdinalIgnoreCase);
        if (chosen.Keys.FirstOrDefault(k => !Rules.Any(r => r.Code.Equals(k, StringComparison.OrdinalIgnoreCase))) is { } unknown)
        {
            throw new InvalidOperationException($"Retention:Keep:{unknown} is no rule of retention");
        }

        return new RetentionTable([.. Rules.Select(r => chosen.TryGetValue(r.Code, out var text) ? r with { Keep = Within(r, text) } : r)]);
    }

    /// <summary>Reads a table.</summary>
    /// <param name="lines">Lines of the file; empty ones and those that begin with # do not count, and the first is its header.</param>
    public static RetentionTable Parse(IEnumerable<string> lines)
    {
        var rules = new List<RetentionRule>();
        foreach (var line in lines.Where(l => l.Length > 0 && l[0] != '#').Skip(1))
        {
            if (CsvText.Cells(',', line) is not [var code, var what, var after, var keep, var shortest, var longest, var how, var source] || rules.Exists(r => r.Code == code))
            {
                throw new FormatException($"rules of retention: {line}");
            }

            var rule = new RetentionRule(
                code, what, after, RetentionPeriod.Parse(keep), RetentionPeriod.Parse(shortest), RetentionPeriod.Parse(longest), how, source);
            _ = Within(rule, keep);
            rules.Add(rule);
        }

        return new RetentionTable(rules);
    }

    private static RetentionPeriod Within(RetentionRule rule, string text)
    {
        RetentionPeriod period;
        try
        {
            period = RetentionPeriod.Parse(text);
        }
        catch (FormatException e)
        {
            throw new InvalidOperationException($"Retention:Keep:{rule.Code}: {e.Message}");
        }

        // The later the cut-off, the shorter the period.
        return period.Before(s_day) <= rule.Shortest.Before(s_day) && period.Before(s_day) >= rule.Longest.Before(s_day)
            ? period
            : throw new InvalidOperationException($"Retention:Keep:{rule.Code} must be from {rule.Shortest} to {rule.Longest}");
    }

    private static RetentionTable LoadBuiltIn()
    {
        using var stream = typeof(RetentionTable).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Retention.retention.csv")!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries));
    }
}
