using System.Collections.Frozen;
using System.Globalization;

namespace Jafer.ServiceDefaults.Limits;

/// <summary>For how many calls an rpc counts. Read from weights.csv; an rpc without a row counts for one.</summary>
public sealed class CallWeights
{
    private readonly FrozenDictionary<string, int> _rows;

    private CallWeights(FrozenDictionary<string, int> rows) => _rows = rows;

    /// <summary>The table that is built in.</summary>
    public static CallWeights BuiltIn { get; } = LoadBuiltIn();

    /// <summary>Full names of the rpcs that have a row.</summary>
    public IEnumerable<string> Rpcs => _rows.Keys;

    /// <summary>For how many calls an rpc counts.</summary>
    /// <param name="rpc">Full name with leading slash.</param>
    public int Of(string rpc) => _rows.GetValueOrDefault(rpc, 1);

    /// <summary>Reads a table.</summary>
    /// <param name="lines">Lines of the file; empty ones and those that begin with # do not count, and the first is its header.</param>
    public static CallWeights Parse(IEnumerable<string> lines)
    {
        var rows = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var line in lines.Where(l => l.Length > 0 && l[0] != '#').Skip(1))
        {
            if (line.Split(',', StringSplitOptions.TrimEntries) is not [var rpc, var cell]
                || !int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out var weight) || weight < 1)
            {
                throw new FormatException($"weights of rpcs: {line}");
            }

            if (!rows.TryAdd("/" + rpc, weight))
            {
                throw new FormatException($"weights of rpcs: {rpc} stands twice");
            }
        }

        return new CallWeights(rows.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static CallWeights LoadBuiltIn()
    {
        using var stream = typeof(CallWeights).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Limits.weights.csv")!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries));
    }
}
