using System.Security.Claims;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Access;

/// <summary>Whom a token names.</summary>
/// <param name="Subject">Subject, with the issuer's name before it where it has one.</param>
/// <param name="Role">Role.</param>
/// <param name="OrganisationId">Organisation.</param>
/// <param name="IsPerson">Whether it is a person.</param>
/// <param name="OnBehalfOf">The person for whom software acts; null for nobody.</param>
/// <param name="ExpiresAt">End of the token.</param>
internal sealed record TokenIdentity(string Subject, string Role, Guid OrganisationId, bool IsPerson, string? OnBehalfOf, DateTimeOffset ExpiresAt)
{
    /// <summary>Issuer of the token.</summary>
    public required string Issuer { get; init; }

    /// <summary>What a credential may do; null for a token of an issuer.</summary>
    public MemberRank? CredentialRank { get; init; }

    /// <summary>The credential and its key that signed; null for a token of an issuer.</summary>
    public CredentialKey? SignedBy { get; init; }

    /// <summary>What kind of caller it is.</summary>
    public Actors Actor => IsPerson ? Actors.Person : OnBehalfOf is null ? Actors.Software : Actors.SoftwareForPerson;
}

/// <summary>A key of a credential.</summary>
/// <param name="CredentialId">The credential.</param>
/// <param name="KeyId">The key.</param>
internal sealed record CredentialKey(Guid CredentialId, string KeyId);

/// <summary>
/// Reads bearer tokens: signed by a key of a known issuer with an allowed algorithm, for this audience, valid now, of a role for
/// which the issuer may speak; or signed by the key of a credential, for ten minutes at most. All else is one refusal.
/// </summary>
internal sealed class TokenReader(Issuers issuers, IOrganisations organisations, Memberships memberships, TimeProvider clock)
{
    /// <summary>Longest token, in characters.</summary>
    public const int MaxLength = 12 * 1024;

    private const int MaxSubjectLength = 200;
    private const string Scheme = "Bearer ";

    private static readonly TimeSpan s_credentialLifetime = TimeSpan.FromMinutes(10);

