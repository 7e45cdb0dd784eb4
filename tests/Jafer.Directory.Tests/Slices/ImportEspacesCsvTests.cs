using System.Text;
using FsCheck;
using FsCheck.Fluent;
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
using Npgsql;
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
        // Of the two espaces nothing but what a decoder puts in their place would be left, the same of both.
        var file = Encoding.Latin1.GetBytes("ligne;espace;nom;lieu;arret\nESPACE;latin;Espé;;\nDESSERTE;latin;;é;Gare\nESPACE;é;Un;;\nESPACE;è;Deux;;\n");

        var summary = await ImportAsync(file);

        Assert.Equal(
            [(2, "nom"), (3, "lieu"), (4, "espace"), (5, "espace")],
            summary.Errors.Where(e => e.Description == "is not written in UTF-8").Select(e => (e.Line, e.Column)));
    }

    [Fact]
    public async Task ImportEspacesCsv_NothingOrAnotherFile_IsRefusedAndSaidSo()
    {
        var empty = await Refusal.OfAsync(() => ImportAsync([]));
        var blank = await Refusal.OfAsync(() => ImportAsync("\uFEFF\r\n\r\n"u8.ToArray()));
        var headerAlone = await ImportAsync(File(';'));
        var wide = await ImportAsync(Encoding.UTF8.GetBytes("ligne;espace;" + string.Join(';', Enumerable.Range(0, 5001).Select(n => $"c{n}")) + "\nESPACE;A\n"));
        var utf16 = await ImportAsync(Encoding.Unicode.GetBytes("ligne;espace;nom\nESPACE;A;Un\n"));

        Assert.Equal([("REQUEST_INVALID", "data"), ("REQUEST_INVALID", "data")], new[] { empty, blank }.Select(r => (r.Reason, r.Fields.Single())));
        Assert.Equal((0, 0, 0), (headerAlone.LineCount, headerAlone.CreatedCount, headerAlone.ErrorCount));
        Assert.Equal((5001, 1000), (wide.ErrorCount, wide.Errors.Count));
        Assert.True(utf16.ErrorCount > 0);
    }

    [Fact]
    public async Task ImportEspaces_FileThatCannotBeRead_EndsAndSaysSo()
    {
        using var system = System();
        var files = new EspaceFiles(system, TimeProvider.System, TextWriter.Null);

        // The memory of this process can be opened, and not read from its beginning: a disk that fails in the middle.
        var broken = await Assert.ThrowsAsync<UsageException>(() => files.ImportAsync("/proc/self/mem", "test", dryRun: false, overwrite: false, Cancel));
        var missing = await Assert.ThrowsAsync<UsageException>(() => files.ImportAsync("/nowhere/x.csv", "test", dryRun: false, overwrite: false, Cancel));

        Assert.Contains("cannot be read to its end", broken.Message, StringComparison.Ordinal);
        Assert.Contains("There is no file", missing.Message, StringComparison.Ordinal);
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
            await files.ImportAsync(path, "retour", dryRun: true, overwrite: false, Cancel);
            await files.ImportAsync(path, "retour", dryRun: false, overwrite: false, Cancel);

            Assert.Contains($"0 espaces created, 0 changed, {before.Count} as they were", output.ToString(), StringComparison.Ordinal);
            Assert.Contains("trial, nothing written", output.ToString(), StringComparison.Ordinal);
            Assert.Equal(history, await HistoryAsync());
            Assert.Equal(before, await AllAsync());

            var text = await global::System.IO.File.ReadAllTextAsync(path, Cancel);
            await global::System.IO.File.WriteAllTextAsync(path, text.Replace(before[0].GestionnaireSiret, before[0].GestionnaireSiret[..^1] + (before[0].GestionnaireSiret[^1] == '0' ? '1' : '0'), StringComparison.Ordinal), Cancel);
            var error = await Assert.ThrowsAsync<UsageException>(() => files.ImportAsync(path, "retour", dryRun: false, overwrite: false, Cancel));
            Assert.Contains("nothing was imported", error.Message, StringComparison.Ordinal);
            Assert.Contains($"{path}:2 siret: must be a SIRET", output.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            global::System.IO.File.Delete(path);
        }
    }

    [Fact]
    public async Task ExportEspaces_AnyEspacesThenImport_ChangesNothing()
    {
        await using var own = new DirectoryFixture();
        await own.InitializeAsync();
        var seed = 0;
        var drawn = Espaces.Sample(60, 50).Select(draw => draw($"any{seed++}")).ToList();
        foreach (var some in drawn.Chunk(50))
            await own.ImportAsync(some);
        // What import refuses time brings about: renewals that silence granted beside what still runs, decisions ahead.
        await own.Database.RunAsync("""
            insert into agrements (espace_id, position, number, departement, state, request_date, start_date, end_date)
            select e.id, 10 + s.n, '', e.departement, s.state, s.asked, s.starts, s.ends
            from (select id, departement, row_number() over (order by id) as k from espaces) e
            join (values
                (0, 0, 'DEMANDE', current_date - 300, null::date, null::date), (0, 1, 'DEMANDE', current_date - 310, null, null),
                (1, 2, 'DEMANDE', current_date - 20, null, null), (1, 3, 'REPUTE_ACQUIS', current_date - 400, null, current_date + 30),
                (2, 4, 'ACCORDE', current_date - 10, current_date + 30, current_date + 400), (2, 5, 'RETIRE', null, current_date - 500, current_date + 20),
                (3, 6, 'RETIRE', current_date - 900, null, current_date + 20), (3, 7, 'REFUSE', current_date - 30, null, null))
                as s (k, n, state, asked, starts, ends) on s.k = e.k % 5
            """);
        await own.Database.RunAsync("""
            with ordered as (
                select ctid, row_number() over (partition by espace_id order by coalesce(start_date, request_date, '-infinity'::date) desc, position) - 1 as place from agrements)
            update agrements a set position = o.place + 100 from ordered o where o.ctid = a.ctid;
            update agrements set position = position - 100;
            """);
        var path = Path.Combine(Path.GetTempPath(), NewId() + ".csv");
        try
        {
            using var system = System(own);
            await using var output = new StringWriter();
            var files = new EspaceFiles(system, TimeProvider.System, output);
            await files.ExportAsync(path, Cancel);
            var history = await HistoryAsync(own);
            await files.ImportAsync(path, "retour", dryRun: false, overwrite: false, Cancel);
            var again = Path.ChangeExtension(path, ".again.csv");
            await files.ExportAsync(again, Cancel);

            Assert.Contains("0 espaces created, 0 changed, 60 as they were", output.ToString(), StringComparison.Ordinal);
            Assert.Equal(history, await HistoryAsync(own));
            Assert.Equal(await global::System.IO.File.ReadAllTextAsync(path, Cancel), await global::System.IO.File.ReadAllTextAsync(again, Cancel));
            global::System.IO.File.Delete(again);
        }
        finally
        {
            global::System.IO.File.Delete(path);
        }
    }

    [Fact]
    public async Task ImportEspacesCsv_WhileItWrites_OtherEspacesAreWrittenAndItsOwnWait()
    {
        await using var own = new DirectoryFixture();
        await own.InitializeAsync();
        await own.ImportAsync(Espace("other"), Espace("zz"));
        var many = Enumerable.Range(0, 200).Select(i => Espace($"b{i}", "73065")).Append(Espace("zz", "73065")).ToList();
        many[^1].Gestionnaire.Name = "Association fictive qui change";
        // What a writer of the last gestionnaire would hold: the import stands still in the middle.
        await using var held = new NpgsqlConnection(own.Database.ConnectionString);
        await held.OpenAsync(Cancel);
        await using var blocking = await held.BeginTransactionAsync(Cancel);
        await using (var command = new NpgsqlCommand("select from gestionnaires where external_id = 'G-zz' for update", held, blocking))
            await command.ExecuteNonQueryAsync(Cancel);

        using var call = own.Operateur.ImportEspacesCsv(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(new() { Source = "test", RequestId = NewId(), Data = ByteString.CopyFrom(File(';', many)) }, Cancel);
        await call.RequestStream.CompleteAsync();
        while (await call.ResponseStream.MoveNext(Cancel) && call.ResponseStream.Current.EspacesWritten < 200)
        {
        }
        await own.Gestionnaire("G-other").DeclareWaitAsync(
            new() { EspaceId = IdOf("other").ToString(), Modalite = Modalite.Visite, Days = 11, RequestId = NewId() }, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(1), cancellationToken: Cancel);
        var mine = own.Gestionnaire("G-zz").DeclareWaitAsync(
            new() { EspaceId = IdOf("zz").ToString(), Modalite = Modalite.Visite, Days = 12, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync;

        Assert.Equal(11, await WaitAsync("other"));
        Assert.Equal(0, await own.Database.ReadAsync<long>("select count(*) from espaces where external_id like 'b%'"));
        Assert.False(mine.IsCompleted);
        await blocking.RollbackAsync(Cancel);
        ImportSummary? summary = null;
        await foreach (var response in call.ResponseStream.ReadAllAsync(Cancel))
            summary = response.Summary ?? summary;
        Assert.Equal((200, 1), (summary?.CreatedCount, summary?.UpdatedCount));
        await mine;
        Assert.Equal(12, await WaitAsync("zz"));
        Assert.Equal(0, await own.Database.ReadAsync<long>("select count(*) from espaces where revision < 0"));
        Assert.Equal(CapacityStatus.Open, (await own.Court.CheckDesignationAsync(
            new() { EspaceId = IdOf("b7").ToString(), Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: Cancel)).Result.CapacityStatus);

        async Task<int> WaitAsync(string espace) =>
            (await own.Court.CheckDesignationAsync(new() { EspaceId = IdOf(espace).ToString(), Mesure = new() { Modalite = Modalite.Visite } }, cancellationToken: Cancel)).Result.DeclaredWait.Days;
    }

    [Fact]
    public async Task ImportEspacesCsv_LineThatCannotBeReadWhole_TellsWhatElseIsWrongWithIt()
    {
        var file = Encoding.UTF8.GetBytes("""
            ligne;espace;nom;departement;etat;gestionnaire;gestionnaire_nom;siret;numero;date_debut;date_fin;lieu;commune;modalite;capacite;age_min;age_max;reouverture
            ESPACE;formes;;69;INCONNU;G;Association;73282932000075;;;;;;;;;;
            AGREMENT;formes;;42;ACCORDE;;;;;2026-13-01;2025-01-01;;;;;;;
            LIEU;formes;Maison;;;;;;;;;centre;99999;;;;;
            MODALITE;formes;;;OUVRTE;;;;;;;;;VISITE;-1;dix;18;2026-01-01
            """);

        var summary = await ImportAsync(file);

        // What may only follow from the cell that could not be read is not told: a reopening that an unknown state forbids.
        Assert.Equal(
            [(2, "etat"), (2, "nom"), (2, "siret"), (3, "date_debut"), (3, "departement"), (4, "commune"), (5, "age_min"), (5, "capacite"), (5, "etat")],
            summary.Errors.Select(e => (e.Line, e.Column)));
    }

    [Fact]
    public async Task ImportEspacesCsv_Trial_TellsHowFarItIs()
    {
        using var call = directory.Operateur.ImportEspacesCsv(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(
            new() { Source = "test", DryRun = true, RequestId = NewId(), Data = ByteString.CopyFrom(File(';', [.. Enumerable.Range(0, 201).Select(i => Espace($"trial{i}"))])) }, Cancel);
        await call.RequestStream.CompleteAsync();
        var progress = new List<(long, long)>();
        await foreach (var response in call.ResponseStream.ReadAllAsync(Cancel))
            progress.Add((response.EspacesCompared, response.EspacesWritten));

        Assert.Equal([(200, 0), (201, 0), (201, 0)], progress);
    }

    [Fact]
    public async Task ImportEspaces_EditedExportOfAnOlderState_RevertsNothingUnlessToldTo()
    {
        await using var own = new DirectoryFixture();
        await own.InitializeAsync();
        await own.ImportAsync(Espace("since"), Espace("still"));
        var path = Path.Combine(Path.GetTempPath(), NewId() + ".csv");
        try
        {
            using var system = System(own);
            await using var output = new StringWriter();
            var files = new EspaceFiles(system, TimeProvider.System, output);
            await files.ExportAsync(path, Cancel);
            await own.Gestionnaire("G-since").DeclareWaitAsync(
                new() { EspaceId = IdOf("since").ToString(), Modalite = Modalite.Visite, Days = 17, RequestId = NewId() }, cancellationToken: Cancel);
            var text = await global::System.IO.File.ReadAllTextAsync(path, Cancel);
            await global::System.IO.File.WriteAllTextAsync(path, text.Replace("Lieu fictif", "Lieu fictif retouché", StringComparison.Ordinal), Cancel);
            var line = text.Split('\n').ToList().FindIndex(l => l.Contains("ESPACE;" + IdOf("since"), StringComparison.Ordinal)) + 1;

            foreach (var trial in new[] { true, false })
                await Assert.ThrowsAsync<UsageException>(() => files.ImportAsync(path, "retour", trial, overwrite: false, Cancel));
            Assert.Contains($"{path}:{line} version: is not the directory's any more", output.ToString(), StringComparison.Ordinal);
            Assert.Equal(0, await own.Database.ReadAsync<long>("select count(*) from lieux where name like '%retouché'"));

            await files.ImportAsync(path, "retour", dryRun: false, overwrite: true, Cancel);
            Assert.Equal(2, await own.Database.ReadAsync<long>("select count(*) from lieux where name like '%retouché'"));
            // The same again changes nothing, however old its versions are by now.
            await files.ImportAsync(path, "retour", dryRun: false, overwrite: false, Cancel);
            Assert.Contains("0 changed, 2 as they were", output.ToString(), StringComparison.Ordinal);
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

    // Espaces in any shape that the checks let pass; text as spreadsheets and people write it.
    private static Gen<Func<string, EspaceImport>> Espaces { get; } =
        from text in Gen.Elements("Maison", "L'été ; \"fictif\"", "a|b\\c", "deux\nlignes", "=1+1", "œuvre, 2")
        from modalites in Gen.SubListOf(Enum.GetValues<Modalite>()[1..])
        from states in Gen.Elements(Enum.GetValues<ModaliteState>()[1..]).ListOf(12)
        from numbers in Gen.Choose(0, 20).ListOf(12)
        from flags in Gen.Elements(true, false).ListOf(12)
        from publics in Gen.SubListOf(Enum.GetValues<PublicAccueilli>()[1..])
        from vif in Gen.SubListOf(Enum.GetValues<AmenagementVif>()[1..])
        from lieux in Gen.Choose(1, 3)
        select (Func<string, EspaceImport>)(id =>
        {
            var espace = flags[0] ? EspaceContentTests.Whole(id) : Espace(id);
            (espace.Name, espace.AlertText, espace.State) = (text, flags[1] ? text : " ", flags[2] ? EspaceState.Suspendu : EspaceState.Ouvert);
            foreach (var n in Enumerable.Range(2, lieux - 1))
                espace.Lieux.Add(new Lieu { ExternalId = $"L{n} {text[0]}", Name = text, CommuneInsee = "69266", WheelchairAccessible = flags[3] });
            foreach (var (i, modalite) in modalites.Where(m => m != Modalite.Visite).Index())
            {
                var offered = new ModaliteOfferte
                {
                    Modalite = modalite,
                    State = states[i],
                    CapacityFamilies = numbers[i],
                    MaxAge = Math.Min(numbers[i], 17),
                    StaffPresent = numbers[i],
                    ProtectionOrderAccepted = flags[i],
                    AcceptedPublics = { publics },
                };
                if (flags[i])
                    offered.VifAmenagements.Add(vif);
                if (flags[i] && numbers[i] % 3 == 0)
                    offered.WaitingFamilies = numbers[i];
                if (numbers[i] % 2 == 0)
                    offered.DeclaredWait = new DeclaredWait { Days = numbers[i], AsOfDate = Today.AddDays(-numbers[i]).ToProto() };
                if (states[i] is ModaliteState.Complete or ModaliteState.Fermee && flags[i])
                    offered.ReopeningDate = Today.AddDays(numbers[i] - 10).ToProto();
                espace.Modalites.Add(offered);
            }
            if (flags[4])
                espace.Accueil = new Accueil { Reglement = new Reglement(), Exclusions = { text } };
            if (flags[5])
                espace.Agrements.Clear();
            return espace;
        });

    private Task<long> HistoryAsync() => HistoryAsync(directory);

    private static Task<long> HistoryAsync(DirectoryFixture own) => own.Database.ReadAsync<long>("select (select count(*) from espace_changes) + (select count(*) from wait_declarations)");

    private RunningSystem System() => System(directory);

    private static RunningSystem System(DirectoryFixture own) => new(name => name switch
    {
        "services__directory__grpc__0" => own.Host.Grpc.ToString(),
        "JAFER_TOKEN" => TestIssuer.Shared.Token(Roles.Operateur, StableIds.For("organisation:operateur:national")),
        _ => null,
    });
}
