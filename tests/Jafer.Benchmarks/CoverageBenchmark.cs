using System.Diagnostics;
using System.Globalization;
using Jafer.Cli.Demonstration;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory;
using Jafer.Directory.Reference;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>
/// GetCoverage of all départements after the set of host communes has changed, over 250 lieux and 35,000 communes, against the
/// least that any exact way must do: one call of the travel model for each commune, knowing the nearest lieu beforehand.
/// </summary>
internal static class CoverageBenchmark
{
    public const string Name = "coverage";

    private const double Goal = 3;
    private const int LieuCount = 250;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(DirectoryModule.Name, connection =>
            Hosts.MigrateAsync(DirectoryModule.Name, connection, b => DirectoryModule.Build([], b), app => app.MigrateDirectoryAsync()));
        await using var host = await ServiceHost.StartAsync(
            b => DirectoryModule.Build([], b), ServiceHost.Settings(DirectoryModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
        var operateur = new DirectoryService.DirectoryServiceClient(host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")));
        foreach (var batch in new Generator(Generator.DefaultSeed, TimeProvider.System.TodayInParis()).Espaces().Chunk(25))
        {
            await operateur.ImportEspacesAsync(
                new() { Source = Generator.Source, RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), Espaces = { batch } }, cancellationToken: ct);
        }

        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var model = (await Geography.ReadAsync(source, ct)).Travel.Model;
        var hosts = (await database.ReadAllAsync<string>("select distinct commune_insee from lieux")).Select(model.IndexOf).Distinct().Take(LieuCount).ToArray();
        int[] nearest = [.. Enumerable.Range(0, model.Codes.Count).Select(i => Array.Find(hosts, h => model.BlockOf(h) == model.BlockOf(i)))];
        var rounds = await Rounds.RunAsync(2, 5, AskAsync, LeastAsync);
        var again = new double[20];
        for (var i = 0; i < again.Length; i++)
            again[i] = await CallAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  asked again with nothing changed: {Rounds.Median(again):0.##} ms"));
        return Result.AtMost(Name, "ms", rounds, Goal);

        async Task<double> AskAsync()
        {
            // Each time another espace no longer receives: no set of hosts comes twice, so that nothing kept answers.
            await database.RunAsync("""
                update espaces set state = 'SUSPENDU'
                where id = (select id from espaces where state = 'OUVERT' and external_id like '%-1' order by id limit 1)
                """);
            return await CallAsync();
        }

        async Task<double> CallAsync()
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await operateur.GetCoverageAsync(new GetCoverageRequest { Level = CoverageLevel.Departement }, cancellationToken: ct);
            return answer.Rows.Count == 109 ? Stopwatch.GetElapsedTime(start).TotalMilliseconds : throw new InvalidOperationException("a row is missing");
        }

        Task<double> LeastAsync()
        {
            var start = Stopwatch.GetTimestamp();
            var reached = 0;
            for (var i = 0; i < nearest.Length; i++)
                reached += model.Between(i, nearest[i]).HasMinutes ? 1 : 0;
            return reached > 30_000 ? Task.FromResult(Stopwatch.GetElapsedTime(start).TotalMilliseconds) : throw new InvalidOperationException("nothing was computed");
        }
    }
}
