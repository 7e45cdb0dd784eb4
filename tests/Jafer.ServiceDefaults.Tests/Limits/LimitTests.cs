using System.Diagnostics.Metrics;
using Grpc.Core;
using Jafer.Contracts.Operations.V1;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Limits;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Tests.Limits;

#pragma warning disable RS0030 // What a client catches.

/// <summary>What one caller takes is not taken from another.</summary>
public sealed class LimitTests(LimitTests.Store store) : IClassFixture<LimitTests.Store>
{
    private static readonly (string Key, string Value) s_slow = ("CallerRate", "0.001");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>One database for all hosts of the class.</summary>
    public sealed class Store : IAsyncLifetime
    {
        public TestDatabase Database { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Database = await ProbeHost.CloneAsync();

        public ValueTask DisposeAsync() => Database.DisposeAsync();
    }

    [Fact]
    public async Task Call_BeyondTheRateOfItsCaller_IsRefusedWithADelayAndOthersGoOn()
    {
        await using var host = await StartAsync(s_slow, ("CallerBurst", "3"));
        var (one, other) = (Client(host, "one"), Client(host, "other"));
        for (var i = 0; i < 3; i++)
        {
            await one.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
        }

        var refusal = await Refusal.OfAsync(one.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct));

        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), (refusal.Code, refusal.Reason));
        Assert.InRange(refusal.RetryAfter!.Value.TotalSeconds, 1, 1000);
        await other.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
    }

    [Fact]
    public async Task Call_BeyondTheRateOfItsOrganisation_IsRefusedAndOtherOrganisationsGoOn()
    {
        await using var host = await StartAsync(("OrganisationRate", "0.001"), ("OrganisationBurst", "2"));
        await Client(host, "one").FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
        await Client(host, "two").FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);

        var refusal = await Refusal.OfAsync(Client(host, "three").FailAsync(new() { Kind = "ok" }, cancellationToken: Ct));

        Assert.Equal(StatusCode.ResourceExhausted, refusal.Code);
        await Client(host, "one", Organisations.New()).FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
    }

    [Fact]
    public async Task Call_OfAnExpensiveRpc_CountsForSeveral()
    {
        await using var host = await StartAsync(s_slow, ("CallerBurst", "10"));
        var client = Client(host, "one");

        await client.ListNotesAsync(new(), cancellationToken: Ct);
        var refusal = await Refusal.OfAsync(client.ListNotesAsync(new(), cancellationToken: Ct));

        Assert.Equal(StatusCode.ResourceExhausted, refusal.Code);
        await client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
    }

    [Fact]
    public async Task Call_OfOneOfOurServices_CountsForLess()
    {
        await using var host = await StartAsync(s_slow, ("CallerBurst", "1"));
        var service = new ProbeService.ProbeServiceClient(host.Channel("systeme", Organisations.Court));

        for (var i = 0; i < 10; i++)
        {
            await service.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
        }

        Assert.Equal(StatusCode.ResourceExhausted, (await Refusal.OfAsync(service.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct))).Code);
    }

    [Fact]
    public async Task Calls_MoreThanACallerMayHaveAtOnce_AreRefusedUntilOneEnds()
    {
        await using var host = await StartAsync(("CallerCalls", "2"));
        var (one, other) = (Client(host, "one"), Client(host, "other"));
        AsyncUnaryCall<FailResponse>[] hanging = [one.FailAsync(new() { Kind = "hang" }, cancellationToken: Ct), one.FailAsync(new() { Kind = "hang" }, cancellationToken: Ct)];

        var refusal = await Eventually.BecomesAsync(
            () =>
            {
                // A try that came in between took the place of one that was to hang.
                hanging = [.. hanging.Select(h => h.ResponseAsync.IsCompleted ? one.FailAsync(new() { Kind = "hang" }, cancellationToken: Ct) : h)];
                return TryAsync(one);
            },
            r => r is not null && Array.TrueForAll(hanging, h => !h.ResponseAsync.IsCompleted),
            "the third to be refused");

        Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), (refusal!.Code, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
        await other.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
        hanging[0].Dispose();
        await Eventually.BecomesAsync(() => TryAsync(one), r => r is null, "a place to be free");
        hanging[1].Dispose();
    }

    [Fact]
    public async Task Streams_MoreThanACallerMayHaveOpen_AreRefusedAndLeaveCallsAlone()
    {
        await using var host = await StartAsync(("CallerStreams", "2"));
        var one = Client(host, "one");
        var open = new List<AsyncServerStreamingCall<WatchNotesResponse>>();
        for (var i = 0; i < 2; i++)
        {
            open.Add(one.WatchNotes(new(), cancellationToken: Ct));
            await open[^1].ResponseStream.MoveNext(Ct);
        }

        using var further = one.WatchNotes(new(), cancellationToken: Ct);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => further.ResponseStream.MoveNext(Ct));

        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        await one.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
        using var other = Client(host, "other").WatchNotes(new(), cancellationToken: Ct);
        Assert.True(await other.ResponseStream.MoveNext(Ct));
        open.ForEach(call => call.Dispose());
    }

    [Fact]
    public async Task Call_BeyondTheRateOfItsAddress_IsRefusedUnlessItsTokenIsAccepted()
    {
        await using var host = await StartAsync(("AddressRate", "0.001"), ("AddressBurst", "3"));
        var stranger = new ProbeService.ProbeServiceClient(host.Channel((string?)null));
        var forged = new ProbeService.ProbeServiceClient(host.Channel(TestIssuer.Shared.Token("juridiction", Organisations.Court, issuer: "https://other.test")));
        Assert.Equal(StatusCode.Unauthenticated, (await Refusal.OfAsync(stranger.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct))).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await Refusal.OfAsync(forged.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct))).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await Refusal.OfAsync(forged.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct))).Code);

        foreach (var client in new[] { stranger, forged })
        {
            var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct));
            Assert.Equal((StatusCode.ResourceExhausted, "LIMIT_EXCEEDED"), (refusal.Code, refusal.Reason));
        }

        await Client(host, "one").FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
    }

    [Fact]
    public async Task Call_ThroughABalancer_CountsForTheAddressThatItNames()
    {
        await using var host = await StartAsync(("AddressRate", "0.001"), ("AddressBurst", "1"), ("AddressConnections", "1"), ("Proxies:0", "127.0.0.0/8"));
        var stranger = new ProbeService.ProbeServiceClient(host.Channel((string?)null));
        var second = new ProbeService.ProbeServiceClient(host.Channel((string?)null));

        Task<Refusal> From(string address, ProbeService.ProbeServiceClient client) =>
            Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }, new Metadata { { "x-forwarded-for", address } }, cancellationToken: Ct));

        Assert.Equal(StatusCode.Unauthenticated, (await From("192.0.2.1", stranger)).Code);
        Assert.Equal(StatusCode.ResourceExhausted, (await From("192.0.2.1", stranger)).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await From("192.0.2.2", second)).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await From("2001:db8::1", second)).Code);
        Assert.Equal(StatusCode.ResourceExhausted, (await From("2001:db8::2", second)).Code);
    }

    [Fact]
    public async Task Refusals_OfManyIds_RaiseTheAlarmOnceWithoutTheName()
    {
        var logs = new LogRecorder();
        await using var host = await StartAsync(logs, ("EnumerationRefusals", "5"));
        var alarms = 0L;
        using var listener = new MeterListener { InstrumentPublished = (instrument, l) => Enable(instrument, l) };
        listener.SetMeasurementEventCallback<long>((_, n, _, _) => Interlocked.Add(ref alarms, n));
        listener.Start();
        var client = new ProbeService.ProbeServiceClient(host.Channel(TestIssuer.Shared.Token("espace", Organisations.Court, "Zéphyrine Planté")));

        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct))).Code);
        }

        await Eventually.BecomesAsync(() => Task.FromResult(Interlocked.Read(ref alarms)), n => n >= 1, "the alarm");
        var line = Assert.Single(logs.Lines, l => l.Contains("was refused 5 ids", StringComparison.Ordinal));
        Assert.Contains(Organisations.Court.ToString(), line, StringComparison.Ordinal);
        Assert.Contains("/jafer.probe.v1.ProbeService/Fail", line, StringComparison.Ordinal);
        Assert.DoesNotContain("phyrine", line, StringComparison.Ordinal);

        // Operators read who it was, and theirs alone is it to read.
        var operations = new OperationsService.OperationsServiceClient(host.Channel("operateur", Organisations.Operator));
        var alarm = await Eventually.BecomesAsync(
            async () => (await operations.ListAlarmsAsync(new(), cancellationToken: Ct)).Alarms.FirstOrDefault(a => a.Subject == "Zéphyrine Planté"), a => a is not null, "the alarm in the list");
        Assert.Equal(
            ("espace", Organisations.Court.ToString(), "jafer.probe.v1.ProbeService/Fail", TestIssuer.Issuer, false),
            (alarm!.Role, alarm.OrganisationId, alarm.Rpc, alarm.Issuer, alarm.IsPerson));
        foreach (var role in new[] { "juridiction", "espace", "systeme" })
        {
            var stranger = new OperationsService.OperationsServiceClient(host.Channel(role, Organisations.Court));
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(stranger.ListAlarmsAsync(new(), cancellationToken: Ct))).Code);
        }
    }

    [Fact]
    public async Task ListAlarms_PageByPage_TellsEachOnceNewestFirst()
    {
        await using var host = await StartAsync(("EnumerationRefusals", "1"));
        var organisation = Organisations.New();
        for (var i = 0; i < 5; i++)
        {
            var client = new ProbeService.ProbeServiceClient(host.Channel(TestIssuer.Shared.Token("espace", organisation, $"page-{i}")));
            await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct));
            await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct));
            await Eventually.BecomesAsync(
                () => store.Database.ReadAsync<long>($"select count(*) from journal.entries where organisation_id = '{organisation}' and outcome = 'ALARM'"), n => n == i + 1, "the alarm");
        }

        var operations = new OperationsService.OperationsServiceClient(host.Channel("operateur", Organisations.Operator));
        var (told, token) = (new List<string>(), "");
        do
        {
            var page = await operations.ListAlarmsAsync(new() { PageSize = 2, PageToken = token }, cancellationToken: Ct);
            Assert.InRange(page.Alarms.Count, 0, 2);
            told.AddRange(page.Alarms.Where(a => a.OrganisationId == organisation.ToString()).Select(a => a.Subject));
            token = page.NextPageToken;
        }
        while (token.Length > 0);

        Assert.Equal(["page-4", "page-3", "page-2", "page-1", "page-0"], told);
        Assert.Equal(StatusCode.InvalidArgument, (await Refusal.OfAsync(operations.ListAlarmsAsync(new() { PageSize = -1 }, cancellationToken: Ct))).Code);
    }

    [Fact]
    public async Task Refusals_OfAFew_RaiseNoAlarm()
    {
        var logs = new LogRecorder();
        await using var host = await StartAsync(logs, ("EnumerationRefusals", "5"));
        var client = new ProbeService.ProbeServiceClient(host.Channel("espace", Organisations.Court));
        for (var i = 0; i < 5; i++)
        {
            await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct));
        }

        // What is answered and what is wrong is no id that is tried out.
        var court = Client(host, "one");
        for (var i = 0; i < 6; i++)
        {
            await court.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct);
            await Refusal.OfAsync(court.FailAsync(new() { Kind = "invalid" }, cancellationToken: Ct));
        }

        Assert.DoesNotContain(logs.Lines, l => l.Contains("was refused", StringComparison.Ordinal));
    }

    private static void Enable(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name == JaferMetrics.Name && instrument.Name == "jafer.access.enumeration")
        {
            listener.EnableMeasurementEvents(instrument);
        }
    }

    private static Task<Refusal?> TryAsync(ProbeService.ProbeServiceClient client) =>
        Refusal.OrNullAsync(() => client.FailAsync(new() { Kind = "ok" }, cancellationToken: Ct).ResponseAsync);

    private static ProbeService.ProbeServiceClient Client(ServiceHost host, string subject, Guid? organisation = null) =>
        new(host.Channel(TestIssuer.Shared.Token("juridiction", organisation ?? Organisations.Court, subject)));

    private Task<ServiceHost> StartAsync(params (string Key, string Value)[] limits) => StartAsync(null, limits);

    private Task<ServiceHost> StartAsync(LogRecorder? logs, params (string Key, string Value)[] limits) => ProbeHost.StartPublisherAsync(
        store.Database,
        ServiceHost.UniquePrefix(),
        limits.ToDictionary(l => "Limits:" + l.Key, l => (string?)l.Value),
        builder =>
        {
            builder.Services.AddSingleton(CallWeights.Parse(["rpc,weight", "jafer.probe.v1.ProbeService/ListNotes,6"]));
            if (logs is not null)
            {
                builder.Logging.AddProvider(logs);
            }
        });
}