    // Signatures by a private key alone: no secret that is shared, and never "none".
    private static readonly string[] s_algorithms =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256,
    ];

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxLength };

    /// <summary>Whom the token of a call names; it is looked at once, whoever asks.</summary>
    /// <param name="http">The call, with an authorization header.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">See <see cref="ReadAsync"/>.</exception>
    public async ValueTask<TokenIdentity> OfAsync(HttpContext http, CancellationToken ct)
    {
        if (http.Features.Get<Reading>() is not { } reading)
        {
            try
            {
                reading = new(await ReadAsync(http.Request.Headers.Authorization.ToString(), ct), null);
            }
            catch (DomainError refusal)
            {
                reading = new(null, refusal);
            }

            http.Features.Set(reading);
        }

        return reading.Named ?? throw reading.Refusal!;
    }

    /// <summary>Whom the header names.</summary>
    /// <param name="authorization">The authorization header.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="DomainError">UNAUTHENTICATED, or UNAVAILABLE when the issuer's keys, or who has its SIRET, cannot be known now.</exception>
    public async Task<TokenIdentity> ReadAsync(string authorization, CancellationToken ct)
    {
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || authorization.Length - Scheme.Length is 0 or > MaxLength
            || Parse(authorization[Scheme.Length..].Trim()) is not { } token
            || !s_algorithms.Contains(token.Alg) || token.Kid is not { Length: > 0 and <= 200 })
        {
            throw DomainError.TokenInvalid();
        }

        if (token.Issuer == Issuers.Credential)
        {
            return await OfCredentialAsync(token, ct) ?? throw DomainError.TokenInvalid();
        }

        if (issuers.Find(token.Issuer) is not { } issuer || await issuer.Keys.FindAsync(token.Kid, ct) is not { } key)
        {
            throw DomainError.TokenInvalid();
        }

        var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = issuer.Authority,
            ValidAudiences = [.. issuer.Audiences, issuers.ServiceAudience],
            IssuerSigningKey = key,
            ValidAlgorithms = s_algorithms,
            ClockSkew = issuers.ClockSkew,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
        });

        // The development issuer says so of its tokens: wherever its keys came from, they open nothing elsewhere.
        return result.IsValid && (issuers.IsDevelopment || result.ClaimsIdentity.FindFirst("development") is null)
            && await NameAsync(issuer, token, result.ClaimsIdentity, ct) is { } named
            ? named
            : throw DomainError.TokenInvalid();
    }

    // What the token says of itself is who it is and for whom: organisation, role and rank are the credential's.
    private async Task<TokenIdentity?> OfCredentialAsync(JsonWebToken token, CancellationToken ct)
    {
        if (!FieldChecks.TryUuid(token.Subject, out var id) || await memberships.CredentialAsync(id, ct) is not { } credential
            || credential.KeyOf(token.Kid, clock.GetUtcNow()) is not { } key)
        {
            return null;
        }

        var result = await _handler.ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = Issuers.Credential,
            ValidAudience = issuers.Audience,
            IssuerSigningKey = key,
            ValidAlgorithms = s_algorithms,
            ClockSkew = issuers.ClockSkew,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
        });
        var now = clock.GetUtcNow();
        var expiresAt = new DateTimeOffset(token.ValidTo, TimeSpan.Zero);
        if (!result.IsValid || expiresAt > now + s_credentialLifetime + issuers.ClockSkew)
        {
            return null;
        }

        var onBehalfOf = One(result.ClaimsIdentity, "on_behalf_of");
        if (result.ClaimsIdentity.FindFirst("on_behalf_of") is not null
            && (!credential.MayActOnBehalf || onBehalfOf is not { Length: <= MaxSubjectLength } || !IsOneLine(onBehalfOf)))
        {
            return null;
        }

        memberships.Used(id, DateOnly.FromDateTime(now.UtcDateTime));
        return new TokenIdentity($"{Issuers.Credential}|{id}", credential.Role, credential.OrganisationId, IsPerson: false, onBehalfOf, expiresAt)
        {
            Issuer = Issuers.Credential,
            CredentialRank = credential.Rank,
            SignedBy = new(id, token.Kid),
        };
    }

    private async Task<TokenIdentity?> NameAsync(Issuer issuer, JsonWebToken token, ClaimsIdentity claims, CancellationToken ct)
    {
        var names = issuer.Claims;

        // Of several roles none is taken: which one counts is for the issuer to say.
        if (One(claims, names.Subject) is not { } subject || (names.ConstantRole ?? One(claims, names.Role)) is not { } role || issuer.Roles?.Contains(role) == false)
        {
            return null;
        }

        var qualified = issuer.Qualify(subject);
        if (qualified.Length > MaxSubjectLength || !IsOneLine(qualified) || (issuer.Name.Length == 0 && issuers.IsQualified(subject)))
        {
            return null;
        }

        // A token for one of our services says which one, and opens nothing else; a token from outside is none of ours.
        var audiences = token.Audiences.ToList();
        if (role == Roles.Systeme ? audiences is not [var only] || only != issuers.ServiceAudience : !audiences.Exists(issuer.Audiences.Contains))
        {
            return null;
        }

        // What is neither would pass for software, of which no rank is asked.
        var actor = One(claims, names.Actor);
        if (names.ConstantActor is null && claims.FindFirst(names.Actor) is not null && actor is not ("person" or "software"))
        {
            return null;
        }

        var isPerson = names.ConstantActor ?? actor == "person";
        var onBehalfOf = isPerson ? null : One(claims, names.OnBehalfOf);

        // Of several persons none is taken either: software in nobody's name is asked for no rank.
        if (!isPerson && claims.FindFirst(names.OnBehalfOf) is not null && (onBehalfOf is not { Length: <= MaxSubjectLength - 41 } || !IsOneLine(onBehalfOf)))
        {
            return null;
        }

        if (await OrganisationAsync(names, claims, ct) is not { } organisationId)
        {
            return null;
        }

        return new TokenIdentity(
            qualified, role, organisationId, isPerson, onBehalfOf is null ? null : issuer.Qualify(onBehalfOf), new DateTimeOffset(token.ValidTo, TimeSpan.Zero))
        {
            Issuer = issuer.Authority,
        };
    }

    private async ValueTask<Guid?> OrganisationAsync(ClaimNames names, ClaimsIdentity claims, CancellationToken ct)
    {
        if (names.ConstantOrganisation is { } constant)
        {
            return constant;
        }

        if (names.CourtCode is { } court)
        {
            return One(claims, court) is { } code ? StableIds.Court(code) : null;
        }

        if (names.Siret is { } siret)
        {
            return One(claims, siret) is { } number ? await organisations.OfSiretAsync(number, ct) : null;
        }

        return FieldChecks.TryUuid(One(claims, names.Organisation), out var id) ? id : null;
    }

    private sealed record Reading(TokenIdentity? Named, DomainError? Refusal);

    private static string? One(ClaimsIdentity claims, string name) => claims.FindAll(name).ToList() is [{ Value: { Length: > 0 } value }] ? value : null;

    // It comes into the journal, which is read line by line.
    private static bool IsOneLine(string subject) => !subject.Any(char.IsControl);

    private static JsonWebToken? Parse(string token)
    {
        try
        {
            return new JsonWebToken(token);
        }
        catch (Exception e) when (e is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }
}
