using Jafer.Messaging;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;

namespace Jafer.Notifications.Tests;

/// <summary>The messaging service beside notification, on the same broker.</summary>
internal sealed class MessagingHost : IAsyncDisposable
{
    private MessagingHost(ServiceHost host, TestDatabase database) => (Host, Database) = (host, database);

    public ServiceHost Host { get; }

    public TestDatabase Database { get; }

    public static async Task<MessagingHost> StartAsync(string prefix)
    {
        var database = await CloneDatabaseAsync();
        var host = await ServiceHost.StartAsync(
            configure => MessagingModule.Build([], configure), ServiceHost.Settings(MessagingModule.Name, database.ConnectionString, prefix));
        await host.ReadyAsync();
        return new MessagingHost(host, database);
    }

    /// <summary>A migrated database of its own.</summary>
    public static Task<TestDatabase> CloneDatabaseAsync() => TestDatabase.CloneAsync(MessagingModule.Name, async connection =>
    {
        await using var app = MessagingModule.Build([], b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(MessagingModule.Name, connection, "none")));
        await MessagingModule.MigrateAsync(app);
    });

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }
}
