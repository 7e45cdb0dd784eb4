using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Clients;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Access;

/// <summary>The audience of tokens by which Jafer's other services call this one. Configuration: Identity:ServiceAudience, default the service's name.</summary>
/// <param name="Value">The audience.</param>
public sealed record ServiceAudience(string Value);

/// <summary>Bearer tokens of OpenID Connect issuers: see <see cref="Issuers"/> and <see cref="TokenReader"/>.</summary>
internal static class Authentication
{
    public static void AddJaferAuthentication(this WebApplicationBuilder builder, string service)
    {
        builder.Services.AddSingleton(services => ReadIssuers(services, service));
        builder.Services.AddSingleton(services => new ServiceAudience(services.GetRequiredService<Issuers>().ServiceAudience));
        builder.Services.AddSingleton<TokenReader>();
        builder.Services.AddSingleton<Memberships>();
        builder.Services.AddSingleton<MemberRanks>();
        builder.Services.AddSingleton<CallerTerritories>();
        builder.Services.TryAddSingleton<IOrganisations, DirectoryOrganisations>();
        builder.Services.AddJaferClient<OrganisationService.OrganisationServiceClient>("directory");
        builder.Services.AddJaferClient<TerritoryService.TerritoryServiceClient>("directory");
    }

    // Read late: tests and the AppHost may still add configuration.
    private static Issuers ReadIssuers(IServiceProvider services, string service)
    {
        var environment = services.GetRequiredService<IWebHostEnvironment>();
        var configuration = services.GetRequiredService<IConfiguration>();
        var clock = services.GetRequiredService<TimeProvider>();
        var logger = services.GetRequiredService<ILoggerFactory>().CreateLogger<IssuerKeys>();
        var options = configuration.GetSection("Identity:Keys").Get<KeyOptions>() ?? new KeyOptions();
        var http = new Lazy<HttpClient>(() => IssuerKeys.Client(new SocketsHttpHandler()));
        return Issuers.Read(configuration, environment, service, (authority, file) => new IssuerKeys(
            file is null ? IssuerKeys.Discover(http.Value, authority, requireHttps: !environment.IsDevelopment()) : IssuerKeys.FromFile(file), options, clock, logger));
    }
}
