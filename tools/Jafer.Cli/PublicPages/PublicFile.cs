using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Jafer.Cli.Files;
using Jafer.Cli.Territory;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Mesure.V1;

namespace Jafer.Cli.PublicPages;

/// <summary>A file of the public export.</summary>
/// <param name="Path">Path from the page, with slashes.</param>
/// <param name="Title">What it is, in French.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record PublicFile(string Path, string Title, byte[] Content);

/// <summary>A table of the open data, whatever its rows are.</summary>
/// <param name="Name">Name of its file, and of its list in the JSON file.</param>
/// <param name="Title">What it is, in French.</param>
/// <param name="Source">Where its figures come from, in French.</param>
/// <param name="Excluded">What is not in it, in French.</param>
internal abstract record PublicTable(string Name, string Title, string Source, string Excluded)
{
    /// <summary>Its columns, as the dictionary and the description of the package have them.</summary>
    public abstract IReadOnlyList<(string Name, string Type, string Meaning, string Unit, bool Secret, IReadOnlyList<string> Values)> Columns { get; }

    /// <summary>As CSV: UTF-8, comma, LF.</summary>
    public abstract byte[] ToCsv();

    /// <summary>Its rows as members of the list that is being written.</summary>
    public abstract void Write(Utf8JsonWriter json);
}

/// <inheritdoc/>
/// <param name="Name">Name of its file, and of its list in the JSON file.</param>
/// <param name="Title">What it is, in French.</param>
/// <param name="Source">Where its figures come from, in French.</param>
/// <param name="Excluded">What is not in it, in French.</param>
/// <param name="Of">Columns.</param>
/// <param name="Rows">Rows.</param>
internal sealed record PublicTable<T>(string Name, string Title, string Source, string Excluded, OpenColumn<T>[] Of, IReadOnlyList<T> Rows) : PublicTable(Name, Title, Source, Excluded)
{
    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, string Type, string Meaning, string Unit, bool Secret, IReadOnlyList<string> Values)> Columns =>
        [.. Of.Select(c => (c.Name, c.Type, c.Meaning, c.Unit, c.Secret, c.Values))];

    /// <inheritdoc/>
    public override byte[] ToCsv() => OpenData.Table(Of, Rows);

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter json)
    {
        foreach (var row in Rows)
        {
            json.WriteStartObject();
            OpenData.Write(json, Of, row);
            json.WriteEndObject();
        }
    }
}

/// <summary>
/// The open data beside the page: tables as CSV and in one JSON file, their dictionary, and a description for programs. The same data
/// give the same bytes; the moment of extraction stands in the description alone.
/// </summary>
internal static class PublicFiles
{
    private const string Entier = "entier", Nombre = "nombre", Texte = "texte", Code = "code", Jour = "date";

    private static readonly JsonWriterOptions s_json = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly string[] s_diffusion = ["publie", "secret", "sans_objet"];

    /// <summary>All files but the page.</summary>
    /// <param name="data">What they hold.</param>
    public static IReadOnlyList<PublicFile> Of(PublicData data)
    {
        PublicTable[] tables = [.. Tables(data)];
        return
        [
            .. tables.Select(t => new PublicFile($"donnees/{t.Name}.csv", t.Title, t.ToCsv())),
            new("donnees/donnees.json", "Les mêmes tableaux en JSON", Json(json => WriteAll(json, data, tables))),
            new("donnees/dictionnaire.csv", "Dictionnaire : chaque colonne, son type, son unité, sa signification, sa source", Dictionary(tables)),
            new("donnees/datapackage.json", "Description du jeu de données pour les programmes (Data Package), avec licences et date d'extraction", Json(json => WritePackage(json, data, tables))),
        ];
    }

