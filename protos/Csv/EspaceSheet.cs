using System.Text.RegularExpressions;
using Google.Protobuf;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Contracts.Csv;

/// <summary>An espace as a file gives it.</summary>
public sealed class SheetEspace
{
    private readonly Dictionary<string, (int Line, LineKind Kind)> _lines = new(StringComparer.Ordinal);

    internal SheetEspace(string externalId, int line)
    {
        FirstLine = line;
        Import = new EspaceImport { ExternalId = externalId, Gestionnaire = new GestionnaireImport(), Accueil = new Accueil() };
    }

    /// <summary>What is to be imported.</summary>
    public EspaceImport Import { get; }

    /// <summary>First line that names the espace.</summary>
    public int FirstLine { get; }

    internal List<(string Lieu, Desserte Desserte, int Line)> Dessertes { get; } = [];

    internal bool Described => _lines.ContainsKey("");

    /// <summary>Where in the file a field of the import stands.</summary>
    /// <param name="field">Path of the field, such as "agrements[0].start_date".</param>
    /// <returns>Line, and name of the column; empty when the whole line is meant.</returns>
    public (int Line, string Column) PlaceOf(string field)
    {
        ArgumentNullException.ThrowIfNull(field);
        for (var part = field; ; part = part[..Math.Max(part.LastIndexOf('.'), 0)])
        {
            if (_lines.TryGetValue(part, out var place))
                return (place.Line, ColumnIn(place.Kind, field[part.Length..].TrimStart('.')));
            if (part.Length == 0)
                return (FirstLine, "");
        }
    }

    /// <summary>
    /// Whether what is wrong with a field may only follow from a cell of its line that could not be read: it is that cell, or
    /// it is told of the whole line, or in words that name that cell's field.
    /// </summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="description">What is wrong, in the words of the contract.</param>
    /// <param name="unreadable">Columns that could not be read, by line.</param>
    public bool FollowsFrom(string field, string description, ILookup<int, string> unreadable)
    {
        ArgumentNullException.ThrowIfNull(unreadable);
        var (line, column) = PlaceOf(field);
        if (!unreadable.Contains(line))
            return false;
        var kind = _lines.Values.FirstOrDefault(l => l.Line == line).Kind;
        return kind is null || column.Length == 0
            || unreadable[line].Any(c => c == column || (kind.FieldOf(c) is { } other && Regex.IsMatch(description, $@"\b{Regex.Escape(other[(other.LastIndexOf('.') + 1)..])}\b")));
    }

    /// <summary>What is wrong with a field, told in the words of the template.</summary>
    /// <param name="field">Path of the field.</param>
    /// <param name="description">What is wrong, in the words of the contract.</param>
    public CsvMistake ToMistake(string field, string description)
    {
        var (line, column) = PlaceOf(field);
        var kind = _lines.Values.FirstOrDefault(l => l.Line == line).Kind;
        // Names of other fields hold an underscore; those of the same line have a column.
        return new CsvMistake(line, column, Regex.Replace(description, "[a-z]+(_[a-z]+)+", name => kind?.ColumnOf(name.Value) ?? name.Value));
    }

    internal void Note(string part, int line, LineKind kind) => _lines[part] = (line, kind);

    // What is said of an entry of a list, or of a field of the cell's message, is said of the cell.
    private static string ColumnIn(LineKind kind, string field)
    {
        for (var name = Regex.Replace(field, @"\[[0-9]+\]", ""); name.Length > 0; name = name[..Math.Max(name.LastIndexOf('.'), 0)])
        {
            if (kind.ColumnOf(name) is { } column)
                return column;
        }
        return "";
    }
}

/// <summary>
/// Reads a file of the template, record by record, and keeps what it says and everything that is wrong with its form. What the
/// directory finds wrong with the content is told by <see cref="SheetEspace.PlaceOf"/>.
/// </summary>
public sealed class EspaceSheet
{
    /// <summary>Most espaces of one file.</summary>
    public const int MaxEspaces = 20_000;

