#if GENUINE_ASPIRE
using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Configuration;
#endif

namespace Jafer.AppHost;

/// <summary>
/// PostgreSQL and RabbitMQ as containers: only with the genuine engine, and only where a container runtime answers. The setting
/// Servers=processes asks for this machine's programs even so. Passwords and volumes belong to the data folder, as the data of
/// the programs do: the next run finds them, --reset and another place do not.
/// </summary>
internal static class Containers
{
    internal sealed record Postgres(IResourceBuilder<IResource> Server, Func<string, IResourceBuilder<IResourceWithConnectionString>> Database);

    internal sealed record RabbitMq(IResourceBuilder<IResource> Server, IResourceBuilder<IResourceWithConnectionString> Broker);

#if GENUINE_ASPIRE
    public static Postgres? AddPostgres(IDistributedApplicationBuilder builder, Place place)
    {
        if (!Available(builder.Configuration))
            return null;
        var password = builder.AddParameter("postgres-password", place.Secret("postgres"), secret: true);
        var server = builder.AddPostgres("postgres", password: password, port: place.Port(3)).WithDataVolume(place.Volume("postgres"));
        return new Postgres(server, name => server.AddDatabase($"{name}-db", name));
    }

    public static RabbitMq? AddRabbitMq(IDistributedApplicationBuilder builder, Place place)
    {
        if (!Available(builder.Configuration))
            return null;
        var password = builder.AddParameter("rabbitmq-password", place.Secret("rabbitmq"), secret: true);
        var server = builder.AddRabbitMQ("rabbitmq", password: password, port: place.Port(4)).WithDataVolume(place.Volume("rabbitmq"));
        return new RabbitMq(server, server);
    }

    private static bool Available(IConfiguration configuration)
    {
        if (configuration["Servers"] == "processes")
            return false;
        try
        {
            using var runtime = Process.Start(new ProcessStartInfo(configuration["ASPIRE_CONTAINER_RUNTIME"] ?? "docker", ["info"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
            return runtime is not null && runtime.WaitForExit(TimeSpan.FromSeconds(5)) && runtime.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // not installed
        }
    }
#else
    public static Postgres? AddPostgres(IDistributedApplicationBuilder builder, Place place) => null;

    public static RabbitMq? AddRabbitMq(IDistributedApplicationBuilder builder, Place place) => null;
#endif
}
