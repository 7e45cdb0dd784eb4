using System.Collections.Frozen;

namespace Jafer.ServiceDefaults.Journal;

/// <summary>
/// Which rpcs concern persons, so that each of their answers leaves a line in the journal. Read from personal.csv: a row for each
/// rpc, "yes" or "no". A service with an rpc that has no row does not start.
/// </summary>
public sealed class PersonalTable
{
    private readonly FrozenDictionary<string, bool> _rows;

    private PersonalTable(FrozenDictionary<string, bool> rows) => _rows = rows;

    /// <summary>The table that is built in.</summary>
    public static PersonalTable BuiltIn { get; } = LoadBuiltIn();

    /// <summary>Full names of the rpcs that have a row, with leading slash.</summary>
    public IEnumerable<string> Rpcs => _rows.Keys;

    /// <summary>Whether an rpc has a row.</summary>
    /// <param name="rpc">Full name with leading slash.</param>
    public bool Declares(string rpc) => _rows.ContainsKey(rpc);

    /// <summary>Whether an rpc concerns persons.</summary>
    /// <param name="rpc">Full name with leading slash.</param>
    public bool IsPersonal(string rpc) => _rows.GetValueOrDefault(rpc);

    /// <summary>Reads a table.</summary>
    /// <param name="lines">Lines of the file; empty ones and those that begin with # do not count, the first of the others is the header.</param>
    public static PersonalTable Parse(IEnumerable<string> lines)
    {
        var rows = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var line in lines.Where(l => l.Length > 0 && l[0] != '#').Skip(1))
        {
            if (line.Split(',', StringSplitOptions.TrimEntries) is not [var rpc, "yes" or "no"] cells)
            {
                throw new FormatException($"personal table: not a row: {line}");
            }

            if (!rows.TryAdd("/" + rpc, cells[1] == "yes"))
            {
                throw new FormatException($"personal table: {rpc} stands twice");
            }
        }

        return new PersonalTable(rows.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static PersonalTable LoadBuiltIn()
    {
        using var stream = typeof(PersonalTable).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Journal.personal.csv")!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries));
    }
}
