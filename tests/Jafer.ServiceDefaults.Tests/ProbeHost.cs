using Jafer.Probe;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.ServiceDefaults.Tests;

/// <summary>A probe with a database of its own, shared by the tests of a class. Each takes ids and callers of its own.</summary>
public sealed class ProbeHost : IAsyncLifetime
{
    private TestDatabase? _database;
    private ServiceHost? _host;

    public TestDatabase Database => _database!;

    public ServiceHost Host => _host!;

    public ProbeHooks Hooks => Host.App.Services.GetRequiredService<ProbeHooks>();

    public string Prefix { get; } = ServiceHost.UniquePrefix();

    public static Task<TestDatabase> CloneAsync() => TestDatabase.CloneAsync(ProbeApp.Name, MigrateAsync);

    public static async Task MigrateAsync(string connectionString)
    {
        await using var app = ProbeApp.Build(builder => builder.Configuration.AddInMemoryCollection(ServiceHost.Settings(ProbeApp.Name, connectionString, "none")));
        await app.MigrateAsync<ProbeDbContext>();
    }

    public static Task<ServiceHost> StartAsync(
        TestDatabase database, string prefix, IReadOnlyDictionary<string, string?>? more = null, Action<WebApplicationBuilder>? configure = null) =>
        ServiceHost.StartAsync(ProbeApp.Build, ServiceHost.Settings(ProbeApp.Name, database.ConnectionString, prefix, more), configure);

    public static Task<ServiceHost> StartPublisherAsync(
        TestDatabase database, string prefix, IReadOnlyDictionary<string, string?>? more = null, Action<WebApplicationBuilder>? configure = null) =>
        ServiceHost.StartAsync(ProbeApp.BuildPublisher, ServiceHost.Settings(ProbeApp.Name, database.ConnectionString, prefix, more), configure);

    public Jafer.Probe.V1.ProbeService.ProbeServiceClient Client(Guid organisation, string role = "juridiction") => new(Host.Channel(role, organisation));

    public async ValueTask InitializeAsync()
    {
        _database = await CloneAsync();
        _host = await StartAsync(_database, Prefix);
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
