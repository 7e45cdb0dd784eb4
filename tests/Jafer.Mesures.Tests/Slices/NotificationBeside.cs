using Jafer.Notifications;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>
/// A notification service on the broker of the mesure service. One for all who need it, one after the other: of several on one broker a
/// single one hears of a mesure.
/// </summary>
[CollectionDefinition(Together)]
public sealed class NotificationBeside(MesuresFixture jafer) : IAsyncLifetime, ICollectionFixture<NotificationBeside>
{
    internal const string Together = "beside a notification service";

    private TestDatabase? _database;
    private ServiceHost? _host;

    /// <summary>A channel to it.</summary>
    public Grpc.Net.Client.GrpcChannel Channel(string role, Guid organisation) => _host!.Channel(role, organisation);

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CloneAsync(NotificationsModule.Name, async connection =>
        {
            await using var app = NotificationsModule.Build([], b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(NotificationsModule.Name, connection, "none")));
            await NotificationsModule.MigrateAsync(app);
        });
        _host = await ServiceHost.StartAsync(
            configure => NotificationsModule.Build([], configure),
            ServiceHost.Settings(NotificationsModule.Name, _database.ConnectionString, jafer.Settings["Broker:Prefix"]!.TrimEnd('.'), new Dictionary<string, string?>
            {
                ["Webhooks:AllowHttp"] = "true",
                ["Webhooks:AllowedNetworks:0"] = "127.0.0.0/8",
                // Other tests' mesures of this gestionnaire are refused, for good: their proofs are their own affair.
                ["Webhooks:FirstBackoff"] = "06:00:00",
                ["Webhooks:RestAfterFailures"] = "1000000",
                ["Webhooks:EndpointConcurrency"] = "50",
            }));
        await _host.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }
}
