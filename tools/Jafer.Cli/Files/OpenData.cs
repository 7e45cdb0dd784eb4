using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;

namespace Jafer.Cli.Files;

/// <summary>
/// The public part of the directory as open data: tables with their dictionary, JSON and GeoJSON. The same data give the same
/// bytes on the same day: one order, one line end, one way to write a number, and no moment of export. No contact and no free text
/// of an espace goes out.
/// </summary>
internal static class OpenData
{
    private static readonly JsonWriterOptions s_json = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What belongs to an espace, in the order in which a person looks for it: one table each.</summary>
    private static readonly OpenTable[] s_parts =
    [
        new OpenTable<Agrement>("agrements", OpenColumns.Agrements,
            e => e.Agrements.OrderBy(a => OpenColumns.Day(a.StartDate ?? a.RequestDate), StringComparer.Ordinal).ThenBy(a => a.Number, StringComparer.Ordinal).ThenBy(a => a.State)),
        new OpenTable<Lieu>("lieux", OpenColumns.Lieux, e => e.Lieux.OrderBy(l => l.LieuId, StringComparer.Ordinal)),
        new OpenTable<ModaliteOfferte>("modalites", OpenColumns.Modalites, e => e.Modalites.OrderBy(m => m.Modalite)),
        new OpenTable<Ouverture>("ouvertures", OpenColumns.Ouvertures, e => e.Ouvertures.OrderBy(o => o.ExternalId, StringComparer.Ordinal)),
        new OpenTable<Fermeture>("fermetures", OpenColumns.Fermetures,
            e => e.Fermetures.OrderBy(f => OpenColumns.Day(f.StartDate), StringComparer.Ordinal).ThenBy(f => f.LieuExternalId, StringComparer.Ordinal).ThenBy(f => OpenColumns.Day(f.EndDate), StringComparer.Ordinal)),
        new OpenTable<Entretien>("entretiens", OpenColumns.Entretiens, e => e.Accueil?.Entretiens.OrderBy(t => t.Party).ThenBy(t => t.Minutes).ThenBy(t => t.LeadDays) ?? Enumerable.Empty<Entretien>()),
    ];

    /// <summary>Writes the files into a folder, which is made when it is not there.</summary>
    /// <param name="espaces">The espaces, in any order.</param>
    /// <param name="today">Today in Paris: the agrément that counts and the age of waits are those of this day.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Names of the files, in the order of their names.</returns>
    public static async Task<IReadOnlyList<string>> WriteAsync(IEnumerable<Espace> espaces, DateOnly today, string folder, CancellationToken ct)
    {
        System.IO.Directory.CreateDirectory(folder);
        var files = Files([.. espaces.OrderBy(e => e.EspaceId, StringComparer.Ordinal).Select(e => new OpenEspace(e, today))]);
        foreach (var (name, content) in files)
            await File.WriteAllBytesAsync(Path.Combine(folder, name), content, ct);
        return [.. files.Keys];
    }

