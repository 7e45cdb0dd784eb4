using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.ServiceDefaults.Grpc.Health.V1;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using static Jafer.ServiceDefaults.Grpc.Health.V1.HealthCheckResponse.Types;

namespace Jafer.ServiceDefaults.Tests.Grpc;

public sealed class HealthTests : IAsyncLifetime
{
    private readonly Switch _switch = new();
    private TestDatabase? _database;
    private ServiceHost? _host;
    private Health.HealthClient? _client;

    private Health.HealthClient Client => _client!;

    private ServiceHost Host => _host!;

    public async ValueTask InitializeAsync()
    {
        _database = await ProbeHost.CloneAsync();
        _host = await ProbeHost.StartAsync(_database, ServiceHost.UniquePrefix(), configure: builder =>
            builder.Services.AddHealthChecks().AddCheck("switch", _switch));
        _client = new Health.HealthClient(_host.Channel(null));
        await _host.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await _database!.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("jafer.probe.v1.ProbeService")]
    [InlineData("jafer.operations.v1.OperationsService")]
    [InlineData("grpc.health.v1.Health")]
    public async Task Check_ServedService_ServesWithoutToken(string service)
    {
        var response = await Client.CheckAsync(new() { Service = service });

        Assert.Equal(ServingStatus.Serving, response.Status);
    }

    [Fact]
    public async Task Check_CertificateConfigured_AnswersOverTls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var folder = Directory.CreateTempSubdirectory();
        var (pem, keyFile) = (Path.Combine(folder.FullName, "cert.pem"), Path.Combine(folder.FullName, "key.pem"));
        await File.WriteAllTextAsync(pem, certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        await using var secured = await ProbeHost.StartAsync(_database!, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:grpc:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:grpc:Certificate:Path"] = pem,
            ["Kestrel:Endpoints:grpc:Certificate:KeyPath"] = keyFile,
        });
        using var handler = new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, shown, _, _) => shown!.Thumbprint == certificate.Thumbprint };
        using var channel = GrpcChannel.ForAddress(secured.Grpc, new GrpcChannelOptions { HttpHandler = handler });

        var response = await new Health.HealthClient(channel).CheckAsync(new() { Service = "jafer.probe.v1.ProbeService" });

        Assert.Equal(("https", ServingStatus.Serving), (secured.Grpc.Scheme, response.Status));
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Check_UnknownService_IsNotFound()
    {
        var refusal = await Refusal.OfAsync(Client.CheckAsync(new() { Service = "jafer.absent.v1.AbsentService" }));

        Assert.Equal((StatusCode.NotFound, "RESOURCE_NOT_FOUND"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task Watch_CheckFailsAndRecovers_TellsEachChange()
    {
        using var call = Client.Watch(new());
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));

        _switch.Status = HealthStatus.Unhealthy;
        Assert.Equal(ServingStatus.NotServing, await NextAsync(call));

        // Degraded still takes calls.
        _switch.Status = HealthStatus.Degraded;
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));
    }

    [Fact]
    public async Task Watch_UnknownService_SaysSoAndStaysOpen()
    {
        using var call = Client.Watch(new() { Service = "jafer.absent.v1.AbsentService" });

        Assert.Equal(ServingStatus.ServiceUnknown, await NextAsync(call));
        Assert.False(call.ResponseStream.MoveNext(TestContext.Current.CancellationToken).IsCompleted);
    }

    [Fact]
    public async Task Watch_ServiceStops_TellsNotServingThenEnds()
    {
        using var call = Client.Watch(new());
        Assert.Equal(ServingStatus.Serving, await NextAsync(call));

        var stopping = Host.App.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(ServingStatus.NotServing, await NextAsync(call));
        Assert.False(await call.ResponseStream.MoveNext(TestContext.Current.CancellationToken));
        await stopping;
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/alive")]
    public async Task HttpEndpoint_Healthy_Answers200(string path)
    {
        using var http = new HttpClient();

        using var response = await http.GetAsync(new Uri(Host.Health, path), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task HttpEndpoint_CheckFails_HealthFailsAndAliveDoesNot()
    {
        _switch.Status = HealthStatus.Unhealthy;
        using var http = new HttpClient();

        using var health = await http.GetAsync(new Uri(Host.Health, "/health"), TestContext.Current.CancellationToken);
        using var alive = await http.GetAsync(new Uri(Host.Health, "/alive"), TestContext.Current.CancellationToken);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (health.StatusCode, alive.StatusCode));
    }

    private static async Task<ServingStatus> NextAsync(AsyncServerStreamingCall<HealthCheckResponse> call)
    {
        using var limit = new CancellationTokenSource(Eventually.Limit);
        Assert.True(await call.ResponseStream.MoveNext(limit.Token), "the stream ended");
        return call.ResponseStream.Current.Status;
    }

    private sealed class Switch : IHealthCheck
    {
        public HealthStatus Status { get; set; } = HealthStatus.Healthy;

        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(new HealthCheckResult(Status));
    }
}
