using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using RabbitMQ.Client;

namespace Jafer.AppHost;

/// <summary>
/// PostgreSQL and RabbitMQ. In this order: external servers named by ConnectionStrings:postgres and ConnectionStrings:rabbitmq,
/// containers where the engine and a healthy container runtime allow, else programs of this machine.
/// </summary>
internal sealed class Servers(IDistributedApplicationBuilder builder, Place place)
{
    private readonly List<string> _databases = [];
    private IResourceBuilder<IResource>? _postgres;
    private Func<string, IResourceBuilder<IResourceWithConnectionString>> _database = _ => throw new InvalidOperationException("no PostgreSQL yet");

    public void AddPostgres()
    {
        if (builder.Configuration.GetConnectionString("postgres") is { } external)
        {
            builder.OnBeforeStart((_, ct) => CreateDatabasesAsync(external, ct));
            _database = name => builder.AddConnectionString($"{name}-db",
                ReferenceExpression.Create($"{new NpgsqlConnectionStringBuilder(external) { Database = name }.ConnectionString}"));
            return;
        }
        if (Containers.AddPostgres(builder, place) is { } container)
        {
            (_postgres, _database) = (container.Server, container.Database);
            return;
        }
        RequirePrograms("postgres");
        var password = builder.AddParameter("postgres-password", place.Secret("postgres"), secret: true);
        var port = place.Port(3) ?? Place.FreePort();
        var postgres = builder.AddExecutable("postgres", "bash", ".", "scripts/postgres.sh")
            .WithEnvironment("JAFER_DATA", place.Data)
            .WithEndpoint(port: port, targetPort: port, scheme: "tcp", name: "tcp", env: "PGPORT", isProxied: false)
            .WithIconName("DatabaseMultiple");
        var address = postgres.GetEndpoint("tcp");
        var server = ReferenceExpression.Create(
            $"Host={address.Property(EndpointProperty.Host)};Port={address.Property(EndpointProperty.Port)};Username=postgres;Password={password}");
        builder.Services.AddHealthChecks().AddAsyncCheck("postgres_check", ct => CheckPostgresAsync(server, ct));
        postgres.WithHealthCheck("postgres_check")
            .OnResourceReady(async (_, _, ct) => await CreateDatabasesAsync((await server.GetValueAsync(ct))!, ct));
        _postgres = postgres;
        _database = name => builder.AddConnectionString($"{name}-db", ReferenceExpression.Create($"{server};Database={name}"))
            .WithParentRelationship(postgres);
    }

    public void AddRabbitMq()
    {
        if (builder.Configuration.GetConnectionString("rabbitmq") is not null)
        {
            RabbitMq = builder.AddConnectionString("rabbitmq");
            return;
        }
        if (Containers.AddRabbitMq(builder, place) is { } container)
        {
            (RabbitMqServer, RabbitMq) = (container.Server, container.Broker);
            return;
        }
        RequirePrograms("rabbitmq");
        var password = builder.AddParameter("rabbitmq-password", place.Secret("rabbitmq"), secret: true);
        // No proxy of the engine before a server: it takes connections while there is nothing behind it, and who connected then waits
        // in vain. Erlang may also ask its port mapper over IPv6, which the proxy does not serve.
        var port = place.Port(4) ?? Place.FreePort();
        var epmdPort = place.Port(8) ?? Place.FreePort();
        var epmd = builder.AddExecutable("rabbitmq-epmd", "bash", ".", "scripts/rabbitmq.sh", "epmd")
            .WithEndpoint(port: epmdPort, targetPort: epmdPort, scheme: "tcp", name: "tcp", env: "ERL_EPMD_PORT", isProxied: false);
        var rabbit = builder.AddExecutable("rabbitmq", "bash", ".", "scripts/rabbitmq.sh", "broker")
            .WithEnvironment("JAFER_DATA", place.Data)
            .WithEnvironment("ERL_EPMD_PORT", $"{epmd.GetEndpoint("tcp").Property(EndpointProperty.Port)}")
            .WithEndpoint(port: port, targetPort: port, scheme: "amqp", name: "amqp", env: "RABBITMQ_NODE_PORT", isProxied: false)
            .WithEndpoint(scheme: "tcp", name: "dist", env: "RABBITMQ_DIST_PORT")
            .WaitForStart(epmd)
            .WithUrlForEndpoint("dist", u => u.DisplayLocation = UrlDisplayLocation.DetailsOnly)
            .WithIconName("MailMultiple");
        epmd.WithParentRelationship(rabbit);
        var address = rabbit.GetEndpoint("amqp");
        var broker = ReferenceExpression.Create($"amqp://jafer:{password}@{address.Property(EndpointProperty.HostAndPort)}");
        builder.Services.AddHealthChecks().AddAsyncCheck("rabbitmq_check", ct => CheckRabbitMqAsync(broker, ct));
        rabbit.WithHealthCheck("rabbitmq_check");
        RabbitMqServer = rabbit;
        RabbitMq = builder.AddConnectionString("rabbitmq-broker", broker).WithParentRelationship(rabbit);
    }