    /// <summary>The files by their names.</summary>
    private static SortedDictionary<string, byte[]> Files(List<OpenEspace> espaces)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["espaces.csv"] = Table(OpenColumns.Espaces, espaces),
            ["espaces.json"] = Json(json => WriteEspaces(json, espaces)),
            ["lieux.geojson"] = Json(json => WriteFeatures(json, espaces)),
            ["dictionnaire.csv"] = Dictionary(),
            ["LISEZMOI.md"] = Encoding.UTF8.GetBytes(ReadMe(espaces)),
        };
        foreach (var part in s_parts)
            files[$"{part.Name}.csv"] = part.ToCsv(espaces);
        return files;
    }

    /// <summary>A table as CSV.</summary>
    public static byte[] Table<T>(OpenColumn<T>[] columns, IEnumerable<T> rows)
    {
        var text = new StringBuilder(CsvText.Line(',', columns.Select(c => c.Name)));
        foreach (var row in rows)
            text.Append(CsvText.Line(',', columns.Select(c => Cell(c.Get(row)))));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static byte[] Dictionary()
    {
        var text = new StringBuilder(CsvText.Line(',', ["fichier", "colonne", "type", "signification", "valeurs"]));
        foreach (var (file, columns) in s_parts.Select(p => (p.Name, p.Columns)).Prepend(("espaces", [.. OpenColumns.Espaces])).OrderBy(f => f.Item1, StringComparer.Ordinal))
        {
            foreach (var column in columns)
                text.Append(CsvText.Line(',', [file, column.Name, column.Type, column.Meaning, string.Join('|', column.Values)]));
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void WriteEspaces(Utf8JsonWriter json, List<OpenEspace> espaces)
    {
        json.WriteStartArray();
        foreach (var espace in espaces)
        {
            json.WriteStartObject();
            Write(json, OpenColumns.Espaces, espace);
            foreach (var part in s_parts)
                part.WriteWithin(json, espace);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteFeatures(Utf8JsonWriter json, List<OpenEspace> espaces)
    {
        json.WriteStartObject();
        json.WriteString("type", "FeatureCollection");
        json.WriteStartArray("features");
        foreach (var (espace, lieu) in espaces.SelectMany(e => e.Espace.Lieux.OrderBy(l => l.LieuId, StringComparer.Ordinal).Select(l => (e, l))))
        {
            json.WriteStartObject();
            json.WriteString("type", "Feature");
            json.WriteString("id", lieu.LieuId);
            WriteGeometry(json, lieu);
            json.WriteStartObject("properties");
            Write(json, OpenColumns.Lieux, (espace, lieu));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // RFC 7946, 3.2: a feature without a place has no geometry.
    private static void WriteGeometry(Utf8JsonWriter json, Lieu lieu)
    {
        if (!OpenColumns.HasPoint(lieu))
        {
            json.WriteNull("geometry");
            return;
        }
        json.WriteStartObject("geometry");
        json.WriteString("type", "Point");
        json.WriteStartArray("coordinates");
        json.WriteNumberValue(Math.Round(lieu.Longitude, 6));
        json.WriteNumberValue(Math.Round(lieu.Latitude, 6));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The values of a row as members of the object that is being written.</summary>
    public static void Write<T>(Utf8JsonWriter json, IEnumerable<OpenColumn<T>> columns, T row)
    {
        foreach (var column in columns)
        {
            json.WritePropertyName(column.Name);
            switch (column.Get(row))
            {
                case null: json.WriteNullValue(); break;
                case string text: json.WriteStringValue(text); break;
                case bool truth: json.WriteBooleanValue(truth); break;
                case int number: json.WriteNumberValue(number); break;
                case double number: json.WriteNumberValue(number); break;
                case string[] list:
                    json.WriteStartArray();
                    foreach (var entry in list)
                        json.WriteStringValue(entry);
                    json.WriteEndArray();
                    break;
                case var other: throw new InvalidOperationException($"{column.Name} is of a type that no file holds: {other.GetType()}");
            }
        }
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_json))
            write(json);
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    private static string ReadMe(List<OpenEspace> espaces) => string.Create(CultureInfo.InvariantCulture, $"""
        # Espaces de rencontre : données ouvertes

        Source : annuaire Jafer, tel que les gestionnaires et les préfectures l'ont renseigné.
        Licence : Licence Ouverte / Open Licence version 2.0 (Etalab). Mentionner « Annuaire Jafer » et la date du fichier.

        Contenu : {espaces.Count} espaces, dont {espaces.Count(e => e.Espace.Fictive)} fictifs (colonne `fictif`) : ne pas les prendre pour réels.

        | Fichier | Une ligne ou un objet par |
        |---|---|
        | `espaces.csv`, `espaces.json` | espace |
        | `agrements.csv` | agrément, en cours ou non : toute la vie de l'espace |
        | `lieux.csv`, `lieux.geojson` | lieu d'accueil |
        | `modalites.csv` | modalité d'un espace |
        | `ouvertures.csv` | règle d'ouverture d'un lieu |
        | `fermetures.csv` | fermeture exceptionnelle |
        | `entretiens.csv` | entretien préalable |
        | `dictionnaire.csv` | colonne : sa signification et, pour un code, ses valeurs |

        CSV : UTF-8, virgule, fins de ligne LF, nombres avec un point, dates AAAA-MM-JJ, vide quand ce n'est pas dit ; les listes sont séparées par `|`.
        Les mêmes données donnent le même jour les mêmes fichiers, à l'octet près : l'agrément en cours et l'âge des attentes sont ceux du jour. Ni nom ni adresse électronique de personne, ni texte libre d'un espace.

        """).ReplaceLineEndings("\n");

    private static string Cell(object? value) => value switch
    {
        null => "",
        bool truth => truth ? "true" : "false",
        string[] list => string.Join('|', list),
        double number => CsvText.Number(number),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => (string)value,
    };
}
