using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.ServiceDefaults.Access;

/// <summary>
/// Bearer tokens of an OpenID Connect issuer. Configuration: Identity:Authority (the issuer), Identity:Audience ("jafer"),
/// Identity:ClockSkewSeconds (30), Identity:KeysFile (a JWKS file instead of discovery, for closed networks),
/// Identity:RoleClaim and Identity:OrganisationClaim (<see cref="ClaimNames"/>).
/// </summary>
internal static class Authentication
{
    public static void AddJaferAuthentication(this WebApplicationBuilder builder)
    {
        var identity = builder.Configuration.GetSection("Identity");
        builder.Services.AddSingleton(services => ClaimNames.Read(services.GetRequiredService<IConfiguration>()));
        builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
        {
            options.Authority = identity["Authority"];
            options.RequireHttpsMetadata = !builder.Environment.IsDevelopment();
            options.MapInboundClaims = false;
            options.BackchannelTimeout = TimeSpan.FromSeconds(5);
            options.TokenValidationParameters = new TokenValidationParameters
            {
                ValidIssuer = identity["Authority"],
                ValidAudience = identity["Audience"] ?? "jafer",
                ClockSkew = TimeSpan.FromSeconds(identity.GetValue("ClockSkewSeconds", 30)),
                ValidAlgorithms = [SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.EcdsaSha256],
                RequireExpirationTime = true,
                RequireSignedTokens = true,
            };
            if (identity["KeysFile"] is { Length: > 0 } file)
            {
                options.Authority = null;
                options.TokenValidationParameters.IssuerSigningKeys = new JsonWebKeySet(File.ReadAllText(file)).GetSigningKeys();
                options.Configuration = new Microsoft.IdentityModel.Protocols.OpenIdConnect.OpenIdConnectConfiguration { Issuer = identity["Authority"] };
            }
        });

        // Its keys are for cookies and forms, which no service has; it would write them into the home of whoever runs it.
        foreach (var unused in builder.Services.Where(s => s.ImplementationType?.Name == "DataProtectionHostedService").ToList())
        {
            builder.Services.Remove(unused);
        }
    }
}

/// <summary>Under which names an issuer writes what Jafer needs to know of a caller beyond the standard claims.</summary>
/// <param name="Role">Claim of the role: one value, a column of the access table. Configuration: Identity:RoleClaim, default "role".</param>
/// <param name="Organisation">Claim of the organisation's id. Configuration: Identity:OrganisationClaim, default "organisation".</param>
internal sealed record ClaimNames(string Role, string Organisation)
{
    public static ClaimNames Read(IConfiguration configuration) => new(
        configuration["Identity:RoleClaim"] is { Length: > 0 } role ? role : "role",
        configuration["Identity:OrganisationClaim"] is { Length: > 0 } organisation ? organisation : "organisation");
}
