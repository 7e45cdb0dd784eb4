using System.CommandLine;
using Grpc.Core;
using Jafer.Cli;
using Jafer.Cli.Demonstration;
using Jafer.Cli.Files;
using Jafer.Cli.Journal;
using Jafer.Cli.PublicPages;
using Jafer.Cli.Retention;
using Jafer.Cli.Territory;
using Jafer.Cli.Threads;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Operations.V1;
using Npgsql;

var seed = new Option<int>("--seed") { Description = "Seed of the generator.", DefaultValueFactory = _ => Generator.DefaultSeed };
var again = new Option<bool>("--again") { Description = "Import even when the demonstration data are there." };
var service = new Argument<string>("service") { Description = "directory, mesure, messaging or notification." };

var load = new Command("load", "Loads the fictive espaces into the running directory, once.") { seed, again };
load.SetAction((parsed, ct) => RunAsync(async system =>
{
    await Demonstration(system).LoadAsync(parsed.GetValue(seed), parsed.GetValue(again), ct);
    await new SurveyDemonstration(system, TimeProvider.System, Console.Out).LoadAsync(parsed.GetValue(seed), ct);
}));
var reset = new Command("reset", "Puts the fictive espaces back as they were first loaded.") { seed };
reset.SetAction((parsed, ct) => RunAsync(system => Demonstration(system).ResetAsync(parsed.GetValue(seed), ct)));

var status = new Command("status", "Shows what waits in a service's outbox.") { service };
status.SetAction((parsed, ct) => RunAsync(async system =>
{
    var outbox = await (await OperationsAsync(system, parsed.GetValue(service)!, ct)).GetOutboxAsync(new GetOutboxRequest(), cancellationToken: ct);
    Console.WriteLine($"{outbox.PendingCount} pending, the oldest for {outbox.OldestAgeSeconds:F0} s; {outbox.ParkedCount} parked; {outbox.FailedCount} in the error queue");
}));
var redrive = new Command("redrive", "Sends the parked messages of a service's outbox again.") { service };
redrive.SetAction((parsed, ct) => RunAsync(async system =>
{
    var answer = await (await OperationsAsync(system, parsed.GetValue(service)!, ct))
        .RedriveParkedMessagesAsync(new RedriveParkedMessagesRequest { RequestId = NewId() }, cancellationToken: ct);
    Console.WriteLine($"{answer.RedrivenCount} messages are sent again");
}));
var republish = new Command("republish", "Publishes the state of a service again, so that others can rebuild what they keep of it.") { service };
republish.SetAction((parsed, ct) => RunAsync(async system =>
{
    var answer = await (await OperationsAsync(system, parsed.GetValue(service)!, ct))
        .RepublishStateAsync(new RepublishStateRequest { RequestId = NewId() }, cancellationToken: ct);
    Console.WriteLine($"{answer.EventCount} events are published again");
}));
var keys = new Command("keys", "Shows how far a service is under the key that is configured now.") { service };
keys.SetAction((parsed, ct) => RunAsync(async system =>
{
    var answer = await (await OperationsAsync(system, parsed.GetValue(service)!, ct)).GetKeyPassesAsync(new GetKeyPassesRequest(), cancellationToken: ct);
    foreach (var pass in answer.Passes)
    {
        var state = pass.FinishTime is { } finished ? $"finished {finished.ToDateTimeOffset():u}" : "unfinished";
        Console.WriteLine($"{pass.Name,-28} {pass.KeyId,-32} {pass.ResealedCount,10} {state}");
    }
}));
var alarms = new Command("alarms", "Lists the callers who seem to try out ids at a service, latest first.") { service };
alarms.SetAction((parsed, ct) => RunAsync(async system =>
{
    var operations = await OperationsAsync(system, parsed.GetValue(service)!, ct);
    var request = new ListAlarmsRequest();
    do
    {
        var page = await operations.ListAlarmsAsync(request, cancellationToken: ct);
        foreach (var alarm in page.Alarms)
        {
            Console.WriteLine($"{alarm.AlarmTime.ToDateTimeOffset():u} {alarm.Role} {alarm.OrganisationId} {alarm.Subject} ({alarm.Issuer}): {alarm.Rpc}");
        }

        request.PageToken = page.NextPageToken;
    }
    while (request.PageToken.Length > 0);
}));

