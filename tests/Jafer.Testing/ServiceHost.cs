using Grpc.Core;
using Grpc.Net.Client;
using Jafer.ServiceDefaults.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Testing;

/// <summary>A service of Jafer that runs in the test's process on real ports: Kestrel, HTTP/2, its own database and queue.</summary>
public sealed class ServiceHost : IAsyncDisposable
{
    private readonly List<GrpcChannel> _channels = [];

    // Of all channels: a service takes a thousand connections of one address, and each channel would open two and keep them for minutes.
    private readonly HttpClient _connections = new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true }) { Timeout = Timeout.InfiniteTimeSpan };

    private ServiceHost(WebApplication app, Uri grpc, Uri health)
    {
        App = app;
        Grpc = grpc;
        Health = health;
    }

    /// <summary>The running application.</summary>
    public WebApplication App { get; }

    /// <summary>Address of the gRPC port.</summary>
    public Uri Grpc { get; }

    /// <summary>Address of the HTTP/1.1 port of /health and /alive.</summary>
    public Uri Health { get; }

    /// <summary>The configuration that a service needs in a test.</summary>
    /// <param name="service">Name of the service.</param>
    /// <param name="connectionString">Its database.</param>
    /// <param name="brokerPrefix">Keeps the test's exchanges and queues apart; services that belong together share it.</param>
    /// <param name="more">Further settings.</param>
    public static Dictionary<string, string?> Settings(
        string service, string connectionString, string brokerPrefix, IReadOnlyDictionary<string, string?>? more = null)
    {
        var settings = new Dictionary<string, string?>
        {
            [$"ConnectionStrings:{service}"] = connectionString,
            ["ConnectionStrings:rabbitmq"] = Servers.RabbitMq,
            ["Broker:Prefix"] = brokerPrefix + ".",
            ["Identity:Authority"] = TestIssuer.Issuer,
            ["Identity:KeysFile"] = TestIssuer.Shared.KeysFile,
            // Most tests have no directory beside the service: those of members set it.
            ["Identity:Members"] = "none",
            ["PageTokens:Key"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            ["Index:Key"] = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
            ["Secrets:Keys:0:Id"] = TestKeys.Id,
            ["Secrets:Keys:0:Key"] = TestKeys.Key,
            ["Tls:AllowClearText"] = "true",
            ["Kestrel:Endpoints:grpc:Url"] = "http://127.0.0.1:0",
            ["Kestrel:Endpoints:grpc:Protocols"] = "Http2",
            ["Kestrel:Endpoints:health:Url"] = "http://127.0.0.1:0",
            ["Kestrel:Endpoints:health:Protocols"] = "Http1",
            ["Logging:LogLevel:Default"] = "Warning",
            // Tests move clocks by years; what would be erased then is the affair of those that ask for it.
            ["Retention:Nightly"] = "false",
            ["Retention:OverdueAfter"] = "100000.00:00:00",
        };
        foreach (var (role, i) in AccessTable.BuiltIn.Roles.Select((r, i) => (r, i)))
        {
            settings[$"Identity:Roles:{i}"] = role;
        }

        foreach (var (key, value) in more ?? new Dictionary<string, string?>())
        {
            settings[key] = value;
        }

        return settings;
    }

    /// <summary>A prefix that no other test uses.</summary>
    public static string UniquePrefix() => "t" + Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString("N")[^12..];

    /// <summary>Starts a service.</summary>
    /// <param name="build">The service's own builder, given what to add before it is built.</param>
    /// <param name="settings">See <see cref="Settings"/>.</param>
    /// <param name="configure">What the test changes further, such as the clock.</param>
    public static async Task<ServiceHost> StartAsync(
        Func<Action<WebApplicationBuilder>, WebApplication> build, IReadOnlyDictionary<string, string?> settings, Action<WebApplicationBuilder>? configure = null)
    {
        var app = build(builder =>
        {
            builder.Configuration.AddInMemoryCollection(settings);
            configure?.Invoke(builder);
        });
        await app.StartAsync();

        // Kestrel lists its addresses in the order of the endpoints' names: grpc, health.
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        return new ServiceHost(app, new Uri(addresses[0]), new Uri(addresses[1]));
    }

    /// <summary>A channel whose calls carry a token; without one when it is null.</summary>
    /// <param name="token">Token.</param>
    public GrpcChannel Channel(string? token)
    {
        var options = new GrpcChannelOptions { HttpClient = _connections };
        if (token is not null)
        {
            options.UnsafeUseInsecureChannelCallCredentials = true;
            options.Credentials = ChannelCredentials.Create(ChannelCredentials.Insecure, CallCredentials.FromInterceptor((_, metadata) =>
            {
                metadata.Add("authorization", "Bearer " + token);
                return Task.CompletedTask;
            }));
        }

        var channel = GrpcChannel.ForAddress(Grpc, options);
        lock (_channels)
        {
            _channels.Add(channel);
        }

        return channel;
    }

    /// <summary>A channel of a caller of the test's issuer.</summary>
    /// <param name="role">Role.</param>
    /// <param name="organisation">Organisation.</param>
    public GrpcChannel Channel(string role, Guid organisation) => Channel(Token(role, organisation));

    /// <summary>A token of the test's issuer for this service: for one of Jafer's services it says for which.</summary>
    /// <param name="role">Role.</param>
    /// <param name="organisation">Organisation.</param>
    public string Token(string role, Guid organisation) =>
        TestIssuer.Shared.Token(role, organisation, audience: role == Roles.Systeme ? App.Services.GetRequiredService<ServiceAudience>().Value : "jafer");

    /// <summary>Waits until /health answers 200: store, broker and queue are there.</summary>
    public async Task ReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Health };
        await Eventually.BecomesAsync(
            async () =>
            {
                using var response = await http.GetAsync(new Uri("/health", UriKind.Relative));
                return response.StatusCode;
            },
            status => status == System.Net.HttpStatusCode.OK,
            "a healthy service");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            channel.Dispose();
        }

        _connections.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
    }
}
