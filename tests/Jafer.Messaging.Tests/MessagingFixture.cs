using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Jafer.Messaging.Tests;

/// <summary>The messaging service with its own database and queue; one for each test class.</summary>
public sealed class MessagingFixture : IAsyncLifetime
{
    private readonly string _prefix = ServiceHost.UniquePrefix();

    public ServiceHost Host { get; private set; } = null!;

    public TestDatabase Database { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CloneAsync(MessagingModule.Name, async connection =>
        {
            await using var app = Build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(MessagingModule.Name, connection, "none")));
            await MessagingModule.MigrateAsync(app);
        });
        Host = await StartReplicaAsync();
    }

    /// <summary>A further replica on the same database and queue.</summary>
    public Task<ServiceHost> StartReplicaAsync() =>
        ServiceHost.StartAsync(Build, ServiceHost.Settings(MessagingModule.Name, Database.ConnectionString, _prefix));

    public MessagingService.MessagingServiceClient Court(TestMesure mesure) => Client(Roles.Juridiction, mesure.JuridictionId);

    public MessagingService.MessagingServiceClient Espace(TestMesure mesure) => Client(Roles.Espace, mesure.GestionnaireId);

    public MessagingService.MessagingServiceClient Client(string role, Guid organisation) => new(Host.Channel(role, organisation));

    public Task PublishAsync(params IReadOnlyList<DomainEvent> events) => Host.PublishAsync<MessagingDbContext>(events);

    /// <summary>A transmitted mesure whose thread stands.</summary>
    public async Task<TestMesure> OpenThreadAsync()
    {
        var mesure = TestMesure.Create();
        await PublishAsync(mesure.Transmitted());
        await EntriesAsync(mesure, 1);
        return mesure;
    }

    /// <summary>The types of the entries of a thread in their order, once there are as many as expected.</summary>
    public Task<IReadOnlyList<string>> EntriesAsync(TestMesure mesure, int count) => Eventually.BecomesAsync(
        () => Database.ReadAllAsync<string>($"select coalesce(event_type, 'message') from messages where mesure_id = '{mesure.Id}' order by position"),
        entries => entries.Count >= count,
        $"{count} entries");

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static WebApplication Build(Action<WebApplicationBuilder> configure) => MessagingModule.Build([], configure);
}
