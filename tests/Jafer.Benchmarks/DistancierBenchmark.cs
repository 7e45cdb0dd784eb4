using System.Diagnostics;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Benchmarks;

/// <summary>
/// ImportDistancier of 500,000 ways, replacing those of the round before, against a binary COPY of the same rows into an empty
/// table of the same shape: what the checks, the stream, the merge and "all or nothing" cost.
/// </summary>
internal static class DistancierBenchmark
{
    public const string Name = "distancier";

    private const double Goal = 0.2;
    private const int WaysOfARound = 500_000;
    private const int Hosts = 250;
    private const int WaysOfARequest = 10_000;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        await using var database = await TestDatabase.CloneAsync(DirectoryModule.Name, connection =>
            Benchmarks.Hosts.MigrateAsync(DirectoryModule.Name, connection, b => DirectoryModule.Build([], b), app => app.MigrateDirectoryAsync()));
        await using var host = await ServiceHost.StartAsync(
            b => DirectoryModule.Build([], b), ServiceHost.Settings(DirectoryModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));
        var operateur = new DirectoryService.DirectoryServiceClient(host.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national")));
        var communes = await database.ReadAllAsync<string>("select insee from communes where is_commune and road_block = 'METRO' order by insee");
        var ways = new DistancierWay[WaysOfARound];
        for (var i = 0; i < ways.Length; i++)
            ways[i] = new DistancierWay { FromInsee = communes[i / Hosts], ToInsee = communes[i % Hosts * 130], Minutes = i / Hosts == i % Hosts * 130 ? 0 : i % 600 };
        var shift = 0;
        return Result.AtLeast(Name, "ways/s", await Rounds.RunAsync(1, 3, ImportAsync, CopyAsync), Goal);

        async Task<double> ImportAsync()
        {
            // Other minutes in each round: what is as it was is not written again.
            shift++;
            foreach (var way in ways)
                way.Minutes = way.FromInsee == way.ToInsee ? 0 : (way.Minutes + shift) % 600;
            await database.RunAsync("truncate distancier_ways");
            var start = Stopwatch.GetTimestamp();
            using var call = operateur.ImportDistancier(cancellationToken: ct);
            var sending = SendAsync(call);
            ImportDistancierResponse? last = null;
            while (await call.ResponseStream.MoveNext(ct))
                last = call.ResponseStream.Current;
            await sending;
            return last?.Summary is { ErrorCount: 0, CreatedCount: WaysOfARound }
                ? WaysOfARound / Stopwatch.GetElapsedTime(start).TotalSeconds
                : throw new InvalidOperationException("the import did not create every way");
        }

        async Task SendAsync(Grpc.Core.AsyncDuplexStreamingCall<ImportDistancierRequest, ImportDistancierResponse> call)
        {
            foreach (var batch in ways.Chunk(WaysOfARequest))
            {
                await call.RequestStream.WriteAsync(
                    new() { Source = "bench", ReplaceAll = true, RequestId = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString(), Ways = { batch } }, ct);
            }

            await call.RequestStream.CompleteAsync();
        }

        async Task<double> CopyAsync()
        {
            await database.RunAsync("drop table if exists bench_ways; create table bench_ways (like distancier_ways including all)");
            var start = Stopwatch.GetTimestamp();
            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync(ct);
            await using (var copy = await connection.BeginBinaryImportAsync("copy bench_ways from stdin (format binary)", ct))
            {
                foreach (var way in ways)
                {
                    await copy.StartRowAsync(ct);
                    await copy.WriteAsync(way.FromInsee, NpgsqlDbType.Text, ct);
                    await copy.WriteAsync(way.ToInsee, NpgsqlDbType.Text, ct);
                    await copy.WriteAsync(way.Minutes, NpgsqlDbType.Real, ct);
                }

                await copy.CompleteAsync(ct);
            }

            return WaysOfARound / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}
