using System.Collections.Frozen;
using Jafer.Contracts.Directory.V1;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Which role may call which rpc, and whose things it may touch there. Read from access.csv: a row for each rpc, a column for
/// each role, cells as the head of the file explains. An rpc without a row, and a role without a column, are refused.
/// </summary>
public sealed class AccessTable
{
    private static readonly string[] s_reading = ["Get", "List", "Search", "Check", "Watch"];

    private readonly FrozenDictionary<string, FrozenDictionary<string, AccessCell>> _rows;

    private AccessTable(IReadOnlyList<string> roles, FrozenDictionary<string, FrozenDictionary<string, AccessCell>> rows)
    {
        Roles = roles;
        _rows = rows;
    }

    /// <summary>The table that is built in.</summary>
    public static AccessTable BuiltIn { get; } = LoadBuiltIn();

    /// <summary>The roles that have a column, in its order.</summary>
    public IReadOnlyList<string> Roles { get; }

    /// <summary>Full names of the rpcs that have a row, such as "/jafer.mesure.v1.MesureService/GetMesure".</summary>
    public IEnumerable<string> Rpcs => _rows.Keys;

    /// <summary>Whether an rpc has a row.</summary>
    /// <param name="rpc">Full name with leading slash.</param>
    public bool Declares(string rpc) => _rows.ContainsKey(rpc);

    /// <summary>What a role is granted for an rpc.</summary>
    /// <param name="rpc">Full name with leading slash.</param>
    /// <param name="role">Role.</param>
    public AccessCell Cell(string rpc, string role) =>
        _rows.TryGetValue(rpc, out var row) && row.TryGetValue(role, out var cell) ? cell : AccessCell.None;

    /// <summary>Whose things a role may touch by an rpc.</summary>
    /// <param name="rpc">Full name with leading slash.</param>
    /// <param name="role">Role.</param>
    public Tenancy Grant(string rpc, string role) => Cell(rpc, role).Tenancy;

    /// <summary>Reads a table.</summary>
    /// <param name="lines">Lines of the file; empty ones and those that begin with # do not count.</param>
    public static AccessTable Parse(IEnumerable<string> lines)
    {
        var cells = lines.Where(l => l.Length > 0 && l[0] != '#').Select(l => l.Split(',', StringSplitOptions.TrimEntries)).ToList();
        var roles = cells[0][1..];
        var rows = new Dictionary<string, FrozenDictionary<string, AccessCell>>(StringComparer.Ordinal);
        foreach (var line in cells.Skip(1))
        {
            if (line.Length != roles.Length + 1)
            {
                throw new FormatException($"access table: {line[0]} has {line.Length - 1} cells instead of {roles.Length}");
            }

            var reads = Reads(line[0]);
            var row = roles.Zip(line[1..]).ToFrozenDictionary(c => c.First, c => Ranked(AccessCell.Parse(c.Second), reads), StringComparer.Ordinal);
            if (!rows.TryAdd("/" + line[0], row))
            {
                throw new FormatException($"access table: {line[0]} stands twice");
            }
        }

        return new AccessTable(roles, rows.ToFrozenDictionary(StringComparer.Ordinal));
    }

    // The contract's rules keep these names for what has no request_id.
    private static bool Reads(string rpc)
    {
        var name = rpc[(rpc.LastIndexOf('/') + 1)..];
        return Array.Exists(s_reading, verb => name.StartsWith(verb, StringComparison.Ordinal) && name.Length > verb.Length && char.IsUpper(name[verb.Length]));
    }

    private static AccessCell Ranked(AccessCell cell, bool reads) => reads && cell.Rank == MemberRank.Agent ? cell with { Rank = MemberRank.Reader } : cell;

    private static AccessTable LoadBuiltIn()
    {
        using var stream = typeof(AccessTable).Assembly.GetManifestResourceStream("Jafer.ServiceDefaults.Access.access.csv")!;
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries));
    }
}
