using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.Testing;

/// <summary>Signs tokens as an issuer would, and writes its public keys to a file for Identity:KeysFile.</summary>
public sealed class TestIssuer : IDisposable
{
    /// <summary>Name of the issuer.</summary>
    public const string Issuer = "https://issuer.test";

    private readonly RSA _rsa = RSA.Create(2048);
    private readonly RsaSecurityKey _key;

    private TestIssuer()
    {
        _key = new RsaSecurityKey(_rsa) { KeyId = "test" };
        var parameters = _rsa.ExportParameters(false);
        var jwks = new
        {
            keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = "test", n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) } },
        };
        KeysFile = Path.Combine(Path.GetTempPath(), $"jafer-test-keys-{Environment.ProcessId}-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}.json");
        File.WriteAllText(KeysFile, JsonSerializer.Serialize(jwks));
    }

    /// <summary>The issuer of this test run.</summary>
    public static TestIssuer Shared { get; } = Create();

    /// <summary>File with the public keys.</summary>
    public string KeysFile { get; }

    /// <summary>A token, valid unless a part says otherwise.</summary>
    /// <param name="role">Role; several, parted by spaces, become a list.</param>
    /// <param name="organisation">Organisation.</param>
    /// <param name="subject">Subject; a name made of role and organisation when null.</param>
    /// <param name="audience">Audience.</param>
    /// <param name="issuer">Issuer.</param>
    /// <param name="expires">End of validity, in an hour when null.</param>
    /// <param name="key">Another key to sign with.</param>
    /// <param name="roleClaim">Claim of the role.</param>
    /// <param name="organisationClaim">Claim of the organisation.</param>
    /// <param name="person">Whether a person calls, and not software.</param>
    public string Token(
        string? role, Guid? organisation, string? subject = null, string audience = "jafer", string issuer = Issuer, DateTimeOffset? expires = null, SecurityKey? key = null,
        string roleClaim = "role", string organisationClaim = "organisation", bool person = false)
    {
        var now = TimeProvider.System.GetUtcNow();
        var end = expires ?? now.AddHours(1);
        var claims = new Dictionary<string, object> { ["sub"] = subject ?? $"{role}.{organisation}", ["actor"] = person ? "person" : "software" };
        if (role is not null)
        {
            claims[roleClaim] = role.Contains(' ', StringComparison.Ordinal) ? role.Split(' ') : role;
        }

        if (organisation is not null)
        {
            claims[organisationClaim] = organisation.Value.ToString();
        }

        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer,
            Audience = audience,
            IssuedAt = (end < now ? end : now).AddMinutes(-10).UtcDateTime,
            NotBefore = (end < now ? end : now).AddMinutes(-10).UtcDateTime,
            Expires = end.UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(key ?? _key, SecurityAlgorithms.RsaSha256),
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rsa.Dispose();
        File.Delete(KeysFile);
    }

    private static TestIssuer Create()
    {
        var issuer = new TestIssuer();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => issuer.Dispose();
        return issuer;
    }
}
