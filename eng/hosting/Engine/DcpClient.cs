using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Aspire.Hosting.Engine;

/// <summary>A running DCP and its Kubernetes-like API. DCP ends by itself soon after the process that started it.</summary>
internal sealed class DcpClient : IAsyncDisposable
{
    private const string Api = "apis/usvc-dev.developer.microsoft.com/v1/";
    private static readonly string[] NotInherited =
        ["ASPNETCORE_URLS", "DOTNET_LAUNCH_PROFILE", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "ASPIRE_LOGLEVEL"];

    private readonly HttpClient _http;
    private readonly TimeProvider _clock;
    private bool _ended;

    private DcpClient(HttpClient http, TimeProvider clock, string sessionFolder)
    {
        _http = http;
        _clock = clock;
        SessionFolder = sessionFolder;
    }

    /// <summary>Where DCP keeps its own files; it deletes the folder when it ends.</summary>
    public string SessionFolder { get; }

    /// <summary>Starts DCP, bound to the life of this process, and waits until its API answers.</summary>
    /// <exception cref="DistributedApplicationException">DCP did not start within 20 seconds.</exception>
    public static async Task<DcpClient> StartAsync(string dcp, TimeProvider clock, CancellationToken ct)
    {
        var session = Directory.CreateTempSubdirectory("jafer-dcp-").FullName;
        var kubeconfig = Path.Combine(session, "kubeconfig");
        var (certificate, key) = WriteCertificate(session, clock);
        var start = new ProcessStartInfo(dcp)
        {
            ArgumentList =
            {
                "start-apiserver", "--monitor", $"{Environment.ProcessId}", "--detach", "--kubeconfig", kubeconfig,
                "--tls-cert-file", certificate, "--tls-key-file", key,
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var name in NotInherited)
            start.Environment.Remove(name);
        start.Environment["DCP_SESSION_FOLDER"] = session;
        using (var process = Process.Start(start) ?? throw new DistributedApplicationException($"{dcp} could not be started."))
        {
            await process.WaitForExitAsync(ct);
            if (process.ExitCode != 0)
                throw new DistributedApplicationException($"{dcp} ended with {process.ExitCode}: {await process.StandardError.ReadToEndAsync(ct)}");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        try
        {
            while (true)
            {
                // The file may be read half-written, and the API may be a moment behind it.
                if (ReadKubeconfig(kubeconfig) is { } found)
                {
                    var client = new DcpClient(Connect(found), clock, session);
                    if (await client.AnswersAsync(limit.Token))
                        return client;
                    client._http.Dispose();
                }
                await Task.Delay(TimeSpan.FromMilliseconds(40), clock, limit.Token);
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new DistributedApplicationException($"DCP did not answer within 20 s (session folder {session}).");
        }
    }

    public Task CreateAsync(string kind, JsonObject body, CancellationToken ct) => SendAsync(HttpMethod.Post, Api + kind, body, "application/json", ct);

    public async Task<JsonNode?> GetAsync(string kind, string name, CancellationToken ct)
    {
        using var response = await _http.GetAsync($"{Api}{kind}/{name}", ct);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return null;
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(ct));
    }

    public Task PatchAsync(string kind, string name, JsonObject body, CancellationToken ct) =>
        SendAsync(HttpMethod.Patch, $"{Api}{kind}/{name}", body, "application/merge-patch+json", ct);

    /// <summary>Deletes an object (a running program is stopped first) and waits until it is gone.</summary>
    public async Task DeleteAsync(string kind, string name, CancellationToken ct)
    {
        using (var response = await _http.DeleteAsync($"{Api}{kind}/{name}", ct))
        {
            if (response.StatusCode == HttpStatusCode.NotFound)
                return;
            response.EnsureSuccessStatusCode();
        }
        while (await GetAsync(kind, name, ct) is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(50), _clock, ct);
    }

    /// <summary>The objects of a kind, then their changes; opened again whenever DCP ends the answer.</summary>
    public async IAsyncEnumerable<(string Type, JsonNode Object)> WatchAsync(string kind, [EnumeratorCancellation] CancellationToken ct)
    {
        while (!ct.IsCancellationRequested && !_ended)
        {
            await foreach (var line in LinesAsync($"{Api}{kind}?watch=true", ct))
            {
                if (JsonNode.Parse(line) is { } change && change["object"] is { } changed)
                    yield return (change["type"]?.GetValue<string>() ?? "", changed);
            }
            if (!ct.IsCancellationRequested && !_ended)
                await Task.Delay(TimeSpan.FromMilliseconds(300), _clock, ct);
        }
    }

    /// <summary>The lines of one stream (stdout, stderr, system) of a program from its start, until it ends.</summary>
    public IAsyncEnumerable<string> LogsAsync(string executable, string source, CancellationToken ct) =>
        LinesAsync($"{Api}executables/{executable}/log?source={source}&follow=true&timestamps=true", ct);

    /// <summary>A line of DCP's own about a program (time, level, controller, message, fields, separated by tabs), for people.</summary>
    internal static string Readable(string line)
    {
        var parts = line.Split('\t');
        if (parts.Length < 4)
            return line;
        string fields;
        try
        {
            fields = parts.Length > 4 && JsonNode.Parse(parts[4]) is JsonObject known
                ? string.Join(", ", known.Where(f => f.Key is not ("Executable" or "Reconciliation")).Select(f => $"{f.Key} = {f.Value?.ToJsonString()}"))
                : "";
        }
        catch (JsonException)
        {
            fields = parts[4];
        }
        return $"{parts[0]} [sys] {parts[3]}{(fields.Length > 0 ? $" {fields}" : "")}";
    }

    /// <summary>Stops everything in order and ends DCP; gives up after eight seconds, when DCP's own monitor finishes the work.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended)
            return;
        _ended = true;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        try
        {
            await SendAsync(HttpMethod.Patch, "admin/execution",
                new JsonObject { ["status"] = "CleaningResources", ["shutdownResourceCleanup"] = "Full" }, "application/merge-patch+json", limit.Token);
            while ((await ExecutionAsync(limit.Token))?["status"]?.GetValue<string>() != "CleanupComplete")
                await Task.Delay(TimeSpan.FromMilliseconds(50), _clock, limit.Token);
            await SendAsync(HttpMethod.Patch, "admin/execution", new JsonObject { ["status"] = "Stopping" }, "application/merge-patch+json", limit.Token);
            while (await ExecutionAsync(limit.Token) is not null)
                await Task.Delay(TimeSpan.FromMilliseconds(50), _clock, limit.Token);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            // Already gone, or too slow: the monitor bound to this process does the rest.
        }
        _http.Dispose();
    }

    private async Task<JsonNode?> ExecutionAsync(CancellationToken ct) =>
        JsonNode.Parse(await _http.GetStringAsync("admin/execution", ct));

    private async Task SendAsync(HttpMethod method, string path, JsonObject body, string contentType, CancellationToken ct)
    {
        // DCP refuses a content type with a charset.
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body.ToJsonString())) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await _http.SendAsync(request, ct);
        if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.Conflict && method == HttpMethod.Post)
            return;
        throw new DistributedApplicationException($"DCP refused {method} {path}: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(ct)}");
    }

    private async IAsyncEnumerable<string> LinesAsync(string path, [EnumeratorCancellation] CancellationToken ct)
    {
        StreamReader? reader = null;
        try
        {
            try
            {
                var response = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, ct);
                if (!response.IsSuccessStatusCode)
                    yield break;
                reader = new StreamReader(await response.Content.ReadAsStreamAsync(ct));
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException)
            {
                yield break;
            }
            while (true)
            {
                string? line;
                try
                {
                    line = await reader.ReadLineAsync(ct);
                }
                catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException)
                {
                    yield break;
                }
                if (line is null)
                    yield break;
                yield return line;
            }
        }
        finally
        {
            reader?.Dispose();
        }
    }

    private async Task<bool> AnswersAsync(CancellationToken ct)
    {
        try
        {
            using var response = await _http.GetAsync(Api + "services", ct);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>
    /// A certificate for this session, in its folder that nobody else can read. DCP would make one itself, with an RSA key that
    /// takes two to five seconds to find; one of elliptic curves takes no time. Its kubeconfig names it as the authority.
    /// </summary>
    private static (string Certificate, string Key) WriteCertificate(string folder, TimeProvider clock)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", pair, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = clock.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(1));

        var (certificateFile, keyFile) = (Path.Combine(folder, "server.crt"), Path.Combine(folder, "server.key"));
        File.WriteAllText(certificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, pair.ExportPkcs8PrivateKeyPem());
        return (certificateFile, keyFile);
    }

    private static HttpClient Connect(Kubeconfig found)
    {
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { X509Certificate2.CreateFromPem(found.Authority) },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri(found.Server + "/"),
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", found.Token) },
        };
    }

    /// <summary>Takes the three values needed out of DCP's own kubeconfig, or null while they are not all there.</summary>
    private static Kubeconfig? ReadKubeconfig(string path)
    {
        try
        {
            string? server = null, authority = null, token = null;
            foreach (var line in File.ReadLines(path))
            {
                var trimmed = line.Trim().TrimStart('-').Trim();
                server ??= Value(trimmed, "server:");
                authority ??= Value(trimmed, "certificate-authority-data:");
                token ??= Value(trimmed, "token:");
            }
            return server is null || authority is null || token is null
                ? null
                : new Kubeconfig(server, Encoding.UTF8.GetString(Convert.FromBase64String(authority)), token);
        }
        catch (Exception e) when (e is IOException or FormatException)
        {
            return null;
        }

        static string? Value(string line, string key) =>
            line.StartsWith(key, StringComparison.Ordinal) ? line[key.Length..].Trim().Trim('"') : null;
    }

    private sealed record Kubeconfig(string Server, string Authority, string Token);
}