var file = new Argument<string>("FILE") { Description = "CSV with the header depart,arrivee,minutes; empty minutes: no road. May end in .gz." };
var source = new Option<string?>("--source") { Description = "Where the minutes come from; shown with the figures. Default: the file's name." };
var symmetric = new Option<bool>("--symmetric") { Description = "A way also holds in the other direction, unless the file gives that one itself." };
var replace = new Option<bool>("--replace") { Description = "Removes all ways that were imported before and are not in the file." };
var distancier = new Command("import-distancier", "Imports travel times between communes, which replace the model: all of them or none.") { file, source, symmetric, replace };
distancier.SetAction((parsed, ct) => RunAsync(async system =>
{
    using var content = new DistancierFile(parsed.GetValue(file)!);
    var upload = new DistancierUpload(await DirectoryAsync(system, ct), Console.Out, !Console.IsOutputRedirected, NewId);
    if (!await upload.SendAsync(content, parsed.GetValue(source) ?? Path.GetFileName(parsed.GetValue(file)!), parsed.GetValue(symmetric), parsed.GetValue(replace), ct))
        throw new UsageException("The distancier is as it was before.");
}));

var drawing = new Argument<string>("OUT.svg") { Description = "Where the map is written.", DefaultValueFactory = _ => "coverage.svg" };
var map = new Command("coverage-map", "Draws how France is served: travel time from every commune to the nearest lieu d'accueil.") { drawing };
map.SetAction((parsed, ct) => RunAsync(async system =>
{
    var svg = CoverageMap.Draw(await CoverageMap.ReadAsync(await DirectoryAsync(system, ct), ct));
    await File.WriteAllTextAsync(parsed.GetValue(drawing)!, svg, ct);
    Console.WriteLine($"{Path.GetFullPath(parsed.GetValue(drawing)!)}: {svg.Length / 1024} KiB");
}));

var csv = new Option<bool>("--csv") { Description = "As CSV instead of a table." };
var access = new Command("access-figures", "Access to the nearest lieu by département, beside the figures that the national survey published.") { csv };
access.SetAction((parsed, ct) => RunAsync(async system =>
    await Console.Out.WriteAsync((await AccessFigures.ReadAsync(await DirectoryAsync(system, ct), ct)).ToText(parsed.GetValue(csv)))));

var csvFile = new Argument<string>("file") { Description = "A CSV file of the template (docs/directory.md)." };
var csvSource = new Option<string>("--source") { Description = "Name of the source: lower case letters, digits and hyphens.", DefaultValueFactory = _ => "fichier" };
var dryRun = new Option<bool>("--dry-run") { Description = "Finds out what would be done and writes nothing." };
var overwrite = new Option<bool>("--overwrite") { Description = "Also changes espaces that were changed since the version that their line names." };
var importEspaces = new Command("import-espaces", "Imports espaces from a CSV file: all of it or, with a single mistake, nothing.") { csvFile, csvSource, dryRun, overwrite };
importEspaces.SetAction((parsed, ct) => RunAsync(system =>
    Espaces(system).ImportAsync(parsed.GetValue(csvFile)!, parsed.GetValue(csvSource)!, parsed.GetValue(dryRun), parsed.GetValue(overwrite), ct)));
var exportEspaces = new Command("export-espaces", "Writes every espace into a CSV file of the template.") { csvFile };
exportEspaces.SetAction((parsed, ct) => RunAsync(system => Espaces(system).ExportAsync(parsed.GetValue(csvFile)!, ct)));
var folder = new Argument<string>("folder") { Description = "The folder to write into." };
var exportOpenData = new Command("export-opendata", "Writes the public part of the directory as open data: CSV, JSON, GeoJSON.") { folder };
exportOpenData.SetAction((parsed, ct) => RunAsync(async system =>
{
    var today = DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeBySystemTimeZoneId(TimeProvider.System.GetUtcNow(), "Europe/Paris").DateTime);
    var files = await OpenData.WriteAsync(await EspaceFiles.AllAsync(system, ct), today, parsed.GetValue(folder)!, ct);
    Console.WriteLine($"export-opendata: {string.Join(", ", files)} in {parsed.GetValue(folder)}");
}));

