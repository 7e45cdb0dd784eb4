using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;

namespace Jafer.Benchmarks;

/// <summary>
/// ReportStatus by batches of 1,000 items (four contacts of each of 250 mesures) against <see cref="StatusFloor"/>, each on a
/// database of its own that holds the same mesures. The relay of both is stopped.
/// </summary>
internal static class StatusBenchmark
{
    public const string Name = "report-status";

    private const double Goal = 0.6;
    private const int WarmUps = 4;
    private const int RoundCount = 9;
    private const int CallsOfARound = 12;
    private const int Callers = 2;
    private const int Groups = 16;
    private const int MesuresOfAGroup = 250;
    private const int ItemsOfAMesure = 4;

    // What must be the same row, whoever wrote it: everything but ids and times.
    private static readonly string[] s_written =
    [
        "select string_agg(regexp_replace((to_jsonb(m) - '{updated_at,created_at,holder_since,transmitted_at,acknowledged_at,charge_taken_at,visiteur_contact_at}'::text[])::text, 'x01[0-9a-f]+', 'sealed', 'g'), ';' order by id) from mesures m",
        "select string_agg((to_jsonb(f) - '{id,recorded_at,actor_subject}'::text[])::text, ';' order by external_id) from mesure_facts f where source_system is not null",
        "select string_agg((payload - '{eventId,recordedAt,correlationId}'::text[])::text || message_type || ordering_key || (headers <> '{}'), ';' order by ordering_key, (payload->>'aggregateVersion')::int) from outbox_messages",
        "select string_agg((to_jsonb(i) - '{id,received_at,decided_at,subject,request_id,content_hash}'::text[])::text, ';' order by external_id) from intake_items i",
        "select string_agg(s::text, ';' order by mesure_id) from intake_sequences s",
        "select string_agg(d::text, ';' order by mesure_id, kind) from deadlines d",
        "select string_agg((to_jsonb(s) - '{}'::text[])::text, ';') from intake_sources s",
        "select string_agg((to_jsonb(r) - '{request_id,request_hash,response,created_at,organisation_id}'::text[])::text, ';') from processed_requests r",
        "select string_agg((to_jsonb(j) - '{id,at,xact,trace_id,resources}'::text[])::text || resources[2:]::text, ';') from journal.entries j where rpc like '%/ReportStatus'",
    ];

    public static async Task<Result> RunAsync(CancellationToken ct)
    {
        var now = TimeProvider.System.GetUtcNow();
        Guid[] ids = [.. Enumerable.Range(0, Groups * MesuresOfAGroup).Select(i => Guid.CreateVersion7(now.AddMilliseconds(i)))];
        Task Prepare(string connection) => MesureCopies.PrepareAsync(connection, ids, WaitingAsync);
        await using var first = await TestDatabase.CloneAsync("status", Prepare);
        await using var second = await TestDatabase.CloneAsync("status", Prepare);
        ct.ThrowIfCancellationRequested();
        await using var product = await StartAsync(b => MesuresModule.Build([], b), first);
        await using var floor = await StartAsync(b => Hosts.BuildFloor<MesuresDbContext, StatusFloor>(MesuresModule.Name, b), second);
        await product.StopRelayAsync();
        await floor.StopRelayAsync();
        var report = product.Clients(Roles.Espace, MesureCopies.Gestionnaire, c => new IntakeService.IntakeServiceClient(c));
        var write = floor.Clients(Roles.Espace, MesureCopies.Gestionnaire, c => new IntakeService.IntakeServiceClient(c));
        await CompareAsync((report[0], first), (write[0], second), ids);

        var (reported, written) = (1, 1);
        return Result.AtLeast(Name, "items/s", await Rounds.RunAsync(WarmUps, RoundCount, () => RoundAsync(report, ref reported), () => RoundAsync(write, ref written)), Goal);

        async Task<double> RunRoundAsync(IntakeService.IntakeServiceClient[] clients, int offset) => MesuresOfAGroup * ItemsOfAMesure * await Rounds.ThroughputAsync(
            Callers, CallsOfARound, async (caller, number) => await clients[caller * 8].ReportStatusAsync(Request(ids, offset + number)), ct);

        Task<double> RoundAsync(IntakeService.IntakeServiceClient[] clients, ref int used)
        {
            var offset = used;
            used += CallsOfARound;
            return RunRoundAsync(clients, offset);
        }
    }

    /// <summary>Brings a mesure to EN_ATTENTE.</summary>
    private static async Task<string> WaitingAsync(ServiceHost host, MesureService.MesureServiceClient court)
    {
        var id = await MesureCopies.TransmittedAsync(court);
        var espace = new MesureService.MesureServiceClient(host.Channel(Roles.Espace, MesureCopies.Gestionnaire));
        await espace.AcknowledgeMesureAsync(new() { MesureId = id, RequestId = MesureCopies.NewId() });
        await espace.TakeChargeAsync(new() { MesureId = id, RequestId = MesureCopies.NewId() });
        await espace.RecordContactAsync(new() { MesureId = id, PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, RequestId = MesureCopies.NewId() });
        return id;
    }

    // The groups take turns: the next batch of a group comes once the one before is answered.
    private static ReportStatusRequest Request(Guid[] ids, int number)
    {
        var request = new ReportStatusRequest { RequestId = MesureCopies.NewId() };
        var turn = number / Groups;
        foreach (var id in ids.AsSpan(number % Groups * MesuresOfAGroup, MesuresOfAGroup))
        {
            for (var i = 1; i <= ItemsOfAMesure; i++)
            {
                var sequence = (turn * ItemsOfAMesure) + i;
                request.Items.Add(new StatusItem
                {
                    SourceSystem = "planning",
                    ExternalId = $"{id:N}-{sequence}",
                    Sequence = sequence,
                    MesureId = id.ToString(),
                    OccurredTime = Timestamp.FromDateTimeOffset(new DateTimeOffset(2026, 4, 1, 8, 0, 0, TimeSpan.Zero).AddMinutes(sequence)),
                    Contact = new ContactItem { PartyRole = PartyRole.Hote, Outcome = ContactOutcome.NotReached },
                });
            }
        }

        return request;
    }

    private static Task<ServiceHost> StartAsync(Func<Action<WebApplicationBuilder>, WebApplication> build, TestDatabase database) =>
        ServiceHost.StartAsync(build, ServiceHost.Settings(MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix()));

    // The same rows and the same answer, or the ratio would mean nothing.
    private static async Task CompareAsync(
        (IntakeService.IntakeServiceClient Client, TestDatabase Database) product, (IntakeService.IntakeServiceClient Client, TestDatabase Database) floor, Guid[] ids)
    {
        var (one, other) = (await product.Client.ReportStatusAsync(Request(ids, 0)), await floor.Client.ReportStatusAsync(Request(ids, 0)));
        if (!one.Equals(other) || one.Results.Any(r => r.Result != IntakeResult.Applied))
            throw new InvalidOperationException("the floor does not give the same answer");
        foreach (var rows in s_written)
        {
            if (await product.Database.ReadAsync<string>(rows) is var expected && await floor.Database.ReadAsync<string>(rows) is var actual && expected != actual)
                throw new InvalidOperationException($"the floor does not write the same rows:\n{expected[..Math.Min(2000, expected.Length)]}\n{actual[..Math.Min(2000, actual.Length)]}");
        }
    }
}
