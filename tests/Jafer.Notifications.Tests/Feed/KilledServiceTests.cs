using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Events;
using Jafer.Contracts.Notification.V1;
using Jafer.Messaging.Data;
using Jafer.Testing;

namespace Jafer.Notifications.Tests.Feed;

/// <summary>The service in a process of its own, which is killed as a power cut would. Another service publishes meanwhile.</summary>
public sealed class KilledServiceTests : IAsyncLifetime
{
    private const int Lives = 4;
    private readonly string _prefix = ServiceHost.UniquePrefix();
    private readonly int _grpcPort = ServiceProcess.FreePort();
    private readonly int _healthPort = ServiceProcess.FreePort();
    private TestDatabase _database = null!;
    private MessagingHost _publisher = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await NotificationsFixture.CloneDatabaseAsync();
        _publisher = await MessagingHost.StartAsync(_prefix);
    }

    [Fact]
    public async Task WatchEvents_OverKilledServices_MissesAndRepeatsNothing()
    {
        var mesure = TestMesure.Create();
        var events = Enumerable.Range(0, 30 * Lives)
            .Select(i => i % 3 == 1 ? mesure.Message(mesure.JuridictionId, i) : (DomainEvent)(i == 0 ? mesure.Transmitted() : mesure.Contact("FAMILLE"))).ToList();

        var (received, token) = (new List<string>(), "");
        foreach (var (life, batch) in events.Chunk(30).Index())
        {
            using var service = await StartAsync();
            try
            {
                using var channel = Channel(mesure.GestionnaireId);
                using var watch = new NotificationService.NotificationServiceClient(channel).WatchEvents(new WatchEventsRequest { ResumeToken = token });
                await _publisher.Host.PublishAsync<MessagingDbContext>(batch);

                // Only the last life reads everything: in the others, events are under way in every part when the process dies.
                var wanted = life == Lives - 1 ? events.Count - received.Count : 20;
                foreach (var message in await watch.NextEventsAsync(wanted))
                {
                    received.Add(message.Event.EventId);
                    token = message.ResumeToken;
                }
            }
            finally
            {
                service.Kill(entireProcessTree: true);
                await service.WaitForExitAsync(TestContext.Current.CancellationToken);
            }
        }

        Assert.Equal(events.Select(e => e.EventId.ToString()), received);
        Assert.Equal(0L, await _database.ReadAsync<long>("select count(*) from (select event_id from deliveries group by organisation_id, event_id having count(*) > 1) twice"));
    }

    public async ValueTask DisposeAsync()
    {
        await _publisher.DisposeAsync();
        await _database.DisposeAsync();
    }

    private Task<Process> StartAsync() => NotificationsProcess.StartAsync(_database, _prefix, _grpcPort, _healthPort);

    private GrpcChannel Channel(Guid organisation) => GrpcChannel.ForAddress($"http://127.0.0.1:{_grpcPort}", new GrpcChannelOptions
    {
        UnsafeUseInsecureChannelCallCredentials = true,
        Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, CallCredentials.FromInterceptor((_, metadata) =>
        {
            metadata.Add("authorization", "Bearer " + TestIssuer.Shared.Token("espace", organisation));
            return Task.CompletedTask;
        })),
    });
}