var year = new Option<int?>("--year") { Description = "Year of the survey. Default: the last whose campaign is closed." };
var publicFolder = new Option<string>("--out") { Description = "The folder to write into.", DefaultValueFactory = _ => "public", HelpName = "DIR" };
var exportPublic = new Command("export-public", "Writes the public page of the survey and the waits, with its open data; small numbers are withheld.") { year, publicFolder };
exportPublic.SetAction((parsed, ct) => RunAsync(async system =>
{
    const string client = "statisticien.sser";
    var directory = await system.ConnectAsync("directory", ct, client);
    var data = await PublicData.ReadAsync(
        new SurveyService.SurveyServiceClient(await system.ConnectAsync("mesure", ct, client)), new DirectoryService.DirectoryServiceClient(directory),
        new WaitService.WaitServiceClient(directory), parsed.GetValue(year), TimeProvider.System, ct);
    var files = await PublicExport.WriteAsync(data, parsed.GetValue(publicFolder)!, ct);
    Console.WriteLine($"export-public: {data.Year}, {files.Count} files in {Path.GetFullPath(parsed.GetValue(publicFolder)!)}");
}));

var holidayFile = new Argument<string>("file") { Description = "A CSV file with the columns zone,annee_scolaire,nom,debut,fin,source; fin is the last day without school." };
var holidays = new Command("import-vacances", "Replaces the school holidays of the school years in a CSV file.") { holidayFile };
holidays.SetAction((parsed, ct) => RunAsync(async system =>
{
    var request = await SchoolHolidayFile.ReadAsync(parsed.GetValue(holidayFile)!, ct);
    request.RequestId = NewId();
    var answer = await (await DirectoryAsync(system, ct)).ImportSchoolHolidaysAsync(request, cancellationToken: ct);
    Console.WriteLine($"import-vacances: {answer.HolidayCount} holidays of {string.Join(", ", answer.SchoolYears)}");
}));

var threadFile = new Argument<string>("FILE") { Description = "The file of a thread, as GetThreadExport gives it as JSON." };
var against = new Option<bool>("--against-server") { Description = "Also asks the running messaging service for the count and the last hash, and whether it gave out this very file (JAFER_TOKEN, or JAFER_CLIENT_ID, of a side of the thread)." };
var attachmentFolder = new Option<DirectoryInfo?>("--attachments") { Description = "Also looks for every attachment among the files of this folder, by SHA-256.", HelpName = "DIR" };
var feed = new Option<bool>("--against-feed") { Description = "Also compares with the hashes that the feed of the token's organisation told as the messages were posted." };
var verifyThread = new Command("verify-thread", "Proves that nothing in the file of a thread was altered or left out; exit code 1 when something was.") { threadFile, against, feed, attachmentFolder };
verifyThread.SetAction(async (parsed, ct) =>
{
    var whole = false;
    var status = await RunAsync(async system =>
    {
        var export = await ThreadCheck.ReadAsync(parsed.GetValue(threadFile)!, ct);
        var verdict = ThreadCheck.Offline(export);
        if (verdict.Whole && parsed.GetValue(against))
        {
            var client = new MessagingService.MessagingServiceClient(await system.ConnectAsync("messaging", ct));
            verdict = verdict.And(ThreadCheck.Against(export, (await client.GetThreadAsync(ThreadCheck.RequestFor(export), cancellationToken: ct)).Thread));
            if (verdict.Whole)
            {
                verdict = verdict.And(ThreadCheck.Given(
                    await client.CheckThreadExportAsync(await ThreadCheck.CheckFor(export, parsed.GetValue(threadFile)!, ct), cancellationToken: ct)));
            }
        }

        if (verdict.Whole && parsed.GetValue(attachmentFolder) is { } folder)
        {
            verdict = folder.Exists ? verdict.And(await ThreadCheck.AttachmentsAsync(export, folder.FullName, ct)) : throw new UsageException($"{folder.FullName}: no folder.");
        }

        if (verdict.Whole && parsed.GetValue(feed))
        {
            var client = new NotificationService.NotificationServiceClient(await system.ConnectAsync("notification", ct));
            verdict = verdict.And(ThreadCheck.Anchored(export, await ThreadCheck.AnchorsAsync(client, export.Thread.ThreadId, ct)));
        }

        Console.WriteLine(verdict.Line);
        whole = verdict.Whole;
    });
    return whole ? status : 1;
});

