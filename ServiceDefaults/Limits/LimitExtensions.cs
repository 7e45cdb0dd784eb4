using System.Net;
using Grpc.AspNetCore.Server;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Jafer.ServiceDefaults.Limits;

/// <summary>What keeps one client from taking a service from the others. Configuration: <see cref="LimitOptions"/>.</summary>
internal static class LimitExtensions
{
    public static void AddJaferLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<LimitOptions>().BindConfiguration("Limits");
        builder.Services.TryAddSingleton(CallWeights.BuiltIn);
        builder.Services.AddSingleton<CallLimits>();
        builder.Services.AddOptions<GrpcServiceOptions>().Configure<IOptions<LimitOptions>>((grpc, limits) =>
        {
            grpc.MaxReceiveMessageSize = limits.Value.MessageBytes;
            for (var i = 0; i < grpc.CompressionProviders.Count; i++)
            {
                grpc.CompressionProviders[i] = new BoundedCompression(grpc.CompressionProviders[i], limits.Value.MessageBytes);
            }
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Beyond them: cancelled streams end the connection by a limit of Kestrel's own.
            var limits = kestrel.ApplicationServices.GetRequiredService<IOptions<LimitOptions>>().Value;
            kestrel.Limits.MaxConcurrentConnections = limits.Connections;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            // Who sends a message, or takes an answer, more slowly than this is cut off; a stream in which nothing waits is not.
            kestrel.Limits.MinRequestBodyDataRate = kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(5));
            kestrel.Limits.Http2.MaxStreamsPerConnection = 100;
            kestrel.Limits.Http2.MaxRequestHeaderFieldSize = 16 * 1024;
            // A client that is gone without a word gives back its streams.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromMinutes(1);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(30);
            var counted = new Places<(IPAddress, int Port)>();
            var proxies = limits.Proxies.Select(n => System.Net.IPNetwork.Parse(n)).ToList();
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection => CountAsync(connection, next, counted, proxies, limits.AddressConnections)));
        });
    }

    /// <summary>Believes X-Forwarded-For of the balancers that are configured, and of nobody else.</summary>
    public static void UseForwardedAddresses(this WebApplication app)
    {
        var proxies = app.Services.GetRequiredService<IOptions<LimitOptions>>().Value.Proxies;
        if (proxies.Count == 0)
        {
            return;
        }

        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var network in proxies)
        {
            options.KnownIPNetworks.Add(System.Net.IPNetwork.Parse(network));
        }

        app.UseForwardedHeaders(options);
    }

    /// <summary>Lets calls in or refuses them.</summary>
    public static void UseCallLimits(this WebApplication app)
    {
        // Read late: what is configured wrongly is told at the start, not while the application is built.
        var limits = new Lazy<CallLimits>(app.Services.GetRequiredService<CallLimits>);
        app.Use(next => http => limits.Value.RunAsync(http, next));
    }

    private static async Task CountAsync(
        ConnectionContext connection, ConnectionDelegate next, Places<(IPAddress, int Port)> counted, List<System.Net.IPNetwork> proxies, int most)
    {
        if (connection.RemoteEndPoint is not IPEndPoint { Address: var address } || proxies.Any(p => p.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address)))
        {
            await next(connection);
            return;
        }

        var key = (CallLimits.Of(address), (connection.LocalEndPoint as IPEndPoint)?.Port ?? 0);
        if (!counted.TryEnter(key, most))
        {
            JaferMetrics.LimitsRefused.Add(1, new KeyValuePair<string, object?>("limit", "address_connections"));
            connection.Abort();
            return;
        }

        try
        {
            await next(connection);
        }
        finally
        {
            counted.Leave(key);
        }
    }
}
