using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;

namespace Jafer.Cli;

/// <summary>Something that the person at the keyboard can mend; its text is all that they see.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>
/// The running system as the tool reaches it. Addresses come from the environment that the AppHost sets
/// (services__NAME__grpc__0, Identity__Authority), else from the endpoints file that ./jafer run writes.
/// </summary>
/// <param name="variable">Reads a variable of the environment.</param>
internal sealed class RunningSystem(Func<string, string?> variable) : IDisposable
{
    private const string DefaultClient = "operateur.national";

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly List<GrpcChannel> _channels = [];
    private JsonDocument? _endpoints;
    private string? _token;

    /// <summary>A channel to a service whose calls carry a caller's token, an operator's unless said otherwise, and are tried again while it is unavailable.</summary>
    /// <param name="service">Name of the service, such as "directory".</param>
    /// <param name="ct">Cancellation.</param>
    /// <param name="client">Who calls where the environment names nobody (JAFER_TOKEN, JAFER_CLIENT_ID); one for all channels.</param>
    public async Task<GrpcChannel> ConnectAsync(string service, CancellationToken ct, string client = DefaultClient)
    {
        var address = AddressOf(service);
        var token = _token ??= await CallerTokenAsync(client, ct);
        var channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions
        {
            UnsafeUseInsecureChannelCallCredentials = true,
            Credentials = ChannelCredentials.Create(
                address.StartsWith("https:", StringComparison.Ordinal) ? ChannelCredentials.SecureSsl : ChannelCredentials.Insecure,
                CallCredentials.FromInterceptor((_, metadata) =>
                {
                    metadata.Add("authorization", "Bearer " + token);
                    return Task.CompletedTask;
                })),
            // The request id makes a repeated call harmless.
            ServiceConfig = new ServiceConfig
            {
                MethodConfigs =
                {
                    new MethodConfig
                    {
                        Names = { MethodName.Default },
                        RetryPolicy = new RetryPolicy
                        {
                            MaxAttempts = 5,
                            InitialBackoff = TimeSpan.FromMilliseconds(200),
                            MaxBackoff = TimeSpan.FromSeconds(3),
                            BackoffMultiplier = 2,
                            RetryableStatusCodes = { StatusCode.Unavailable },
                        },
                    },
                },
            },
        });
        _channels.Add(channel);
        return channel;
    }

    /// <summary>Address of the gRPC port of a service.</summary>
    /// <param name="service">Name of the service.</param>
    public string AddressOf(string service) => Setting($"services__{service}__grpc__0")
        ?? Endpoint("services", service, "grpc")
        ?? throw new UsageException($"No address is known of a service named {service}.");

    /// <summary>A token of a client of the development issuer.</summary>
    /// <param name="client">The client, such as "espace.A69-1".</param>
    /// <param name="ct">Cancellation.</param>
    /// <param name="person">Name of a fictive person who acts; null where software does.</param>
    public Task<string> TokenAsync(string client, CancellationToken ct, string? person = null) => TokenAsync(client, DevelopmentSecret(client), person, ct);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var channel in _channels)
            channel.Dispose();
        _http.Dispose();
        _endpoints?.Dispose();
    }

    private async Task<string> CallerTokenAsync(string client, CancellationToken ct)
    {
        if (Setting("JAFER_TOKEN") is { } token)
            return token;
        client = Setting("JAFER_CLIENT_ID") ?? client;
        return await TokenAsync(client, Setting("JAFER_CLIENT_SECRET") ?? DevelopmentSecret(client), null, ct);
    }

    private async Task<string> TokenAsync(string client, string secret, string? person, CancellationToken ct)
    {
        var issuer = (Setting("Identity__Authority") ?? Endpoint("identity", "issuer") ?? throw new UsageException("No address is known of the issuer."))
            .TrimEnd('/');
        try
        {
            var discovery = await _http.GetFromJsonAsync<Discovery>($"{issuer}/.well-known/openid-configuration", ct);
            using var request = new HttpRequestMessage(HttpMethod.Post, discovery!.TokenEndpoint)
            {
                Content = new FormUrlEncodedContent([new("grant_type", "client_credentials"), .. person is null ? Array.Empty<KeyValuePair<string, string>>() : [new("person", person)]]),
            };
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client}:{secret}")));
            using var response = await _http.SendAsync(request, ct);
            if (!response.IsSuccessStatusCode)
                throw new UsageException($"The issuer at {issuer} refused a token to {client} ({(int)response.StatusCode}).");
            return (await response.Content.ReadFromJsonAsync<TokenAnswer>(ct))!.AccessToken;
        }
        catch (HttpRequestException e)
        {
            throw new UsageException($"The issuer at {issuer} does not answer ({e.HttpRequestError}).");
        }
    }

    // As eng/identity/secrets.mjs derives it; only on a machine where the development issuer keeps its master secret.
    private string DevelopmentSecret(string client)
    {
        var file = Path.Combine(Setting("JAFER_IDENTITY_KEYS") ?? Path.Combine(State(), "identity"), "master.secret");
        if (!File.Exists(file))
            throw new UsageException("Set JAFER_CLIENT_ID and JAFER_CLIENT_SECRET: there is no development issuer here whose secret could be derived.");
        var master = Encoding.UTF8.GetBytes(File.ReadAllText(file).Trim());
        return System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(master, Encoding.UTF8.GetBytes(client)));
    }

    private string? Endpoint(params ReadOnlySpan<string> path)
    {
        var element = (_endpoints ??= ReadEndpoints()).RootElement;
        foreach (var part in path)
        {
            if (!element.TryGetProperty(part, out element))
                return null;
        }
        return element.GetString();
    }

    private JsonDocument ReadEndpoints()
    {
        var file = Setting("JAFER_ENDPOINTS") ?? Path.Combine(State(), "endpoints.json");
        return File.Exists(file)
            ? JsonDocument.Parse(File.ReadAllText(file))
            : throw new UsageException("Jafer is not running here: start it with ./jafer run, or name the endpoints file in JAFER_ENDPOINTS.");
    }

    // The ignored folder of the checkout, from wherever in it the tool is called.
    private string State()
    {
        if (Setting("JAFER_STATE") is { } state)
            return state;
        for (var folder = new DirectoryInfo(Environment.CurrentDirectory); folder is not null; folder = folder.Parent)
        {
            if (System.IO.Directory.Exists(Path.Combine(folder.FullName, ".jafer")))
                return Path.Combine(folder.FullName, ".jafer");
        }
        return ".jafer";
    }

    private string? Setting(string name) => variable(name) is { Length: > 0 } value ? value : null;

    private sealed record Discovery([property: JsonPropertyName("token_endpoint")] string TokenEndpoint);

    private sealed record TokenAnswer([property: JsonPropertyName("access_token")] string AccessToken);
}
