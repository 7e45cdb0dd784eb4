using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>
/// A replica of the mesure service that has a directory beside it: a real one, with espaces of the test's gestionnaire that open
/// on Saturdays outside the school holidays and on Wednesdays. One for all who need it: of several directories on one broker a single one
/// hears of a mesure.
/// </summary>
[CollectionDefinition(Together)]
public sealed class RencontreFixture(MesuresFixture jafer) : IAsyncLifetime, ICollectionFixture<RencontreFixture>
{
    internal const string Together = "beside a directory";

    // Of all directories together: they tell the same mesure service.
    private static int s_espaces;

    private TestDatabase? _directoryDatabase;
    private ServiceHost? _directory;
    private ServiceHost? _host;
    private WebApplication? _issuer;

    public RencontreService.RencontreServiceClient AsEspace { get; private set; } = null!;

    public MesureService.MesureServiceClient Mesures { get; private set; } = null!;

    public MesureService.MesureServiceClient AsCourt { get; private set; } = null!;

    public RedesignationService.RedesignationServiceClient Redesignations { get; private set; } = null!;

    /// <summary>The directory, as the court sees it.</summary>
    public DirectoryService.DirectoryServiceClient Directory => new(_directory!.Channel(Roles.Juridiction, MesuresFixture.Court));

    /// <summary>The database of the directory.</summary>
    public TestDatabase DirectoryDatabase => _directoryDatabase!;

    /// <summary>The settings of the replica, for tests that start their own.</summary>
    public Dictionary<string, string?> Settings { get; private set; } = [];

    /// <summary>An espace with room for many families.</summary>
    public Guid Espace { get; private set; }

    public static DateOnly Today => TimeProvider.System.TodayInParis();

    /// <summary>A channel to the mesure service that has a directory.</summary>
    public Grpc.Net.Client.GrpcChannel Channel(string role, Guid organisation) => _host!.Channel(role, organisation);

    /// <summary>The same for a person.</summary>
    public Grpc.Net.Client.GrpcChannel PersonsChannel(string role, Guid organisation) => _host!.Channel(TestIssuer.Shared.Token(role, organisation, person: true));

