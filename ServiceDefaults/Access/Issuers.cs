using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Jafer.ServiceDefaults.Access;

/// <summary>Under which names an issuer writes what Jafer needs to know of a caller, and what is the same for all of its tokens.</summary>
/// <param name="Subject">Claim of the subject, default "sub".</param>
/// <param name="Role">Claim of the role: one value, a column of the access table; default "role".</param>
/// <param name="Organisation">Claim of the organisation's UUID; default "organisation".</param>
/// <param name="Actor">Claim that says "person"; default "actor".</param>
/// <param name="OnBehalfOf">Claim of the person for whom software acts; default "on_behalf_of".</param>
/// <param name="CourtCode">Claim of a court's code, in place of the organisation's UUID; null for none.</param>
/// <param name="Siret">Claim of the SIRET of a gestionnaire, in place of the organisation's UUID; null for none.</param>
/// <param name="ConstantRole">The role of all tokens; null to read the claim.</param>
/// <param name="ConstantOrganisation">The organisation of all tokens; null to read a claim.</param>
/// <param name="ConstantActor">Whether all tokens are persons' (true) or software's (false); null to read the claim.</param>
internal sealed record ClaimNames(
    string Subject, string Role, string Organisation, string Actor, string OnBehalfOf, string? CourtCode, string? Siret,
    string? ConstantRole, Guid? ConstantOrganisation, bool? ConstantActor);

/// <summary>An issuer whose tokens are accepted.</summary>
/// <param name="Name">Stands before its subjects; empty for the one issuer of an installation that has no more.</param>
/// <param name="Authority">Its address, exactly as in "iss".</param>
/// <param name="Audiences">Audiences of tokens of outside callers.</param>
/// <param name="Roles">Roles for which it may speak; null for all, in Development alone.</param>
/// <param name="Claims">Its claims.</param>
/// <param name="Keys">Its keys.</param>
internal sealed record Issuer(string Name, string Authority, IReadOnlyList<string> Audiences, IReadOnlySet<string>? Roles, ClaimNames Claims, IssuerKeys Keys)
{
    /// <summary>A subject under which no other issuer has anybody.</summary>
    public string Qualify(string subject) => Name.Length == 0 ? subject : $"{Name}|{subject}";
}

/// <summary>
/// The issuers of an installation. Configuration: Identity:Authority for one, Identity:Issuers:N for several, or both;
/// docs/integrators.md explains the keys. What is configured wrongly is refused when the service starts.
/// </summary>
internal sealed partial class Issuers
{
    /// <summary>"iss" of the tokens that software with a credential signs, and the name before their subjects.</summary>
    public const string Credential = "jafer-credential";

    private readonly Dictionary<string, Issuer> _byAuthority = new(StringComparer.Ordinal);

    private Issuers(IEnumerable<Issuer> issuers, string audience, string serviceAudience, TimeSpan clockSkew, bool isDevelopment)
    {
        foreach (var issuer in issuers)
        {
            Require(_byAuthority.TryAdd(issuer.Authority, issuer), $"two issuers have the authority {issuer.Authority}");
            Require(!issuer.Audiences.Contains(serviceAudience), $"the audience {serviceAudience} is for calls between services: outside callers need another one");
        }

        Require(_byAuthority.Count > 0, "Identity:Authority or Identity:Issuers is required");
        Require(_byAuthority.Values.DistinctBy(i => i.Name).Count() == _byAuthority.Count, "two issuers have the same name");
        Require(_byAuthority.Values.All(i => i.Name != Credential && i.Authority != Credential), $"{Credential} is the name of tokens that software signs itself");
        Audience = audience;
        ServiceAudience = serviceAudience;
        ClockSkew = clockSkew;
        IsDevelopment = isDevelopment;
    }

    /// <summary>Audience of tokens of outside callers, unless their issuer has others.</summary>
    public string Audience { get; }

    /// <summary>Audience of tokens by which Jafer's other services call this one.</summary>
    public string ServiceAudience { get; }

    /// <summary>How much the clocks of an issuer and of this service may differ.</summary>
    public TimeSpan ClockSkew { get; }

    /// <summary>Whether tokens of the development issuer are accepted.</summary>
    public bool IsDevelopment { get; }

    /// <summary>The issuer that a token names; null for a stranger.</summary>
    public Issuer? Find(string authority) => _byAuthority.GetValueOrDefault(authority);

