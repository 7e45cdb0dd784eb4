using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Probe;
using Jafer.Probe.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Tests.Access;

/// <summary>Several issuers at once: a ministry's for courts, ProConnect for associations, one for software.</summary>
public sealed class IssuersTests(ProbeHost probe) : IClassFixture<ProbeHost>
{
    private const string Siret = "12345678900011";

    private static readonly TestIssuer s_ministry = TestIssuer.Create("https://ministere.test");
    private static readonly TestIssuer s_proConnect = TestIssuer.Create("https://proconnect.test");
    private static readonly Guid s_gestionnaire = StableIds.Gestionnaire("test", "SIRET");

    private static readonly Dictionary<string, string?> s_settings = new()
    {
        ["Identity:Issuers:0:Name"] = "ministere",
        ["Identity:Issuers:0:Authority"] = s_ministry.Name,
        ["Identity:Issuers:0:KeysFile"] = s_ministry.KeysFile,
        ["Identity:Issuers:0:Role"] = "juridiction",
        ["Identity:Issuers:0:Actor"] = "person",
        ["Identity:Issuers:0:SubjectClaim"] = "agent",
        ["Identity:Issuers:0:CourtCodeClaim"] = "tribunal",
        ["Identity:Issuers:1:Name"] = "proconnect",
        ["Identity:Issuers:1:Authority"] = s_proConnect.Name,
        ["Identity:Issuers:1:KeysFile"] = s_proConnect.KeysFile,
        ["Identity:Issuers:1:Audiences:0"] = "jafer-associations",
        ["Identity:Issuers:1:Roles:0"] = "operateur",
        ["Identity:Issuers:1:Roles:1"] = "espace",
        ["Identity:Issuers:1:SiretClaim"] = "siret",
    };

