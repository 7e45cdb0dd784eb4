using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Tests.Clients;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;

namespace Jafer.ServiceDefaults.Tests.Grpc;

/// <summary>TLS of gRPC, between two probes with certificates of an authority of their own.</summary>
public sealed class TransportTests(ProbeHost probe) : IClassFixture<ProbeHost>, IAsyncLifetime
{
    private const string ServerAuth = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuth = "1.3.6.1.5.5.7.3.2";

    private readonly string _folder = Directory.CreateTempSubdirectory("jafer-tls-").FullName;
    private TokenEndpoint? _endpoint;

    public async ValueTask InitializeAsync()
    {
        _endpoint = await TokenEndpoint.StartAsync();
        _endpoint.Token = _ => TestIssuer.Shared.Token("systeme", Organisations.Court, audience: "other");
        var now = TimeProvider.System.GetUtcNow();
        foreach (var name in new[] { "authority", "stranger" })
        {
            using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest($"CN={name}", rootKey, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            using var root = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            await File.WriteAllTextAsync(PathOf(name + ".pem"), root.ExportCertificatePem());
            foreach (var (end, uses) in new[] { ("service", new[] { ServerAuth, ClientAuth }), ("server", [ServerAuth]), ("caller", [ClientAuth]), ("anything", []) })
            {
                using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
                var leaf = new CertificateRequest($"CN={end} of {name}", key, HashAlgorithmName.SHA256);
                var names = new SubjectAlternativeNameBuilder();
                names.AddIpAddress(IPAddress.Loopback);
                leaf.CertificateExtensions.Add(names.Build());
                if (uses.Length > 0)
                {
                    leaf.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. uses.Select(u => new Oid(u))], critical: false));
                }

                using var certificate = leaf.Create(root, now.AddHours(-1), now.AddHours(12), RandomNumberGenerator.GetBytes(8));
                await File.WriteAllTextAsync(PathOf($"{name}-{end}.pem"), certificate.ExportCertificatePem());
                await File.WriteAllTextAsync(PathOf($"{name}-{end}.key"), key.ExportPkcs8PrivateKeyPem());
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("authority-service", "authority", "service", true)]
    [InlineData("authority-caller", "authority", "server", true)]
    [InlineData(null, "authority", "service", false)]
    [InlineData("stranger-service", "authority", "service", false)]
    [InlineData("authority-server", "authority", "service", false)]
    [InlineData("authority-anything", "authority", "service", false)]
    [InlineData("authority-service", "stranger", "service", false)]
    [InlineData("authority-service", null, "service", false)]
    public async Task Ask_OtherThatWantsACertificate_IsAnsweredWithOneOfTheAuthorityAlone(string? shown, string? trusted, string served, bool answered)
    {
        await using var other = await ProbeHost.StartPublisherAsync(probe.Database, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
        {
            ["Identity:ServiceAudience"] = "other",
            ["Kestrel:Endpoints:grpc:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:grpc:Certificate:Path"] = PathOf($"authority-{served}.pem"),
            ["Kestrel:Endpoints:grpc:Certificate:KeyPath"] = PathOf($"authority-{served}.key"),
            ["Kestrel:Endpoints:grpc:ClientCertificateMode"] = "RequireCertificate",
            ["Tls:AuthorityFile"] = PathOf("authority.pem"),
        });
        var settings = _endpoint!.Settings();
        settings["Identity:TokenEndpoint"] = new Uri(_endpoint.Address, "/oauth/token").ToString();
        settings["Identity:Authority"] = TestIssuer.Issuer;
        settings["services:other:grpc:0"] = other.Grpc.ToString();
        settings["Tls:AuthorityFile"] = trusted is null ? null : PathOf(trusted + ".pem");
        settings["Tls:CertificateFile"] = shown is null ? null : PathOf(shown + ".pem");
        settings["Tls:KeyFile"] = shown is null ? null : PathOf(shown + ".key");
        await using var asking = await ProbeHost.StartPublisherAsync(probe.Database, ServiceHost.UniquePrefix(), settings);
        var client = new ProbeService.ProbeServiceClient(asking.Channel("juridiction", Organisations.Court));

        var answer = await client.AskOtherAsync(new() { Fail = new() { Kind = "ok" }, Fallback = true });

        Assert.Equal(answered, answer.Answered);
    }

    [Theory]
    [InlineData("Production", "http://127.0.0.1:0", "Http2", null, true)]
    [InlineData("Production", "http://127.0.0.1:0", "Http1AndHttp2", null, true)]
    [InlineData("Production", "http://127.0.0.1:0", "Http2", "false", true)]
    [InlineData("Staging", "http://127.0.0.1:0", "Http2", null, true)]
    [InlineData("Production", "http://127.0.0.1:0", "Http2", "true", false)]
    [InlineData("Production", "http://127.0.0.1:0", "Http1", null, false)]
    [InlineData("Production", "https://127.0.0.1:0", "Http2", null, false)]
    [InlineData("Development", "http://127.0.0.1:0", "Http2", null, false)]
    public async Task Start_GrpcInClearText_IsRefusedOutsideDevelopmentUnlessItIsMeant(string environment, string url, string protocols, string? allowed, bool refused)
    {
        var settings = ServiceHost.Settings(ProbeApp.Name, probe.Database.ConnectionString, "none", new Dictionary<string, string?>
        {
            ["Tls:AllowClearText"] = allowed,
            ["Kestrel:Endpoints:grpc:Url"] = url,
            ["Kestrel:Endpoints:grpc:Protocols"] = protocols,
        });
        await using var app = ProbeApp.Build(builder =>
        {
            builder.Environment.EnvironmentName = environment;
            builder.Configuration.AddInMemoryCollection(settings);
        });

        var error = Record.Exception(() => Jafer.ServiceDefaults.Grpc.Transport.RequireSafeTransport(app));

        Assert.Equal(refused, error is InvalidOperationException e && e.Message.StartsWith("Kestrel:Endpoints:grpc is gRPC in clear text", StringComparison.Ordinal));
        Assert.True(refused || error is null, error?.Message);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
