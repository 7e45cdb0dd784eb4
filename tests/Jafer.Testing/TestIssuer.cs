using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.Testing;

/// <summary>Signs tokens as an issuer would, and writes its public keys to a file for KeysFile.</summary>
public sealed class TestIssuer : IDisposable
{
    /// <summary>Name of the issuer.</summary>
    public const string Issuer = "https://issuer.test";

    private RSA _rsa = RSA.Create(2048);
    private RsaSecurityKey _key;

    private TestIssuer(string name)
    {
        Name = name;
        _key = new RsaSecurityKey(_rsa) { KeyId = "test" };
        KeysFile = Path.Combine(Path.GetTempPath(), $"jafer-test-keys-{Environment.ProcessId}-{Guid.CreateVersion7(TimeProvider.System.GetUtcNow()):N}.json");
        File.WriteAllText(KeysFile, KeySet());
    }

    /// <summary>The issuer of this test run.</summary>
    public static TestIssuer Shared { get; } = Create(Issuer);

    /// <summary>Name of this issuer, as in "iss".</summary>
    public string Name { get; }

    /// <summary>File with the public keys.</summary>
    public string KeysFile { get; }

    /// <summary>Another issuer, with keys of its own.</summary>
    /// <param name="name">Name of the issuer.</param>
    public static TestIssuer Create(string name)
    {
        var issuer = new TestIssuer(name);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => issuer.Dispose();
        return issuer;
    }

    /// <summary>A token that claims to need no signature.</summary>
    /// <param name="token">A token of the issuer.</param>
    public static string WithoutSignature(string token)
    {
        ArgumentNullException.ThrowIfNull(token);
        return Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT","kid":"test"}""") + "." + token.Split('.')[1] + ".";
    }

    /// <summary>The public keys, as the issuer publishes them.</summary>
    public string KeySet()
    {
        var parameters = _rsa.ExportParameters(false);
        var jwks = new
        {
            keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = _key.KeyId, n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) } },
        };
        return JsonSerializer.Serialize(jwks);
    }

    /// <summary>Signs with a new key from now on. The file is left as it was.</summary>
    /// <param name="keyId">Id of the new key.</param>
    public void Rotate(string keyId)
    {
        _rsa.Dispose();
        _rsa = RSA.Create(2048);
        _key = new RsaSecurityKey(_rsa) { KeyId = keyId };
    }

    /// <summary>A token, valid unless a part says otherwise.</summary>
    /// <param name="role">Role; several, parted by spaces, become a list.</param>
    /// <param name="organisation">Organisation.</param>
    /// <param name="subject">Subject; a name made of role and organisation when null.</param>
    /// <param name="audience">Audience.</param>
    /// <param name="issuer">Issuer; this one when null.</param>
    /// <param name="expires">End of validity, in an hour when null.</param>
    /// <param name="key">Another key to sign with.</param>
    /// <param name="roleClaim">Claim of the role.</param>
    /// <param name="organisationClaim">Claim of the organisation.</param>
    /// <param name="person">Whether a person calls, and not software.</param>
    /// <param name="more">Further claims, which replace those of the same name; null to leave one away.</param>
    /// <param name="notBefore">Begin of validity; ten minutes ago when null.</param>
    /// <param name="algorithm">Algorithm of the signature.</param>
    public string Token(
        string? role, Guid? organisation, string? subject = null, string audience = "jafer", string? issuer = null, DateTimeOffset? expires = null, SecurityKey? key = null,
        string roleClaim = "role", string organisationClaim = "organisation", bool person = false,
        IReadOnlyDictionary<string, object?>? more = null, DateTimeOffset? notBefore = null, string algorithm = SecurityAlgorithms.RsaSha256)
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

        foreach (var (name, value) in more ?? new Dictionary<string, object?>())
        {
            if (value is null)
            {
                claims.Remove(name);
            }
            else
            {
                claims[name] = value;
            }
        }

        return new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Name,
            Audience = audience,
            IssuedAt = (end < now ? end : now).AddMinutes(-10).UtcDateTime,
            NotBefore = (notBefore ?? (end < now ? end : now).AddMinutes(-10)).UtcDateTime,
            Expires = end.UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(key ?? _key, algorithm),
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _rsa.Dispose();
        File.Delete(KeysFile);
    }
}
