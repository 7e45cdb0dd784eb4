using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Tests.Access;

public sealed class AccessTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private static readonly DateTimeOffset s_now = TimeProvider.System.GetUtcNow();

    public static TheoryData<string, string?, string> BadTokens() => new()
    {
        { "none", null, "TOKEN_MISSING" },
        { "no token at all", "", "TOKEN_INVALID" },
        { "garbage", "garbage", "TOKEN_INVALID" },
        { "expired", TestIssuer.Shared.Token("juridiction", Organisations.Court, expires: s_now.AddMinutes(-2)), "TOKEN_INVALID" },
        { "wrong audience", TestIssuer.Shared.Token("juridiction", Organisations.Court, audience: "other"), "TOKEN_INVALID" },
        { "wrong issuer", TestIssuer.Shared.Token("juridiction", Organisations.Court, issuer: "https://other.test"), "TOKEN_INVALID" },
        { "wrong key", TestIssuer.Shared.Token("juridiction", Organisations.Court, key: new RsaSecurityKey(RSA.Create(2048)) { KeyId = "test" }), "TOKEN_INVALID" },
        { "algorithm none", Unsigned(), "TOKEN_INVALID" },
        { "signed with the public key as a secret", Symmetric(), "TOKEN_INVALID" },
        { "changed payload", Changed(), "TOKEN_INVALID" },
        { "two roles", TestIssuer.Shared.Token("juridiction espace", Organisations.Court), "TOKEN_INVALID" },
        { "no role", TestIssuer.Shared.Token(null, Organisations.Court), "TOKEN_INVALID" },
        { "no organisation", TestIssuer.Shared.Token("juridiction", null), "TOKEN_INVALID" },
    };

    [Theory, MemberData(nameof(BadTokens))]
    public async Task Call_BadToken_IsUnauthenticated(string what, string? token, string reason)
    {
        var client = new ProbeService.ProbeServiceClient(probe.Host.Channel(token));

        var unary = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }));
        using var stream = client.WatchNotes(new());
        var streaming = await Refusal.OfAsync(() => stream.ResponseStream.MoveNext(CancellationToken.None));

        Assert.True((StatusCode.Unauthenticated, reason) == (unary.Code, unary.Reason), what);
        Assert.Equal((unary.Code, unary.Reason), (streaming.Code, streaming.Reason));
    }

    [Fact]
    public async Task Call_ExpiredWithinClockSkew_IsAccepted()
    {
        var token = TestIssuer.Shared.Token("juridiction", Organisations.Court, expires: s_now.AddSeconds(-5));

        var response = await new ProbeService.ProbeServiceClient(probe.Host.Channel(token)).FailAsync(new() { Kind = "ok" });

        Assert.Equal("juridiction." + Organisations.Court, response.Subject);
    }

    [Theory]
    [InlineData("juridiction", StatusCode.OK)]
    [InlineData("operateur", StatusCode.OK)]
    [InlineData("systeme", StatusCode.OK)]
    [InlineData("espace", StatusCode.PermissionDenied)]
    [InlineData("statisticien", StatusCode.PermissionDenied)]
    [InlineData("JURIDICTION", StatusCode.PermissionDenied)]
    [InlineData("rpc", StatusCode.PermissionDenied)]
    public async Task Call_Role_IsGrantedByTheTableAlone(string role, StatusCode expected)
    {
        var client = probe.Client(Organisations.Court, role);

        if (expected == StatusCode.OK)
        {
            Assert.Equal($"{role}.{Organisations.Court}", (await client.FailAsync(new() { Kind = "ok" })).Subject);
        }
        else
        {
            var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }));
            Assert.Equal((expected, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    [Fact]
    public async Task Call_ClaimsUnderConfiguredNames_AreReadThereAndNowhereElse()
    {
        var settings = new Dictionary<string, string?> { ["Identity:RoleClaim"] = "jafer_role", ["Identity:OrganisationClaim"] = "https://issuer.test/siret" };
        await using var host = await ProbeHost.StartPublisherAsync(probe.Database, ServiceHost.UniquePrefix(), settings);
        var mapped = TestIssuer.Shared.Token("juridiction", Organisations.Court, roleClaim: "jafer_role", organisationClaim: "https://issuer.test/siret");
        var usual = TestIssuer.Shared.Token("juridiction", Organisations.Court);

        var answer = await new ProbeService.ProbeServiceClient(host.Channel(mapped)).FailAsync(new() { Kind = "ok" });
        var refusal = await Refusal.OfAsync(new ProbeService.ProbeServiceClient(host.Channel(usual)).FailAsync(new() { Kind = "ok" }));

        Assert.Equal($"juridiction.{Organisations.Court}", answer.Subject);
        Assert.Equal((StatusCode.Unauthenticated, "TOKEN_INVALID"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task Start_RpcWithoutRow_IsRefused()
    {
        await using var app = ProbeApp.Build(builder =>
        {
            builder.Configuration.AddInMemoryCollection(ServiceHost.Settings(ProbeApp.Name, probe.Database.ConnectionString, "none"));
            builder.Services.AddSingleton(AccessTable.Parse(ProbeApp.AccessRows.Split('\n').Where(l => !l.Contains("/WatchNotes", StringComparison.Ordinal))));
        });

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => app.RunJaferAsync<ProbeDbContext>([]));

        Assert.Equal("without a row in the access table: /jafer.probe.v1.ProbeService/WatchNotes", error.Message);
    }

    [Fact]
    public async Task Call_RpcWithoutRow_IsForbidden()
    {
        // Should a row be missing nevertheless: what is not granted is refused.
        await using var host = await ProbeHost.StartAsync(probe.Database, ServiceHost.UniquePrefix(), configure: builder =>
            builder.Services.AddSingleton(AccessTable.Parse(["rpc,juridiction", "jafer.probe.v1.ProbeService/WriteNote,any"])));
        var client = new ProbeService.ProbeServiceClient(host.Channel("juridiction", Organisations.Court));

        var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }));

        Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task Call_IssuerDoesNotAnswer_IsUnavailable()
    {
        var settings = new Dictionary<string, string?> { ["Identity:KeysFile"] = null, ["Identity:Authority"] = "http://127.0.0.1:9" };
        await using var host = await ProbeHost.StartAsync(probe.Database, ServiceHost.UniquePrefix(), settings, builder => builder.Environment.EnvironmentName = "Development");
        var client = new ProbeService.ProbeServiceClient(host.Channel("juridiction", Organisations.Court));

        var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), (refusal.Code, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
    }

    [Theory]
    [InlineData("rpc,a\nx/Y,own,any")]
    [InlineData("rpc,a\nx/Y,all")]
    [InlineData("rpc,a\nx/Y,own\nx/Y,any")]
    public void Parse_BadTable_IsRefused(string table) => Assert.Throws<FormatException>(() => AccessTable.Parse(table.Split('\n')));

    [Theory]
    [InlineData(Tenancy.None, false, false)]
    [InlineData(Tenancy.Own, true, false)]
    [InlineData(Tenancy.Any, true, true)]
    public void MayTouch_Tenancy_DecidesWhose(Tenancy tenancy, bool own, bool others)
    {
        var caller = new Caller("s", "r", Organisations.Court, true, null, tenancy, s_now);

        Assert.Equal((own, others, others), (caller.MayTouch(Organisations.Court), caller.MayTouch(Organisations.OtherCourt), caller.MayTouch(null)));
    }

    [Fact]
    public void Start_NoCookiesServed_MakesNoKeysForThem()
    {
        var hosted = probe.Host.App.Services.GetServices<IHostedService>().Select(s => s.GetType().FullName!).ToList();

        Assert.DoesNotContain(hosted, name => name.StartsWith("Microsoft.AspNetCore.DataProtection.", StringComparison.Ordinal));
        Assert.Contains(hosted, name => name.EndsWith(".OutboxRelay", StringComparison.Ordinal));
    }

    private static string Unsigned()
    {
        var valid = TestIssuer.Shared.Token("juridiction", Organisations.Court).Split('.');
        return Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""") + "." + valid[1] + ".";
    }

    private static string Symmetric()
    {
        var valid = TestIssuer.Shared.Token("juridiction", Organisations.Court).Split('.');
        var head = Base64UrlEncoder.Encode("""{"alg":"HS256","typ":"JWT","kid":"test"}""") + "." + valid[1];
        var mac = HMACSHA256.HashData(File.ReadAllBytes(TestIssuer.Shared.KeysFile), Encoding.UTF8.GetBytes(head));
        return head + "." + Base64UrlEncoder.Encode(mac);
    }

    private static string Changed()
    {
        var valid = TestIssuer.Shared.Token("juridiction", Organisations.Court).Split('.');
        var payload = Base64UrlEncoder.Decode(valid[1]).Replace("juridiction", "operateur", StringComparison.Ordinal);
        return $"{valid[0]}.{Base64UrlEncoder.Encode(payload)}.{valid[2]}";
    }
}