    private readonly Dictionary<string, SheetEspace> _espaces = new(StringComparer.Ordinal);
    private readonly List<SheetEspace> _order = [];
    private string[]? _header;
    private int _kindAt;
    private int _espaceAt;

    /// <summary>Everything wrong with the form so far.</summary>
    public List<CsvMistake> Mistakes { get; } = [];

    /// <summary>Lines read, the header not counted.</summary>
    public long LineCount { get; private set; }

    /// <summary>The espaces, in the order of the file.</summary>
    public IReadOnlyList<SheetEspace> Espaces => _order;

    /// <summary>Whether the header could be read; without it nothing else can.</summary>
    public bool HasHeader => _header is not null;

    /// <summary>Takes the next record over; the first one is the header.</summary>
    /// <param name="record">The record.</param>
    /// <returns>False when the file cannot be read on.</returns>
    public bool Add(CsvRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (_header is null)
            return ReadHeader(record);
        LineCount++;
        if (record.Cells.Count > _header.Length && record.Cells.Skip(_header.Length).Any(c => c.Length > 0))
        {
            Mistakes.Add(new CsvMistake(record.Line, "", "has more cells than the header"));
            return true;
        }
        var kind = Cell(record, _kindAt).Trim();
        var id = Cell(record, _espaceAt).Trim();
        if (id.Length == 0)
        {
            if (record.Cells.All(string.IsNullOrWhiteSpace))
                LineCount--;
            else
                Mistakes.Add(new CsvMistake(record.Line, EspaceTemplate.EspaceColumn, "is required"));
            return true;
        }
        // What a decoder puts where bytes are not UTF-8: two names of which only that is left would be one.
        if (id.Contains('\uFFFD', StringComparison.Ordinal))
        {
            Mistakes.Add(new CsvMistake(record.Line, EspaceTemplate.EspaceColumn, "is not written in UTF-8"));
            return true;
        }
        if (!_espaces.TryGetValue(id, out var espace))
        {
            if (_order.Count == MaxEspaces)
            {
                Mistakes.Add(new CsvMistake(record.Line, EspaceTemplate.EspaceColumn, "is one espace too many: at most 20000"));
                return false;
            }
            _espaces.Add(id, espace = new SheetEspace(id, record.Line));
            _order.Add(espace);
        }
        Read(record, kind.ToUpperInvariant(), espace);
        return true;
    }

    /// <summary>Concludes: what belongs together over lines is put together.</summary>
    public void Finish()
    {
        foreach (var espace in _order)
        {
            if (!espace.Described)
                Mistakes.Add(new CsvMistake(espace.FirstLine, EspaceTemplate.EspaceColumn, "has no line ESPACE"));
            foreach (var (lieu, desserte, line) in espace.Dessertes)
            {
                var at = espace.Import.Lieux.Index().FirstOrDefault(l => l.Item.ExternalId == lieu, (-1, null!));
                if (at.Index < 0)
                {
                    Mistakes.Add(new CsvMistake(line, "lieu", "is not one of the lieux"));
                    continue;
                }
                espace.Note($"lieux[{at.Index}].dessertes[{at.Item.Dessertes.Count}]", line, EspaceTemplate.Desserte);
                at.Item.Dessertes.Add(desserte);
            }
        }
    }

