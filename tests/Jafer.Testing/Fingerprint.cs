using System.Globalization;
using System.Text;

namespace Jafer.Testing;

/// <summary>What a database holds, in short: equal before and after a call that must change nothing.</summary>
public static class Fingerprint
{
    /// <summary>A hash of the rows of each table; what comes and goes by itself is left out.</summary>
    /// <param name="database">The database.</param>
    /// <param name="except">Tables left out.</param>
    public static async Task<string> OfAsync(TestDatabase database, params string[] except)
    {
        var tables = await database.ReadAllAsync<string>(
            "select tablename::text from pg_tables where schemaname = 'public' and tablename not in ('outbox_messages', 'inbox_messages', 'communes', 'sealing_passes') order by 1");
        var text = new StringBuilder();
        foreach (var table in tables.Except(except, StringComparer.Ordinal))
        {
            var hash = await database.ReadAsync<string>($"select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from \"{table}\" t");
            text.Append(CultureInfo.InvariantCulture, $"{table} {hash}\n");
        }

        return text.ToString();
    }
}
