using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(Jafer.Messaging.Tests.MessagingFixture))]

namespace Jafer.Messaging.Tests;

/// <summary>
/// The messaging service with its own database and queue: one for all test classes that only look at what is theirs, one for each
/// class that asks for its own.
/// </summary>
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
    /// <param name="organisations">What a directory says of organisations; null where members and territories are not looked at.</param>
    public Task<ServiceHost> StartReplicaAsync(TestOrganisations? organisations = null) => ServiceHost.StartAsync(
        Build, ServiceHost.Settings(MessagingModule.Name, Database.ConnectionString, _prefix, organisations is null ? null : new Dictionary<string, string?> { ["Identity:Members"] = "directory" }),
        b =>
        {
            if (organisations is not null)
            {
                b.Services.AddSingleton<IOrganisations>(organisations);
            }
        });

    public MessagingService.MessagingServiceClient Court(TestMesure mesure) => Client(Roles.Juridiction, mesure.JuridictionId);

    public MessagingService.MessagingServiceClient Espace(TestMesure mesure) => Client(Roles.Espace, mesure.GestionnaireId);

    public MessagingService.MessagingServiceClient Client(string role, Guid organisation) => new(Host.Channel(role, organisation));

    /// <summary>A person of an organisation.</summary>
    public MessagingService.MessagingServiceClient Person(string role, Guid organisation, string subject) =>
        new(Host.Channel(TestIssuer.Shared.Token(role, organisation, subject, person: true)));

    /// <summary>The operator.</summary>
    public MessagingService.MessagingServiceClient Operator => Client(Roles.Operateur, OperatorId);

    public static Guid OperatorId { get; } = StableIds.For("organisation:operateur:national");

    public Task PublishAsync(params IReadOnlyList<DomainEvent> events) => Host.PublishAsync<MessagingDbContext>(events);

    /// <summary>A transmitted mesure whose thread stands.</summary>
    public async Task<TestMesure> OpenThreadAsync()
    {
        var mesure = TestMesure.Create();
        await PublishAsync(mesure.Transmitted());
        await EntriesAsync(mesure, 1);
        return mesure;
    }

    /// <summary>An espace that messaging knows; its thread is not open yet.</summary>
    public async Task<TestMesure> KnownEspaceAsync()
    {
        var espace = TestMesure.Create();
        await PublishAsync(TestEspace.Published(espace.EspaceId, espace.GestionnaireId));
        await Eventually.BecomesAsync(
            () => Database.ReadAsync<long>($"select count(*) from espaces where espace_id = '{espace.EspaceId}'"), n => n == 1, "the espace to be known");
        return espace;
    }

    /// <summary>The types of the entries of a thread in their order, once there are as many as expected.</summary>
    public Task<IReadOnlyList<string>> EntriesAsync(TestMesure mesure, int count) => Eventually.BecomesAsync(
        () => Database.ReadAllAsync<string>($"select coalesce(event_type, 'message') from messages where thread_id = '{mesure.Id}' order by position"),
        entries => entries.Count >= count,
        $"{count} entries");

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static WebApplication Build(Action<WebApplicationBuilder> configure) => MessagingModule.Build([], configure);
}
