using Grpc.Net.Client;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Messaging;
using Jafer.Testing;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Jafer.Benchmarks;

/// <summary>What benchmarks start.</summary>
internal static class Hosts
{
    /// <summary>Callers at a time.</summary>
    public const int Callers = 32;

    private const int CallersOfAConnection = 8;

    /// <summary>A personal table by which no read leaves a line: a floor writes its own, and the journal's cost is measured against none.</summary>
    public static PersonalTable WithoutReads { get; } = PersonalTable.Parse(["rpc,personal", .. PersonalTable.BuiltIn.Rpcs.Select(rpc => $"{rpc[1..]},no")]);

    /// <summary>
    /// Builds a floor: a server of the same kind as the service's own (Kestrel, interceptors, tokens, access table, pools), whose
    /// one rpc is written by hand.
    /// </summary>
    /// <param name="name">Name of the service.</param>
    /// <param name="configure">What the host adds.</param>
    public static WebApplication BuildFloor<TContext, TGrpcService>(string name, Action<WebApplicationBuilder> configure)
        where TContext : JaferDbContext
        where TGrpcService : class
    {
        var builder = WebApplication.CreateBuilder();
        configure(builder);
        builder.AddJaferService<TContext>(name);
        builder.Services.AddSingleton(WithoutReads);

        // The floor knows no tenants: it logs in as the owner, whom row security leaves alone.
        builder.Services.AddSingleton(_ =>
        {
            var source = new NpgsqlDataSourceBuilder(builder.Configuration.GetConnectionString(name));
            (source.ConnectionStringBuilder.MaxAutoPrepare, source.ConnectionStringBuilder.NoResetOnClose) = (100, true);
            return source.Build();
        });
        var app = builder.Build();
        app.MapJaferService<TContext>();
        app.MapGrpcService<TGrpcService>();
        return app;
    }

    /// <summary>Runs migrations on a database, as the service does with --migrate.</summary>
    /// <param name="name">Name of the service.</param>
    /// <param name="connectionString">The database.</param>
    /// <param name="build">Builds the service.</param>
    /// <param name="migrate">Migrates.</param>
    public static async Task MigrateAsync(
        string name, string connectionString, Func<Action<WebApplicationBuilder>, WebApplication> build, Func<WebApplication, Task> migrate)
    {
        await using var app = build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(name, connectionString, "migrate")));
        await migrate(app);
    }

    /// <summary>Clients of a server for all callers: eight share a connection.</summary>
    /// <param name="host">The server.</param>
    /// <param name="role">Role of the callers.</param>
    /// <param name="organisation">Their organisation.</param>
    /// <param name="client">Makes a client.</param>
    public static T[] Clients<T>(this ServiceHost host, string role, Guid organisation, Func<GrpcChannel, T> client)
    {
        var connections = Enumerable.Range(0, Callers / CallersOfAConnection).Select(_ => client(host.Channel(role, organisation))).ToArray();
        return [.. Enumerable.Range(0, Callers).Select(caller => connections[caller / CallersOfAConnection])];
    }

    /// <summary>Stops the relay: a benchmark of calls must not measure what happens after them.</summary>
    public static async Task StopRelayAsync(this ServiceHost host)
    {
        // Once the broker is there, the relay has begun: one stopped before its beginning counts as failed.
        using var limit = new CancellationTokenSource(Eventually.Limit);
        await host.App.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, limit.Token);
        await host.App.Services.GetServices<IHostedService>().OfType<OutboxRelay>().Single().StopAsync(limit.Token);
    }
}
