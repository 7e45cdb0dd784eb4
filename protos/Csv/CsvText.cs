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

    /// <summary>A number as any computer reads it: a point, no groups, as many digits as it needs.</summary>
    /// <param name="value">The number.</param>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Cell(string cell) =>
        cell.AsSpan().ContainsAny(s_quoted) ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
}