    public static TheoryData<string, string?> Refused() => new()
    {
        { "no court", Ministry(new() { ["tribunal"] = null }) },
        { "no subject", Ministry(new() { ["agent"] = null }) },
        { "a role that ProConnect has not", ProConnect("juridiction") },
        { "a service of ProConnect", s_proConnect.Token("systeme", null, audience: "probe", more: new Dictionary<string, object?> { ["siret"] = Siret }) },
        { "a SIRET that nobody has", ProConnect("operateur", siret: "00000000000000") },
        { "no SIRET", s_proConnect.Token("operateur", s_gestionnaire, audience: "jafer-associations") },
        { "the audience of other issuers", s_proConnect.Token("operateur", null, more: new Dictionary<string, object?> { ["siret"] = Siret }) },
        { "a ministry's token under another's name", s_ministry.Token("juridiction", Organisations.Court, issuer: TestIssuer.Issuer) },
        { "a subject made up as another issuer's", TestIssuer.Shared.Token("juridiction", Organisations.Court, subject: "ministere|a1") },
        { "a subject made up as a credential's", TestIssuer.Shared.Token("juridiction", Organisations.Court, subject: "jafer-credential|0198") },
        { "a subject that is too long with its issuer", Ministry(new() { ["agent"] = new string('a', 195) }) },
        { "an actor that is neither person nor software", TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["actor"] = "Person" }) },
        { "two actors", TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["actor"] = new[] { "person", "software" } }) },
        { "software for two persons", OnBehalfOf("greffe-1", "greffe-2") },
        { "software for a person without a name", OnBehalfOf("") },
        { "software for a person of two lines", OnBehalfOf("greffe-1\ngreffe-2") },
        { "no issuer of ours", s_ministry.Token("juridiction", Organisations.Court, issuer: "https://elsewhere.test") },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task Call_TokenBeyondWhatItsIssuerMaySay_IsUnauthenticated(string what, string? token)
    {
        await using var host = await StartAsync();

        var refusal = await Refusal.OfAsync(Client(host, token).FailAsync(new() { Kind = "ok" }));

        Assert.True((StatusCode.Unauthenticated, "TOKEN_INVALID") == (refusal.Code, refusal.Reason), what);
    }

    [Fact]
    public async Task Call_TokensOfSeveralIssuers_AreReadByTheirOwnClaims()
    {
        await using var host = await StartAsync();

        // The ministry's token says "espace": it speaks for courts alone, and only they may call this.
        var judge = await Client(host, Ministry([])).FailAsync(new() { Kind = "ok" });
        var association = await Client(host, ProConnect("operateur")).FailAsync(new() { Kind = "ok" });
        var software = await Client(host, TestIssuer.Shared.Token("juridiction", Organisations.Court, subject: "a1")).FailAsync(new() { Kind = "ok" });

        // The same subject of two issuers is two callers; that of the one without a name is as it was.
        Assert.Equal(("ministere|a1", "proconnect|a1", "a1"), (judge.Subject, association.Subject, software.Subject));
    }

    [Fact]
    public async Task Call_KeyRotatedInTheFile_IsTakenWithoutRestart()
    {
        var issuer = TestIssuer.Create("https://rotating.test");
        var settings = new Dictionary<string, string?>(s_settings)
        {
            ["Identity:Issuers:0:Authority"] = issuer.Name,
            ["Identity:Issuers:0:KeysFile"] = issuer.KeysFile,
            ["Identity:Keys:RetryAfter"] = "00:00:00",
        };
        await using var host = await StartAsync(settings);
        string Token() => issuer.Token(null, null, more: Claims);
        await Client(host, Token()).FailAsync(new() { Kind = "ok" });

        issuer.Rotate("second");
        Assert.Equal("TOKEN_INVALID", (await Refusal.OfAsync(Client(host, Token()).FailAsync(new() { Kind = "ok" }))).Reason);
        await File.WriteAllTextAsync(issuer.KeysFile, issuer.KeySet(), TestContext.Current.CancellationToken);

        await Client(host, Token()).FailAsync(new() { Kind = "ok" });
    }

    [Theory]
    [InlineData("Identity:Issuers:0:Authority", "http://ministere.test", "must begin with https://")]
    [InlineData("Identity:Authority", "http://127.0.0.1:5000", "the development issuer is for Development alone")]
    [InlineData("Identity:Issuers:0:Authority", null, "Identity:Issuers:0:Authority is required")]
    [InlineData("Identity:Issuers:0:Role", "parent", "parent is no role")]
    [InlineData("Identity:Issuers:0:Role", null, "the roles for which this issuer may speak")]
    [InlineData("Identity:Issuers:0:Role", "", "the roles for which this issuer may speak")]
    [InlineData("Identity:Issuers:1:Roles:0", "Systeme", "Systeme is no role")]
    [InlineData("Identity:Issuers:0:Name", "Ministère", "lower-case letters")]
    [InlineData("Identity:Issuers:0:Name", "proconnect", "the same name")]
    [InlineData("Identity:Issuers:0:Name", "jafer-credential", "tokens that software signs itself")]
    [InlineData("Identity:Members", "some", "Identity:Members must be")]
    [InlineData("Identity:Issuers:0:Authority", "https://proconnect.test", "two issuers have the authority")]
    [InlineData("Identity:Issuers:0:Organisation", "x", "Organisation must be a UUID")]
    [InlineData("Identity:Issuers:0:Actor", "robot", "Actor must be person or software")]
    [InlineData("Identity:ClockSkewSeconds", "301", "ClockSkewSeconds")]
    [InlineData("Identity:ServiceAudience", "jafer", "between services")]
    public async Task Start_IssuersConfiguredWrongly_IsRefusedAndSaysWhy(string key, string? value, string why)
    {
        var settings = new Dictionary<string, string?>(s_settings) { [key] = value };
        await using var app = ProbeApp.Build(builder =>
            builder.Configuration.AddInMemoryCollection(ServiceHost.Settings(ProbeApp.Name, probe.Database.ConnectionString, "none", settings)));

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => app.RunJaferAsync<ProbeDbContext>([]));

        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_OneIssuerThatSaysNotForWhomItSpeaks_IsRefusedOutsideDevelopment()
    {
        var nobody = AccessTable.BuiltIn.Roles.Select((_, i) => KeyValuePair.Create($"Identity:Roles:{i}", (string?)null)).Append(new("Identity:Issuers:0:Name", "ministere"));
        var settings = new Dictionary<string, string?>(s_settings.Concat(nobody).DistinctBy(s => s.Key));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(ServiceHost.Settings(ProbeApp.Name, "", "none", settings)).Build();
        foreach (var (environment, starts) in new[] { ("Production", false), ("Staging", false), ("Development", true) })
        {
            var error = Record.Exception(() => Issuers.Read(configuration, new HostingEnvironment { EnvironmentName = environment }, ProbeApp.Name, (_, _) => null!));

            Assert.Equal(starts, error is null);
            Assert.True(starts || error!.Message.StartsWith("Identity:Roles is required", StringComparison.Ordinal), error?.Message);
        }
    }

    [Fact]
    public async Task Call_DevelopmentToken_IsTakenInDevelopmentAlone()
    {
        var token = TestIssuer.Shared.Token("juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["development"] = true });
        await using var development = await StartAsync(configure: b => b.Environment.EnvironmentName = "Development");
        await using var production = await StartAsync();

        await Client(development, token).FailAsync(new() { Kind = "ok" });
        Assert.Equal("TOKEN_INVALID", (await Refusal.OfAsync(Client(production, token).FailAsync(new() { Kind = "ok" }))).Reason);
    }

    [Theory]
    [InlineData(true, false, StatusCode.OK)]
    [InlineData(false, false, StatusCode.PermissionDenied)]
    [InlineData(false, true, StatusCode.OK)]
    public async Task Call_CellForPersons_LetsSoftwareInOnlyOnBehalfOfOne(bool person, bool onBehalf, StatusCode expected)
    {
        var rows = ProbeApp.AccessRows.Replace("/Fail,any", "/Fail,any:person+for-person", StringComparison.Ordinal).Split('\n');
        await using var host = await StartAsync(configure: b => b.Services.AddSingleton(AccessTable.Parse(rows)));
        var more = onBehalf ? new Dictionary<string, object?> { ["on_behalf_of"] = "greffe-1" } : null;

        var call = Client(host, TestIssuer.Shared.Token("juridiction", Organisations.Court, person: person, more: more)).FailAsync(new() { Kind = "ok" });

        Assert.Equal(expected, await Refusal.CodeOfAsync(call));
    }

    [Fact]
    public async Task Call_Signatures_OfEllipticCurvesAndPaddedRsaAreTaken()
    {
        using var curve = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var key = new ECDsaSecurityKey(curve) { KeyId = "ec" };
        var point = curve.ExportParameters(false).Q;
        var file = Path.Combine(Path.GetTempPath(), $"jafer-test-ec-{Environment.ProcessId}.json");
        await File.WriteAllTextAsync(
            file, $$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"ec","x":"{{Base64UrlEncoder.Encode(point.X)}}","y":"{{Base64UrlEncoder.Encode(point.Y)}}"}]}""",
            TestContext.Current.CancellationToken);
        try
        {
            await using var host = await StartAsync(new(s_settings) { ["Identity:Issuers:0:KeysFile"] = file });

            await Client(host, s_ministry.Token(null, null, more: Claims, key: key, algorithm: SecurityAlgorithms.EcdsaSha256)).FailAsync(new() { Kind = "ok" });
            await Client(host, TestIssuer.Shared.Token("juridiction", Organisations.Court, algorithm: SecurityAlgorithms.RsaSsaPssSha256)).FailAsync(new() { Kind = "ok" });
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Dictionary<string, object?> Claims => new() { ["sub"] = null, ["actor"] = null, ["agent"] = "a1", ["tribunal"] = "tj69123" };

    private static string OnBehalfOf(params string[] persons) => TestIssuer.Shared.Token(
        "juridiction", Organisations.Court, more: new Dictionary<string, object?> { ["on_behalf_of"] = persons.Length == 1 ? persons[0] : persons });

    private static string Ministry(Dictionary<string, object?> change)
    {
        var claims = Claims;
        foreach (var (name, value) in change)
        {
            claims[name] = value;
        }

        return s_ministry.Token("espace", null, more: claims);
    }

    private static string ProConnect(string role, string siret = Siret) =>
        s_proConnect.Token(role, null, subject: "a1", audience: "jafer-associations", more: new Dictionary<string, object?> { ["siret"] = siret });

    private static ProbeService.ProbeServiceClient Client(ServiceHost host, string? token) => new(host.Channel(token));

    private Task<ServiceHost> StartAsync(Dictionary<string, string?>? settings = null, Action<WebApplicationBuilder>? configure = null) => ProbeHost.StartPublisherAsync(
        probe.Database, ServiceHost.UniquePrefix(), settings ?? s_settings, builder =>
        {
            builder.Services.AddSingleton<IOrganisations, Known>();
            configure?.Invoke(builder);
        });

    private sealed class Known : IOrganisations
    {
        public Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct) => throw new NotSupportedException();

        public Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct) => throw new NotSupportedException();

        public Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct) => throw new NotSupportedException();

        public Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct) => throw new NotSupportedException();

        public Task<Guid?> OfSiretAsync(string siret, CancellationToken ct) => Task.FromResult<Guid?>(siret == Siret ? s_gestionnaire : null);
    }
}
