using System.Globalization;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Cli.Files;

/// <summary>School holidays from a CSV file with the columns of data/reference/vacances-scolaires.csv.</summary>
internal static class SchoolHolidayFile
{
    private static readonly string[] s_columns = ["zone", "annee_scolaire", "nom", "debut", "fin", "source"];

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="UsageException">It cannot be read, has other columns, or days that are none; every mistake is named.</exception>
    public static async Task<ImportSchoolHolidaysRequest> ReadAsync(string path, CancellationToken ct)
    {
        using var text = new StreamReader(InputFile.Open(path));
        var mistakes = new List<CsvMistake>();
        var reader = new CsvRecordReader(text, mistakes);
        if (await reader.ReadAsync(ct) is not { } header || !header.Cells.SequenceEqual(s_columns))
            throw new UsageException($"{path}:1: must be {string.Join(',', s_columns)}");
        var request = new ImportSchoolHolidaysRequest();
        while (await reader.ReadAsync(ct) is { } record)
        {
            if (record.Cells.Count != s_columns.Length)
            {
                mistakes.Add(new CsvMistake(record.Line, "", $"must have {s_columns.Length} cells"));
                continue;
            }
            // What a decoder puts where bytes are not UTF-8.
            foreach (var (i, _) in record.Cells.Index().Where(c => c.Item.Contains('\uFFFD', StringComparison.Ordinal)))
                mistakes.Add(new CsvMistake(record.Line, s_columns[i], "is not written in UTF-8"));
            request.Holidays.Add(new SchoolHoliday
            {
                Zone = record.Cells[0],
                SchoolYear = record.Cells[1],
                Name = record.Cells[2],
                StartDate = Day(record, 3),
                EndDate = Day(record, 4),
                Source = record.Cells[5],
            });
        }
        if (mistakes.Count > 0)
            throw new UsageException(string.Join('\n', mistakes.Select(m => $"{path}:{m.Line}{(m.Column.Length > 0 ? $" {m.Column}" : "")}: {m.Description}")));
        return request;

        Date? Day(CsvRecord record, int column)
        {
            if (DateOnly.TryParseExact(record.Cells[column], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
                return new Date { Year = day.Year, Month = day.Month, Day = day.Day };
            mistakes.Add(new CsvMistake(record.Line, s_columns[column], "must be a day such as 2026-10-17"));
            return null;
        }
    }
}
