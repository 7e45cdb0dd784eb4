using Grpc.AspNetCore.Server;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Grpc.Health;
using Jafer.ServiceDefaults.Grpc.Reflection;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Limits;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Operations;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Secrets;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Jafer.ServiceDefaults;

/// <summary>
/// What every service of Jafer is made of: store, outbox and inbox, access, errors, health, telemetry, migrations. A service
/// adds its gRPC classes, its context and its event handler.
/// </summary>
public static class JaferService
{
    /// <summary>
    /// A builder with what a service uses: configuration, console log, Kestrel with HTTP/1.1 and HTTP/2. IIS, QUIC and what else a
    /// web application may need are not loaded.
    /// </summary>
    /// <param name="args">Arguments of the process.</param>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        // Certificates named in Kestrel:Endpoints, for whoever does not end TLS at a balancer.
        builder.WebHost.UseKestrelHttpsConfiguration();
        return builder;
    }

    /// <summary>Adds the common parts.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">Name of the service: also of its database connection string and its queue.</param>
    /// <param name="subscriptions">Types of the events that the service handles; none for a service that only publishes.</param>
    public static void AddJaferService<TContext>(this WebApplicationBuilder builder, string name, params IReadOnlyCollection<Type> subscriptions)
        where TContext : JaferDbContext
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddJaferTelemetry(name);
        builder.AddJaferAuthentication(name);
        builder.AddJaferTransport();
        builder.Services.AddSingleton(AccessTable.BuiltIn);
        builder.Services.AddSingleton<PageTokens>();
        builder.Services.AddSingleton<AccessInterceptor>();
        builder.AddJaferJournal();
        builder.Services.AddSingleton<ErrorInterceptor>();
        builder.Services.AddSingleton<ServedFiles>();
        builder.Services.AddSingleton<ServingState>();
        builder.Services.AddGrpc(options =>
        {
            options.Interceptors.Add<ErrorInterceptor>();
            options.Interceptors.Add<JournalInterceptor>();
            options.Interceptors.Add<AccessInterceptor>();
            options.EnableDetailedErrors = false;
        });
        builder.AddJaferLimits();

        // Read late: tests and the AppHost may still add configuration.
        builder.Services.AddSingleton(services => DatabaseRoles.Connect(services.GetRequiredService<IConfiguration>(), name, DatabaseRoles.Work));
        builder.Services.AddKeyedSingleton(
            DatabaseRoles.Calls, (services, _) => DatabaseRoles.Connect(services.GetRequiredService<IConfiguration>(), name, DatabaseRoles.Calls));
        builder.Services.AddSingleton(services => KeyRing.Install(KeyRing.Read(services.GetRequiredService<IConfiguration>(), services.GetRequiredService<IHostEnvironment>())));
        builder.Services.AddSingleton(new ServiceName(name));
        builder.Services.AddSingleton<TenantStore>();
        builder.Services.TryAddSingleton<CommitListener>();
        builder.Services.AddScoped<StoreScope>();
        builder.Services.AddPooledDbContextFactory<TContext>((services, options) => UseKeys(services, options)
            .UseNpgsql(services.GetRequiredService<NpgsqlDataSource>())
            .AddInterceptors(new TenantInterceptor(), new CommitInterceptor(services.GetRequiredService<CommitListener>()))
            // Migrations are SQL files without a snapshot; a test compares the model with the real schema instead.
            .ConfigureWarnings(w => w.Ignore(RelationalEventId.PendingModelChangesWarning))
            .EnableSensitiveDataLogging(false));
        builder.Services.AddScoped(services =>
        {
            var db = services.GetRequiredService<IDbContextFactory<TContext>>().CreateDbContext();
            db.Serve(Tenant.Of(services.GetRequiredService<StoreScope>().Caller), services.GetRequiredService<TenantStore>(), services.GetRequiredService<CommitListener>());
            return db;
        });
        builder.Services.AddSingleton<SealingWork<TContext>>();
        builder.Services.AddHostedService(services => services.GetRequiredService<SealingWork<TContext>>());
        builder.Services.AddHostedService<KeyPassCensus>();
        builder.Services.AddScoped<Commands<TContext>>();
        builder.AddJaferMessaging<TContext>(name, subscriptions);
        builder.Services.AddHealthChecks()
            .AddCheck<StoreHealthCheck>("store", timeout: TimeSpan.FromSeconds(3))
            .AddCheck<OutboxHealthCheck>("outbox", HealthStatus.Degraded, timeout: TimeSpan.FromSeconds(3));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(15));

        // EF logs the text of failed commands and MassTransit whole messages: codes and types are enough here.
        builder.Logging.AddFilter("Microsoft.EntityFrameworkCore", LogLevel.Critical);
        builder.Logging.AddFilter("Npgsql", LogLevel.Error);
        builder.Logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.Critical);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);
    }

    /// <summary>Maps the common endpoints.</summary>
    /// <param name="app">The application.</param>
    public static void MapJaferService<TContext>(this WebApplication app)
        where TContext : JaferDbContext
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseQuietProbes();
        app.UseForwardedAddresses();
        app.UseCallLimits();
        app.UseMalformedRequests();
        app.MapGrpcService<OperationsGrpcService<TContext>>();
        app.MapGrpcService<HealthGrpcService>();
        app.MapGrpcService<ReflectionGrpcService>();
        app.MapGrpcService<ReflectionAlphaGrpcService>();
        app.MapHealthChecks("/health");
        app.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = _ => false });
    }

    /// <summary>
    /// True when all that the process was started for is done without building a service: --vacuum, which needs nothing but the database,
    /// and --migrate of one that is already up to date, since building costs far more than the question.
    /// </summary>
    /// <param name="args">Arguments of the process.</param>
    /// <param name="name">Name of the service.</param>
    /// <param name="isLoaded">Whether the reference data are loaded, asked of a database with the service's tables; null for none.</param>
    public static async Task<bool> IsDoneAsync<TContext>(string[] args, string name, Func<NpgsqlDataSource, CancellationToken, Task<bool>>? isLoaded = null)
        where TContext : JaferDbContext
    {
        // Where the engine puts addresses; one that stands elsewhere is found by the service itself.
        var connection = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine([.. args.Where(a => a is not ("--migrate" or "--vacuum"))]).Build()
            .GetConnectionString(name);
        if (args.Contains("--vacuum"))
        {
            Environment.ExitCode = await Vacuum.RunAsync(name, connection, Console.Out, Console.Error, CancellationToken.None);
            return true;
        }

        if (!args.Contains("--migrate") || connection is null)
        {
            return false;
        }

        // What a slim one leaves out of the ways to connect: a database may want TLS, or Kerberos.
        await using var source = new NpgsqlSlimDataSourceBuilder(connection).EnableTransportSecurity().EnableIntegratedSecurity().Build();
        return await SchemaVersion.IsCurrentAsync(source, typeof(TContext).Assembly)
            && (isLoaded is null || await isLoaded(source, CancellationToken.None));
    }

    /// <summary>
    /// Runs the service; with the argument --migrate brings its database up to date and ends. Refuses to start when an rpc has no row
    /// in the access table or the personal table, with issuers that are configured wrongly, and outside Development in clear text.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <param name="args">Arguments of the process.</param>
    /// <param name="loadReferenceData">Work after the migrations, such as loading reference data; null for none.</param>
    public static async Task RunJaferAsync<TContext>(
        this WebApplication app, string[] args, Func<IServiceProvider, CancellationToken, Task>? loadReferenceData = null)
        where TContext : JaferDbContext
    {
        ArgumentNullException.ThrowIfNull(app);
        if (args.Contains("--migrate"))
        {
            await app.MigrateAsync<TContext>(loadReferenceData);
            return;
        }

        app.RequireAccessRows();
        app.RequireSafeTransport();

        // What is configured wrongly of identity must be seen now, not at the first call.
        _ = app.Services.GetRequiredService<ServiceAudience>();
        _ = app.Services.GetRequiredService<Memberships>();

        // Nor may the service start when what it stores could not be sealed or opened.
        _ = app.Services.GetRequiredService<KeyRing>();

        // A wrong key must be seen now, not when the first list is turned over.
        _ = app.Services.GetRequiredService<PageTokens>();
        await app.RunAsync();
    }

    /// <summary>Brings the database up to date.</summary>
    /// <param name="app">The application, not started.</param>
    /// <param name="loadReferenceData">Work after the migrations; null for none.</param>
    public static async Task MigrateAsync<TContext>(this WebApplication app, Func<IServiceProvider, CancellationToken, Task>? loadReferenceData = null)
        where TContext : JaferDbContext
    {
        ArgumentNullException.ThrowIfNull(app);
        await using var scope = app.Services.CreateAsyncScope();
        var stopping = app.Lifetime.ApplicationStopping;
        var connection = DatabaseRoles.ConnectionString(app.Configuration, scope.ServiceProvider.GetRequiredService<ServiceName>().Value);
        await using (var owner = new NpgsqlDataSourceBuilder(connection).Build())
        await using (var db = ActivatorUtilities.CreateInstance<TContext>(scope.ServiceProvider, new DbContextOptionsBuilder<TContext>()
            .UseNpgsql(owner)
            .ConfigureWarnings(w => w.Ignore(RelationalEventId.PendingModelChangesWarning))
            .Options))
        {
            await db.Database.MigrateAsync(stopping);
        }

        if (loadReferenceData is not null)
        {
            await loadReferenceData(scope.ServiceProvider, stopping);
        }
    }

    /// <summary>No context without the keys that its columns are sealed with.</summary>
    private static DbContextOptionsBuilder UseKeys(IServiceProvider services, DbContextOptionsBuilder options)
    {
        _ = services.GetRequiredService<KeyRing>();
        return options;
    }

    /// <summary>Fails when an rpc that is served has no row in the access table or the personal table, or a row of a service that is served no rpc.</summary>
    /// <param name="app">The application with its endpoints mapped.</param>
    public static void RequireAccessRows(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var table = app.Services.GetRequiredService<AccessTable>();
        var personal = app.Services.GetRequiredService<PersonalTable>();
        var served = ((IEndpointRouteBuilder)app).DataSources.SelectMany(s => s.Endpoints)
            .Select(e => e.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method)
            .Where(m => m is not null && !AccessInterceptor.OpenServices.Contains(m.ServiceName))
            .ToDictionary(m => m!.FullName, m => m!.ServiceName);
        Require(table.Declares, "access");
        Require(personal.Declares, "personal");
        var idle = table.Rpcs.Where(rpc => !served.ContainsKey(rpc) && served.ContainsValue(rpc[1..rpc.LastIndexOf('/')])).ToList();
        if (idle.Count > 0)
        {
            throw new InvalidOperationException("rows of the access table without an rpc: " + string.Join(", ", idle));
        }

        void Require(Func<string, bool> declares, string name)
        {
            if (served.Keys.Where(rpc => !declares(rpc)).ToList() is { Count: > 0 } missing)
            {
                throw new InvalidOperationException($"without a row in the {name} table: " + string.Join(", ", missing));
            }
        }
    }
}

/// <summary>Name of the service, which is that of its connection string.</summary>
/// <param name="Value">The name.</param>
internal sealed record ServiceName(string Value);