    public async ValueTask InitializeAsync()
    {
        var prefix = jafer.Settings["Broker:Prefix"]!.TrimEnd('.');
        _directoryDatabase = await TestDatabase.CloneAsync(DirectoryModule.Name, async connection =>
        {
            await using var app = DirectoryModule.Build([], b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(DirectoryModule.Name, connection, "none")));
            await app.MigrateDirectoryAsync();
        });
        _directory = await ServiceHost.StartAsync(
            configure => DirectoryModule.Build([], configure),
            ServiceHost.Settings(DirectoryModule.Name, _directoryDatabase.ConnectionString, prefix, new Dictionary<string, string?> { ["Upkeep:FirstSweepAfter"] = "1.00:00:00" }));
        _issuer = await StartIssuerAsync();
        Settings = new Dictionary<string, string?>(jafer.Settings)
        {
            ["services:directory:grpc:0"] = _directory.Grpc.ToString(),
            ["Identity:TokenEndpoint"] = _issuer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/token",
            ["Identity:ClientId"] = "systeme.mesure",
            ["Identity:ClientSecret"] = "secret",
        };
        _host = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), Settings);
        AsEspace = new(_host.Channel("espace", MesuresFixture.Gestionnaire));
        Mesures = new(_host.Channel("espace", MesuresFixture.Gestionnaire));
        AsCourt = new(_host.Channel("juridiction", MesuresFixture.Court));
        Redesignations = new(_host.Channel("juridiction", MesuresFixture.Court));
        Espace = await EspaceAsync(40);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _host, _directory, _issuer, _directoryDatabase })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    /// <summary>Adds an espace that the mesure service knows by the directory's event.</summary>
    /// <param name="families">Families at the same time.</param>
    /// <param name="change">What is different with it.</param>
    public async Task<Guid> EspaceAsync(int families, Action<EspaceImport>? change = null)
    {
        var externalId = $"R{Interlocked.Increment(ref s_espaces)}";
        var espace = new EspaceImport
        {
            ExternalId = externalId,
            Gestionnaire = new GestionnaireImport { ExternalId = "G1", Name = "Association fictive", Siret = "73282932000074" },
            Name = "Espace fictif " + externalId,
            Departement = "69",
            Fictive = true,
            State = EspaceState.Ouvert,
        };
        espace.Gestionnaire.Contacts.Add(new Contact { ExternalId = "1", Email = "fictif@example.org", Role = ContactRole.Suivi });
        espace.Agrements.Add(new Agrement { Number = "N-" + externalId, Departement = "69", State = AgrementState.Accorde, StartDate = new DateOnly(2020, 1, 1).ToProto() });
        espace.Lieux.Add(new Lieu { ExternalId = "L1", Name = "Lieu fictif", CommuneInsee = "69123" });
        espace.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.Visite, State = ModaliteState.Ouverte, CapacityFamilies = families, SlotsPerWeek = 10, MaxAge = 17 });
        foreach (var (id, day, rule) in new[] { ("samedi", "SA", SchoolHolidayRule.OutsideHolidays), ("mercredi", "WE", SchoolHolidayRule.Unspecified) })
        {
            espace.Ouvertures.Add(new Ouverture
            {
                ExternalId = id,
                LieuExternalId = "L1",
                Rrule = $"FREQ=WEEKLY;BYDAY={day}",
                StartDate = new DateOnly(2024, 1, 1).ToProto(),
                StartTime = new TimeOfDay { Hours = 9 },
                EndTime = new TimeOfDay { Hours = 18 },
                SlotMinutes = 60,
                Families = families,
                SchoolHolidays = rule,
            });
        }

        change?.Invoke(espace);
        var request = new ImportEspacesRequest { Source = "test", RequestId = MesuresFixture.NewId() };
        request.Espaces.Add(espace);
        await new DirectoryService.DirectoryServiceClient(_directory!.Channel(Roles.Operateur, StableIds.For("organisation:operateur:national"))).ImportEspacesAsync(request);
        var espaceId = StableIds.Espace("test", externalId);
        await Eventually.BecomesAsync(
            () => jafer.Database.ReadAsync<long>($"select count(*) from espaces where id = '{espaceId}' and jsonb_array_length(capacities) >= 1"), n => n == 1, "the espace is known");
        return espaceId;
    }

    /// <summary>A mesure of today's decision that waits at an espace.</summary>
    public Task<string> WaitingAsync(Guid? espace = null, Action<CreateMesureRequest>? change = null) => jafer.MesureInAsync(MesureState.EnAttente, r =>
    {
        r.EspaceId = (espace ?? Espace).ToString();
        r.Decision.DecisionDate = Today.ToProto();
        change?.Invoke(r);
    });

    /// <summary>A booking on a day so far ahead, at an hour in Paris.</summary>
    public async Task<string> BookAsync(string mesureId, int days, int hour = 10, Action<ScheduleRencontreRequest>? change = null)
    {
        var request = Booking(mesureId, days, hour);
        change?.Invoke(request);
        return (await Mesures.ScheduleRencontreAsync(request)).RencontreId;
    }

    public static ScheduleRencontreRequest Booking(string mesureId, int days, int hour = 10) =>
        new() { MesureId = mesureId, StartTime = At(days, hour), DurationMinutes = 120, RequestId = MesuresFixture.NewId() };

    public static Timestamp At(int days, int hour) => TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris").At(Today.AddDays(days), hour * 60).ToProto();

    private static async Task<WebApplication> StartIssuerAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRoutingCore();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/token", async (HttpRequest request) => Results.Json(
            new
            {
                access_token = TestIssuer.Shared.Token(
                    Roles.Systeme, Guid.CreateVersion7(TimeProvider.System.GetUtcNow()), "systeme.mesure", audience: (await request.ReadFormAsync())["audience"].ToString()),
                token_type = "Bearer",
                expires_in = 3600,
            }, JsonSerializerOptions.Default));
        await app.StartAsync();
        return app;
    }
}
