using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;

namespace Jafer.Directory.Tests.Slices;

/// <summary>The directory on real ports with a database of its own, migrated and with its reference data, without espaces.</summary>
public sealed class DirectoryFixture : IAsyncLifetime
{
    /// <summary>Keeps this directory's exchanges apart.</summary>
    public string Prefix { get; } = ServiceHost.UniquePrefix();

    public TestDatabase Database { get; private set; } = null!;

    public ServiceHost Host { get; private set; } = null!;

    public DirectoryService.DirectoryServiceClient Operateur => Client(Roles.Operateur, StableIds.For("organisation:operateur:national"));

    public DirectoryService.DirectoryServiceClient Court => Client(Roles.Juridiction, StableIds.Court("tj69123"));

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static DateOnly Today => TimeProvider.System.TodayInParis();

    public async ValueTask InitializeAsync()
    {
        Database = await CloneAsync();
        Host = await StartAsync();
    }

    public static Task<TestDatabase> CloneAsync() => TestDatabase.CloneAsync(DirectoryModule.Name, MigrateAsync);

    /// <summary>What the directory does with --migrate.</summary>
    public static async Task MigrateAsync(string connectionString)
    {
        await using var app = DirectoryModule.Build([], builder =>
            builder.Configuration.AddInMemoryCollection(ServiceHost.Settings(DirectoryModule.Name, connectionString, "migrate")));
        await app.MigrateDirectoryAsync();
    }

    // No sweep but those that a test asks for.
    private static readonly Dictionary<string, string?> s_quiet = new()
    {
        ["Upkeep:FirstSweepAfter"] = "1.00:00:00",
        // A fuzz test imports more than one caller may.
        ["Limits:CallerBurst"] = "1000000",
        ["Limits:OrganisationBurst"] = "1000000",
    };

    /// <summary>Starts a further replica over the same database.</summary>
    public Task<ServiceHost> StartAsync(IReadOnlyDictionary<string, string?>? more = null) => ServiceHost.StartAsync(
        configure => DirectoryModule.Build([], configure), ServiceHost.Settings(DirectoryModule.Name, Database.ConnectionString, Prefix, more ?? s_quiet));

    public DirectoryService.DirectoryServiceClient Client(string role, Guid organisation) => new(Host.Channel(role, organisation));

    public DirectoryService.DirectoryServiceClient Gestionnaire(string externalId) =>
        Client(Roles.Espace, StableIds.Gestionnaire("test", externalId));

    public static string NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();

    public static Guid IdOf(string espace) => StableIds.Espace("test", espace);

    public async Task<ImportEspacesResponse> ImportAsync(params EspaceImport[] espaces) =>
        await Operateur.ImportEspacesAsync(Request(espaces), cancellationToken: Cancel);

    public static ImportEspacesRequest Request(params EspaceImport[] espaces)
    {
        var request = new ImportEspacesRequest { Source = "test", RequestId = NewId() };
        request.Espaces.Add(espaces);
        return request;
    }

    /// <summary>A SIRET with a valid key that is nobody else's, for each id its own.</summary>
    public static string Siret(string id)
    {
        var number = BitConverter.ToUInt32(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(id))) % 100_000_000;
        var siren = WithKey($"{number:D8}");
        return WithKey($"{siren}0001");

        static string WithKey(string digits)
        {
            var sum = digits.Reverse().Select((c, i) => (c - '0') * (i % 2 == 0 ? 2 : 1)).Sum(d => d > 9 ? d - 9 : d);
            return digits + (10 - sum % 10) % 10;
        }
    }

    /// <summary>An open espace in Lyon that takes every child for plain visits within the given wait.</summary>
    public static EspaceImport Espace(string id, string commune = "69123", int? wait = 60, Modalite modalite = Modalite.Visite)
    {
        var espace = new EspaceImport
        {
            ExternalId = id,
            Gestionnaire = new GestionnaireImport { ExternalId = "G-" + id, Name = "Association fictive " + id, Siret = Siret(id) },
            Name = "Espace fictif " + id,
            Departement = commune.StartsWith("97", StringComparison.Ordinal) ? commune[..3] : commune[..2],
            Fictive = true,
            State = EspaceState.Ouvert,
        };
        espace.Gestionnaire.Contacts.Add(new Contact { ExternalId = "1", Email = $"{id}@example.org", Role = ContactRole.Suivi });
        espace.Agrements.Add(new Agrement
        {
            Number = "N-" + id,
            Departement = espace.Departement,
            State = AgrementState.Accorde,
            StartDate = new DateOnly(2020, 1, 1).ToProto(),
        });
        espace.Lieux.Add(new Lieu { ExternalId = "L1", Name = "Lieu fictif", CommuneInsee = commune });
        var offered = new ModaliteOfferte
        {
            Modalite = modalite,
            State = ModaliteState.Ouverte,
            CapacityFamilies = 4,
            SlotsPerWeek = 10,
            MaxAge = 17,
        };
        if (wait is { } days)
            offered.DeclaredWait = new DeclaredWait { Days = days, AsOfDate = Today.ToProto() };
        espace.Modalites.Add(offered);
        return espace;
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }
}
