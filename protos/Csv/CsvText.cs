using System.Buffers;
using System.Globalization;

namespace Jafer.Contracts.Csv;

/// <summary>Writes CSV as RFC 4180 has it, lines ended by LF; what it writes reads back as it was.</summary>
public static class CsvText
{
    private static readonly SearchValues<char> s_quoted = SearchValues.Create("\",;\r\n\uFEFF");

    /// <summary>A line.</summary>
    /// <param name="delimiter">Comma or semicolon.</param>
    /// <param name="cells">The cells.</param>
    public static string Line(char delimiter, IEnumerable<string> cells)
    {
        var line = string.Join(delimiter, cells.Select(Cell));
        // A single empty cell would be an empty line, which is nothing.
        return (line.Length == 0 ? "\"\"" : line) + "\n";
    }

    /// <summary>The cells of a line of a file of Jafer's own; a quoted cell holds no line end and no quote.</summary>
    /// <param name="delimiter">Comma or semicolon.</param>
    /// <param name="line">The line.</param>
    public static IReadOnlyList<string> Cells(char delimiter, string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        var cells = new List<string>();
        for (var start = 0; start <= line.Length;)
        {
            var quoted = start < line.Length && line[start] == '"';
            var end = line.IndexOf(quoted ? '"' : delimiter, quoted ? start + 1 : start);
            end = end < 0 ? line.Length : end;
            cells.Add(quoted ? line[(start + 1)..end] : line[start..end]);
            start = end + (quoted ? 2 : 1);
        }
        return cells;
    }

    /// <summary>A number as any computer reads it: a point, no groups, as many digits as it needs.</summary>
    /// <param name="value">The number.</param>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Cell(string cell) =>
        cell.AsSpan().ContainsAny(s_quoted) ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