    /// <summary>Whether a subject looks as if another, named issuer had given it.</summary>
    public bool IsQualified(string subject) => subject.StartsWith(Credential + "|", StringComparison.Ordinal) || _byAuthority.Values.Any(i => i.Name.Length > 0 && subject.StartsWith(i.Qualify(""), StringComparison.Ordinal));

    /// <summary>Reads the configuration.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="environment">Outside Development an issuer needs HTTPS.</param>
    /// <param name="service">Name of this service.</param>
    /// <param name="keysOf">Makes the keys of an issuer, given its authority and its file of keys, if it has one.</param>
    /// <exception cref="InvalidOperationException">Something is wrong; the text names the key.</exception>
    public static Issuers Read(IConfiguration configuration, IHostEnvironment environment, string service, Func<string, string?, IssuerKeys> keysOf)
    {
        var identity = configuration.GetSection("Identity");
        var audience = Text(identity, "Audience") ?? "jafer";
        var sections = identity.GetSection("Issuers").GetChildren().ToList();
        var issuers = sections.ConvertAll(s => ReadIssuer(s, Text(s, "Name") ?? s.Key, audience));
        if (Text(identity, "Authority") is not null)
        {
            issuers.Insert(0, ReadIssuer(identity, "", audience));
        }

        var skew = identity.GetValue("ClockSkewSeconds", 30);
        Require(skew is >= 0 and <= 300, "Identity:ClockSkewSeconds must be from 0 to 300");
        return new Issuers(issuers, audience, Text(identity, "ServiceAudience") ?? service, TimeSpan.FromSeconds(skew), environment.IsDevelopment());

        Issuer ReadIssuer(IConfigurationSection section, string name, string commonAudience)
        {
            var authority = Text(section, "Authority") ?? throw new InvalidOperationException($"{section.Path}:Authority is required");
            Require(
                environment.IsDevelopment() || authority.StartsWith("https://", StringComparison.Ordinal),
                $"{section.Path}:Authority must begin with https:// outside Development: the development issuer is for Development alone");
            var audiences = Values(section, "Audiences");
            var roles = Values(section, "Roles");
            var constantRole = Text(section, "Role");
            if (name.Length > 0)
            {
                Require(IssuerName().IsMatch(name), $"{section.Path}:Name must be 1 to 40 lower-case letters, digits or hyphens");
            }

            // Who speaks for all roles speaks for Jafer's own services too.
            Require(
                roles.Count > 0 || constantRole is not null || (name.Length == 0 && environment.IsDevelopment()),
                $"{section.Path}:Roles is required: the roles for which this issuer may speak");

            Require(constantRole is null || roles.Count == 0 || roles.Contains(constantRole), $"{section.Path}:Role is not one of its Roles");
            foreach (var role in roles.Append(constantRole).OfType<string>())
            {
                Require(AccessTable.BuiltIn.Roles.Contains(role), $"{section.Path}: {role} is no role");
            }

            var organisation = Text(section, "Organisation");
            Guid? constantOrganisation = Guid.TryParseExact(organisation, "D", out var id) ? id : null;
            Require(organisation is null || constantOrganisation is not null, $"{section.Path}:Organisation must be a UUID");
            var actor = Text(section, "Actor");
            Require(actor is null or "person" or "software", $"{section.Path}:Actor must be person or software");
            var claims = new ClaimNames(
                Text(section, "SubjectClaim") ?? "sub", Text(section, "RoleClaim") ?? "role", Text(section, "OrganisationClaim") ?? "organisation",
                Text(section, "ActorClaim") ?? "actor", Text(section, "OnBehalfOfClaim") ?? "on_behalf_of",
                Text(section, "CourtCodeClaim"), Text(section, "SiretClaim"), constantRole, constantOrganisation, actor is null ? null : actor == "person");
            var allowed = constantRole is not null ? new HashSet<string> { constantRole } : roles.Count > 0 ? roles.ToHashSet() : null;
            return new Issuer(name, authority, audiences.Count > 0 ? audiences : [commonAudience], allowed, claims, keysOf(authority, Text(section, "KeysFile")));
        }
    }

    private static string? Text(IConfigurationSection section, string key) => section[key] is { Length: > 0 } text ? text : null;

    private static List<string> Values(IConfigurationSection section, string key) => [.. section.GetSection(key).GetChildren().Select(c => c.Value).OfType<string>()];

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new InvalidOperationException(message);
        }
    }

    [GeneratedRegex(@"\A[a-z0-9-]{1,40}\z")]
    private static partial Regex IssuerName();
}
