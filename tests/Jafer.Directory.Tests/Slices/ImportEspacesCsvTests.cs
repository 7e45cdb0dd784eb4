using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Cli;
using Jafer.Cli.Files;
using Jafer.Contracts.Csv;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class ImportEspacesCsvTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    public async Task ImportEspacesCsv_WholeFile_TriesThenWritesThenChangesNothing(char delimiter)
    {
        var file = File(delimiter, EspaceContentTests.Whole($"csv{(int)delimiter}"), Espace($"csv{(int)delimiter}b"));

        var trial = await ImportAsync(file, dryRun: true);
        Assert.Equal((2, 0, 0, 0, true), (trial.CreatedCount, trial.UpdatedCount, trial.UnchangedCount, trial.ErrorCount, trial.DryRun));
        Assert.Equal(StatusCode.NotFound, await Refusal.CodeOfAsync(directory.Court.GetEspaceAsync(new() { EspaceId = IdOf($"csv{(int)delimiter}").ToString() }, cancellationToken: Cancel)));

        var first = await ImportAsync(file);
        var history = await HistoryAsync();
        var again = await ImportAsync(file);

        Assert.Equal((2, 0, 0), (first.CreatedCount, first.UpdatedCount, first.UnchangedCount));
        Assert.Equal((0, 0, 2), (again.CreatedCount, again.UpdatedCount, again.UnchangedCount));
        Assert.Equal(history, await HistoryAsync());
        var whole = EspaceContentTests.Whole($"csv{(int)delimiter}");
        var espace = await GetAsync(IdOf($"csv{(int)delimiter}"));
        Assert.Equal(whole.Accueil, espace.Accueil);
        Assert.Equal(whole.Agrements, espace.Agrements);
        Assert.Equal(whole.Ouvertures, espace.Ouvertures);
        Assert.Equal(whole.Lieux[0].Dessertes, espace.Lieux[0].Dessertes);
        Assert.All(espace.Provenances, p => Assert.Equal(FigureSource.Imported, p.Source));
    }

    [Fact]
    public async Task ImportEspacesCsv_OneLineChanged_ChangesThatEspaceAndKeepsContacts()
    {
        await directory.ImportAsync(Espace("kept1"), Espace("kept2"));
        var changed = Espace("kept1");
        changed.Modalites[0].CapacityFamilies = 9;

        var summary = await ImportAsync(File(';', changed, Espace("kept2")));

        Assert.Equal((0, 1, 1), (summary.CreatedCount, summary.UpdatedCount, summary.UnchangedCount));
        Assert.Equal(9, (await GetAsync(IdOf("kept1"))).Modalites[0].CapacityFamilies);
        var contacts = await directory.Gestionnaire("G-kept1").ListContactsAsync(
            new() { OrganisationId = StableIds.Gestionnaire("test", "G-kept1").ToString() }, cancellationToken: Cancel);
        Assert.Single(contacts.Contacts);
    }

    [Fact]
    public async Task ImportEspacesCsv_ManyMistakes_NamesEachLineAndColumnAndImportsNothing()
    {
        var wrong = EspaceContentTests.Whole("wrong");
        wrong.Gestionnaire.Siret = "73282932000075";
        wrong.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = new DateOnly(2025, 1, 1).ToProto() });
        wrong.Lieux[0].CommuneInsee = "99999";
        wrong.Modalites[0].CapacityFamilies = -1;
        wrong.Modalites[0].MinAge = 18;
        (wrong.Fermetures[0].StartDate, wrong.Fermetures[0].EndDate) = (wrong.Fermetures[0].EndDate, wrong.Fermetures[0].StartDate);
        var before = await HistoryAsync();

        var summary = await ImportAsync(File(';', Espace("right"), wrong));

        Assert.Equal(
            [(6, "siret"), (8, ""), (9, "commune"), (11, "age_max"), (11, "age_min"), (11, "capacite"), (13, "date_fin")],
            summary.Errors.Select(e => (e.Line, e.Column)));
        Assert.Equal("must not lie before date_debut", summary.Errors[^1].Description);
        Assert.Equal((7, 0), (summary.ErrorCount, summary.CreatedCount));
        Assert.Equal(before, await HistoryAsync());
    }

    [Fact]
    public async Task ImportEspacesCsv_ExampleOfTheDocumentation_IsImportedAsItStands()
    {
        var file = await global::System.IO.File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "Data", "exemple-espaces.csv"), Cancel);

        var summary = await ImportAsync(file, source: "exemple");

        Assert.Empty(summary.Errors);
        Assert.Equal((9, 1), (summary.LineCount, summary.CreatedCount));
    }

    [Fact]
    public async Task ImportEspacesCsv_BytesThatAreNotUtf8_AreNamed()
    {
        byte[] file = [.. Encoding.UTF8.GetBytes("ligne;espace;nom\nESPACE;latin;"), 0x45, 0x73, 0x70, 0xE9, 0x0A];

        var summary = await ImportAsync(file);

        Assert.Contains(summary.Errors, e => e is { Line: 2, Column: "nom", Description: "is not written in UTF-8" });
    }

    [Fact]
    public async Task ImportEspacesCsv_SameRequestId_AnswersAgainAndImportsNothingTwice()
    {
        var (file, id) = (File(',', Espace("twice")), NewId());

        var first = await ImportAsync(file, requestId: id);
        var second = await ImportAsync(file, requestId: id);

        Assert.Equal(1, first.CreatedCount);
        Assert.Equal(first, second);
        var reused = await Refusal.OfAsync(() => ImportAsync(File(',', Espace("other")), requestId: id));
        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (reused.Code, reused.Reason));
    }

    [Fact]
    public async Task ImportEspacesCsv_ClientLeavesInTheMiddle_LeavesNothingBehind()
    {
        var before = await HistoryAsync();
        using (var call = directory.Operateur.ImportEspacesCsv(cancellationToken: Cancel))
        {
            await call.RequestStream.WriteAsync(new() { Source = "test", RequestId = NewId(), Data = ByteString.CopyFrom(File(';', Espace("left"))) }, Cancel);
        }

        var after = await ImportAsync(File(';', Espace("stayed")));

        Assert.Equal(1, after.CreatedCount);
        Assert.Equal(0, await directory.Database.ReadAsync<long>($"select count(*) from espaces where id = '{IdOf("left")}'"));
        Assert.True(await HistoryAsync() > before);
    }

    [Fact]
    public async Task ImportEspacesCsv_NotForItsCallerOrWithoutName_IsRefused()
    {
        foreach (var client in new[] { directory.Court, directory.Gestionnaire("G-x") })
        {
            var refusal = await Refusal.OfAsync(() => ImportAsync(File(';', Espace("no")), client: client));
            Assert.Equal(StatusCode.PermissionDenied, refusal.Code);
        }
        var unnamed = await Refusal.OfAsync(() => ImportAsync(File(';', Espace("no")), source: "Pas Bon", requestId: "x"));
        Assert.Equal((StatusCode.InvalidArgument, "source,request_id"), (unnamed.Code, string.Join(',', unnamed.Fields)));
        var empty = await Refusal.OfAsync(() => ImportAsync([]));
        Assert.Equal(["data"], empty.Fields);
    }

    [Fact]
    public async Task ExportEspaces_ThenImport_ChangesNothingWhateverWasSaidAndByWhom()
    {
        var silent = Espace("silent");
        silent.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-4).ToProto() };
        var withdrawn = Espace("withdrawn");
        (withdrawn.Agrements[0].State, withdrawn.Agrements[0].EndDate) = (AgrementState.Retire, Today.AddDays(40).ToProto());
        var declared = Espace("declared", wait: 90);
        declared.Name = "Espace \"fictif\" ; l'été, 1|2\\3\nsuite";
        await directory.ImportAsync(silent, withdrawn, declared, EspaceContentTests.Whole("exported"));
        await directory.Gestionnaire("G-declared").DeclareWaitAsync(
            new() { EspaceId = IdOf("declared").ToString(), Modalite = Modalite.Visite, Days = 30, RequestId = NewId() }, cancellationToken: Cancel);
        var (before, history) = (await AllAsync(), await HistoryAsync());
        var path = Path.Combine(Path.GetTempPath(), NewId() + ".csv");
        try
        {
            using var system = System();
            await using var output = new StringWriter();
            var files = new EspaceFiles(system, TimeProvider.System, output);
            await files.ExportAsync(path, Cancel);
            await files.ImportAsync(path, "retour", dryRun: true, Cancel);
            await files.ImportAsync(path, "retour", dryRun: false, Cancel);

            Assert.Contains($"0 espaces created, 0 changed, {before.Count} as they were", output.ToString(), StringComparison.Ordinal);
            Assert.Contains("trial, nothing written", output.ToString(), StringComparison.Ordinal);
            Assert.Equal(history, await HistoryAsync());
            Assert.Equal(before, await AllAsync());

            var text = await global::System.IO.File.ReadAllTextAsync(path, Cancel);
            await global::System.IO.File.WriteAllTextAsync(path, text.Replace("73282932000074", "73282932000075", StringComparison.Ordinal), Cancel);
            var error = await Assert.ThrowsAsync<UsageException>(() => files.ImportAsync(path, "retour", dryRun: false, Cancel));
            Assert.Contains("nothing was imported", error.Message, StringComparison.Ordinal);
            Assert.Contains($"{path}:2 siret: must be a SIRET", output.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            global::System.IO.File.Delete(path);
        }
    }

    [Fact]
    public async Task ExportOpenData_Twice_GivesTheSameBytesWithoutContactsOrFreeText()
    {
        await directory.ImportAsync(EspaceContentTests.Whole("open1"), EspaceContentTests.Whole("open2"));
        var (one, two) = (Path.Combine(Path.GetTempPath(), NewId()), Path.Combine(Path.GetTempPath(), NewId()));
        try
        {
            using var system = System();
            var files = await OpenData.WriteAsync(await EspaceFiles.AllAsync(system, Cancel), Today, one, Cancel);
            await OpenData.WriteAsync((await EspaceFiles.AllAsync(system, Cancel)).AsEnumerable().Reverse(), Today, two, Cancel);

            Assert.Equal(
                [
                    "LISEZMOI.md", "agrements.csv", "dictionnaire.csv", "entretiens.csv", "espaces.csv", "espaces.json", "fermetures.csv", "lieux.csv", "lieux.geojson", "modalites.csv",
                    "ouvertures.csv",
                ],
                files);
            foreach (var file in files)
            {
                var bytes = await global::System.IO.File.ReadAllBytesAsync(Path.Combine(one, file), Cancel);
                Assert.Equal(bytes, await global::System.IO.File.ReadAllBytesAsync(Path.Combine(two, file), Cancel));
                var text = new UTF8Encoding(false, true).GetString(bytes);
                Assert.False(text.Contains('\r') || text.Contains('@') || text.Contains("Fermé en août", StringComparison.Ordinal) || text.Contains("dimanche", StringComparison.Ordinal), file);
            }
            var header = (await global::System.IO.File.ReadAllLinesAsync(Path.Combine(one, "espaces.csv"), Cancel))[0].Split(',');
            var dictionary = (await global::System.IO.File.ReadAllLinesAsync(Path.Combine(one, "dictionnaire.csv"), Cancel)).Where(l => l.StartsWith("espaces,", StringComparison.Ordinal));
            Assert.Equal(header, dictionary.Select(l => l.Split(',')[1]));
            using var geo = global::System.Text.Json.JsonDocument.Parse(await global::System.IO.File.ReadAllBytesAsync(Path.Combine(one, "lieux.geojson"), Cancel));
            var feature = geo.RootElement.GetProperty("features").EnumerateArray().First(f => f.GetProperty("properties").GetProperty("espace_id").GetString() == IdOf("open1").ToString());
            Assert.Equal([4.83, 45.76], feature.GetProperty("geometry").GetProperty("coordinates").EnumerateArray().Select(c => c.GetDouble()));
            Assert.True(feature.GetProperty("properties").GetProperty("fictif").GetBoolean());
        }
        finally
        {
            foreach (var folder in new[] { one, two }.Where(global::System.IO.Directory.Exists))
                global::System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    internal static byte[] File(char delimiter, params IReadOnlyList<EspaceImport> espaces) => Encoding.UTF8.GetBytes(
        string.Concat(new[] { EspaceTemplate.Header }.Concat(espaces.SelectMany(EspaceTemplate.Lines)).Select(l => CsvText.Line(delimiter, l))));

    private async Task<ImportSummary> ImportAsync(
        byte[] file, bool dryRun = false, string source = "test", string? requestId = null, DirectoryService.DirectoryServiceClient? client = null)
    {
        using var call = (client ?? directory.Operateur).ImportEspacesCsv(cancellationToken: Cancel);
        var request = new ImportEspacesCsvRequest { Source = source, DryRun = dryRun, RequestId = requestId ?? NewId() };
        // Small pieces: letters of two bytes are torn apart.
        foreach (var piece in file.Length == 0 ? [[]] : file.Chunk(1001))
        {
            request.Data = ByteString.CopyFrom(piece);
#pragma warning disable RS0030 // The refusal is read from the answers.
            try
            {
                await call.RequestStream.WriteAsync(request, Cancel);
            }
            catch (RpcException)
            {
                break;
            }
#pragma warning restore RS0030
            request = new();
        }
        await call.RequestStream.CompleteAsync();
        ImportEspacesCsvResponse? last = null;
        await foreach (var response in call.ResponseStream.ReadAllAsync(Cancel))
        {
            Assert.Null(last?.Summary);
            last = response;
        }
        return last!.Summary;
    }

    private async Task<Espace> GetAsync(Guid id) => (await directory.Court.GetEspaceAsync(new() { EspaceId = id.ToString() }, cancellationToken: Cancel)).Espace;

    private async Task<List<Espace>> AllAsync()
    {
        using var system = System();
        return await EspaceFiles.AllAsync(system, Cancel);
    }

    private Task<long> HistoryAsync() => directory.Database.ReadAsync<long>("select (select count(*) from espace_changes) + (select count(*) from wait_declarations)");

    private RunningSystem System() => new(name => name switch
    {
        "services__directory__grpc__0" => directory.Host.Grpc.ToString(),
        "JAFER_TOKEN" => TestIssuer.Shared.Token(Roles.Operateur, StableIds.For("organisation:operateur:national")),
        _ => null,
    });
}
