using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf.Reflection;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Tests.Slices;

namespace Jafer.Directory.Tests.Csv;

public class EspaceTemplateTests
{
    // What only the directory says, what has its own kind of line, and contacts, which are not for files.
    private static readonly string[] s_withoutColumn =
    [
        "external_id", "gestionnaire.contacts", "agrements", "lieux", "modalites", "ouvertures", "fermetures", "accueil.entretiens",
        "lieu_id", "commune_name", "time_zone", "dessertes", "scheduled_slots_per_week", "declared_wait.source", "declared_wait.stale", "declared_wait.age_days",
        "free_places.stale",
    ];

    private static readonly Gen<string> s_text = Gen.Elements("a", "é", "\"", ";", ",", "\n", "\r", "|", "\\", " ", "=", "\uFEFF", "œuvre").ArrayOf()
        .Select(parts => string.Concat(parts));

    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    public void Read_WhatWasWritten_ComesBackAsItWas(char delimiter)
    {
        var table = s_text.NonEmptyListOf().Select(cells => cells.ToArray()).ArrayOf().ToArbitrary();
        Prop.ForAll(table, rows =>
        {
            string[][] all = [["ligne", "espace"], .. rows];
            var (records, mistakes) = Read(string.Concat(all.Select(cells => CsvText.Line(delimiter, cells))));
            return mistakes.Count == 0 && records.Count == all.Length
                && records.Zip(all).All(pair => pair.First.Cells.SequenceEqual(pair.Second));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Read_LineEndsMarksAndEmptyLines_DoNotMatterAndLinesAreCountedAsAnEditorDoes()
    {
        var (records, mistakes) = Read("\uFEFFa;b\r\n\r\n\"x\ny\";\"\"\"z\"\r\n\n1;2");

        Assert.Empty(mistakes);
        Assert.Equal([1, 3, 6], records.Select(r => r.Line));
        Assert.Equal(["x\ny", "\"z"], records[1].Cells);
        Assert.Equal(["1", "2"], records[2].Cells);
    }

    [Theory]
    [InlineData("a,b\nx\"y,1", 2, "quotation mark inside")]
    [InlineData("a,b\n\"x\"y,1", 2, "text after a closing")]
    [InlineData("a,b\n1,2\n\"x,1\n3,4\n", 3, "never closed")]
    public void Read_QuotesOutOfPlace_AreMistakesOfTheirLine(string text, int line, string said)
    {
        var mistake = Assert.Single(Read(text).Mistakes);

        Assert.Equal(line, mistake.Line);
        Assert.Contains(said, mistake.Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Kinds_EveryFieldThatCanBeImported_HasAColumn()
    {
        var parts = new Dictionary<LineKind, MessageDescriptor>
        {
            [EspaceTemplate.Espace] = EspaceImport.Descriptor,
            [EspaceTemplate.Agrement] = Agrement.Descriptor,
            [EspaceTemplate.Lieu] = Lieu.Descriptor,
            [EspaceTemplate.Desserte] = Desserte.Descriptor,
            [EspaceTemplate.Modalite] = ModaliteOfferte.Descriptor,
            [EspaceTemplate.Ouverture] = Ouverture.Descriptor,
            [EspaceTemplate.Fermeture] = Fermeture.Descriptor,
            [EspaceTemplate.Entretien] = Entretien.Descriptor,
        };
        Assert.Equal(EspaceTemplate.AllKinds, parts.Keys);
        Assert.All(parts, part => Assert.All(Fields(part.Value, "").Except(s_withoutColumn), field => Assert.NotNull(part.Key.ColumnOf(field))));
    }

    [Fact]
    public void Lines_AnyEspace_ReadBackAsItWas()
    {
        // An empty cell says nothing, and ends of what is said are kept but for codes.
        var said = s_text.Where(t => !string.IsNullOrWhiteSpace(t)).ToArbitrary();
        Prop.ForAll(said, said, Gen.Choose(0, 1).ToArbitrary(), (one, other, delimiter) =>
        {
            var espace = EspaceContentTests.Whole("x");
            espace.Gestionnaire.Contacts.Clear();
            (espace.Name, espace.AlertText, espace.Lieux[0].Name) = (one, other, one + other);
            espace.Accueil.Exclusions.Add([one, other]);
            espace.Lieux.Add(new Lieu { ExternalId = other, Name = one });
            espace.Lieux[1].Dessertes.Add(new Desserte { Stop = other, Mode = TransportMode.Bus });
            espace.Modalites[0].WaitingFamilies = 0;
            espace.ConfirmedDate = new Date { Year = 2026, Month = 2, Day = 28 };
            var sheet = Sheet(string.Concat(new[] { EspaceTemplate.Header }.Concat(EspaceTemplate.Lines(espace)).Select(l => CsvText.Line(";,"[delimiter], l))));
            return sheet.Mistakes.Count == 0 && sheet.Espaces.Single().Import.Equals(espace);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Add_EveryMistakeOfForm_IsNamedByLineAndColumn()
    {
        var sheet = Sheet("""
            ligne;espace;nom;etat;fictif;date_debut;capacite;latitude;rythmes;heure_debut;numero
            ESPACE;A;Un;INCONNU;peut-être;;;;;;
            AGREMENT;A;;ACCORDE;;31.12.2025;;;;;N1
            LIEU;A;;;;;;quatre;;;
            MODALITE;A;;OUVERTE;;;2,5;;tous les jours;;
            OUVERTURE;A;;;;01/02/2026;;;;25:00;
            FERMETURE;A;Noël;;;;;;;;
            ESPACE;A;Deux;OUVERT;non;;;;;;
            SALLE;A;;;;;;;;;
            ESPACE;;Trois;;;;;;;;
            LIEU;B;Quatre;;;;;;;;
            LIEU;B;Cinq;;;;;;;;;;x
            """);

        Assert.Equal(
            [
                (2, "etat"), (2, "fictif"), (3, "date_debut"), (4, "latitude"), (5, "capacite"), (5, "rythmes"), (6, "heure_debut"), (7, "nom"), (8, "espace"),
                (9, "ligne"), (10, "espace"), (12, ""), (11, "espace"),
            ],
            sheet.Mistakes.Select(m => (m.Line, m.Column)));
        Assert.Equal(11, sheet.LineCount);
    }

    [Theory]
    [InlineData("ligne;nom\n", "espace")]
    [InlineData("ligne;espace;couleur\n", "couleur")]
    [InlineData("ligne;espace;nom;nom\n", "nom")]
    public void Add_HeaderThatIsNotTheTemplates_IsNamedAndNothingElseRead(string text, string column)
    {
        var sheet = Sheet(text + "ESPACE;A\n");

        Assert.Equal((1, column), sheet.Mistakes.Select(m => (m.Line, m.Column)).Single());
        Assert.Empty(sheet.Espaces);
    }

    [Fact]
    public void ToMistake_FieldOfTheContract_IsToldByLineColumnAndTheWordsOfTheTemplate()
    {
        var espace = EspaceContentTests.Whole("x");
        espace.Lieux.Add(new Lieu { ExternalId = "L2" });
        espace.Lieux[1].Dessertes.Add(new Desserte());
        var sheet = Sheet(string.Concat(new[] { EspaceTemplate.Header }.Concat(EspaceTemplate.Lines(espace)).Select(l => CsvText.Line(';', l)))).Espaces.Single();

        Assert.Equal(new CsvMistake(3, "date_fin", "must not lie before date_debut"), sheet.ToMistake("agrements[0].end_date", "must not lie before start_date"));
        Assert.Equal((2, "siret"), sheet.PlaceOf("gestionnaire.siret"));
        Assert.Equal((2, "exclusions"), sheet.PlaceOf("accueil.exclusions[3]"));
        Assert.Equal((4, "accessibilites"), sheet.PlaceOf("lieux[0].accessibilites[1]"));
        Assert.Equal((7, "arret"), sheet.PlaceOf("lieux[1].dessertes[0].stop"));
        Assert.Equal((8, "rythmes"), sheet.PlaceOf("modalites[0].periodicities[0].unit"));
        Assert.Equal((8, "attente_date"), sheet.PlaceOf("modalites[0].declared_wait.as_of_date"));
        Assert.Equal((3, ""), sheet.PlaceOf("agrements[0]"));
        Assert.Equal((2, ""), sheet.PlaceOf("lieux"));
        Assert.Equal((11, "duree_minutes"), sheet.PlaceOf("accueil.entretiens[0].minutes"));
    }

    [Fact]
    public void Documentation_EveryKindAndColumn_StandsThereWithItsForm()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", "directory.md"));

        Assert.All(EspaceTemplate.Kinds, kind =>
        {
            var row = text.Split('\n').Single(l => l.StartsWith($"| `{kind.Kind}` | `", StringComparison.Ordinal));
            Assert.All(kind.Columns, c => Assert.Contains($"`{c.Column}` ({c.Form switch { "oui ou non" => "oui/non", "textes" => "liste", var form => form }})", row, StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Example_OfTheDocumentation_IsReadWithoutMistake()
    {
        var sheet = Sheet(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Data", "exemple-espaces.csv")));

        Assert.Empty(sheet.Mistakes);
        Assert.Equal((1, 2, 1), (sheet.Espaces.Count, sheet.Espaces[0].Import.Modalites.Count, sheet.Espaces[0].Import.Ouvertures.Count));
    }

    private static IEnumerable<string> Fields(MessageDescriptor message, string path) => message.Fields.InFieldNumberOrder().SelectMany(field =>
        field.FieldType == FieldType.Message && !field.IsRepeated && field.MessageType != Date.Descriptor && field.MessageType != TimeOfDay.Descriptor
            ? Fields(field.MessageType, path + field.Name + ".")
            : [path + field.Name]);

    private static (List<CsvRecord> Records, List<CsvMistake> Mistakes) Read(string text)
    {
        var (records, mistakes) = (new List<CsvRecord>(), new List<CsvMistake>());
        var reader = new CsvRecordReader(new StringReader(text), mistakes);
        while (reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().GetAwaiter().GetResult() is { } record)
            records.Add(record);
        return (records, mistakes);
    }

    private static EspaceSheet Sheet(string text)
    {
        var sheet = new EspaceSheet();
        foreach (var record in Read(text).Records)
        {
            if (!sheet.Add(record))
                break;
        }
        sheet.Finish();
        return sheet;
    }
}