    private bool ReadHeader(CsvRecord record)
    {
        var header = record.Cells.Select(c => c.Trim().ToLowerInvariant()).ToArray();
        // Spreadsheets leave empty columns at the end.
        header = header[..(Array.FindLastIndex(header, h => h.Length > 0) + 1)];
        foreach (var name in header.Distinct(StringComparer.Ordinal).Where(h => !EspaceTemplate.Header.Contains(h)))
            Mistakes.Add(new CsvMistake(record.Line, name.Length > 40 ? "" : name, "is not a column of the template"));
        foreach (var name in header.GroupBy(h => h).Where(g => g.Count() > 1))
            Mistakes.Add(new CsvMistake(record.Line, name.Key.Length > 40 ? "" : name.Key, "stands twice in the header"));
        (_kindAt, _espaceAt) = (Array.IndexOf(header, EspaceTemplate.KindColumn), Array.IndexOf(header, EspaceTemplate.EspaceColumn));
        foreach (var name in new[] { EspaceTemplate.KindColumn, EspaceTemplate.EspaceColumn }.Where(n => !header.Contains(n)))
            Mistakes.Add(new CsvMistake(record.Line, name, "is missing in the header"));
        if (Mistakes.Count > 0)
            return false;
        _header = header;
        return true;
    }

    private void Read(CsvRecord record, string kind, SheetEspace espace)
    {
        var import = espace.Import;
        switch (kind)
        {
            case "ESPACE" when espace.Described:
                Mistakes.Add(new CsvMistake(record.Line, EspaceTemplate.EspaceColumn, "has a line ESPACE already"));
                break;
            case "ESPACE":
                espace.Note("", record.Line, EspaceTemplate.Espace);
                Fill(EspaceTemplate.Espace, import);
                break;
            case "AGREMENT":
                Part($"agrements[{import.Agrements.Count}]", EspaceTemplate.Agrement, import.Agrements);
                break;
            case "LIEU":
                Part($"lieux[{import.Lieux.Count}]", EspaceTemplate.Lieu, import.Lieux);
                break;
            case "DESSERTE":
                var desserte = new Desserte();
                Fill(EspaceTemplate.Desserte, desserte, "lieu");
                espace.Dessertes.Add((Cell(record, Array.IndexOf(_header!, "lieu")), desserte, record.Line));
                break;
            case "MODALITE":
                Part($"modalites[{import.Modalites.Count}]", EspaceTemplate.Modalite, import.Modalites);
                break;
            case "OUVERTURE":
                Part($"ouvertures[{import.Ouvertures.Count}]", EspaceTemplate.Ouverture, import.Ouvertures);
                break;
            case "FERMETURE":
                Part($"fermetures[{import.Fermetures.Count}]", EspaceTemplate.Fermeture, import.Fermetures);
                break;
            case "ENTRETIEN":
                Part($"accueil.entretiens[{import.Accueil.Entretiens.Count}]", EspaceTemplate.Entretien, import.Accueil.Entretiens);
                break;
            default:
                Mistakes.Add(new CsvMistake(record.Line, EspaceTemplate.KindColumn, kind.Length == 0 ? "is required" : "is not a kind of line"));
                break;
        }

        void Part<T>(string path, LineKind<T> of, ICollection<T> list)
            where T : IMessage, new()
        {
            var part = new T();
            espace.Note(path, record.Line, of);
            Fill(of, part);
            list.Add(part);
        }

        void Fill<T>(LineKind<T> of, T part, string? besides = null)
            where T : IMessage
        {
            for (var i = 0; i < _header!.Length; i++)
            {
                var cell = Cell(record, i);
                if (i == _kindAt || i == _espaceAt || string.IsNullOrWhiteSpace(cell))
                    continue;
                if (cell.Contains('\uFFFD', StringComparison.Ordinal))
                {
                    Mistakes.Add(new CsvMistake(record.Line, _header[i], "is not written in UTF-8"));
                    continue;
                }
                if (_header[i] == besides)
                    continue;
                var column = of.Find(_header[i]);
                if (column is null)
                    Mistakes.Add(new CsvMistake(record.Line, _header[i], "is not used by a line of this kind"));
                else if (column.Set(part, cell) is { } wrong)
                    Mistakes.Add(new CsvMistake(record.Line, column.Name, wrong));
            }
        }
    }

    private static string Cell(CsvRecord record, int position) => position >= 0 && position < record.Cells.Count ? record.Cells[position] : "";
}
