using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using Jafer.Cli.Files;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Territory;

/// <summary>
/// A CSV file of travel times: header <c>depart,arrivee,minutes</c>, one way in a line, empty minutes for no road link. UTF-8;
/// the separator is the header's (comma or semicolon), with semicolons a decimal comma is read too. A name that ends in .gz is
/// unpacked while it is read.
/// </summary>
internal sealed class DistancierFile : IDisposable
{
    private static readonly string[] s_columns = ["depart", "arrivee", "minutes"];

    private readonly string _path;
    private readonly Stream _file;
    private readonly StreamReader _reader;

    /// <summary>Opens the file.</summary>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public DistancierFile(string path)
    {
        _path = path;
        _file = InputFile.Open(path);
        _reader = new StreamReader(
            path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(_file, CompressionMode.Decompress) : _file, Encoding.UTF8);
    }

    /// <summary>Mistakes that only the file shows: wrong columns, minutes that are no number.</summary>
    public List<LineError> Errors { get; } = [];

    /// <summary>Share of the file that was read, from 0 to 1.</summary>
    public double Share => _file.Length == 0 ? 1 : (double)_file.Position / _file.Length;

    /// <summary>
    /// The ways in the order of their lines. A line that cannot be read is given as a way that the directory refuses, so that
    /// its other mistakes are still found and lines keep their numbers. Empty lines at the end are passed over.
    /// </summary>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="UsageException">The header is another one, or the file is broken: of a packed one the check fails.</exception>
    public async IAsyncEnumerable<DistancierWay> ReadAsync([EnumeratorCancellation] CancellationToken ct)
    {
        var header = await ReadLineAsync(ct) ?? "";
        var separator = header.Contains(';', StringComparison.Ordinal) ? ';' : ',';
        if (!header.Split(separator).Select(Unquoted).SequenceEqual(s_columns))
            throw new UsageException($"Line 1 must be {string.Join(',', s_columns)} (or with semicolons).");
        var (number, empty) = (1, 0);
        while (await ReadLineAsync(ct) is { } line)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                empty++;
                continue;
            }
            // The directory counts ways: an empty line among them is a mistake, so that the next ones keep their numbers.
            for (; empty > 0; empty--)
                yield return Read("", ++number, separator);
            yield return Read(line, ++number, separator);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _file.Dispose();
    }

    private async ValueTask<string?> ReadLineAsync(CancellationToken ct)
    {
        try
        {
            return await _reader.ReadLineAsync(ct);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw InputFile.BrokenOff(_path);
        }
    }

    private DistancierWay Read(string line, int number, char separator)
    {
        var cells = line.Split(separator);
        var way = new DistancierWay { FromInsee = Unquoted(cells[0]), ToInsee = cells.Length > 1 ? Unquoted(cells[1]) : "" };
        if (cells.Length != s_columns.Length)
        {
            Add("", $"must have {s_columns.Length} columns");
            return way;
        }
        var minutes = Unquoted(cells[2]);
        if (minutes.Length == 0)
            return way;
        if (separator == ';')
            minutes = minutes.Replace(',', '.');
        if (float.TryParse(minutes, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            way.Minutes = value;
        else
            Add("minutes", "must be a number, or empty when no road links the two");
        return way;

        void Add(string column, string description)
        {
            Errors.Add(new LineError { Line = number, Column = column, Description = description });
            way.Minutes = float.NaN;
        }
    }

    private static string Unquoted(string cell) => cell.Trim().Trim('"');
}
