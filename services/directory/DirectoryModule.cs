using Jafer.Directory.Contacts;
using Jafer.Directory.Data;
using Jafer.Directory.Declarations;
using Jafer.Directory.Espaces;
using Jafer.Directory.Members;
using Jafer.Directory.Places;
using Jafer.Directory.Reference;
using Jafer.Directory.Schedules;
using Jafer.Directory.Search;
using Jafer.Directory.Territory;
using Jafer.Directory.Upkeep;
using Jafer.Directory.Waits;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Operations;
using Jafer.ServiceDefaults.Reminders;
using Npgsql;

namespace Jafer.Directory;

/// <summary>The directory as a module: what runs it and what a test starts.</summary>
public static class DirectoryModule
{
    /// <summary>Name of the service: of its connection string, its queue and its telemetry.</summary>
    public const string Name = "directory";

    /// <summary>Builds the directory.</summary>
    /// <param name="args">Arguments of the process.</param>
    /// <param name="configure">What a host adds before the directory's own parts; null for nothing.</param>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = JaferService.CreateBuilder(args);
        configure?.Invoke(builder);
        builder.AddJaferService<DirectoryDbContext>(Name, DemandProjection.Subscriptions);
        builder.Services.AddScoped<IEventHandler<DirectoryDbContext>, DemandProjection>();
        builder.Services.AddSingleton<SnapshotSource>();
        builder.Services.AddSingleton<PastSnapshots>();
        builder.Services.AddSingleton<SearchEspaces>();
        builder.Services.AddSingleton<CheckDesignation>();
        builder.Services.AddScoped<CapacityEnquiries>();
        builder.Services.AddScoped<ReadEspaces>();
        builder.Services.AddScoped<EspaceHistory>();
        builder.Services.AddScoped<UpdateEspace>();
        builder.Services.AddScoped<RecordAgrement>();
        builder.Services.AddScoped<ConfirmEspace>();
        builder.Services.AddScoped<ListOuverturesOn>();
        builder.Services.AddScoped<SchoolHolidayStore>();
        builder.Services.AddScoped<YearlyDeclarations>();
        builder.Services.AddScoped<DeclareWait>();
        builder.Services.AddScoped<ImportEspaces>();
        builder.Services.AddScoped<ImportEspacesCsv>();
        builder.Services.Configure<UpkeepOptions>(builder.Configuration.GetSection("Upkeep"));
        builder.Services.AddSingleton<UpkeepSignal>();
        builder.Services.Configure<ReminderOptions>(builder.Configuration.GetSection("Reminders"));
        builder.Services.AddSingleton<UpkeepReminders>();
        builder.Services.AddSingleton<CredentialWarnings>();
        builder.Services.AddSingleton<UpkeepSweep>();
        builder.Services.AddHostedService(services => services.GetRequiredService<UpkeepSweep>());
        builder.Services.AddSingleton<ListUpkeepItems>();
        builder.Services.AddScoped<ListReference>();
        builder.Services.Configure<EscalationOptions>(builder.Configuration.GetSection("Escalation"));
        builder.Services.AddScoped<ListContacts>();
        builder.Services.AddScoped<ReplaceContacts>();
        builder.Services.AddSingleton<IOrganisations, KnownOrganisations>();
        builder.Services.AddScoped<Members.Members>();
        builder.Services.AddScoped<Delegations>();
        builder.Services.AddScoped<Credentials>();
        builder.Services.AddScoped<Territories>();
        builder.Services.AddSingleton<ListOrganisations>();
        builder.Services.AddScoped<ImportDistancier>();
        builder.Services.AddSingleton<GetObservedWaits>();
        builder.Services.AddScoped<HoldPlace>();
        builder.Services.AddSingleton<ExpiredHolds>();
        builder.Services.AddSingleton<CoverageSource>();
        builder.Services.AddSingleton<GetCoverage>();
        builder.Services.AddSingleton<IStateRepublisher<DirectoryDbContext>, RepublishDirectory>();
        builder.Services.AddHostedService<SnapshotWarmUp>();
        var app = builder.Build();
        app.MapJaferService<DirectoryDbContext>();
        app.MapGrpcService<DirectoryGrpcService>();
        app.MapGrpcService<OrganisationGrpcService>();
        app.MapGrpcService<MemberGrpcService>();
        app.MapGrpcService<DelegationGrpcService>();
        app.MapGrpcService<CredentialGrpcService>();
        app.MapGrpcService<TerritoryGrpcService>();
        app.MapGrpcService<WaitGrpcService>();
        app.MapGrpcService<PlaceGrpcService>();
        return app;
    }

    /// <summary>Brings the directory's database up to date, reference data included.</summary>
    /// <param name="app">The directory, not started.</param>
    public static Task MigrateDirectoryAsync(this WebApplication app) => app.MigrateAsync<DirectoryDbContext>(LoadReferenceDataAsync);

    /// <summary>Runs the directory, or with --migrate brings its database up to date and ends.</summary>
    /// <param name="app">The directory.</param>
    /// <param name="args">Arguments of the process.</param>
    public static Task RunDirectoryAsync(this WebApplication app, string[] args) =>
        app.RunJaferAsync<DirectoryDbContext>(args, LoadReferenceDataAsync);

    private static async Task LoadReferenceDataAsync(IServiceProvider services, CancellationToken ct)
    {
        if (!await ReferenceData.IsLoadedAsync(services.GetRequiredService<NpgsqlDataSource>(), ct))
            await ReferenceData.LoadAsync(services.GetRequiredService<DirectoryDbContext>(), services.GetRequiredService<TimeProvider>(), ct);
    }
}
