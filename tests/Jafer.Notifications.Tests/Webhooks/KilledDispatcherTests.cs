using Jafer.Contracts.Events;
using Jafer.Messaging.Data;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;

namespace Jafer.Notifications.Tests.Webhooks;

/// <summary>The service is killed while it posts: nothing is lost, and what is posted twice has the same id.</summary>
public sealed class KilledDispatcherTests : IAsyncLifetime
{
    private const int Events = 120;

    private static readonly (string, string)[] s_settings =
    [
        ("Webhooks:AllowHttp", "true"), ("Webhooks:AllowedNetworks:0", "127.0.0.0/8"), ("Webhooks:PollInterval", "00:00:00.100"), ("Webhooks:Timeout", "00:00:02"),
        ("Webhooks:Lease", "00:00:03"),

        // Nobody listens there: a proxy of the machine is none of the webhooks'.
        ("http_proxy", "http://127.0.0.1:9"), ("HTTP_PROXY", "http://127.0.0.1:9"), ("all_proxy", "http://127.0.0.1:9"),
    ];

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
        await _database.RunAsync($"""
            insert into webhook_endpoints values (
                '{TestMesure.NewId()}', '{mesure.GestionnaireId}', '{receiver.Address}', array[]::text[], 'si@association.test', 'ENABLED', '{TestMesure.NewId()}', 'sealed by nobody',
                null, null, null, now(), now(), 1, null, 0, null, null, null, 0)
            """);
        await SealAsync();
        var events = new List<DomainEvent> { mesure.Transmitted() };
        events.AddRange(Enumerable.Range(1, Events - 1).Select(_ => mesure.Contact("FAMILLE")));

        for (var life = 0; life < 3; life++)
        {
            var (grpc, health) = (ServiceProcess.FreePort(), ServiceProcess.FreePort());
            using var service = await ServiceProcess.StartAsync(_database, _prefix, grpc, health, s_settings);
            try
            {
                if (life == 0)
                {
                    await _publisher.Host.PublishAsync<MessagingDbContext>(events);
                }

                // Some posts of each life are under way when it dies.
                var wanted = life == 2 ? Events : 30 * (life + 1);
                await Eventually.BecomesAsync(() => Task.FromResult(receiver.Calls.Select(c => c.Id).Distinct().Count()), n => n >= wanted, $"{wanted} events");
                if (life == 2)
                {
                    await Eventually.BecomesAsync(() => _database.ReadAsync<long>("select count(*) from webhook_deliveries where state = 'DELIVERED'"), n => n == Events, "all noted");
                }
            }
            finally
            {
                service.Kill(entireProcessTree: true);
                await service.WaitForExitAsync(ct);
            }
        }

        Assert.Equal(events.Select(e => e.EventId.ToString()).Order(), receiver.Calls.Select(c => c.Data("eventId")!).Distinct().Order());
        Assert.Equal(Events, receiver.Calls.Select(c => (c.Id, c.Data("eventId"))).Distinct().Count());
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <summary>Gives the endpoint a secret of the configured key, as the service would.</summary>
    private async Task SealAsync()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(ServiceHost.Settings(NotificationsModule.Name, _database.ConnectionString, _prefix)).Build();
        var secrets = new Notifications.Webhooks.WebhookSecrets(configuration, Microsoft.Extensions.Logging.Abstractions.NullLogger<Notifications.Webhooks.WebhookSecrets>.Instance);
        var id = await _database.ReadAsync<Guid>("select endpoint_id from webhook_endpoints");
        await _database.RunAsync($"update webhook_endpoints set secret = '{secrets.New(id)}'");
    }
}
