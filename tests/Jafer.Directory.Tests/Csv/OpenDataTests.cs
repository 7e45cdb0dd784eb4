using System.Text.Json;
using Jafer.Cli.Files;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Tests.Slices;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Directory.Tests.Csv;

/// <summary>What goes out as open data, of espaces as the directory sends them.</summary>
public sealed class OpenDataTests : IDisposable
{
    private static readonly DateOnly s_today = new(2026, 11, 28);

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "jafer-open-" + DirectoryFixture.NewId());

    [Fact]
    public async Task WriteAsync_LaterFileThanTheAgrementThatCounts_ShowsTheValidOneAndTheLifeApart()
    {
        var espace = Sample(1);
        espace.Agrements.Add([
            Agrement("C", AgrementState.Demande, request: s_today.AddDays(-3)),
            Agrement("B", AgrementState.Accorde, request: new(2023, 1, 2), start: new(2023, 3, 1), end: new(2028, 2, 29)),
            Agrement("A", AgrementState.Retire, start: new(2016, 1, 1), end: new(2020, 5, 5)),
        ]);
        var expired = Sample(2);
        expired.Agrements.Add(Agrement("E", AgrementState.Accorde, start: new(2020, 1, 1), end: s_today.AddDays(-1)));

        await OpenData.WriteAsync([espace, expired], s_today, _folder, DirectoryFixture.Cancel);

        var rows = await RowsAsync("espaces.csv");
        Assert.Equal(("true", "ACCORDE", "B", "2023-03-01", "2028-02-29"), AgrementOf(rows[0]));
        Assert.Equal(("false", "", "", "", ""), AgrementOf(rows[1]));
        Assert.Equal(
            [("A", "RETIRE", "false"), ("B", "ACCORDE", "true"), ("C", "DEMANDE", "false"), ("E", "ACCORDE", "false")],
            (await RowsAsync("agrements.csv")).Select(r => (r["numero"], r["etat"], r["valide"])));
        Assert.Equal("2026-11-25", (await RowsAsync("agrements.csv"))[2]["demande"]);

        static (string, string, string, string, string) AgrementOf(Dictionary<string, string> row) =>
            (row["agrement_valide"], row["agrement_etat"], row["agrement_numero"], row["agrement_debut"], row["agrement_fin"]);
    }

    [Fact]
    public async Task WriteAsync_LastDayOfAnAgrement_CountsAndTheNextDoesNot()
    {
        var espace = Sample(1);
        espace.Agrements.Add(Agrement("A", AgrementState.ReputeAcquis, start: new(2024, 1, 1), end: s_today));

        await OpenData.WriteAsync([espace], s_today, _folder, DirectoryFixture.Cancel);
        Assert.Equal("true", (await RowsAsync("espaces.csv"))[0]["agrement_valide"]);
        await OpenData.WriteAsync([espace], s_today.AddDays(1), _folder, DirectoryFixture.Cancel);
        Assert.Equal("false", (await RowsAsync("espaces.csv"))[0]["agrement_valide"]);
    }

    [Fact]
    public async Task WriteAsync_DeclaredWait_ComesWithItsDayItsAgeAndWhetherItIsStale()
    {
        var espace = Sample(1);
        espace.Modalites.Add([
            new() { Modalite = Modalite.Visite, State = ModaliteState.Ouverte, DeclaredWait = new() { Days = 60, AsOfDate = s_today.AddDays(-41).ToProto(), Source = FigureSource.Pushed, Stale = true } },
            new() { Modalite = Modalite.RemiseEnfant, State = ModaliteState.Ouverte, Periodicities = { new Periodicity { RencontreCount = 2, IntervalCount = 1, Unit = PeriodicityUnit.Month } } },
        ]);

        await OpenData.WriteAsync([espace], s_today, _folder, DirectoryFixture.Cancel);

        var rows = await RowsAsync("modalites.csv");
        Assert.Equal(
            [("60", "2026-10-18", "41", "true", "PUSHED"), ("", "", "", "", "")],
            rows.Select(r => (r["attente_jours"], r["attente_date"], r["attente_age_jours"], r["attente_perimee"], r["attente_source"])));
        Assert.Equal(["", "2/1 MONTH"], rows.Select(r => r["rythmes"]));
    }

    [Fact]
    public async Task WriteAsync_HoursClosuresInterviewsAndReception_AreAllThere()
    {
        var import = EspaceContentTests.Whole("open");
        var espace = Sample(1);
        espace.Lieux.Add(import.Lieux);
        espace.Lieux[0].LieuId = "b1f0c9b2-0000-8000-8000-000000000001";
        (espace.Accueil, espace.Name) = (import.Accueil, "Espace fictif");
        espace.Lieux.Add(new Lieu { ExternalId = "L9", LieuId = "b1f0c9b2-0000-8000-8000-000000000009", Name = "Lieu sans coordonnées", CommuneInsee = "98411" });
        espace.Ouvertures.Add(import.Ouvertures);
        espace.Fermetures.Add(import.Fermetures);

        await OpenData.WriteAsync([espace], s_today, _folder, DirectoryFixture.Cancel);

        var hours = Assert.Single(await RowsAsync("ouvertures.csv"));
        Assert.Equal(
            ("b1f0c9b2-0000-8000-8000-000000000001", "FREQ=WEEKLY;BYDAY=SA", "09:30", "17:30", "VISITE", "OUTSIDE_HOLIDAYS", "true"),
            (hours["lieu_id"], hours["regle"], hours["heure_debut"], hours["heure_fin"], hours["modalites"], hours["vacances_scolaires"], hours["jours_feries"]));
        Assert.Equal(("TRAVAUX", hours["lieu_id"]), (Assert.Single(await RowsAsync("fermetures.csv")) is var f ? (f["motif"], f["lieu_id"]) : default));
        Assert.Equal(("VISITEUR", "45", "12", "true"), Assert.Single(await RowsAsync("entretiens.csv")) is var t ? (t["avec"], t["minutes"], t["delai_jours"], t["a_distance"]) : default);
        var row = Assert.Single(await RowsAsync("espaces.csv"));
        Assert.Equal(("tj69123", "69123", "DECISION", "true", "ESPACE"), (row["tribunaux"], row["communes"], row["documents"], row["aide_precarite"], row["premier_contact"]));
        Assert.Contains("Cour d'appel de Lyon", row["cours_appel"], StringComparison.Ordinal);
        Assert.Equal(("", ""), (await RowsAsync("lieux.csv")).Last() is var nowhere ? (nowhere["latitude"], nowhere["longitude"]) : default);
        using var geo = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder, "lieux.geojson"), DirectoryFixture.Cancel));
        Assert.Equal(
            [JsonValueKind.Object, JsonValueKind.Null], geo.RootElement.GetProperty("features").EnumerateArray().Select(f => f.GetProperty("geometry").ValueKind));
        using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder, "espaces.json"), DirectoryFixture.Cancel));
        var whole = json.RootElement[0];
        Assert.Equal("FREQ=WEEKLY;BYDAY=SA", whole.GetProperty("ouvertures")[0].GetProperty("regle").GetString());
        Assert.False(whole.GetProperty("entretiens")[0].TryGetProperty("espace_id", out _));
    }

    [Fact]
    public async Task WriteAsync_Demonstration_HoldsOnlyColumnsAndCodesOfTheDictionaryAndNothingOfContacts()
    {
        var espaces = new Jafer.Cli.Demonstration.Generator(Jafer.Cli.Demonstration.Generator.DefaultSeed, s_today).Espaces().Take(40).Select((import, i) =>
        {
            var espace = Sample(i);
            (espace.Name, espace.Accueil, espace.LegalForm, espace.Federation) = (import.Name, import.Accueil, import.Gestionnaire.LegalForm, import.Gestionnaire.Federation);
            espace.Agrements.Add(import.Agrements);
            espace.Lieux.Add(import.Lieux);
            espace.Modalites.Add(import.Modalites);
            espace.Ouvertures.Add(import.Ouvertures);
            espace.Fermetures.Add(import.Fermetures);
            return espace;
        }).ToList();

        var files = await OpenData.WriteAsync(espaces, s_today, _folder, DirectoryFixture.Cancel);

        var dictionary = (await RowsAsync("dictionnaire.csv")).ToLookup(r => r["fichier"] + ".csv");
        Assert.Equal(files.Where(f => f.EndsWith(".csv", StringComparison.Ordinal) && f != "dictionnaire.csv"), dictionary.Select(d => d.Key));
        foreach (var table in dictionary)
        {
            var rows = await RowsAsync(table.Key);
            Assert.NotEmpty(rows);
            Assert.Equal(table.Select(c => c["colonne"]), rows[0].Keys);
            foreach (var column in table.Where(c => c["valeurs"].Length > 0))
            {
                var values = column["valeurs"].Split('|');
                // Of a list whose entries say more, such as "2/1 MONTH", one word is the code.
                Assert.All(
                    rows.SelectMany(r => r[column["colonne"]].Split('|')).Where(v => v.Length > 0),
                    cell => Assert.True(values.Contains(cell) || cell.Split(' ').Intersect(values).Any(), $"{table.Key} {column["colonne"]}: {cell}"));
            }
        }
        foreach (var file in files)
            Assert.DoesNotContain("@", await File.ReadAllTextAsync(Path.Combine(_folder, file), DirectoryFixture.Cancel), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (System.IO.Directory.Exists(_folder))
            System.IO.Directory.Delete(_folder, recursive: true);
    }

    private static Espace Sample(int number) => new()
    {
        EspaceId = $"a0000000-0000-8000-8000-{number:D12}",
        GestionnaireId = $"b0000000-0000-8000-8000-{number:D12}",
        GestionnaireName = "Association fictive",
        Name = "Espace fictif",
        Departement = "69",
        Fictive = true,
        State = EspaceState.Ouvert,
        UpdateTime = new DateTimeOffset(2026, 11, 1, 8, 0, 0, TimeSpan.Zero).ToProto(),
    };

    private static Agrement Agrement(string number, AgrementState state, DateOnly? request = null, DateOnly? start = null, DateOnly? end = null) => new()
    {
        Number = number,
        Departement = "69",
        State = state,
        RequestDate = request?.ToProto(),
        StartDate = start?.ToProto(),
        EndDate = end?.ToProto(),
    };

    private async Task<List<Dictionary<string, string>>> RowsAsync(string file)
    {
        var mistakes = new List<CsvMistake>();
        using var text = new StreamReader(Path.Combine(_folder, file));
        var reader = new CsvRecordReader(text, mistakes);
        var header = (await reader.ReadAsync(DirectoryFixture.Cancel))!.Cells;
        var rows = new List<Dictionary<string, string>>();
        while (await reader.ReadAsync(DirectoryFixture.Cancel) is { } record)
            rows.Add(header.Zip(record.Cells).ToDictionary(pair => pair.First, pair => pair.Second));
        Assert.Empty(mistakes);
        return rows;
    }
}
