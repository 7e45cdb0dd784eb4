using System.Text;

namespace Jafer.Contracts.Csv;

/// <summary>A record of a CSV file.</summary>
/// <param name="Line">Line on which it begins, the first of the file being 1.</param>
/// <param name="Cells">Its cells.</param>
public sealed record CsvRecord(int Line, IReadOnlyList<string> Cells);

/// <summary>Something wrong in a CSV file.</summary>
/// <param name="Line">Line, the first of the file being 1.</param>
/// <param name="Column">Name of the column; empty when the whole line is meant.</param>
/// <param name="Description">What is wrong. English, without the value.</param>
public sealed record CsvMistake(int Line, string Column, string Description);

/// <summary>
/// Reads CSV as RFC 4180 has it, record by record, as it arrives. The header decides whether cells are parted by commas or
/// semicolons; line ends may be LF or CRLF; a byte order mark and empty lines are skipped.
/// </summary>
/// <param name="text">The file.</param>
/// <param name="mistakes">Takes what is wrong with quotes.</param>
public sealed class CsvRecordReader(TextReader text, ICollection<CsvMistake> mistakes)
{
    /// <summary>Longest cell; a quote that is never closed must not swallow the file.</summary>
    public const int MaxCell = 100_000;

    private readonly char[] _buffer = new char[8192];
    private readonly StringBuilder _cell = new();
    private int _next;
    private int _end;
    private int _line = 1;
    private char? _delimiter;
    private bool _tooLong;

    /// <summary>The next record; null at the end.</summary>
    /// <param name="ct">Cancellation.</param>
    public async ValueTask<CsvRecord?> ReadAsync(CancellationToken ct)
    {
        var cells = new List<string>();
        var start = _line;
        var state = State.Begin;
        while (true)
        {
            if (_next == _end)
            {
                (_next, _end) = (0, await text.ReadAsync(_buffer, ct));
                if (_end == 0)
                    return AtEnd(cells, start, state);
            }
            var c = _buffer[_next++];
            if (c == '\n')
                _line++;
            if (c == '\uFEFF' && start == 1 && state == State.Begin && cells.Count == 0)
                continue;
            if (state == State.Quoted)
            {
                if (c == '"')
                    state = State.Closed;
                else
                    Append(c);
                continue;
            }
            // Only the header may still choose: it holds neither of the two in a name.
            if (_delimiter is null && c is ',' or ';')
                _delimiter ??= c;
            if (c == _delimiter)
            {
                EndCell(cells, ref state);
                continue;
            }
            switch (c)
            {
                case '\r':
                    break;
                case '\n' when cells.Count == 0 && state == State.Begin:
                    start = _line;
                    break;
                case '\n':
                    EndCell(cells, ref state);
                    return new CsvRecord(start, cells);
                case '"' when state == State.Begin:
                    state = State.Quoted;
                    break;
                case '"' when state == State.Closed:
                    Append('"');
                    state = State.Quoted;
                    break;
                case '"':
                    mistakes.Add(new CsvMistake(_line, "", "has a quotation mark inside a cell that does not begin with one"));
                    Append(c);
                    break;
                case var _ when state == State.Closed:
                    mistakes.Add(new CsvMistake(_line, "", "has text after a closing quotation mark"));
                    state = State.Plain;
                    Append(c);
                    break;
                default:
                    state = State.Plain;
                    Append(c);
                    break;
            }
        }
    }

    private CsvRecord? AtEnd(List<string> cells, int start, State state)
    {
        if (state == State.Quoted)
            mistakes.Add(new CsvMistake(start, "", "opens a quotation mark that is never closed"));
        if (cells.Count == 0 && state == State.Begin)
            return null;
        EndCell(cells, ref state);
        return new CsvRecord(start, cells);
    }

    private void Append(char c)
    {
        if (_cell.Length < MaxCell)
            _cell.Append(c);
        else
            _tooLong = true;
    }

    private void EndCell(List<string> cells, ref State state)
    {
        if (_tooLong)
            mistakes.Add(new CsvMistake(_line, "", "has a cell that is too long"));
        _tooLong = false;
        cells.Add(_cell.ToString());
        _cell.Clear();
        state = State.Begin;
    }

    private enum State
    {
        Begin,
        Plain,
        Quoted,
        Closed,
    }
}
