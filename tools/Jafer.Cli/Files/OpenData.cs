using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Jafer.Contracts;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;

namespace Jafer.Cli.Files;

/// <summary>One column of an open table.</summary>
/// <param name="Name">Its name in every file.</param>
/// <param name="Type">Its type, in French.</param>
/// <param name="Meaning">What it says, in French.</param>
/// <param name="Get">Its value: text, number, truth, or a list of texts; null when there is none.</param>
internal sealed record OpenColumn<T>(string Name, string Type, string Meaning, Func<T, object?> Get);

/// <summary>
/// The public part of the directory as open data: tables with their dictionary, JSON and GeoJSON. The same data give the same
/// bytes: one order, one line end, one way to write a number, and no moment of export. No contact and no free text of an espace
/// goes out.
/// </summary>
internal static class OpenData
{
    private static readonly JsonWriterOptions s_json = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly OpenColumn<Espace>[] s_espaces =
    [
        new("espace_id", "uuid", "Identifiant de l'espace de rencontre dans Jafer", e => e.EspaceId),
        new("nom", "texte", "Nom de l'espace", e => e.Name),
        new("departement", "code", "Code du département", e => e.Departement),
        new("etat", "code", "OUVERT, SUSPENDU ou FERME", e => Code(e.State)),
        new("fictif", "booléen", "true : espace inventé pour la démonstration", e => e.Fictive),
        new("gestionnaire_id", "uuid", "Identifiant de l'organisme gestionnaire", e => e.GestionnaireId),
        new("gestionnaire", "texte", "Nom de l'organisme gestionnaire", e => e.GestionnaireName),
        new("siret", "texte", "SIRET du gestionnaire", e => Text(e.GestionnaireSiret)),
        new("forme_juridique", "code", "Forme juridique du gestionnaire", e => Code(e.LegalForm)),
        new("federation", "code", "Fédération du gestionnaire", e => Code(e.Federation)),
        new("agrement_etat", "code", "État de l'agrément le plus récent", e => e.Agrements.Count > 0 ? Code(e.Agrements[0].State) : null),
        new("agrement_numero", "texte", "Numéro de cet agrément", e => e.Agrements.Count > 0 ? Text(e.Agrements[0].Number) : null),
        new("agrement_departement", "code", "Département dont le préfet a décidé", e => e.Agrements.Count > 0 ? Text(e.Agrements[0].Departement) : null),
        new("agrement_debut", "date", "Premier jour de validité", e => e.Agrements.Count > 0 ? Day(e.Agrements[0].StartDate) : null),
        new("agrement_fin", "date", "Dernier jour de validité, inclus ; vide sans terme", e => e.Agrements.Count > 0 ? Day(e.Agrements[0].EndDate) : null),
        new("langues", "liste", "Langues parlées par l'équipe, codes ISO 639", e => e.Accueil?.Languages.ToArray()),
        new("interprete", "booléen", "Un interprète peut être appelé", e => e.Accueil?.InterpreterOnRequest ?? false),
        new("participation_centimes", "entier", "Participation demandée par rencontre, en centimes d'euro", e => e.Accueil?.ParticipationFeeCents ?? 0),
        new("reglement", "uri", "Adresse du règlement de fonctionnement", e => Text(e.Accueil?.Reglement?.Uri ?? "")),
        new("mis_a_jour", "instant", "Dernière modification, UTC", e => e.UpdateTime.ToDateTimeOffset().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)),
    ];

    private static readonly OpenColumn<(Espace Espace, Lieu Lieu)>[] s_lieux =
    [
        new("lieu_id", "uuid", "Identifiant du lieu d'accueil dans Jafer", l => l.Lieu.LieuId),
        new("espace_id", "uuid", "Espace auquel il appartient", l => l.Espace.EspaceId),
        new("espace", "texte", "Nom de cet espace", l => l.Espace.Name),
        new("fictif", "booléen", "true : lieu inventé pour la démonstration", l => l.Espace.Fictive),
        new("nom", "texte", "Nom du lieu", l => l.Lieu.Name),
        new("adresse", "texte", "Voie et numéro", l => Text(l.Lieu.AddressLine)),
        new("commune_insee", "code", "Code INSEE de la commune", l => l.Lieu.CommuneInsee),
        new("commune", "texte", "Nom de la commune", l => l.Lieu.CommuneName),
        new("latitude", "nombre", "Latitude WGS 84, en degrés", l => Math.Round(l.Lieu.Latitude, 6)),
        new("longitude", "nombre", "Longitude WGS 84, en degrés", l => Math.Round(l.Lieu.Longitude, 6)),
        new("pmr", "booléen", "Accessible en fauteuil roulant", l => l.Lieu.WheelchairAccessible),
        new("entrees_separees", "booléen", "Entrées séparées pour les deux parents", l => l.Lieu.SeparateEntrances),
        new("arrivees_decalees", "booléen", "Arrivées décalées possibles", l => l.Lieu.StaggeredArrivals),
        new("exterieur", "booléen", "Les enfants peuvent jouer dehors", l => l.Lieu.OutdoorArea),
        new("parking", "booléen", "Stationnement sur place", l => l.Lieu.CarPark),
        new("accessibilites", "liste", "Autres aménagements, codes", l => l.Lieu.Accessibilites.Select(a => EnumCodes.Of(a)).ToArray()),
        new("dessertes", "liste", "Transports à pied du lieu : mode, ligne, arrêt, minutes", l => l.Lieu.Dessertes
            .Select(d => string.Create(CultureInfo.InvariantCulture, $"{EnumCodes.Of(d.Mode)} {d.Line} {d.Stop} ({d.WalkMinutes} min)")).ToArray()),
    ];

    private static readonly OpenColumn<(Espace Espace, ModaliteOfferte Modalite)>[] s_modalites =
    [
        new("espace_id", "uuid", "Espace qui propose la modalité", m => m.Espace.EspaceId),
        new("fictif", "booléen", "true : espace inventé pour la démonstration", m => m.Espace.Fictive),
        new("modalite", "code", "Modalité", m => Code(m.Modalite.Modalite)),
        new("etat", "code", "État déclaré : OUVERTE, LIMITEE, LISTE_ATTENTE, COMPLETE, FERMEE", m => Code(m.Modalite.State)),
        new("capacite", "entier", "Familles reçues en même temps", m => m.Modalite.CapacityFamilies),
        new("capacite_financee", "entier", "Familles en même temps que le financement couvre ; 0 : non dit", m => m.Modalite.FundedCapacityFamilies),
        new("creneaux_par_semaine", "entier", "Créneaux d'une famille dans une semaine ordinaire", m => m.Modalite.SlotsPerWeek),
        new("attente_jours", "entier", "Attente déclarée, en jours de la transmission à la première rencontre", m => m.Modalite.DeclaredWait?.Days),
        new("attente_date", "date", "Jour auquel cette attente vaut", m => Day(m.Modalite.DeclaredWait?.AsOfDate)),
        new("reouverture", "date", "Jour de réouverture annoncé", m => Day(m.Modalite.ReopeningDate)),
        new("age_min", "entier", "Plus jeune âge reçu, en années", m => m.Modalite.MinAge),
        new("age_max", "entier", "Plus grand âge reçu, en années", m => m.Modalite.MaxAge),
        new("fratrie_max", "entier", "Enfants d'une famille reçus ensemble ; 0 : sans limite", m => m.Modalite.MaxSiblings),
        new("duree_min", "entier", "Rencontre la plus courte, en minutes ; 0 : non dit", m => m.Modalite.MinRencontreMinutes),
        new("duree_max", "entier", "Rencontre la plus longue, en minutes ; 0 : non dit", m => m.Modalite.MaxRencontreMinutes),
        new("situations", "liste", "Situations particulières reçues, codes", m => m.Modalite.AcceptedSituations.Select(s => EnumCodes.Of(s)).ToArray()),
        new("publics", "liste", "Autres publics reçus, codes", m => m.Modalite.AcceptedPublics.Select(p => EnumCodes.Of(p)).ToArray()),
        new("ordonnance_protection", "booléen", "Familles sous ordonnance de protection reçues (C. civ. art. 515-11)", m => m.Modalite.ProtectionOrderAccepted),
        new("mode_accueil", "code", "COLLECTIF, INDIVIDUEL ou MIXTE", m => Code(m.Modalite.ModeAccueil)),
    ];

    /// <summary>Writes the files into a folder, which is made when it is not there.</summary>
    /// <param name="espaces">The espaces, in any order.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Names of the files, in the order of their names.</returns>
    public static async Task<IReadOnlyList<string>> WriteAsync(IEnumerable<Espace> espaces, string folder, CancellationToken ct)
    {
        System.IO.Directory.CreateDirectory(folder);
        var files = Files([.. espaces.OrderBy(e => e.EspaceId, StringComparer.Ordinal)]);
        foreach (var (name, content) in files)
            await File.WriteAllBytesAsync(Path.Combine(folder, name), content, ct);
        return [.. files.Keys];
    }

    /// <summary>The files by their names.</summary>
    private static SortedDictionary<string, byte[]> Files(List<Espace> espaces)
    {
        var lieux = espaces.SelectMany(e => e.Lieux.OrderBy(l => l.LieuId, StringComparer.Ordinal).Select(l => (e, l))).ToList();
        var modalites = espaces.SelectMany(e => e.Modalites.OrderBy(m => m.Modalite).Select(m => (e, m))).ToList();
        return new(StringComparer.Ordinal)
        {
            ["espaces.csv"] = Table(s_espaces, espaces),
            ["lieux.csv"] = Table(s_lieux, lieux),
            ["modalites.csv"] = Table(s_modalites, modalites),
            ["espaces.json"] = Json(json => WriteEspaces(json, espaces)),
            ["lieux.geojson"] = Json(json => WriteFeatures(json, lieux)),
            ["dictionnaire.csv"] = Dictionary(),
            ["LISEZMOI.md"] = Encoding.UTF8.GetBytes(ReadMe(espaces)),
        };
    }

    private static byte[] Table<T>(OpenColumn<T>[] columns, IEnumerable<T> rows)
    {
        var text = new StringBuilder(CsvText.Line(',', columns.Select(c => c.Name)));
        foreach (var row in rows)
            text.Append(CsvText.Line(',', columns.Select(c => Cell(c.Get(row)))));
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static byte[] Dictionary()
    {
        var text = new StringBuilder(CsvText.Line(',', ["fichier", "colonne", "type", "signification"]));
        Add("espaces", s_espaces);
        Add("lieux", s_lieux);
        Add("modalites", s_modalites);
        return Encoding.UTF8.GetBytes(text.ToString());

        void Add<T>(string file, OpenColumn<T>[] columns)
        {
            foreach (var column in columns)
                text.Append(CsvText.Line(',', [file, column.Name, column.Type, column.Meaning]));
        }
    }

    private static void WriteEspaces(Utf8JsonWriter json, List<Espace> espaces)
    {
        json.WriteStartArray();
        foreach (var espace in espaces)
        {
            json.WriteStartObject();
            Write(json, s_espaces, espace);
            WriteParts("lieux", s_lieux, espace.Lieux.OrderBy(l => l.LieuId, StringComparer.Ordinal).Select(l => (espace, l)));
            WriteParts("modalites", s_modalites, espace.Modalites.OrderBy(m => m.Modalite).Select(m => (espace, m)));
            json.WriteEndObject();
        }
        json.WriteEndArray();

        void WriteParts<T>(string name, OpenColumn<T>[] columns, IEnumerable<T> parts)
        {
            json.WriteStartArray(name);
            foreach (var part in parts)
            {
                json.WriteStartObject();
                // What the espace around it says already is not said again.
                Write(json, [.. columns.Where(c => c.Name is not ("espace_id" or "espace" or "fictif"))], part);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }

    private static void WriteFeatures(Utf8JsonWriter json, IEnumerable<(Espace, Lieu)> lieux)
    {
        json.WriteStartObject();
        json.WriteString("type", "FeatureCollection");
        json.WriteStartArray("features");
        foreach (var (espace, lieu) in lieux)
        {
            json.WriteStartObject();
            json.WriteString("type", "Feature");
            json.WriteString("id", lieu.LieuId);
            json.WriteStartObject("geometry");
            json.WriteString("type", "Point");
            json.WriteStartArray("coordinates");
            json.WriteNumberValue(Math.Round(lieu.Longitude, 6));
            json.WriteNumberValue(Math.Round(lieu.Latitude, 6));
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("properties");
            Write(json, s_lieux, (espace, lieu));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write<T>(Utf8JsonWriter json, OpenColumn<T>[] columns, T row)
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

    private static string ReadMe(List<Espace> espaces) => string.Create(CultureInfo.InvariantCulture, $"""
        # Espaces de rencontre : données ouvertes

        Source : annuaire Jafer, tel que les gestionnaires et les préfectures l'ont renseigné.
        Licence : Licence Ouverte / Open Licence version 2.0 (Etalab). Mentionner « Annuaire Jafer » et la date du fichier.

        Contenu : {espaces.Count} espaces, dont {espaces.Count(e => e.Fictive)} fictifs (colonne `fictif`) : ne pas les prendre pour réels.

        | Fichier | Une ligne ou un objet par |
        |---|---|
        | `espaces.csv`, `espaces.json` | espace |
        | `lieux.csv`, `lieux.geojson` | lieu d'accueil |
        | `modalites.csv` | modalité d'un espace |
        | `dictionnaire.csv` | colonne : sa signification |

        CSV : UTF-8, virgule, fins de ligne LF, nombres avec un point, dates AAAA-MM-JJ, vide quand ce n'est pas dit ; les listes sont séparées par `|`.
        Les mêmes données donnent les mêmes fichiers, à l'octet près. Ni nom ni adresse électronique de personne, ni texte libre d'un espace.

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

    private static string? Text(string text) => text.Length == 0 ? null : text;

    private static string? Code<T>(T value)
        where T : struct, Enum => EqualityComparer<T>.Default.Equals(value, default) ? null : EnumCodes.Of(value);

    private static string? Day(Date? date) => date is null ? null : string.Create(CultureInfo.InvariantCulture, $"{date.Year:D4}-{date.Month:D2}-{date.Day:D2}");
}
