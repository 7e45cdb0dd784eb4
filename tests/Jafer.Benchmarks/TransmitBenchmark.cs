using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;

namespace Jafer.Benchmarks;

/// <summary>
/// TransmitMesure against <see cref="TransmitFloor"/>, each on a database of its own that holds the same completed mesures. The
/// relay of both is stopped: what it costs is the same for both, and measured by <see cref="RelayBenchmark"/>.
/// </summary>
internal static class TransmitBenchmark
{
    public const string Name = "transmit";

    private const double Goal = 0.6;
    private const int WarmUps = 6;
    private const int RoundCount = 9;
    private const int CallsOfARound = 2_000;

    // What must be the same row, whoever wrote it: everything but ids and times.
    private static readonly string[] s_written =
    [
        "select regexp_replace((to_jsonb(m) - '{holder_since,transmitted_at,updated_at,created_at,next_due_at}'::text[])::text, 'x01[0-9a-f]+', 'sealed', 'g') from mesures m where id = '{0}'",
        "select string_agg(kind || ' ' || must_act, ';' order by kind) from deadlines where mesure_id = '{0}'",
        "select string_agg((to_jsonb(f) - '{id,occurred_at,recorded_at}'::text[])::text, ';' order by version) from mesure_facts f where mesure_id = '{0}'",
        """
        select string_agg((to_jsonb(o) - '{id,message_id,headers,occurred_at,payload}'::text[] || jsonb_build_object('payload', payload - '{eventId,occurredAt,recordedAt,correlationId}'::text[]))::text, ';')
        from outbox_messages o where ordering_key = '{0}'
        """,
        "select string_agg((to_jsonb(r) - '{request_id,request_hash,response,created_at,organisation_id}'::text[])::text, ';') from processed_requests r",
        "select string_agg((to_jsonb(j) - '{id,at,xact,trace_id}'::text[])::text, ';') from journal.entries j where resources = '{mesures/{0}}' and role <> 'systeme'",
    ];

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        // Ids of mesures grow in life as they do here.
        var now = TimeProvider.System.GetUtcNow();
        Guid[] ids = [.. Enumerable.Range(0, 1 + (CallsOfARound * (WarmUps + RoundCount))).Select(i => Guid.CreateVersion7(now.AddMilliseconds(i)))];
        Task Prepare(string connection) => PrepareAsync(connection, ids);
        await using var first = await TestDatabase.CloneAsync("transmit", Prepare);
        await using var second = await TestDatabase.CloneAsync("transmit", Prepare);
        ct.ThrowIfCancellationRequested();
        await using var product = await StartAsync(b => MesuresModule.Build([], b), first);
        await using var floor = await StartAsync(b => Hosts.BuildFloor<MesuresDbContext, TransmitFloor>(MesuresModule.Name, b), second);
        await product.StopRelayAsync();
        await floor.StopRelayAsync();
        var transmit = product.Clients(Roles.Juridiction, MesureCopies.Court, c => new MesureService.MesureServiceClient(c));
        var write = floor.Clients(Roles.Juridiction, MesureCopies.Court, c => new MesureService.MesureServiceClient(c));
        await CompareAsync((transmit[0], first), (write[0], second), ids[0].ToString());

        var (transmitted, written) = (1, 1);
        return Result.AtLeast(Name, "calls/s", await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(transmit, ref transmitted), () => RoundAsync(write, ref written)), Goal);

        Task<double> RoundAsync(MesureService.MesureServiceClient[] clients, ref int used)
        {
            var offset = used;
            used += CallsOfARound;
            return Rounds.ThroughputAsync(Hosts.Callers, CallsOfARound, async (caller, number) => await clients[caller].TransmitMesureAsync(Request(ids[offset + number].ToString())), ct);
        }
    }

    private static Task<ServiceHost> StartAsync(Func<Action<WebApplicationBuilder>, WebApplication> build, TestDatabase database) =>
        ServiceHost.StartAsync(build, ServiceHost.Settings(MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));

    private static TransmitMesureRequest Request(string mesureId) => new() { MesureId = mesureId, RequestId = MesureCopies.NewId() };

    private static Task PrepareAsync(string connectionString, Guid[] ids) => MesureCopies.PrepareAsync(connectionString, ids, async (_, court) =>
    {
        var model = (await court.CreateMesureAsync(MesureCopies.Content())).Mesure.MesureId;
        await court.CompleteMesureAsync(new CompleteMesureRequest { MesureId = model, RequestId = MesureCopies.NewId() });
        return model;
    });

    // The same rows and the same answer, or the ratio would mean nothing.
    private static async Task CompareAsync(
        (MesureService.MesureServiceClient Client, TestDatabase Database) product, (MesureService.MesureServiceClient Client, TestDatabase Database) floor, string mesureId)
    {
        var (one, other) = ((await product.Client.TransmitMesureAsync(Request(mesureId))).Mesure, (await floor.Client.TransmitMesureAsync(Request(mesureId))).Mesure);
        foreach (var summary in new[] { one, other })
            (summary.HolderSinceTime, summary.UpdateTime) = (null, null);
        if (!one.Equals(other))
            throw new InvalidOperationException("the floor does not give the same answer");
        foreach (var rows in s_written.Select(sql => sql.Replace("{0}", mesureId, StringComparison.Ordinal)))
        {
            if (await product.Database.ReadAsync<string>(rows) is var expected && await floor.Database.ReadAsync<string>(rows) is var actual && expected != actual)
                throw new InvalidOperationException($"the floor does not write the same rows:\n{expected}\n{actual}");
        }
    }
}