    private IResourceBuilder<IResourceWithConnectionString>? RabbitMq { get; set; }
    private IResourceBuilder<IResource>? RabbitMqServer { get; set; }

    /// <summary>A database of that name, created before anything that waits for it starts.</summary>
    public IResourceBuilder<IResourceWithConnectionString> AddDatabase(string name)
    {
        _databases.Add(name);
        return _database(name);
    }

    /// <summary>Gives a program its database, which it waits for, and the broker, which it need not find ready.</summary>
    public IResourceBuilder<ProjectResource> Connect(IResourceBuilder<ProjectResource> program, string name,
        IResourceBuilder<IResourceWithConnectionString> database, bool broker = true)
    {
        program.WithReference(database, name).WithReference(RabbitMq!, "rabbitmq");
        if (_postgres is not null)
            program.WaitFor(_postgres);
        // A service starts while the broker still does, and is healthy once it has reached it.
        if (broker && RabbitMqServer is not null)
            program.WaitForStart(RabbitMqServer);
        return program;
    }

    /// <summary>The scripts that start this machine's programs are for Unix.</summary>
    private static void RequirePrograms(string server)
    {
        if (OperatingSystem.IsWindows())
            throw new RefusedException($"On Windows {server} runs in a container, and no container runtime answers: start Docker (or name another by ASPIRE_CONTAINER_RUNTIME), or name a server of your own by ConnectionStrings__{server}.");
    }

    private async Task CreateDatabasesAsync(string server, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server) { Pooling = false });
        await using var connection = await source.OpenConnectionAsync(ct);
        foreach (var name in _databases)
        {
            await using var known = new NpgsqlCommand("select 1 from pg_database where datname = $1", connection) { Parameters = { new() { Value = name } } };
            if (await known.ExecuteScalarAsync(ct) is not null)
                continue;
            // Names are our own constants; an identifier cannot be a parameter.
            await using var create = new NpgsqlCommand($"create database \"{name}\"", connection);
            await create.ExecuteNonQueryAsync(ct);
        }
    }

    private static async Task<HealthCheckResult> CheckPostgresAsync(ReferenceExpression server, CancellationToken ct)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(await server.GetValueAsync(ct)) { Pooling = false, Timeout = 3 };
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync(ct);
            await using var command = new NpgsqlCommand("select 1", connection);
            await command.ExecuteScalarAsync(ct);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy(e.Message);
        }
    }

    private static async Task<HealthCheckResult> CheckRabbitMqAsync(ReferenceExpression broker, CancellationToken ct)
    {
        try
        {
            var factory = new ConnectionFactory { Uri = new Uri((await broker.GetValueAsync(ct))!), RequestedConnectionTimeout = TimeSpan.FromSeconds(3) };
            await using var connection = await factory.CreateConnectionAsync(ct);
            return HealthCheckResult.Healthy();
        }
        catch (Exception e) when (e is RabbitMQ.Client.Exceptions.BrokerUnreachableException or IOException)
        {
            return HealthCheckResult.Unhealthy(e.InnerException?.Message ?? e.Message);
        }
    }
}
