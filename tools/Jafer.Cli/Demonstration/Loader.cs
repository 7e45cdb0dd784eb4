using System.Diagnostics;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Operations.V1;

namespace Jafer.Cli.Demonstration;

/// <summary>Sends the demonstration data to a running directory.</summary>
internal sealed class Loader(RunningSystem system, TimeProvider clock, TextWriter output)
{
    private const int Batch = 25;
    private const int Page = 200;

    // The organisation of operateur.national, where nothing else is configured (Escalation:OperatorId).
    private const string OperatorId = "91141436-262f-83e3-bd3c-b30ed9574494";

    /// <summary>
    /// Imports the espaces, unless they are all there already. Afterwards the directory tells the other services again of its
    /// organisations and espaces: what it published before their queues existed is lost otherwise.
    /// </summary>
    /// <param name="seed">Seed of the generator.</param>
    /// <param name="again">Import even when they are there.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task LoadAsync(int seed, bool again, CancellationToken ct)
    {
        var channel = await system.ConnectAsync("directory", ct);
        var directory = new DirectoryService.DirectoryServiceClient(channel);
        var espaces = new Generator(seed, Today()).Espaces().ToList();
        if (!again && await AreThereAsync(directory, espaces, ct))
            await output.WriteLineAsync($"demonstration data: the {espaces.Count} fictive espaces are there already");
        else
        {
            await ImportAsync(directory, espaces, ct);
            await GiveContactsAsync(directory, ct);
        }
        var told = await new OperationsService.OperationsServiceClient(channel)
            .RepublishStateAsync(new RepublishStateRequest { RequestId = NewId() }, cancellationToken: ct);
        await output.WriteLineAsync($"demonstration data: ready; {told.EventCount} organisations and espaces told to the other services");
    }

    /// <summary>Imports the espaces again and declares their waits anew, so that the directory answers as after the first load.</summary>
    /// <param name="seed">Seed of the generator.</param>
    /// <param name="ct">Cancellation.</param>
    public async Task ResetAsync(int seed, CancellationToken ct)
    {
        await LoadAsync(seed, again: true, ct);
        var directory = new DirectoryService.DirectoryServiceClient(await system.ConnectAsync("directory", ct));
        var wanted = new Generator(seed, Today()).Espaces().ToDictionary(e => e.Gestionnaire.Name);
        var (declared, pageToken) = (0, "");
        do
        {
            var page = await directory.ListEspacesAsync(new ListEspacesRequest { PageSize = Page, PageToken = pageToken }, cancellationToken: ct);
            foreach (var espace in page.Espaces)
            {
                if (wanted.TryGetValue(espace.GestionnaireName, out var first))
                    declared += await RestoreWaitsAsync(directory, espace, first, ct);
            }
            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
        await output.WriteLineAsync($"demonstration data: reset; {declared} waits declared anew. Mesures are kept: ./jafer run --reset deletes them too");
    }

    // A court that nobody can write to would never learn that something waits for it, nor the operator what goes up to it.
    private async Task GiveContactsAsync(DirectoryService.DirectoryServiceClient directory, CancellationToken ct)
    {
        var (count, pageToken) = (0, "");
        do
        {
            var page = await directory.ListCourtsAsync(new ListCourtsRequest { PageSize = Page, PageToken = pageToken }, cancellationToken: ct);
            foreach (var court in page.Courts)
            {
                await GiveContactAsync(directory, court.OrganisationId, "greffe", $"greffe@{court.Code}.demo.example.org", ct);
                count++;
            }
            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
        await GiveContactAsync(directory, OperatorId, "exploitation", "exploitation@operateur.demo.example.org", ct);
        await output.WriteLineAsync($"demonstration data: {count} courts and the operator have a fictive contact");
    }

    private async Task GiveContactAsync(DirectoryService.DirectoryServiceClient directory, string organisationId, string id, string email, CancellationToken ct) =>
        await directory.ReplaceContactsAsync(
            new ReplaceContactsRequest
            {
                OrganisationId = organisationId,
                Contacts = { new Contact { ExternalId = id, Email = email, Role = ContactRole.Suivi } },
                RequestId = NewId(),
            },
            cancellationToken: ct);

    private async Task ImportAsync(DirectoryService.DirectoryServiceClient directory, List<EspaceImport> espaces, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        var sum = new ImportEspacesResponse();
        foreach (var batch in espaces.Chunk(Batch))
        {
            var request = new ImportEspacesRequest { Source = Generator.Source, RequestId = NewId() };
            request.Espaces.Add(batch);
            var response = await directory.ImportEspacesAsync(request, cancellationToken: ct);
            sum.CreatedCount += response.CreatedCount;
            sum.UpdatedCount += response.UpdatedCount;
            sum.UnchangedCount += response.UnchangedCount;
            var done = sum.CreatedCount + sum.UpdatedCount + sum.UnchangedCount;
            await output.WriteLineAsync($"demonstration data: {done} of {espaces.Count} fictive espaces");
        }
        await output.WriteLineAsync(
            $"demonstration data: {sum.CreatedCount} created, {sum.UpdatedCount} changed, {sum.UnchangedCount} as they were, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
    }

    // The import is all or nothing per batch and goes in order: who has the last one has them all.
    private static async Task<bool> AreThereAsync(DirectoryService.DirectoryServiceClient directory, List<EspaceImport> espaces, CancellationToken ct)
    {
        var last = espaces[^1];
        var pageToken = "";
        do
        {
            var page = await directory.ListEspacesAsync(
                new ListEspacesRequest { Departement = last.Departement, PageSize = Page, PageToken = pageToken }, cancellationToken: ct);
            if (page.Espaces.Any(e => e.GestionnaireName == last.Gestionnaire.Name))
                return true;
            pageToken = page.NextPageToken;
        }
        while (pageToken.Length > 0);
        return false;
    }

    private async Task<int> RestoreWaitsAsync(DirectoryService.DirectoryServiceClient directory, Espace espace, EspaceImport first, CancellationToken ct)
    {
        var count = 0;
        foreach (var modalite in first.Modalites.Where(m => m.DeclaredWait is not null))
        {
            var held = espace.Modalites.Single(m => m.Modalite == modalite.Modalite).DeclaredWait;
            if (held.Days == modalite.DeclaredWait.Days)
                continue;
            await directory.DeclareWaitAsync(new DeclareWaitRequest
            {
                EspaceId = espace.EspaceId,
                Modalite = modalite.Modalite,
                Days = modalite.DeclaredWait.Days,
                AsOfDate = held.AsOfDate,
                RequestId = NewId(),
            }, cancellationToken: ct);
            count++;
        }
        return count;
    }

    private DateOnly Today() => DateOnly.FromDateTime(TimeZoneInfo.ConvertTimeBySystemTimeZoneId(clock.GetUtcNow(), "Europe/Paris").DateTime);

    private string NewId() => Guid.CreateVersion7(clock.GetUtcNow()).ToString();
}
