using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Jafer.ServiceDefaults.Grpc;

/// <summary>
/// TLS of gRPC. A service's certificate is Kestrel's affair (Kestrel:Endpoints:grpc:Certificate). Configuration of Jafer:
/// Tls:AuthorityFile (PEM of the authority that signs services' certificates, in place of the system's; one that a caller shows must be
/// made for callers, by the extended key usage clientAuth), Tls:CertificateFile and
/// Tls:KeyFile (PEM of the certificate that this service shows to others), Tls:AllowClearText (a balancer ends TLS).
/// </summary>
internal static class Transport
{
    private static readonly Oid s_serverAuth = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid s_clientAuth = new("1.3.6.1.5.5.7.3.2");

    /// <summary>Has certificates of callers judged by the configured authority.</summary>
    public static void AddJaferTransport(this WebApplicationBuilder builder) =>
        builder.WebHost.ConfigureKestrel((context, kestrel) =>
        {
            if (Authority(context.Configuration) is { } authority)
            {
                kestrel.ConfigureHttpsDefaults(https => https.ClientCertificateValidation = (certificate, _, _) => IsOfACaller(certificate) && IsSigned(certificate, authority, s_clientAuth));
            }
        });

    /// <summary>Refuses gRPC in clear text outside Development, unless the configuration says that it is meant.</summary>
    /// <exception cref="InvalidOperationException">An endpoint is in clear text.</exception>
    public static void RequireSafeTransport(this WebApplication app)
    {
        if (app.Environment.IsDevelopment() || app.Configuration.GetValue("Tls:AllowClearText", false))
        {
            return;
        }

        foreach (var endpoint in app.Configuration.GetSection("Kestrel:Endpoints").GetChildren())
        {
            var protocols = endpoint.GetValue("Protocols", app.Configuration.GetValue("Kestrel:EndpointDefaults:Protocols", HttpProtocols.Http1));
            if (endpoint["Url"]?.StartsWith("http://", StringComparison.OrdinalIgnoreCase) == true && protocols.HasFlag(HttpProtocols.Http2))
            {
                throw new InvalidOperationException(
                    $"{endpoint.Path} is gRPC in clear text outside Development: give it an https:// address and a certificate, or set Tls:AllowClearText where a balancer ends TLS");
            }
        }
    }

    /// <summary>What calls to other services show and want to see.</summary>
    /// <param name="configuration">The configuration.</param>
    public static SslClientAuthenticationOptions ClientOptions(IConfiguration configuration)
    {
        var options = new SslClientAuthenticationOptions();
        if (configuration["Tls:CertificateFile"] is { Length: > 0 } file)
        {
            options.ClientCertificates = [X509Certificate2.CreateFromPemFile(file, configuration["Tls:KeyFile"])];
        }

        if (Authority(configuration) is { } authority)
        {
            // The name is still compared: a certificate of another service is not this one's.
            options.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) == SslPolicyErrors.None && certificate is not null && IsSigned(new X509Certificate2(certificate), authority, s_serverAuth);
        }

        return options;
    }

    private static X509Certificate2Collection? Authority(IConfiguration configuration)
    {
        if (configuration["Tls:AuthorityFile"] is not { Length: > 0 } file)
        {
            return null;
        }

        var authority = new X509Certificate2Collection();
        authority.ImportFromPemFile(file);
        return authority;
    }

    // A certificate that does not say what it is for would pass for any use, and that of a server is not a caller's.
    private static bool IsOfACaller(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(e => e.EnhancedKeyUsages.Cast<Oid>().Any(use => use.Value == s_clientAuth.Value));

    private static bool IsSigned(X509Certificate2 certificate, X509Certificate2Collection authority, Oid use)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authority);
        chain.ChainPolicy.ApplicationPolicy.Add(use);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
