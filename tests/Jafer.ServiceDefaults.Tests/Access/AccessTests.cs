using System.Collections.Frozen;
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
        { "missing key id", NoKeyId(), "TOKEN_INVALID" },
        { "unknown key id", TestIssuer.Shared.Token("juridiction", Organisations.Court, key: new RsaSecurityKey(RSA.Create(2048)) { KeyId = "unknown" }), "TOKEN_INVALID" },
        { "an algorithm that is not allowed", TestIssuer.Shared.Token("juridiction", Organisations.Court, algorithm: SecurityAlgorithms.RsaSha512), "TOKEN_INVALID" },
        { "not valid yet", TestIssuer.Shared.Token("juridiction", Organisations.Court, notBefore: s_now.AddMinutes(5)), "TOKEN_INVALID" },
        { "huge", TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["more"] = new string('x', 10_000) }), "TOKEN_INVALID" },
        { "no subject", TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["sub"] = null }), "TOKEN_INVALID" },
        { "too long a subject", TestIssuer.Shared.Token("juridiction", Organisations.Court, subject: new string('s', 201)), "TOKEN_INVALID" },
        { "of the development issuer", TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["development"] = true }), "TOKEN_INVALID" },
        { "a service with the audience of outside callers", TestIssuer.Shared.Token("systeme", Organisations.Court), "TOKEN_INVALID" },
        { "a service with another service's audience", TestIssuer.Shared.Token("systeme", Organisations.Court, audience: "mesure"), "TOKEN_INVALID" },
        { "an outside caller with this service's audience", TestIssuer.Shared.Token("juridiction", Organisations.Court, audience: "probe"), "TOKEN_INVALID" },
        { "two roles", TestIssuer.Shared.Token("juridiction espace", Organisations.Court), "TOKEN_INVALID" },
        { "no role", TestIssuer.Shared.Token(null, Organisations.Court), "TOKEN_INVALID" },
        { "no organisation", TestIssuer.Shared.Token("juridiction", null), "TOKEN_INVALID" },
        { "an empty organisation", Claiming("organisation", ""), "TOKEN_INVALID" },
        { "an organisation that is none", Claiming("organisation", Guid.Empty.ToString()), "TOKEN_INVALID" },
        { "two organisations", Claiming("organisation", new[] { Organisations.Court.ToString(), Organisations.New().ToString() }), "TOKEN_INVALID" },
        { "an organisation in braces", Claiming("organisation", Organisations.Court.ToString("B")), "TOKEN_INVALID" },
        { "an organisation in wide digits", Claiming("organisation", "０" + Organisations.Court.ToString()[1..]), "TOKEN_INVALID" },
        { "an organisation with a sign", Claiming("organisation", "0x" + Organisations.Court.ToString()[2..]), "TOKEN_INVALID" },
        { "a role in capitals", TestIssuer.Shared.Token("JURIDICTION", Organisations.Court), "TOKEN_INVALID" },
        { "a role with a space", Claiming("role", "juridiction "), "TOKEN_INVALID" },
        { "a role that is a column of the file", TestIssuer.Shared.Token("rpc", Organisations.Court), "TOKEN_INVALID" },
        { "two subjects", Claiming("sub", new[] { "a1", "a2" }), "TOKEN_INVALID" },
        { "a subject that is two lines", Claiming("sub", "a1\nsystem"), "TOKEN_INVALID" },
        { "a service of two audiences", TestIssuer.Shared.Token("systeme", Organisations.Court, audience: "", more: new Dictionary<string, object?> { ["aud"] = new[] { "probe", "mesure" } }), "TOKEN_INVALID" },
        { "no audience", TestIssuer.Shared.Token("juridiction", Organisations.Court, audience: "", more: new Dictionary<string, object?> { ["aud"] = null }), "TOKEN_INVALID" },
        { "an issuer with a slash", TestIssuer.Shared.Token("juridiction", Organisations.Court, issuer: TestIssuer.Issuer + "/"), "TOKEN_INVALID" },
        { "a key id that leads elsewhere", TestIssuer.Shared.Token("juridiction", Organisations.Court, key: new RsaSecurityKey(RSA.Create(2048)) { KeyId = "../../../dev/null" }), "TOKEN_INVALID" },
        { "a key that the token brings itself", BringingItsKey("jwk"), "TOKEN_INVALID" },
        { "a key that the token names by its address", BringingItsKey("jku"), "TOKEN_INVALID" },
        { "none in another case", TestIssuer.WithoutSignature(TestIssuer.Shared.Token("juridiction", Organisations.Court)).Replace(Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT","kid":"test"}"""), Base64UrlEncoder.Encode("""{"alg":"nOnE","typ":"JWT","kid":"test"}"""), StringComparison.Ordinal), "TOKEN_INVALID" },
    };

    [Fact]
    public async Task Call_TokenForSeveralAudiencesInCapitals_IsTheOneCaller()
    {
        var court = Organisations.New();
        var several = TestIssuer.Shared.Token("juridiction", court, audience: "", more: new Dictionary<string, object?>
        {
            ["aud"] = new[] { "elsewhere", "jafer" },
            ["organisation"] = court.ToString().ToUpperInvariant(),
        });

        Assert.Equal($"juridiction.{court}", (await new ProbeService.ProbeServiceClient(probe.Host.Channel(several)).FailAsync(new() { Kind = "ok" })).Subject);
    }

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
    public async Task Start_RowWithoutRpc_IsRefused()
    {
        await using var app = ProbeApp.Build(builder =>
        {
            builder.Configuration.AddInMemoryCollection(ServiceHost.Settings(ProbeApp.Name, probe.Database.ConnectionString, "none"));
            builder.Services.AddSingleton(AccessTable.Parse([.. ProbeApp.AccessRows.Split('\n'), "jafer.probe.v1.ProbeService/Gone,any,-,-,-", "jafer.mesure.v1.MesureService/GetMesure,own,-,-,-"]));
        });

        // What other services serve is their affair.
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => app.RunJaferAsync<ProbeDbContext>([]));

        Assert.Equal("rows of the access table without an rpc: /jafer.probe.v1.ProbeService/Gone", error.Message);
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
        var client = new ProbeService.ProbeServiceClient(host.Channel(TestIssuer.Shared.Token("juridiction", Organisations.Court, issuer: "http://127.0.0.1:9")));

        var refusal = await Refusal.OfAsync(client.FailAsync(new() { Kind = "ok" }));

        Assert.Equal((StatusCode.Unavailable, "SERVICE_UNAVAILABLE"), (refusal.Code, refusal.Reason));
        Assert.NotNull(refusal.RetryAfter);
    }

    [Theory]
    [InlineData("own", Relations.Holder, true)]
    [InlineData("own", Relations.NonJudicialHolder, true)]
    [InlineData("own", Relations.FormerHolder, false)]
    [InlineData("own", Relations.Subsidiary, false)]
    [InlineData("own+former", Relations.FormerHolder, true)]
    [InlineData("nonjudicial", Relations.NonJudicialHolder, true)]
    [InlineData("nonjudicial", Relations.Holder, false)]
    [InlineData("own+subsidiary", Relations.Subsidiary, true)]
    [InlineData("any", Relations.None, true)]
    [InlineData("aggregate", Relations.Holder, false)]
    [InlineData("-", Relations.Holder, false)]
    public void Admits_Relation_IsOneOfTheCells(string cell, Relations relation, bool admitted) => Assert.Equal(admitted, AccessCell.Parse(cell).Admits(relation));

    [Theory]
    [InlineData("any", Actors.All, false)]
    [InlineData("any:software", Actors.Software, false)]
    [InlineData("own:person+for-person", Actors.Person | Actors.SoftwareForPerson, false)]
    [InlineData("own:for-espace", Actors.All, true)]
    [InlineData("own:for-espace+person", Actors.Person, true)]
    [InlineData("-", Actors.None, false)]
    public void Parse_Conditions_SayWhoAndInWhoseStead(string cell, Actors actors, bool forEspace) =>
        Assert.Equal((actors, forEspace), (AccessCell.Parse(cell).Actors, AccessCell.Parse(cell).OnlyForEspace));

    [Theory]
    [InlineData("rpc,a\nx/Y,own,any")]
    [InlineData("rpc,a\nx/Y,all")]
    [InlineData("rpc,a\nx/Y,any+own")]
    [InlineData("rpc,a\nx/Y,own:")]
    [InlineData("rpc,a\nx/Y,own:nobody")]
    [InlineData("rpc,a\nx/Y,territory:nation")]
    [InlineData("rpc,a\nx/Y,any:said")]
    [InlineData("rpc,a\nx/Y,any+territory")]
    [InlineData("rpc,a\nx/Y,own:person:software")]
    [InlineData("rpc,a\nx/Y,")]
    [InlineData("rpc,a\nx/Y,own\nx/Y,any")]
    public void Parse_BadTable_IsRefused(string table) => Assert.Throws<FormatException>(() => AccessTable.Parse(table.Split('\n')));

    [Theory]
    [InlineData("-", false, false)]
    [InlineData("own", true, false)]
    [InlineData("own+former", true, false)]
    [InlineData("former", false, false)]
    [InlineData("nonjudicial", false, false)]
    [InlineData("aggregate", false, false)]
    [InlineData("any", true, true)]
    public void MayTouch_Cell_DecidesWhose(string cell, bool own, bool others)
    {
        var caller = new Caller("s", "r", Organisations.Court, true, null, AccessCell.Parse(cell), s_now);

        Assert.Equal((own, others, others), (caller.MayTouch(Organisations.Court), caller.MayTouch(Organisations.OtherCourt), caller.MayTouch(null)));
    }

    [Theory]
    [InlineData("any", false, true)]
    [InlineData("own", false, false)]
    [InlineData("territory", true, false)]
    [InlineData("own+territory", true, false)]
    [InlineData("aggregate", true, false)]
    [InlineData("any:nation", true, true)]
    public void MayTouch_OfWhoHasATerritory_IsWhatLiesThereAndTheirOwn(string cell, bool asks, bool others)
    {
        var (inside, outside, court) = (TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId());
        var territory = new CallerTerritory(FrozenSet.Create("69"), FrozenSet.Create(court), FrozenSet.Create(inside));
        var caller = new Caller("s", "r", Organisations.Court, true, null, AccessCell.Parse(cell), s_now) { Territory = territory };
        var lies = caller.Cell.WithTerritory;

        Assert.Equal(asks, caller.Cell.AsksForTerritory);
        Assert.Equal((lies || others, others), (caller.MayTouch(Organisations.OtherCourt, espaceId: inside), caller.MayTouch(Organisations.OtherCourt, espaceId: outside)));
        Assert.Equal((lies, lies, false, false), (caller.HasInTerritory(inside), caller.HasInTerritory(null, court), caller.HasInTerritory(outside, outside), caller.HasInTerritory(null)));
        Assert.Equal(cell is not "aggregate", caller.MayTouch(Organisations.Court));

        // The gestionnaire of an espace inside may have another one outside.
        Assert.Equal(others, caller.MayTouch(court));
        Assert.Equal(lies || others, Refused(() => caller.RequireOrganisation(court)) is null);
        Assert.Equal(others, Refused(() => caller.RequireOrganisation(Organisations.OtherCourt)) is null);

        static Exception? Refused(Action act) => Record.Exception(act);
    }

    [Fact]
    public void Start_NoCookiesServed_MakesNoKeysForThem()
    {
        var hosted = probe.Host.App.Services.GetServices<IHostedService>().Select(s => s.GetType().FullName!).ToList();

        Assert.DoesNotContain(hosted, name => name.StartsWith("Microsoft.AspNetCore.DataProtection.", StringComparison.Ordinal));
        Assert.Contains(hosted, name => name.EndsWith(".OutboxRelay", StringComparison.Ordinal));
    }

    private static string Claiming(string claim, object value) =>
        TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { [claim] = value });

    // Signed by a key of the caller's own that the header offers, under the id of the issuer's.
    private static string BringingItsKey(string header)
    {
        using var key = RSA.Create(2048);
        var of = key.ExportParameters(false);
        var jwk = $$"""{"kty":"RSA","kid":"test","n":"{{Base64UrlEncoder.Encode(of.Modulus)}}","e":"{{Base64UrlEncoder.Encode(of.Exponent)}}"}""";
        var offered = header == "jwk" ? jwk : "\"http://127.0.0.1:9/keys\"";
        var payload = TestIssuer.Shared.Token("juridiction", Organisations.Court).Split('.')[1];
        var signed = Base64UrlEncoder.Encode($$"""{"alg":"RS256","typ":"JWT","kid":"test","{{header}}":{{offered}}}""") + "." + payload;
        return signed + "." + Base64UrlEncoder.Encode(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    private static string Unsigned()
    {
        var valid = TestIssuer.Shared.Token("juridiction", Organisations.Court).Split('.');
        return Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT"}""") + "." + valid[1] + ".";
    }

    private static string NoKeyId()
    {
        using var rsa = RSA.Create(2048);
        return TestIssuer.Shared.Token("juridiction", Organisations.Court, key: new RsaSecurityKey(rsa));
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
