using System.Diagnostics;
using Npgsql;

namespace Jafer.Testing;

/// <summary>Everything that a database holds, as a backup has it.</summary>
public static class DatabaseDump
{
    /// <summary>The dump of a database, with bytes opened where they hold text in clear.</summary>
    /// <param name="database">The database.</param>
    public static async Task<string> OfAsync(TestDatabase database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var to = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var start = new ProcessStartInfo("pg_dump") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "--host", to.Host!, "--port", $"{to.Port}", "--username", to.Username!, "--inserts", "--no-password", database.Name })
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PGPASSWORD"] = to.Password;
        using var dump = Process.Start(start)!;
        var errors = dump.StandardError.ReadToEndAsync();
        var text = await dump.StandardOutput.ReadToEndAsync();
        await dump.WaitForExitAsync();
        return dump.ExitCode == 0 ? text : throw new InvalidOperationException($"pg_dump: {await errors}");
    }

    /// <summary>Which of some words stand in a dump: as text, in bytes, or in text that is written as bytes.</summary>
    /// <param name="dump">The dump.</param>
    /// <param name="words">The words.</param>
    public static IReadOnlyList<string> Found(string dump, IEnumerable<string> words)
    {
        ArgumentNullException.ThrowIfNull(dump);
        return [.. words.Where(w => dump.Contains(w, StringComparison.OrdinalIgnoreCase)
            || dump.Contains(Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(w)), StringComparison.OrdinalIgnoreCase))];
    }
}
