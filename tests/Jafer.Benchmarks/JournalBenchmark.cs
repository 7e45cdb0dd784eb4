using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Benchmarks;

/// <summary>
/// What the access journal costs a reader: GetMesure of many callers, against the same service whose reads leave no line.
/// </summary>
internal static class JournalBenchmark
{
    public const string Name = "journal";

    private const double Goal = 0.85;
    private const int WarmUps = 4;
    private const int RoundCount = 9;
    private const int CallsOfARound = 4_000;
    private const int Mesures = 500;

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow();
        Guid[] ids = [.. Enumerable.Range(0, Mesures).Select(i => Guid.CreateVersion7(now.AddMilliseconds(i)))];
        Task Prepare(string connection) => MesureCopies.PrepareAsync(connection, ids, async (_, court) =>
        {
            var model = (await court.CreateMesureAsync(MesureCopies.Content(), cancellationToken: ct)).Mesure.MesureId;
            await court.CompleteMesureAsync(new CompleteMesureRequest { MesureId = model, RequestId = MesureCopies.NewId() }, cancellationToken: ct);
            return model;
        });
        await using var first = await TestDatabase.CloneAsync(Name, Prepare);
        await using var second = await TestDatabase.CloneAsync(Name, Prepare);
        ct.ThrowIfCancellationRequested();
        await using var product = await StartAsync(first, journals: true);
        await using var floor = await StartAsync(second, journals: false);
        var read = product.Clients(Roles.Juridiction, MesureCopies.Court, c => new MesureService.MesureServiceClient(c));
        var silent = floor.Clients(Roles.Juridiction, MesureCopies.Court, c => new MesureService.MesureServiceClient(c));
        var rounds = await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(read), () => RoundAsync(silent));
        var (lines, none) = (await LinesAsync(first), await LinesAsync(second));
        return lines == (WarmUps + RoundCount) * CallsOfARound && none == 0
            ? Result.AtLeast(Name, "calls/s", rounds, Goal)
            : throw new InvalidOperationException($"{lines} and {none} lines");

        Task<double> RoundAsync(MesureService.MesureServiceClient[] clients) => Rounds.ThroughputAsync(
            Hosts.Callers, CallsOfARound, async (caller, number) => await clients[caller].GetMesureAsync(new GetMesureRequest { MesureId = ids[number % Mesures].ToString() }), ct);
    }

    private static Task<long> LinesAsync(TestDatabase database) => database.ReadAsync<long>("select count(*) from journal.entries where rpc like '%/GetMesure'");

    private static Task<ServiceHost> StartAsync(TestDatabase database, bool journals) => ServiceHost.StartAsync(
        b => MesuresModule.Build([], b),
        ServiceHost.Settings(MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()),
        b =>
        {
            if (!journals)
            {
                b.Services.AddSingleton(Hosts.WithoutReads);
            }
        });
}
