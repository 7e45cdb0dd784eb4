using Jafer.Contracts.Events;
using Jafer.Messaging.Data;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;

namespace Jafer.Notifications.Tests.Webhooks;

/// <summary>The service is killed while it posts: nothing is lost, and what is posted twice has the same id.</summary>
public sealed class KilledDispatcherTests : IAsyncLifetime
{
    private const int Told = 200;
    private const int Posts = 10_000;
    private const int Endpoints = 10;
    private const int EndpointConcurrency = 4;

    // Those of the feed are there once the last one of their number is.
    private static readonly string s_done = $"""
        select not exists (select from webhook_deliveries where state = 'QUEUED') and (select count(*) from webhook_deliveries) = {Posts}
        """;

    private static readonly (string, string)[] s_settings =
    [
        ("Webhooks:AllowHttp", "true"), ("Webhooks:AllowedNetworks:0", "127.0.0.0/8"), ("Webhooks:PollInterval", "00:00:00.100"), ("Webhooks:Timeout", "00:00:05"),
        ("Webhooks:Lease", "00:00:06"),

        // Nobody listens there: a proxy of the machine is none of the webhooks'.
        ("http_proxy", "http://127.0.0.1:9"), ("HTTP_PROXY", "http://127.0.0.1:9"), ("all_proxy", "http://127.0.0.1:9"),
    ];

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly string _prefix = ServiceHost.UniquePrefix();
    private TestDatabase _database = null!;
    private MessagingHost _publisher = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await NotificationsFixture.CloneDatabaseAsync();
        _publisher = await MessagingHost.StartAsync(_prefix);
    }

    [Fact]
    public async Task Kill_InTheMiddleOfPosts_LosesNoneAndRepeatsUnderTheSameId()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var receiver = await WebhookReceiver.StartAsync();
        var mesure = TestMesure.Create();
        for (var endpoint = 0; endpoint < Endpoints; endpoint++)
        {
            await CreateEndpointAsync(endpoint == 0 ? mesure.GestionnaireId : TestMesure.NewId(), receiver.Address);
        }

        var events = new List<DomainEvent> { mesure.Transmitted() };
        events.AddRange(Enumerable.Range(1, Told - 1).Select(_ => mesure.Contact("FAMILLE")));

        // The others wait already, as the feed would have queued them.
        await _database.RunAsync($"""
            insert into webhook_deliveries (delivery_id, endpoint_id, test, event_id, event_type, aggregate_id, occurred_at, state, attempts, queued_at, next_attempt_at, expires_at)
            select gen_random_uuid(), endpoint_id, false, gen_random_uuid(), 'mesure.contact-recorded.v1', gen_random_uuid(), now(), 'QUEUED', 0, now(), now(), now() + interval '3 days'
            from webhook_endpoints, generate_series(1, {(Posts - Told) / Endpoints})
            """);
        var wanted = (await _database.ReadAllAsync<Guid>("select event_id from webhook_deliveries")).Concat(events.Select(e => e.EventId)).Select(id => id.ToString()).Order().ToList();

        for (var life = 0; life < 3; life++)
        {
            var (grpc, health) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
            using var service = await NotificationsProcess.StartAsync(_database, _prefix, grpc, health, s_settings);
            try
            {
                if (life == 0)
                {
                    await _publisher.Host.PublishAsync<MessagingDbContext>(events);
                }

                // Some posts of each life are under way when it dies.
                if (life < 2)
                {
                    await Eventually.BecomesAsync(() => Task.FromResult(receiver.Count), n => n >= Posts * (life + 1) / 3, "a share of the posts", s_patience);
                }
                else
                {
                    await Eventually.BecomesAsync(() => _database.ReadAsync<bool>(s_done), done => done, "all noted", s_patience);
                }
            }
            finally
            {
                service.Kill(entireProcessTree: true);
                await service.WaitForExitAsync(ct);
            }
        }

        var calls = receiver.Calls;
        Assert.Equal(wanted, calls.Select(c => c.Data("eventId")!).Distinct().Order());
        Assert.Equal(Posts, calls.Select(c => (c.Id, c.Data("eventId"))).Distinct().Count());
        Assert.InRange(calls.Count - Posts, 0, 2 * Endpoints * EndpointConcurrency);
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>Creates an endpoint with a secret of the configured key, as the service would.</summary>
    private async Task CreateEndpointAsync(Guid organisation, Uri address)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(ServiceHost.Settings(NotificationsModule.Name, _database.ConnectionString, _prefix)).Build();
        var secrets = new Notifications.Webhooks.WebhookSecrets(configuration, Microsoft.Extensions.Logging.Abstractions.NullLogger<Notifications.Webhooks.WebhookSecrets>.Instance);
        var id = TestMesure.NewId();
        await _database.RunAsync($"""
            insert into webhook_endpoints values (
                '{id}', '{organisation}', '{address}', array[]::text[], in_clear('si@association.test'), 'ENABLED', '{TestMesure.NewId()}', '{secrets.New(id)}',
                null, null, null, now(), now(), 1, null, 0, null, null, null, 0)
            """);
    }
}
