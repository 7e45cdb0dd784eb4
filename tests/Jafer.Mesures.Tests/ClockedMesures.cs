using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Deadlines;
using Jafer.Mesures.Delays;
using Jafer.Mesures.Mesures;
using Jafer.Mesures.Rencontres;
using Jafer.ServiceDefaults.Reminders;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests;

/// <summary>
/// The mesure service on a database of its own, on Monday 2 March 2026, 10 o'clock in Paris, until a test moves the clock. What
/// its outbox ever held is kept in probe.told.
/// </summary>
public sealed class ClockedMesures : IAsyncLifetime
{
    private TestDatabase? _database;
    private ServiceHost? _host;
    private Dictionary<string, string?> _settings = [];

    public TestClock Clock { get; } = new(new DateTimeOffset(2026, 3, 2, 9, 0, 0, TimeSpan.Zero));

    public TestDatabase Database => _database!;

    public ServiceHost Host => _host!;

    /// <summary>Of the service, for a replica that knows more than it.</summary>
    public IReadOnlyDictionary<string, string?> Settings => _settings;

    public MesureService.MesureServiceClient AsCourt => new(Host.Channel("juridiction", Court));

    public MesureService.MesureServiceClient AsEspace => new(Host.Channel("espace", Gestionnaire));

    internal DeadlineSweep Sweep => SweepOf(Host);

    internal SlotOffers Offers => Host.App.Services.GetRequiredService<SlotOffers>();

    internal IndexRenewal Renewal => Host.App.Services.GetRequiredService<IndexRenewal>();

    internal DelayFold Fold => Host.App.Services.GetRequiredService<DelayFold>();

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CloneAsync(MesuresModule.Name, MigrateAsync);
        await Database.RunAsync($"""
            insert into organisations (id, kind, code) values ('{Court}', 'JURIDICTION', 'tj69123');
            insert into espaces (id, gestionnaire_id, state, agrement_periods, time_zone, departement, capacities, version) values
                ('{Espace}', '{Gestionnaire}', 'OUVERT', '[{JsonPeriod}]', 'Europe/Paris', '69', '[]', 1),
                ('{YoungEspace}', '{OtherGestionnaire}', 'OUVERT', '[{JsonPeriod}]', 'Europe/Paris', '67', '[]', 1);
            create schema probe;
            create table probe.told (type text, payload jsonb, id bigint generated always as identity);
            create function probe.keep() returns trigger language plpgsql security definer as $$ begin insert into probe.told values (new.message_type, new.payload); return new; end $$;
            create trigger keep after insert on outbox_messages for each row execute function probe.keep();
            """);

        // Its own timers do not run by themselves: tests sweep and fold when they want.
        _settings = ServiceHost.Settings(MesuresModule.Name, Database.ConnectionString, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
        {
            ["Deadlines:SweepInterval"] = "40.00:00:00",
            ["Reminders:Enabled"] = "false",
            ["Delays:FoldInterval"] = "40.00:00:00",
            ["Survey:FoldInterval"] = "40.00:00:00",
            ["Offers:Interval"] = "40.00:00:00",
        });
        _host = await StartReplicaAsync();
    }

    /// <summary>A sweep of a replica that tells, as that of the service itself does not.</summary>
    internal static DeadlineSweep SweepOf(ServiceHost host) => ActivatorUtilities.CreateInstance<DeadlineSweep>(host.App.Services, Options.Create(new ReminderOptions()));

    /// <summary>Moves the clock to when people work next, which is when most is told.</summary>
    public void ToWorkingTime() => Clock.Advance(WorkingCalendar.Of(null, "69").WorkingTimeFrom(Clock.GetUtcNow()) - Clock.GetUtcNow());

    /// <summary>A further replica by the same clock.</summary>
    public Task<ServiceHost> StartReplicaAsync() =>
        StartReplicaAsync(null, null);

    /// <summary>The same with other settings.</summary>
    public Task<ServiceHost> StartReplicaAsync(IReadOnlyDictionary<string, string?>? more, Action<Microsoft.AspNetCore.Builder.WebApplicationBuilder>? configure)
    {
        var settings = new Dictionary<string, string?>(_settings);
        foreach (var (key, value) in more ?? new Dictionary<string, string?>())
        {
            settings[key] = value;
        }

        return ServiceHost.StartAsync(b => MesuresModule.Build([], b), settings, b =>
        {
            b.Services.AddSingleton<TimeProvider>(Clock);
            configure?.Invoke(b);
        });
    }

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

    /// <summary>A mesure that its court transmitted, a second after whatever was before: lists have one order.</summary>
    public async Task<string> TransmittedAsync(Action<CreateMesureRequest>? change = null, Guid? court = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        var client = court is { } id ? new MesureService.MesureServiceClient(Host.Channel("juridiction", id)) : AsCourt;
        var mesureId = (await client.CreateMesureAsync(Content(change))).Mesure.MesureId;
        await client.CompleteMesureAsync(new CompleteMesureRequest { MesureId = mesureId, RequestId = NewId() });
        await client.TransmitMesureAsync(new TransmitMesureRequest { MesureId = mesureId, RequestId = NewId() });
        return mesureId;
    }

    public async Task<Mesure> GetAsync(string mesureId) => (await AsCourt.GetMesureAsync(new GetMesureRequest { MesureId = mesureId })).Mesure;

    /// <summary>Deadlines of a mesure that were told so far, by kind.</summary>
    public Task<IReadOnlyList<string>> ToldAsync(string mesureId) => Database.ReadAllAsync<string>(
        $"select payload->>'deadline' from probe.told where type = 'mesure.deadline-due.v1' and payload->>'aggregateId' = '{mesureId}' order by payload->>'dueAt'");

    private const string JsonPeriod = """{"from":"2013-09-01"}""";
}
