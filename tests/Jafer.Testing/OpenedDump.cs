using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Jafer.ServiceDefaults.Secrets;
using Npgsql;

namespace Jafer.Testing;

/// <summary>
/// What pg_dump writes of a database, as a text to search in: as a thief has it, and with every sealed value opened beside it, as one has
/// it who holds the keys too.
/// </summary>
public static partial class OpenedDump
{
    private static readonly System.Buffers.SearchValues<char> s_hex = System.Buffers.SearchValues.Create("0123456789abcdef");

    /// <summary>The dump, and behind it the bytes of every binary value as text, UTF-8 and unopened.</summary>
    /// <param name="database">The database.</param>
    public static Task<string> ClosedAsync(TestDatabase database) => DumpAsync(database, (value, _) => value);

    /// <summary>As the other, with every sealed value opened.</summary>
    /// <param name="database">The database.</param>
    /// <param name="ring">The keys; null for those of the process.</param>
    /// <exception cref="SealBrokenException">A value that is no sealed value's form any more.</exception>
    public static Task<string> OpenedAsync(TestDatabase database, KeyRing? ring = null) =>
        DumpAsync(database, (value, column) => IsSealed(value) ? (ring ?? KeyRing.Process).Open(value, KeyRing.Binding(column)) : value);

    // One digest in two thousand begins as a sealed value does, but what follows is no name of a key.
    private static bool IsSealed(byte[] value) => KeyRing.KeyIdOf(value) is { Length: > 1 } id && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    /// <summary>Which of some words stand in a dump: as text, in bytes, or in text that is written as bytes.</summary>
    /// <param name="dump">The dump.</param>
    /// <param name="words">The words.</param>
    public static IReadOnlyList<string> Found(string dump, IEnumerable<string> words)
    {
        ArgumentNullException.ThrowIfNull(dump);
        return [.. words.Where(w => dump.Contains(w, StringComparison.OrdinalIgnoreCase)
            || dump.Contains(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(w)), StringComparison.OrdinalIgnoreCase))];
    }

    /// <summary>A row as to_jsonb gives it, with its sealed values opened.</summary>
    /// <param name="table">Table of the row.</param>
    /// <param name="json">The row.</param>
    public static string OpenRow(string table, string json) => SealedInJson().Replace(
        json, m => $"\"{m.Groups[1].Value}\": \"{Encoding.UTF8.GetString(KeyRing.Process.Open(Convert.FromHexString(m.Groups[2].Value), KeyRing.Binding($"{table}.{m.Groups[1].Value}")))}\"");

    private static async Task<string> DumpAsync(TestDatabase database, Func<byte[], string, byte[]> open)
    {
        ArgumentNullException.ThrowIfNull(database);
        var text = await RunAsync(database);
        var opened = new StringBuilder(text).AppendLine();
        var (table, columns) = ("", Array.Empty<string>());
        foreach (var line in text.Split('\n'))
        {
            if (CopyHead().Match(line) is { Success: true } head)
            {
                (table, columns) = (head.Groups[1].Value, head.Groups[2].Value.Split(", "));
            }
            else if (line == "\\.")
            {
                table = "";
            }
            else if (table.Length > 0 && line.Contains("\\\\x", StringComparison.Ordinal))
            {
                var fields = line.Split('\t');
                for (var i = 0; i < fields.Length; i++)
                {
                    if (fields[i].StartsWith("\\\\x", StringComparison.Ordinal) && fields[i].Length > 5 && fields[i].AsSpan(3).IndexOfAnyExcept(s_hex) < 0)
                    {
                        var column = $"{table}.{columns[i].Trim('"')}";
                        opened.Append(CultureInfo.InvariantCulture, $"{column} = ").AppendLine(Encoding.UTF8.GetString(open(Convert.FromHexString(fields[i].AsSpan(3)), column)));
                    }
                }
            }
        }

        return opened.ToString();
    }

    private static async Task<string> RunAsync(TestDatabase database)
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        using var process = Process.Start(new ProcessStartInfo("pg_dump", ["--no-owner", settings.Database!])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            Environment =
            {
                ["PGHOST"] = settings.Host,
                ["PGPORT"] = settings.Port.ToString(CultureInfo.InvariantCulture),
                ["PGUSER"] = settings.Username,
                ["PGPASSWORD"] = settings.Password,
            },
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException(await error);
    }

    [GeneratedRegex(@"^COPY (?:public\.)?(\S+) \(([^)]*)\) FROM stdin;$")]
    private static partial Regex CopyHead();

    [GeneratedRegex("\"(\\w+)\": \"\\\\\\\\x(0[01][0-9a-f]*)\"")]
    private static partial Regex SealedInJson();
}