    private static IEnumerable<PublicTable> Tables(PublicData data)
    {
        var figures = data.Figures.ToDictionary(f => f.Code);
        var survey = "Retours d'enquête des gestionnaires, validés ou redressés";
        yield return new PublicTable<SurveyTotal>(
            "chiffres-nationaux", $"Chiffres nationaux de l'enquête, {data.Year}", survey, "Voir indicateurs.csv, par indicateur",
            [
                Annee<SurveyTotal>(data), new("code", Code, "Indicateur, de indicateurs.csv", t => t.Code),
                new("libelle", Texte, "Ce que dit l'indicateur", t => figures.GetValueOrDefault(t.Code)?.Label ?? t.Code), new("unite", Texte, "Unité de la valeur", t => UnitOf(t)),
                new("valeur", Entier, "Valeur de l'année", t => ValueOf(t)) { Unit = "colonne unite", Secret = true }, Diffusion<SurveyTotal>(DiffusionOf),
                new("valeur_annee_precedente", Entier, "Valeur de l'année précédente, si elle est connue et publiable", t => t.HasPreviousValue ? (double?)t.PreviousValue : null) { Unit = "colonne unite", Secret = true },
                new("valeur_2011", Entier, "Valeur de 2011, si elle est connue et publiable", t => t.HasFirstValue ? (double?)t.FirstValue : null) { Unit = "colonne unite", Secret = true },
            ],
            data.Survey.Totals);
        yield return new PublicTable<(DepartementSurvey Of, SurveyTotal Total)>(
            "chiffres-departements", $"Chiffres par département de l'espace, {data.Year}", "Mesures enregistrées dans Jafer, selon les définitions de l'enquête",
            "Gestionnaires qui n'utilisent pas Jafer ; personnel et ressources ; durées, interruptions judiciaires et situations à réponses multiples ; corrections des retours",
            [
                Annee<(DepartementSurvey Of, SurveyTotal Total)>(data), new("departement", Code, "Département de l'espace (COG)", r => r.Of.Departement),
                new("nom", Texte, "Nom du département", r => data.NameOf(r.Of.Departement)), new("code", Code, "Indicateur, de indicateurs.csv", r => r.Total.Code), new("unite", Texte, "Unité de la valeur", r => UnitOf(r.Total)),
                new("valeur", Entier, "Valeur de l'année", r => ValueOf(r.Total)) { Unit = "colonne unite", Secret = true }, Diffusion<(DepartementSurvey Of, SurveyTotal Total)>(r => DiffusionOf(r.Total)),
            ],
            [.. data.Survey.Departements.SelectMany(d => d.Totals.Select(t => (d, t)))]);
        yield return new PublicTable<(int Figure, string Code, string Label, PublishedFigure Value)>(
            "valeurs-publiees", "Valeurs publiées par le SSER pour la même année", "SSER, ministère de la Justice (Licence Ouverte 2.0)", "Ce que la publication ne chiffre pas",
            [
                Annee<(int Figure, string Code, string Label, PublishedFigure Value)>(data), new("figure", Entier, "Figure de la publication ; vide hors figure", r => r.Figure > 0 ? r.Figure : null),
                new("code", Code, "Indicateur auquel elle répond ; vide pour aucun", r => r.Code), new("libelle", Texte, "Ce qu'elle dit", r => r.Label), new("valeur", Nombre, "Valeur publiée", r => r.Value.Value) { Unit = "colonne unite" },
                new("unite", Texte, "Unité", r => r.Value.Unit), new("population", Texte, "Population dont une part est comptée", r => r.Value.Population),
                new("statut", Code, "publie : dit ainsi ; derive : calculé de ce qui est dit", r => r.Value.Status) { Values = ["publie", "derive"] }, new("remarque", Texte, "À savoir, notamment où la publication se contredit", r => r.Value.Remark),
            ],
            [
                .. data.Survey.Totals.SelectMany(t => t.PublishedFigures.Select(p => (0, t.Code, figures.GetValueOrDefault(t.Code)?.Label ?? t.Code, p))),
                .. data.Survey.PublishedFigures.Select(p => (p.Figure, "", p.Label, p.Published)),
            ]);
        yield return new PublicTable<AccessRow>(
            "acces-departements", "Accès au lieu d'accueil le plus proche, par département", data.Access.Basis.Attribution, "Communes qu'aucune route ne relie, pour les minutes et les parts ; collectivités d'outre-mer",
            [
                new("departement", Code, "Département, ou FRANCE", r => r.Code), new("nom", Texte, "Nom", r => r.Name), new("lieux", Entier, "Lieux désignables", r => r.Lieux) { Unit = "lieu" },
                new("minutes", Nombre, "Trajet aller moyen en voiture", r => Rounded(r.Minutes)) { Unit = "minute" }, new("part_moins_30_minutes", Nombre, "Part de la population reliée à moins de 30 minutes", r => Rounded(r.Share)) { Unit = "%" },
                new("part_non_reliee", Nombre, "Part de la population qu'aucune route ne relie", r => Rounded(r.UnlinkedShare)) { Unit = "%" },
            ],
            data.Access.Rows);
        yield return new PublicTable<WaitCell>(
            "attentes-departements", "Délais de la transmission à la première rencontre tenue, par département et modalité", "Mesures transmises par Jafer, annuaire", "Mesures non judiciaires ; mesures closes sans rencontre, pour les délais",
            [
                new("departement", Code, "Département de l'espace, ou FRANCE", r => r.Code), new("nom", Texte, "Nom", r => r.Name), new("modalite", Texte, "Modalité", r => French.Name(r.Modalite)),
                new("mediane_jours", Entier, "Délai dans lequel la moitié ont leur première rencontre ; vide si pas encore connu", r => r.MedianDays) { Unit = "jour", Secret = true },
                new("p80_jours", Entier, "Délai dans lequel huit sur dix l'ont ; vide si pas encore connu", r => r.P80Days) { Unit = "jour", Secret = true },
                new("n", Entier, "Mesures dont la première rencontre a été tenue, au multiple de 5 inférieur", r => r.Count) { Unit = "mesure", Secret = true },
                new("diffusion", Code, "publie ; n_secret : n, qui vaut 5 ou plus, est retiré ; secret : tout est retiré", r => r.Told switch { WaitTold.All => "publie", WaitTold.Days => "n_secret", _ => "secret" }) { Values = ["publie", "n_secret", "secret"] },
                new("fenetre_debut", Jour, "Premier jour des transmissions comptées", _ => OpenColumns.Day(data.WindowStart)), new("fenetre_fin", Jour, "Dernier jour observé", _ => OpenColumns.Day(data.WindowEnd)),
                new("methode", Code, "Méthode", _ => data.Method),
            ],
            data.Waits);
        yield return new PublicTable<SurveyFigureDefinition>(
            "indicateurs", "Catalogue des indicateurs et de leurs définitions", "Catalogue de l'enquête", "",
            [
                new("code", Code, "Indicateur", f => f.Code), new("section", Code, "Partie du questionnaire", f => f.Section.ToString().ToUpperInvariant()), new("libelle", Texte, "Ce qu'il dit", f => f.Label),
                new("unite", Texte, "Unité", f => French.Name(f.Unit)), new("ensemble", Code, "Indicateur dont il est une part ; vide pour aucun", f => f.WholeCode), new("jeu", Code, "Jeu de parts qui font l'ensemble ; vide pour une part isolée (« dont »)", f => f.Set),
                new("definition", Code, "Définition et version ; vide pour ce qui est déclaré", f => DefinitionOf(f) is { } d ? $"{d.Code}/{d.Version}" : ""), new("compte", Texte, "Ce qui est compté", f => DefinitionOf(f)?.Wording ?? ""),
                new("exclu", Texte, "Ce qui ne l'est pas", f => DefinitionOf(f)?.Excluded ?? ""), new("source", Texte, "D'où vient la définition", f => DefinitionOf(f)?.Source ?? ""),
            ],
            data.Figures);

        string UnitOf(SurveyTotal total) => French.Name(figures.GetValueOrDefault(total.Code)?.Unit ?? SurveyUnit.Unspecified);
        SurveyDefinition? DefinitionOf(SurveyFigureDefinition figure) => data.Definitions.FirstOrDefault(d => d.Code == figure.DefinitionCode);
    }

