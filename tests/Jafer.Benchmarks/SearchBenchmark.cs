using Google.Protobuf;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory;
using Jafer.Directory.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// SearchEspaces on the demonstration's 197 espaces, for 480 families of all France, against <see cref="SearchFloor"/>.
/// </summary>
internal static class SearchBenchmark
{
    public const string Name = "search";

    private const double Goal = 0.6;
    private const int WarmUps = 3;
    private const int RoundCount = 9;
    private const int CallsOfARound = 8_000;
    private const int Families = 480;

    private static readonly Modalite[] s_modalites = [Modalite.Visite, Modalite.Visite, Modalite.VisiteAvecSortie, Modalite.RemiseEnfant, Modalite.VisitePresenceContinue];

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(DirectoryModule.Name, connection =>
            Hosts.MigrateAsync(DirectoryModule.Name, connection, b => DirectoryModule.Build([], b), app => app.MigrateDirectoryAsync()));
        await using var product = await StartAsync(b => DirectoryModule.Build([], b), database);
        await using var floor = await StartAsync(b => Hosts.BuildFloor<DirectoryDbContext, SearchFloor>(DirectoryModule.Name, b), database);
        ct.ThrowIfCancellationRequested();
        await ImportAsync(new(product.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national"))), ct);

        var court = StableIds.Court("tj69123");
        var requests = await RequestsAsync(database);
        var asked = product.Clients(Roles.Juridiction, court, c => new DirectoryService.DirectoryServiceClient(c));
        var known = floor.Clients(Roles.Juridiction, court, c => new DirectoryService.DirectoryServiceClient(c));
        await FillAsync(database, asked[0], requests, ct);
        await CompareAsync(asked[0], known[0], requests, ct);

        return Result.AtLeast(Name, "calls/s", await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(asked), () => RoundAsync(known)), Goal);

        Task<double> RoundAsync(DirectoryService.DirectoryServiceClient[] clients) => Rounds.ThroughputAsync(
            Hosts.Callers, CallsOfARound, async (caller, number) => await clients[caller].SearchEspacesAsync(requests[number % requests.Length]), ct);
    }

    private static Task<ServiceHost> StartAsync(Func<Action<Microsoft.AspNetCore.Builder.WebApplicationBuilder>, Microsoft.AspNetCore.Builder.WebApplication> build, TestDatabase database) =>
        ServiceHost.StartAsync(build, ServiceHost.Settings(DirectoryModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));

    private static async Task ImportAsync(DirectoryService.DirectoryServiceClient operateur, CancellationToken ct)
    {
        foreach (var batch in new Generator(Generator.DefaultSeed, TimeProvider.System.TodayInParis()).Espaces().Chunk(25))
        {
            var request = new ImportEspacesRequest { Source = Generator.Source, RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString() };
            request.Espaces.Add(batch);
            await operateur.ImportEspacesAsync(request, cancellationToken: ct);
        }
    }

    // Families of all sizes of communes; half of the parents live in the same département, the others anywhere in France.
    private static async Task<SearchEspacesRequest[]> RequestsAsync(TestDatabase database)
    {
        var communes = await database.ReadAllAsync<string>("select insee from communes where is_commune and latitude is not null and road_block = 'METRO' order by insee");
        var random = new Random(2026);
        return [.. Enumerable.Range(0, Families).Select(i =>
        {
            var hote = random.Next(communes.Count);
            var visiteur = i % 2 == 0 ? Math.Clamp(hote + random.Next(-100, 100), 0, communes.Count - 1) : random.Next(communes.Count);
            return new SearchEspacesRequest
            {
                Mesure = new() { Modalite = s_modalites[i % s_modalites.Length], ChildAges = { random.Next(0, 9), random.Next(4, 17) }, ProtectionOrder = i % 10 == 0, CourtCode = "tj69123", HoteCommuneInsee = communes[hote], VisiteurCommuneInsee = communes[visiteur] },
            };
        })];
    }

    private static async Task FillAsync(TestDatabase database, DirectoryService.DirectoryServiceClient product, SearchEspacesRequest[] requests, CancellationToken ct)
    {
        await database.RunAsync(SearchFloor.Table);
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(ct);
        await using (var copy = await connection.BeginBinaryImportAsync("copy bench_pages from stdin (format binary)", ct))
        {
            foreach (var request in requests)
            {
                var page = await product.SearchEspacesAsync(request, cancellationToken: ct);
                if (page.Results.Count != 20)
                    throw new InvalidOperationException($"a page of 20 results was expected, there are {page.Results.Count}");
                for (var i = 0; i < page.Results.Count; i++)
                {
                    await copy.WriteRowAsync(
                        ct, request.Mesure.HoteCommuneInsee, request.Mesure.VisiteurCommuneInsee, (int)request.Mesure.Modalite, i, page.Results[i].ToByteArray(), page.TotalCount, i == 0 ? page.NextPageToken : null);
                }
            }

            await copy.CompleteAsync(ct);
        }

        await database.RunAsync("vacuum analyze");
    }

    // The same page, or the ratio would mean nothing. Only the token differs: it is encrypted anew each time.
    private static async Task CompareAsync(
        DirectoryService.DirectoryServiceClient product, DirectoryService.DirectoryServiceClient floor, SearchEspacesRequest[] requests, CancellationToken ct)
    {
        foreach (var request in requests)
        {
            var (one, other) = (await product.SearchEspacesAsync(request, cancellationToken: ct), await floor.SearchEspacesAsync(request, cancellationToken: ct));
            if (one.CalculateSize() != other.CalculateSize() || !one.Results.Equals(other.Results))
                throw new InvalidOperationException("the floor does not answer the same page");
        }
    }
}
