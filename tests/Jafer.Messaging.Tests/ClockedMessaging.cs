using System.Text.Json;
using Jafer.Contracts.Events;
using Jafer.Contracts.Messaging.V1;
using Jafer.Messaging.Data;
using Jafer.Messaging.Threads;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Messaging.Tests;

/// <summary>
/// The messaging service on a database of its own, on Monday 2 March 2026, 10 o'clock in Paris, until a test moves the clock. What
/// its outbox ever held is kept in probe.told.
/// </summary>
public sealed class ClockedMessaging : IAsyncLifetime
{
    private TestDatabase? _database;
    private ServiceHost? _host;
    private Dictionary<string, string?> _settings = [];

    public TestClock Clock { get; } = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));

    public TestDatabase Database => _database!;

    public ServiceHost Host => _host!;

    internal OverdueSweep Sweep => Host.App.Services.GetRequiredService<OverdueSweep>();

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CloneAsync(MessagingModule.Name, async connection =>
        {
            await using var app = Build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(MessagingModule.Name, connection, "none")));
            await MessagingModule.MigrateAsync(app);
        });
        await Database.RunAsync("""
            create schema probe;
            create table probe.told (type text, payload jsonb);
            create function probe.keep() returns trigger language plpgsql security definer as $$ begin insert into probe.told values (new.message_type, new.payload); return new; end $$;
            create trigger keep after insert on outbox_messages for each row execute function probe.keep();
            """);
        _settings = ServiceHost.Settings(MessagingModule.Name, Database.ConnectionString, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
        {
            ["Conversations:SweepInterval"] = "40.00:00:00",
        });
        _host = await StartReplicaAsync();
    }

    /// <summary>A further replica by the same clock.</summary>
    public Task<ServiceHost> StartReplicaAsync() => ServiceHost.StartAsync(Build, _settings, b => b.Services.AddSingleton<TimeProvider>(Clock));

    public MessagingService.MessagingServiceClient Court(TestMesure mesure) => new(Host.Channel(Roles.Juridiction, mesure.JuridictionId));

    public MessagingService.MessagingServiceClient Espace(TestMesure mesure) => new(Host.Channel(Roles.Espace, mesure.GestionnaireId));

    /// <summary>Steps of a mesure, applied.</summary>
    public async Task ApplyAsync(params IReadOnlyList<DomainEvent> events)
    {
        await using var scope = Host.App.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MessagingDbContext>();
        foreach (var message in events)
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await new ThreadProjection().HandleAsync(db, message, default);
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }
    }

    /// <summary>What was told of a mesure to be overdue, in the order of telling.</summary>
    public async Task<List<MessageOverdue>> OverdueAsync(TestMesure mesure) =>
    [
        .. (await Database.ReadAllAsync<string>($"select payload::text from probe.told where type = 'messaging.message-overdue.v1' and payload->>'aggregateId' = '{mesure.Id}' order by (payload->>'occurredAt')::timestamptz"))
            .Select(json => JsonSerializer.Deserialize<MessageOverdue>(json, EventTypes.Json)!),
    ];

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _host, _database })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    private static WebApplication Build(Action<WebApplicationBuilder> configure) => MessagingModule.Build([], configure);
}
