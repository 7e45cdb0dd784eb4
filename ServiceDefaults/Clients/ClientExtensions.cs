using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Clients;

#pragma warning disable RS0030 // Where the answers of other services are read.

/// <summary>Calls from one of Jafer's services to another.</summary>
public static class ClientExtensions
{
    /// <summary>
    /// Adds the client of another service, to be injected as <typeparamref name="TClient"/>. Address: services:NAME:grpc:0 of
    /// the configuration; its audience, where it is not NAME: services:NAME:audience. Calls go under this service's own identity, end after 5 seconds or with the call being answered,
    /// whichever is earlier, are tried three times while the other is UNAVAILABLE, and belong to the same trace. Without an
    /// address they are UNAVAILABLE.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="name">Name of the other service, such as "directory".</param>
    public static void AddJaferClient<TClient>(this IServiceCollection services, string name)
        where TClient : ClientBase
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddHttpContextAccessor();
        services.TryAddSingleton(provider => new ServiceIdentity(
            new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) }) { Timeout = Timeout.InfiniteTimeSpan },
            provider.GetRequiredService<IConfiguration>(),
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ClientInterceptor>();
        services.AddGrpcClient<TClient>($"{name}/{typeof(TClient).FullName}", (provider, options) =>
            {
                var configuration = provider.GetRequiredService<IConfiguration>();
                var address = configuration[$"services:{name}:grpc:0"];
                if (address is null)
                {
                    // Only the calls that need the other service fail, not everything that could call it.
                    provider.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ClientExtensions)).LogWarning(
                        "services:{Service}:grpc:0 is not configured: calls to it have no answer", name);
                }

                options.Address = new Uri(address ?? $"http://{name}.invalid");
                options.ChannelOptionsActions.Add(channel =>
                {
                    channel.Credentials = Credentials(address is null ? null : provider.GetRequiredService<ServiceIdentity>(), configuration[$"services:{name}:audience"] ?? name, options.Address);
                    channel.UnsafeUseInsecureChannelCallCredentials = true;
                    channel.ServiceConfig = new ServiceConfig { MethodConfigs = { Retries() } };
                });
            })
            .ConfigurePrimaryHttpMessageHandler(provider => new SocketsHttpHandler
            {
                SslOptions = Transport.ClientOptions(provider.GetRequiredService<IConfiguration>()),
                ConnectTimeout = TimeSpan.FromSeconds(2),
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = TimeSpan.FromSeconds(30),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
                PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
                // Replicas come and go behind one address.
                PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            })
            .AddInterceptor(provider => provider.GetRequiredService<ClientInterceptor>())
            .EnableCallContextPropagation(options => options.SuppressContextNotFoundErrors = true);
    }

    /// <summary>
    /// The answer of another service, or null when it has none for the moment: away, too slow, overloaded, gone in the middle, or
    /// our identity not accepted. For callers with a stated fallback. A refusal of the request itself is an answer, and thrown.
    /// </summary>
    /// <param name="call">The call.</param>
    /// <param name="ct">The token that the call was given: tells a call that we gave up from one that the other side broke off.</param>
    /// <exception cref="RpcException">The other service refused the request.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled from this side.</exception>
    public static async Task<TResponse?> OrNoAnswerAsync<TResponse>(this AsyncUnaryCall<TResponse> call, CancellationToken ct)
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(call);
        using (call)
        {
            try
            {
                return await call.ResponseAsync;
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.Cancelled && ct.IsCancellationRequested)
            {
                throw new OperationCanceledException("the call was cancelled", e, ct);
            }
            catch (RpcException e) when (IsNoAnswer(e))
            {
                JaferMetrics.NoAnswers.Add(1, new KeyValuePair<string, object?>("rpc.grpc.status_code", e.StatusCode.ToString()));
                return null;
            }
        }
    }

    /// <summary>Whether an exception means that the other service has no answer for the moment, rather than a refusal.</summary>
    /// <param name="exception">What a call threw.</param>
    public static bool IsNoAnswer(RpcException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted
            or StatusCode.Internal or StatusCode.Unknown or StatusCode.Unimplemented or StatusCode.Unauthenticated
            // Not by us, as far as this exception tells: a proxy or a dying process resets streams so.
            or StatusCode.Cancelled;
    }

    private static ChannelCredentials Credentials(ServiceIdentity? identity, string audience, Uri address) => ChannelCredentials.Create(
        address.Scheme == Uri.UriSchemeHttps ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
        CallCredentials.FromInterceptor(async (context, metadata) =>
        {
            if (identity is null)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "the address of the service is not configured"));
            }

            try
            {
                metadata.Add("authorization", "Bearer " + await identity.TokenAsync(audience, context.CancellationToken));
            }
            catch (IdentityUnavailableException e)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, e.Message));
            }
        }));

    private static MethodConfig Retries() => new()
    {
        Names = { MethodName.Default },
        // Each wait is varied by the library.
        RetryPolicy = new RetryPolicy
        {
            MaxAttempts = 3,
            InitialBackoff = TimeSpan.FromMilliseconds(100),
            MaxBackoff = TimeSpan.FromSeconds(1),
            BackoffMultiplier = 3,
            RetryableStatusCodes = { StatusCode.Unavailable },
        },
    };
}
