using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Grpc.Core;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Jafer.ServiceDefaults.Tests.Access;

/// <summary>Keys as real issuers publish them: a discovery document that names a key set, asked for over the network.</summary>
public sealed class DiscoveryTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private const string Secret = "Zéphyrine Planté";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_KeysRotatedAtTheIssuer_NewOnesAreTakenAndOldOnesRefusedWithoutRestart()
    {
        await using var site = await Site.StartAsync(secure: false);
        var issuer = TestIssuer.Create(site.Authority);
        var first = issuer.KeySet();
        site.Keys = first;
        var settings = new Dictionary<string, string?>
        {
            ["Identity:Authority"] = site.Authority,
            ["Identity:KeysFile"] = null,
            ["Identity:Keys:RefreshAfter"] = "00:00:00",
            ["Identity:Keys:RetryAfter"] = "00:00:00",
        };

        // In clear text: an issuer without HTTPS is for Development, everything else of it is as elsewhere.
        await using var host = await ProbeHost.StartPublisherAsync(probe.Database, ServiceHost.UniquePrefix(), settings, b => b.Environment.EnvironmentName = "Development");
        string Token() => issuer.Token("juridiction", Organisations.Court);
        Task<Refusal?> Try(string token) => Refusal.OrNullAsync(() => new ProbeService.ProbeServiceClient(host.Channel(token)).FailAsync(new() { Kind = "ok" }, cancellationToken: Ct).ResponseAsync);

        var old = Token();
        Assert.Null(await Try(old));

        // Both are published for a while, as a careful issuer does.
        issuer.Rotate("second");
        var fresh = Token();
        Assert.Equal("TOKEN_INVALID", (await Try(fresh))!.Reason);
        site.Keys = Merge(first, issuer.KeySet());
        Assert.Null(await Try(fresh));
        Assert.Null(await Try(old));

        site.Keys = issuer.KeySet();
        await Eventually.BecomesAsync(() => Try(old), r => r?.Reason == "TOKEN_INVALID", "the token of the withdrawn key to be refused");
        Assert.Null(await Try(fresh));

        // The issuer is down: known keys go on, and of an unknown one nothing can be said.
        site.Discovery = _ => Results.StatusCode(503);
        issuer.Rotate("third");
        Assert.Null(await Try(fresh));
        Assert.Equal(StatusCode.Unavailable, (await Try(Token()))!.Code);
        Assert.Null(await Try(fresh));

        site.Discovery = s => s.Document();
        site.Keys = Merge(first, issuer.KeySet());
        await Eventually.BecomesAsync(() => Try(fresh), r => r?.Reason == "TOKEN_INVALID", "the token of the second key to be refused");
        Assert.Null(await Try(Token()));
    }

    [Theory]
    [InlineData("another issuer's name")]
    [InlineData("keys over clear text")]
    [InlineData("keys elsewhere over clear text")]
    [InlineData("a page")]
    [InlineData("nothing")]
    [InlineData("a fault")]
    [InlineData("no keys")]
    [InlineData("keys that are none")]
    [InlineData("a secret")]
    [InlineData("an answer without end")]
    public async Task Find_IssuerAnswersSomethingElse_KnownKeysGoOnAndOthersAreUnavailable(string what)
    {
        await using var site = await Site.StartAsync(secure: true);
        site.Keys = TestIssuer.Shared.KeySet();
        using var http = IssuerKeys.Client(site.Handler());
        var clock = new TestClock(new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero));
        var logs = new LogRecorder();
        var known = new IssuerKeys(IssuerKeys.Discover(http, site.Authority, requireHttps: true), new KeyOptions(), clock, logs.CreateLogger("keys"));
        Assert.NotNull(await known.FindAsync("test", Ct));

        (Func<Site, IResult> Discovery, Func<Site, IResult> KeySet) answers = what switch
        {
            "another issuer's name" => (s => s.Document(issuer: "https://elsewhere.test"), site.KeySet),
            "keys over clear text" => (s => s.Document(keys: "http://127.0.0.1:1/keys"), site.KeySet),
            "keys elsewhere over clear text" => (site.Discovery, _ => Results.Redirect("http://127.0.0.1:1/keys")),
            "a page" => (_ => Results.Content($"<html>{Secret}</html>", "text/html"), site.KeySet),
            "nothing" => (_ => Results.Ok(), site.KeySet),
            "a fault" => (_ => Results.StatusCode(500), site.KeySet),
            "no keys" => (site.Discovery, _ => Json("""{"keys":[]}""")),
            "keys that are none" => (site.Discovery, _ => Json($$"""{"keys":[{"kty":"RSA","kid":"{{Secret}}","n":"!","e":"!"},{"kty":"EC","crv":"P-256","kid":"b","x":"AA","y":"AA"}]}""")),
            "a secret" => (site.Discovery, _ => Json("""{"keys":[{"kty":"oct","kid":"s","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}""")),
            _ => (site.Discovery, _ => Results.Stream(WithoutEndAsync)),
        };
        (site.Discovery, site.KeySet) = answers;
        clock.Advance(TimeSpan.FromMinutes(1));
        var refusal = await Assert.ThrowsAsync<DomainError>(async () => await known.FindAsync("another", Ct));

        Assert.True(refusal.Code == StatusCode.Unavailable, what);
        Assert.NotNull(await known.FindAsync("test", Ct));
        Assert.DoesNotContain(logs.Lines, l => l.Contains("phyrine", StringComparison.Ordinal));

        // Who begins now has nothing to go on with.
        var begins = new IssuerKeys(IssuerKeys.Discover(http, site.Authority, requireHttps: true), new KeyOptions(), clock, NullLogger.Instance);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(async () => await begins.FindAsync("test", Ct))).Code);
    }

    [Fact]
    public async Task Find_IssuerWithACertificateOfNobodyKnown_IsUnavailable()
    {
        await using var site = await Site.StartAsync(secure: true);
        site.Keys = TestIssuer.Shared.KeySet();
        using var http = IssuerKeys.Client(new SocketsHttpHandler());
        var keys = new IssuerKeys(IssuerKeys.Discover(http, site.Authority, requireHttps: true), new KeyOptions(), TimeProvider.System, NullLogger.Instance);

        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<DomainError>(async () => await keys.FindAsync("test", Ct))).Code);
    }

    private static IResult Json(string text) => Results.Content(text, "application/json");

    private static async Task WithoutEndAsync(Stream body)
    {
        var some = new byte[64 * 1024];
        Array.Fill(some, (byte)' ');
        for (var i = 0; i < 100_000; i++)
        {
            await body.WriteAsync(some);
        }
    }

    private static string Merge(string one, string other)
    {
        var both = JsonNode.Parse(one)!;
        foreach (var key in JsonNode.Parse(other)!["keys"]!.AsArray())
        {
            both["keys"]!.AsArray().Add(key!.DeepClone());
        }

        return both.ToJsonString();
    }

    /// <summary>The two addresses of an issuer from which keys are read.</summary>
    public sealed class Site : IAsyncDisposable
    {
        private readonly WebApplication _app;
        private readonly X509Certificate2? _certificate;

        private Site(WebApplication app, X509Certificate2? certificate)
        {
            (_app, _certificate) = (app, certificate);
            KeySet = s => Results.Content(s.Keys, "application/json");
        }

        public string Authority { get; private set; } = "";

        public string Keys { get; set; } = "";

        public Func<Site, IResult> Discovery { get; set; } = s => s.Document();

        public Func<Site, IResult> KeySet { get; set; }

        public static async Task<Site> StartAsync(bool secure)
        {
            var certificate = secure ? Certificate() : null;
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l =>
            {
                if (certificate is not null)
                {
                    l.UseHttps(certificate);
                }
            }));
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var site = new Site(app, certificate);
            app.MapGet("/.well-known/openid-configuration", () => site.Discovery(site));
            app.MapGet("/keys", () => site.KeySet(site));
            await app.StartAsync();
            site.Authority = app.Urls.Single();
            return site;
        }

        public IResult Document(string? issuer = null, string? keys = null) => Results.Json(new { issuer = issuer ?? Authority, jwks_uri = keys ?? Authority + "/keys" });

        /// <summary>A way to this site that knows its certificate, as an installation's machine knows those of its issuers.</summary>
        public SocketsHttpHandler Handler() => new()
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == _certificate!.GetCertHashString() },
        };

        public async ValueTask DisposeAsync()
        {
            await _app.DisposeAsync();
            _certificate?.Dispose();
        }

        private static X509Certificate2 Certificate()
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var now = TimeProvider.System.GetUtcNow();
            using var made = new CertificateRequest("CN=issuer", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddMinutes(-5), now.AddHours(1));

            // TLS takes no key that lives in memory alone on every system.
            return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        }
    }
}
