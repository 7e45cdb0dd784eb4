using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.Testing;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests.Messaging;

#pragma warning disable RS0030 // What a client catches.

/// <summary>Servers that only the tests of faults use.</summary>
public sealed class FaultServers : IAsyncLifetime
{
    public OwnServers Servers { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Servers = await OwnServers.StartNewAsync();

    public ValueTask DisposeAsync() => Servers.DisposeAsync();
}

/// <summary>What becomes of events while the broker or the database is away.</summary>
public sealed class FaultTests(FaultServers faults) : IClassFixture<FaultServers>, IAsyncLifetime
{
    // The bus tries to reach a broker that is away again at growing distances, at most 30 seconds.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly string _prefix = ServiceHost.UniquePrefix();
    private TestDatabase? _database;
    private ServiceHost? _host;

    private OwnServers Own => faults.Servers;

    private TestDatabase Database => _database!;

    private ServiceHost Host => _host!;

    private IBusControl Bus => Host.App.Services.GetRequiredService<IBusControl>();

    public async ValueTask InitializeAsync()
    {
        await Own.StartAsync("postgres");
        await Own.StartAsync("rabbitmq");
        _database = await TestDatabase.CreateAsync(Own.Postgres, ProbeApp.Name, ProbeHost.MigrateAsync);
        _host = await ProbeHost.StartAsync(_database, _prefix, new Dictionary<string, string?> { ["ConnectionStrings:rabbitmq"] = Own.RabbitMq });
        await _host.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }
    }

    [Fact]
    public async Task Broker_StoppedThenKilled_EverythingIsAppliedOnceInOrder()
    {
        var written = await BrokerAwayAsync(() => Own.StopAsync("rabbitmq"), 0);

        // Killed second: a quorum queue that is younger than a moment does not outlive a power cut of its only broker
        // (3.10 writes the queue's name to disk half a second later).
        written.AddRange(await BrokerAwayAsync(() => Own.KillAsync("rabbitmq"), written.Count));

        await Database.AssertEachOnceInOrderAsync(written);
    }

    [Fact]
    public async Task Stop_BrokerFallenSilent_IsNotHeldByIt()
    {
        await using var wire = new Wire(new Uri(Own.RabbitMq));
        await using var host = await ProbeHost.StartAsync(
            _database!, ServiceHost.UniquePrefix(), new Dictionary<string, string?> { ["ConnectionStrings:rabbitmq"] = wire.Address.ToString() });
        await host.ReadyAsync();
        wire.FallSilent();

        await host.App.StopAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(6), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Database_Restarted_AnswersAreUnavailableAndNothingIsLostOrDoubled(bool killed)
    {
        var client = new ProbeService.ProbeServiceClient(Host.Channel("juridiction", Organisations.Court));
        var codes = new HashSet<StatusCode>();
        for (var i = 0; i < 60; i++)
        {
            if (i == 20)
            {
                await (killed ? Own.KillAsync("postgres") : Own.StopAsync("postgres"));
            }

            var request = Request(2);
            var restarted = i < 20;
            await Eventually.BecomesAsync(
                async () =>
                {
                    var call = client.WriteNoteAsync(request);
                    try
                    {
                        await call;
                        return StatusCode.OK;
                    }
                    catch (RpcException e)
                    {
                        codes.Add(e.StatusCode);
                        if (!restarted)
                        {
                            restarted = true;
                            await Own.StartAsync("postgres");
                        }

                        return e.StatusCode;
                    }
                },
                code => code == StatusCode.OK,
                "an answer",
                s_limit);
        }

        Assert.Equal([StatusCode.Unavailable], codes);
        await Database.FlowsAsync(120, s_limit);
        Assert.Equal(120L, await Database.AppliedAsync());
        Assert.Equal(120L, await Database.ReadAsync<long>("select count(distinct event_id) from applied_events"));
        Assert.Equal(60L, await Database.ReadAsync<long>("select count(*) from notes"));
    }

    private async Task<List<DomainEvent>> BrokerAwayAsync(Func<Task> end, int before)
    {
        var aggregates = Enumerable.Range(0, 5).Select(_ => Organisations.New()).ToList();
        var written = new List<DomainEvent>();
        for (var version = 1; version <= 30; version++)
        {
            if (version == 10)
            {
                await end();
            }

            if (version == 20)
            {
                await Eventually.BecomesAsync(() => Task.FromResult(Bus.CheckHealth().Status), s => s != BusHealthStatus.Healthy, "an unhealthy bus");

                // The service answers, decides, and calls itself merely degraded.
                var answer = await new ProbeService.ProbeServiceClient(Host.Channel("juridiction", Organisations.Court)).WriteNoteAsync(Request(0));
                Assert.Equal("1", answer.Etag);
                await Host.ReadyAsync();
                Assert.NotEqual(0L, await Database.CountAsync());

                // An outage of any length parks nothing.
                Assert.Equal(0L, await Database.ReadAsync<long>("select count(*) from outbox_messages where attempts > 1"));
                await Own.StartAsync("rabbitmq");
            }

            written.AddRange(await Outbox.WriteAsync(Host, aggregates.Select(a => (a, (long)version))));
        }

        await Database.FlowsAsync(before + written.Count, s_limit);
        Assert.Equal(before + (long)written.Count, await Database.AppliedAsync());
        return written;
    }

    private static WriteNoteRequest Request(int events)
    {
        var id = Organisations.New().ToString();
        return new() { RequestId = Organisations.New().ToString(), NoteId = id, Text = id, EventCount = events, Modalite = "VISITE" };
    }
}
