using System.Globalization;
using System.Text;
using Jafer.Contracts.Csv;
using Jafer.Mesures.Domain.Survey;

namespace Jafer.Mesures.Survey;

/// <summary>What an imported file says of one gestionnaire, or of the nation, and one year.</summary>
/// <param name="GestionnaireId">The gestionnaire; null for the nation.</param>
/// <param name="Year">The year.</param>
/// <param name="Line">Line on which it begins.</param>
/// <param name="Figures">Figures by code.</param>
internal sealed record ImportedReturn(Guid? GestionnaireId, int Year, int Line, Dictionary<string, long> Figures);

/// <summary>Reads a CSV file of returns: a line for each figure, with the columns year, gestionnaire_id (or FRANCE), code and value.</summary>
internal static class SurveyImport
{
    /// <summary>What stands in the place of a gestionnaire for figures of the nation.</summary>
    public const string Nation = "FRANCE";

    private const long MaxValue = 100_000_000_000;

    private static readonly string[] s_columns = ["year", "gestionnaire_id", "code", "value"];

    /// <summary>Reads a file.</summary>
    /// <param name="content">Its bytes, UTF-8.</param>
    /// <param name="lastYear">The last year that is over.</param>
    /// <param name="mistakes">Takes what is wrong, by line.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>What it says, and the lines read.</returns>
    public static async Task<(IReadOnlyList<ImportedReturn> Returns, int Lines)> ReadAsync(ReadOnlyMemory<byte> content, int lastYear, List<CsvMistake> mistakes, CancellationToken ct)
    {
        string text;
        try
        {
            text = new UTF8Encoding(false, true).GetString(content.Span);
        }
        catch (DecoderFallbackException e)
        {
            // As a spreadsheet saves it on an old setting; the line lets find what it is about.
            mistakes.Add(new CsvMistake(1 + content.Span[..Math.Clamp(e.Index, 0, content.Length)].Count((byte)'\n'), "", "the file is not UTF-8"));
            return ([], 0);
        }

        using var lines = new StringReader(text);
        var reader = new CsvRecordReader(lines, mistakes);
        var header = (await reader.ReadAsync(ct))?.Cells.Select(c => c.Trim()).ToList();
        var columns = s_columns.Select(c => header?.IndexOf(c) ?? -1).ToArray();
        if (columns.Contains(-1))
        {
            mistakes.Add(new CsvMistake(1, "", "the header must name the columns year, gestionnaire_id, code and value"));
            return ([], 0);
        }

        if (s_columns.Any(c => header!.Count(h => h == c) > 1))
        {
            mistakes.Add(new CsvMistake(1, "", "the header names a column twice"));
            return ([], 0);
        }

        var found = new Dictionary<(Guid?, int), ImportedReturn>();
        var count = 0;
        while (await reader.ReadAsync(ct) is { } record)
        {
            count++;
            var cells = columns.Select(c => c < record.Cells.Count ? record.Cells[c].Trim() : "").ToArray();
            var before = mistakes.Count;
            // A decimal or thousands comma would else be cut off with what follows it.
            if (record.Cells.Count > header!.Count)
            {
                mistakes.Add(new CsvMistake(record.Line, "", "has more cells than the header"));
            }

            var year = int.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out var y) && y >= SurveyCatalogue.FirstYear && y <= lastYear
                ? y : Wrong<int>(0, string.Create(CultureInfo.InvariantCulture, $"must be a year from {SurveyCatalogue.FirstYear} to {lastYear}"));
            Guid? gestionnaire = cells[1] == Nation ? null : Guid.TryParseExact(cells[1], "D", out var id) ? id : Wrong<Guid>(1, $"must be a UUID or {Nation}");
            if (SurveyCatalogue.BuiltIn.Find(cells[2]) is null)
            {
                Wrong<int>(2, "is no figure of the survey");
            }

            var value = long.TryParse(cells[3], NumberStyles.None, CultureInfo.InvariantCulture, out var v) && v <= MaxValue ? v : Wrong<long>(3, "must be a whole number from 0");
            if (mistakes.Count > before)
            {
                continue;
            }

            if (!found.TryGetValue((gestionnaire, year), out var of))
            {
                found[(gestionnaire, year)] = of = new ImportedReturn(gestionnaire, year, record.Line, []);
            }

            if (!of.Figures.TryAdd(cells[2], value))
            {
                Wrong<int>(2, "stands twice for the same gestionnaire and year");
            }

            T? Wrong<T>(int column, string description)
            {
                mistakes.Add(new CsvMistake(record.Line, s_columns[column], description));
                return default;
            }
        }

        return ([.. found.Values], count);
    }
}