var since = new Option<long>("--since") { Description = "The seal to begin with; the one before it is trusted.", DefaultValueFactory = _ => 1, HelpName = "SEAL" };
var noted = new Option<string?>("--head") { Description = "A head that was noted down earlier, NUMBER:HASH: finds that later seals were removed, or the chain written anew.", HelpName = "HEAD" };
var database = new Option<string?>("--database") { Description = "Connection string of the service's database. Default: ConnectionStrings__SERVICE in the environment." };
var verifyJournal = new Command("verify-journal", "Proves that no line of a service's access journal was altered, removed or inserted; exit code 1 when one was.") { service, since, noted, database };
verifyJournal.SetAction(async (parsed, ct) =>
{
    var whole = false;
    var status = await RunAsync(async _ =>
    {
        var name = parsed.GetValue(service)!;
        var head = parsed.GetValue(noted) is { } text ? JournalHead.Parse(text) : null;
        var connectionString = parsed.GetValue(database) ?? Environment.GetEnvironmentVariable($"ConnectionStrings__{name}")
            ?? throw new UsageException($"Name the database of {name} by --database or ConnectionStrings__{name}.");
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(ct);
            var verdict = await JournalCheck.VerifyAsync(connection, parsed.GetValue(since), head, ct);
            foreach (var line in JournalCheck.Describe(name, verdict))
            {
                Console.WriteLine(line);
            }

            whole = verdict.Whole;
        }
        catch (NpgsqlException e)
        {
            throw new UsageException($"The database of {name} cannot be read: {(e is PostgresException p ? p.MessageText : e.Message)}");
        }
        catch (ArgumentException)
        {
            throw new UsageException("What was given as a connection string is none.");
        }
    });
    return whole ? status : 1;
});

var retentionDryRun = new Command("dry-run", "Says what a run of retention would erase now; erases nothing.");
retentionDryRun.SetAction((_, ct) => RunAsync(async system => Console.WriteLine(await RetentionReport.DryRunAsync(await RetentionAsync(system, ct), NewId(), TimeProvider.System, ct))));
var retentionLast = new Command("last", "Says what the last run of retention did, and how long ago.");
retentionLast.SetAction((_, ct) => RunAsync(async system => Console.WriteLine(await RetentionReport.LastAsync(await RetentionAsync(system, ct), TimeProvider.System, ct))));

return await new RootCommand("Operates a running Jafer.")
{
    new Command("demo", "The demonstration data: invented, labelled fictive.") { load, reset },
    new Command("outbox", "The events that a service has yet to give to the broker.") { status, redrive },
    republish,
    new Command("retention", "The runs that erase what is kept no longer.") { retentionDryRun, retentionLast },
    keys,
    alarms,
    distancier,
    map,
    access,
    importEspaces,
    exportEspaces,
    exportOpenData,
    exportPublic,
    holidays,
    verifyThread,
    verifyJournal,
}.Parse(args).InvokeAsync();

static async Task<DirectoryService.DirectoryServiceClient> DirectoryAsync(RunningSystem system, CancellationToken ct) =>
    new(await system.ConnectAsync("directory", ct));

static async Task<RetentionService.RetentionServiceClient> RetentionAsync(RunningSystem system, CancellationToken ct) =>
    new(await system.ConnectAsync("mesure", ct));

static Loader Demonstration(RunningSystem system) => new(system, TimeProvider.System, Console.Out);

static EspaceFiles Espaces(RunningSystem system) => new(system, TimeProvider.System, Console.Out);

static async Task<OperationsService.OperationsServiceClient> OperationsAsync(RunningSystem system, string name, CancellationToken ct) =>
    new(await system.ConnectAsync(name, ct));

static string NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();

static async Task<int> RunAsync(Func<RunningSystem, Task> act)
{
    using var system = new RunningSystem(Environment.GetEnvironmentVariable);
    try
    {
        await act(system);
        return 0;
    }
    catch (UsageException e)
    {
        await Console.Error.WriteLineAsync(e.Message);
    }
    // A folder that is not there, a disk that is full, a file that is another's.
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync(e.Message);
    }
    catch (OperationCanceledException)
    {
        await Console.Error.WriteLineAsync("\nStopped; nothing was written.");
        return 130;
    }
#pragma warning disable RS0030 // What a client catches.
    catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled)
    {
        await Console.Error.WriteLineAsync("\nStopped; nothing was written.");
        return 130;
    }
    catch (RpcException e)
    {
        await Console.Error.WriteLineAsync($"{e.StatusCode}: {e.Status.Detail}");
    }
#pragma warning restore RS0030
    return 1;
}