    private static OpenColumn<T> Annee<T>(PublicData data) => new("annee", Entier, "Année de l'enquête", _ => data.Year);

    private static OpenColumn<T> Diffusion<T>(Func<T, string> of) =>
        new("diffusion", Code, "publie ; secret : retiré pour le secret statistique ; sans_objet : rien n'est connu", of) { Values = s_diffusion };

    // A value that is withheld is never looked at.
    private static double? ValueOf(SurveyTotal total) => DiffusionOf(total) == "publie" ? total.Value : null;

    private static string DiffusionOf(SurveyTotal total) => total.Withheld ? "secret" : total.HasValue ? "publie" : "sans_objet";

    private static double? Rounded(double? value) => value is { } v ? Math.Round(v, 1) : null;

    private static byte[] Dictionary(IReadOnlyList<PublicTable> tables)
    {
        var text = new StringBuilder(CsvText.Line(',', ["fichier", "colonne", "type", "unite", "signification", "valeurs", "source", "exclu", "symbole_secret"]));
        foreach (var table in tables)
        {
            foreach (var column in table.Columns)
            {
                text.Append(CsvText.Line(',', [$"{table.Name}.csv", column.Name, column.Type, column.Unit, column.Meaning, string.Join('|', column.Values), table.Source, table.Excluded, column.Secret ? "vide" : ""]));
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void WriteAll(Utf8JsonWriter json, PublicData data, IReadOnlyList<PublicTable> tables)
    {
        json.WriteStartObject();
        json.WriteNumber("annee", data.Year);
        json.WriteBoolean("fictif", data.Fictive);
        foreach (var table in tables)
        {
            json.WriteStartArray(table.Name);
            table.Write(json);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WritePackage(Utf8JsonWriter json, PublicData data, IReadOnlyList<PublicTable> tables)
    {
        json.WriteStartObject();
        json.WriteString("profile", "tabular-data-package");
        json.WriteString("name", $"espaces-de-rencontre-{data.Year}");
        json.WriteString("title", $"Espaces de rencontre : chiffres clés {data.Year}{(data.Fictive ? " (données fictives)" : "")}");
        json.WriteString("created", data.Extracted.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        json.WriteBoolean("fictive", data.Fictive);
        json.WriteStartArray("licenses");
        Licence("etalab-2.0", "Licence Ouverte / Open Licence 2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/");
        json.WriteEndArray();
        json.WriteStartArray("sources");
        Source("Retours d'enquête et mesures enregistrés dans Jafer");
        Source("SSER, ministère de la Justice : valeurs publiées (Licence Ouverte 2.0)");
        Source(data.Access.Basis.Attribution);
        json.WriteEndArray();
        json.WriteStartArray("resources");
        foreach (var table in tables)
        {
            json.WriteStartObject();
            json.WriteString("name", table.Name);
            json.WriteString("path", $"{table.Name}.csv");
            json.WriteString("title", table.Title);
            json.WriteString("description", $"Source : {table.Source}.{(table.Excluded.Length == 0 ? "" : $" Exclu : {table.Excluded}.")}");
            json.WriteString("format", "csv");
            json.WriteString("mediatype", "text/csv");
            json.WriteString("encoding", "utf-8");
            json.WriteStartObject("schema");
            json.WriteStartArray("fields");
            foreach (var column in table.Columns)
            {
                json.WriteStartObject();
                json.WriteString("name", column.Name);
                json.WriteString("type", column.Type switch { Entier => "integer", Nombre => "number", Jour => "date", _ => "string" });
                json.WriteString("description", column.Unit.Length == 0 ? column.Meaning : $"{column.Meaning} ({column.Unit})");
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("missingValues");
            json.WriteStringValue("");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();

        void Licence(string name, string title, string path)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("title", title);
            json.WriteString("path", path);
            json.WriteEndObject();
        }

        void Source(string title)
        {
            json.WriteStartObject();
            json.WriteString("title", title);
            json.WriteEndObject();
        }
    }

    private static byte[] Json(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_json))
        {
            write(json);
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}

/// <summary>Writes the public page and its files into a folder.</summary>
internal static class PublicExport
{
    /// <summary>All files by their paths from the folder, with slashes.</summary>
    /// <param name="data">What they hold.</param>
    public static IReadOnlyList<PublicFile> Files(PublicData data)
    {
        var files = PublicFiles.Of(data);
        return [new("index.html", "La page", Encoding.UTF8.GetBytes(new PublicPage(data, files).Write())), .. files];
    }

    /// <summary>Writes the files; the folder is made when it is not there, and others in it stay.</summary>
    /// <param name="data">What they hold.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="ct">Cancellation.</param>
    public static async Task<IReadOnlyList<string>> WriteAsync(PublicData data, string folder, CancellationToken ct)
    {
        var files = Files(data);
        foreach (var file in files)
        {
            var path = Path.Combine(folder, file.Path);
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, file.Content, ct);
        }

        return [.. files.Select(f => f.Path)];
    }
}
