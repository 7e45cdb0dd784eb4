using System.Security.Cryptography;
using System.Text.Json;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using static Jafer.Directory.Tests.Slices.MemberFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Software that signs its own tokens.</summary>
public sealed class CredentialTests(MemberFixture directory) : IClassFixture<MemberFixture>, IDisposable
{
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _curve = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private string RsaJwk => JsonSerializer.Serialize(new { kty = "RSA", n = Encoded(_rsa.ExportParameters(false).Modulus!), e = "AQAB" });

    private string EcJwk => JsonSerializer.Serialize(new { kty = "EC", crv = "P-256", x = Encoded(_curve.ExportParameters(false).Q.X!), y = Encoded(_curve.ExportParameters(false).Q.Y!) });

    [Theory]
    [InlineData(SecurityAlgorithms.RsaSha256)]
    [InlineData(SecurityAlgorithms.RsaSsaPssSha256)]
    [InlineData(SecurityAlgorithms.EcdsaSha256)]
    public async Task Call_TokenOfACredential_IsItsOrganisationsSoftware(string algorithm)
    {
        var (organisation, _) = await directory.FoundAsync();
        var credential = await CreateAsync(organisation, MemberRank.Agent, algorithm == SecurityAlgorithms.EcdsaSha256 ? EcJwk : RsaJwk);

        await AskAsync(Token(credential, algorithm: algorithm));

        // It has its organisation's role, reads the members, and gives no rights.
        var members = new MemberService.MemberServiceClient(directory.Host.Channel(Token(credential, algorithm: algorithm)));
        Assert.Single((await members.ListMembersAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel)).Members);
        var invite = new InviteMemberRequest { OrganisationId = organisation.ToString(), DisplayName = "x", Rank = MemberRank.Agent, RequestId = NewId() };
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(members.InviteMemberAsync(invite, cancellationToken: Cancel))).Reason);
        await Eventually.BecomesAsync(
            async () => Assert.Single((await Credentials(organisation).ListCredentialsAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel)).Credentials).LastUseDate,
            day => day is not null, "the day of its last use");
    }

    [Fact]
    public async Task Call_TokenThatIsNotAsItShouldBe_IsUnauthenticated()
    {
        var (organisation, _) = await directory.FoundAsync();
        var credential = await CreateAsync(organisation, MemberRank.Agent, RsaJwk);
        var other = await CreateAsync(organisation, MemberRank.Agent, EcJwk);
        using var foreign = RSA.Create(2048);
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (what, token) in new (string, string)[]
        {
            ("no signature", TestIssuer.WithoutSignature(Token(credential)).Replace(TestIssuer.WithoutSignature(Token(credential)).Split('.')[0], Base64UrlEncoder.Encode($$"""{"alg":"none","kid":"{{credential.Keys[0].KeyId}}"}"""), StringComparison.Ordinal)),
            ("a shared secret", Token(credential, key: new SymmetricSecurityKey(_rsa.ExportRSAPublicKey()), algorithm: SecurityAlgorithms.HmacSha256)),
            ("a longer hash", Token(credential, algorithm: SecurityAlgorithms.RsaSha512)),
            ("another key", Token(credential, key: new RsaSecurityKey(foreign))),
            ("the key of another credential", Token(credential, keyId: other.Keys[0].KeyId)),
            ("the id of another credential", Token(credential, subject: other.CredentialId)),
            ("no credential", Token(credential, subject: NewId())),
            ("no id", Token(credential, subject: "logiciel")),
            ("expired", Token(credential, expires: now.AddMinutes(-2))),
            ("too long a life", Token(credential, expires: now.AddMinutes(30))),
            ("another audience", Token(credential, audience: "directory")),
            ("another issuer", Token(credential, issuer: TestIssuer.Issuer)),
            ("on behalf of somebody", Token(credential, onBehalfOf: "chef")),
        })
        {
            var refusal = await Refusal.OrNullAsync(() => AskAsync(token));
            Assert.True((StatusCode.Unauthenticated, "TOKEN_INVALID") == (refusal?.Code, refusal?.Reason), $"{what}: {refusal?.Reason}");
        }
        await AskAsync(Token(credential));
    }

    [Fact]
    public async Task Call_Claims_OfRoleAndOrganisationCountForNothing()
    {
        var (organisation, _) = await directory.FoundAsync();
        var (another, _) = await directory.FoundAsync();
        var token = Token(await CreateAsync(organisation, MemberRank.Agent, RsaJwk), more: new() { ["role"] = Roles.Operateur, ["organisation"] = another.ToString(), ["actor"] = "person" });

        var members = new MemberService.MemberServiceClient(directory.Host.Channel(token));

        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(members.ListMembersAsync(new() { OrganisationId = another.ToString() }, cancellationToken: Cancel))).Reason);
        await members.ListMembersAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task RotateCredential_BothKeys_AreGoodUntilTheFirstEnds()
    {
        var (organisation, _) = await directory.FoundAsync();
        var credential = await CreateAsync(organisation, MemberRank.Reader, RsaJwk);
        await AskAsync(Token(credential));
        directory.Clock.Advance(TimeSpan.FromSeconds(1));

        var rotated = (await Credentials(organisation).RotateCredentialAsync(new()
        {
            CredentialId = credential.CredentialId,
            PublicKeyJwk = EcJwk,
            PreviousExpireTime = directory.Clock.GetUtcNow().AddMinutes(5).ToProto(),
            Etag = credential.Etag,
            RequestId = NewId(),
        }, cancellationToken: Cancel)).Credential;

        Assert.Equal(2, rotated.Keys.Count);
        directory.Clock.Advance(TimeSpan.FromMinutes(1));
        var second = rotated.Clone();
        second.Keys.RemoveAt(1);
        await AskAsync(Token(second, algorithm: SecurityAlgorithms.EcdsaSha256));
        await AskAsync(Token(credential));
        directory.Clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal("TOKEN_INVALID", (await Refusal.OfAsync(() => AskAsync(Token(credential)))).Reason);
        await AskAsync(Token(second, algorithm: SecurityAlgorithms.EcdsaSha256, expires: directory.Clock.GetUtcNow().AddMinutes(5)));
    }

    [Fact]
    public async Task RevokeCredential_ItsTokens_AreRefusedWithinAMinute()
    {
        var (organisation, _) = await directory.FoundAsync();
        var credential = await CreateAsync(organisation, MemberRank.Agent, RsaJwk);
        await AskAsync(Token(credential));

        var revoked = (await Credentials(organisation).RevokeCredentialAsync(new() { CredentialId = credential.CredentialId, RequestId = NewId() }, cancellationToken: Cancel)).Credential;

        Assert.Equal(CredentialState.Revoked, revoked.State);
        directory.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("TOKEN_INVALID", (await Refusal.OfAsync(() => AskAsync(Token(credential)))).Reason);
        var again = await Refusal.OfAsync(Credentials(organisation).RotateCredentialAsync(new() { CredentialId = credential.CredentialId, PublicKeyJwk = EcJwk, RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal(("STATE_FORBIDS", "REVOKED"), (again.Reason, again.Metadata["state"]));
        Assert.Empty((await Credentials(organisation).ListCredentialsAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel)).Credentials);
    }

    [Fact]
    public async Task Call_CredentialPastItsLastDay_IsRefused()
    {
        var (organisation, _) = await directory.FoundAsync();
        var today = directory.Clock.TodayInParis();
        var credential = await CreateAsync(organisation, MemberRank.Agent, RsaJwk, expires: today);
        Assert.Equal(CredentialState.ExpiresSoon, credential.State);
        await AskAsync(Token(credential));

        await directory.Database.RunAsync($"update credentials set expires_on = expires_on - 1 where id = '{credential.CredentialId}'");
        directory.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal("TOKEN_INVALID", (await Refusal.OfAsync(() => AskAsync(Token(credential)))).Reason);
    }

    [Fact]
    public async Task Call_OnBehalfOf_IsOfAnActiveMemberWithinBothRanks()
    {
        var (organisation, _) = await directory.FoundAsync();
        await directory.JoinAsync(organisation, "chef", "lecture", MemberRank.Reader);
        var greffe = await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);
        var agent = await CreateAsync(organisation, MemberRank.Agent, RsaJwk, onBehalf: true);
        var reader = await CreateAsync(organisation, MemberRank.Reader, RsaJwk, onBehalf: true);

        Assert.Null(await WriteAsync(Token(agent, onBehalfOf: "greffe")));
        Assert.Equal("RANK_INSUFFICIENT", await WriteAsync(Token(agent, onBehalfOf: "lecture")));
        Assert.Equal("RANK_INSUFFICIENT", await WriteAsync(Token(reader, onBehalfOf: "greffe")));
        Assert.Equal("RANK_INSUFFICIENT", await WriteAsync(Token(reader)));
        Assert.Equal("MEMBER_UNKNOWN", await WriteAsync(Token(agent, onBehalfOf: "inconnu")));
        await directory.Members(organisation, "chef").SuspendMemberAsync(new() { MemberId = greffe.MemberId, RequestId = NewId() }, cancellationToken: Cancel);
        directory.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("MEMBER_SUSPENDED", await WriteAsync(Token(agent, onBehalfOf: "greffe")));

        // Of an espace that does not exist: who gets so far was let in.
        async Task<string?> WriteAsync(string token)
        {
            var refusal = await Refusal.OfAsync(new DirectoryService.DirectoryServiceClient(directory.Host.Channel(token)).RequestCapacityAsync(
                new() { EspaceId = NewId(), Mesure = new() { Modalite = Modalite.Visite }, RequestId = NewId() }, cancellationToken: Cancel));
            return refusal.Reason == "RESOURCE_NOT_FOUND" ? null : refusal.Reason;
        }
    }

    [Fact]
    public async Task CreateCredential_ByWhomAndOfWhat_IsLimited()
    {
        var lonely = TestMesure.NewId();
        var refusal = await Refusal.OfAsync(() => CreateAsync(lonely, MemberRank.Agent, RsaJwk));
        Assert.Equal(("STATE_FORBIDS", "NO_MANAGER"), (refusal.Reason, refusal.Metadata["state"]));
        var (organisation, _) = await directory.FoundAsync();
        var (another, _) = await directory.FoundAsync();
        var theirs = await CreateAsync(another, MemberRank.Agent, RsaJwk);
        var foreign = new RevokeCredentialRequest { CredentialId = theirs.CredentialId, RequestId = NewId() };
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(Credentials(organisation).RevokeCredentialAsync(foreign, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(Credentials(organisation).ListCredentialsAsync(new() { OrganisationId = another.ToString() }, cancellationToken: Cancel))).Reason);
        using var small = RSA.Create(1024);
        var secret = _rsa.ExportParameters(true);
        foreach (var (field, request) in new (string, CreateCredentialRequest)[]
        {
            ("rank", Request(organisation, MemberRank.Manager, RsaJwk)),
            ("public_key_jwk", Request(organisation, MemberRank.Agent, JsonSerializer.Serialize(new { kty = "RSA", n = Encoded(small.ExportParameters(false).Modulus!), e = "AQAB" }))),
            ("public_key_jwk", Request(organisation, MemberRank.Agent, JsonSerializer.Serialize(new { kty = "RSA", n = Encoded(secret.Modulus!), e = "AQAB", d = Encoded(secret.D!) }))),
            ("public_key_jwk", Request(organisation, MemberRank.Agent, JsonSerializer.Serialize(new { kty = "RSA", n = Encoded(secret.Modulus!), e = "Aw" }))),
            ("public_key_jwk", Request(organisation, MemberRank.Agent, """{"kty":"oct","k":"AAAA"}""")),
            ("public_key_jwk", Request(organisation, MemberRank.Agent, EcJwk.Replace("\"x\":\"", "\"x\":\"AAAA", StringComparison.Ordinal))),
            ("public_key_jwk", Request(organisation, MemberRank.Agent, "[]")),
            ("expire_date", Request(organisation, MemberRank.Agent, RsaJwk, directory.Clock.TodayInParis().SameDayAfter(24).AddDays(1))),
            ("expire_date", Request(organisation, MemberRank.Agent, RsaJwk, directory.Clock.TodayInParis().AddDays(-1))),
        })
        {
            Assert.Equal([field], (await Refusal.OfAsync(Credentials(organisation).CreateCredentialAsync(request, cancellationToken: Cancel))).Fields);
        }
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _curve.Dispose();
    }

    private CredentialService.CredentialServiceClient Credentials(Guid organisation) => new(directory.Person(organisation, "chef"));

    private async Task AskAsync(string token) =>
        await new DirectoryService.DirectoryServiceClient(directory.Host.Channel(token)).ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel);

    private static CreateCredentialRequest Request(Guid organisation, MemberRank rank, string jwk, DateOnly? expires = null, bool onBehalf = false) => new()
    {
        OrganisationId = organisation.ToString(),
        DisplayName = "Logiciel fictif",
        Rank = rank,
        MayActOnBehalf = onBehalf,
        PublicKeyJwk = jwk,
        ExpireDate = expires.ToProto(),
        RequestId = NewId(),
    };

    private async Task<Credential> CreateAsync(Guid organisation, MemberRank rank, string jwk, DateOnly? expires = null, bool onBehalf = false) =>
        (await Credentials(organisation).CreateCredentialAsync(Request(organisation, rank, jwk, expires, onBehalf), cancellationToken: Cancel)).Credential;

    private string Token(
        Credential credential, string algorithm = SecurityAlgorithms.RsaSha256, SecurityKey? key = null, string? keyId = null, string? subject = null, string audience = "jafer",
        string issuer = "jafer-credential", DateTimeOffset? expires = null, string? onBehalfOf = null, Dictionary<string, object>? more = null)
    {
        key ??= algorithm == SecurityAlgorithms.EcdsaSha256 ? new ECDsaSecurityKey(_curve) : new RsaSecurityKey(_rsa);
        key.KeyId = keyId ?? credential.Keys[0].KeyId;
        var end = expires ?? TimeProvider.System.GetUtcNow().AddMinutes(5);
        var claims = more ?? [];
        claims["sub"] = subject ?? credential.CredentialId;
        if (onBehalfOf is not null)
            claims["on_behalf_of"] = onBehalfOf;
        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            IssuedAt = TimeProvider.System.GetUtcNow().AddMinutes(-15).UtcDateTime,
            NotBefore = TimeProvider.System.GetUtcNow().AddMinutes(-15).UtcDateTime,
            Expires = end.UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(key, algorithm),
        });
    }

    private static string Encoded(byte[] bytes) => Base64UrlEncoder.Encode(bytes);
}
