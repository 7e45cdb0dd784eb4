using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Engine;

/// <summary>Serves the resources to the Aspire dashboard and says how DCP has to start it.</summary>
internal sealed class DashboardLauncher(DistributedApplicationOptions options, IConfiguration configuration, string applicationName, string appHostDirectory,
    Func<string> findDashboard, ResourceNotificationService notifications, ResourceLoggerService loggers, IServiceProvider services,
    ILogger<DashboardLauncher> logger) : IAsyncDisposable
{
    internal const string ExecutableName = "aspire-dashboard";

    private readonly string _resourceKey = configuration["ASPIRE_DASHBOARD_RESOURCESERVICE_APIKEY"] ?? NewKey();
    private WebApplication? _server;

    public bool Enabled => !options.DisableDashboard;

    /// <summary>Address of the dashboard's pages; null without a dashboard.</summary>
    public string? FrontendUrl { get; private set; }

    /// <summary>Where programs send their telemetry (OTLP over gRPC); null without a dashboard.</summary>
    public string? TelemetryUrl { get; private set; }

    /// <summary>Header value that telemetry has to carry.</summary>
    public string TelemetryKey { get; } = NewKey();

    /// <summary>Opens the pages without further login: <c>/login?t=</c>.</summary>
    public string BrowserToken { get; } = configuration["ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN"] ?? NewKey();

    /// <summary>Listens before the dashboard starts, since it connects at the first page view.</summary>
    public async Task ServeResourcesAsync(CancellationToken ct)
    {
        if (!Enabled)
            return;
        FrontendUrl = configuration["ASPNETCORE_URLS"]?.Split(';')[0] ?? $"http://localhost:{FreePort.Next()}";
        TelemetryUrl = configuration["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] ?? $"http://localhost:{FreePort.Next()}";
        var port = configuration["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] is { } url ? new Uri(url).Port : 0;

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.ListenHttp2(port));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(notifications);
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(new DashboardServiceContext(applicationName, services, _resourceKey));
        builder.Services.AddGrpc();
        _server = builder.Build();
        _server.Use(async (http, next) =>
        {
            if (CryptographicOperations.FixedTimeEquals(
                    System.Text.Encoding.UTF8.GetBytes(http.Request.Headers["x-resource-service-api-key"].ToString()),
                    System.Text.Encoding.UTF8.GetBytes(_resourceKey)))
                await next();
            else
                http.Response.StatusCode = 401;
        });
        _server.MapGrpcService<DashboardResourceService>();
        await _server.StartAsync(ct);
        logger.LogDebug("Resource service on {Url}", ResourceUrl);
    }

    /// <summary>The hidden executable that runs the dashboard, or null without one.</summary>
    public JsonObject? Launch()
    {
        if (_server is null)
            return null;
        var variables = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_URLS"] = FrontendUrl!,
            ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = TelemetryUrl!,
            ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = ResourceUrl,
            ["DASHBOARD__RESOURCESERVICECLIENT__AUTHMODE"] = "ApiKey",
            ["DASHBOARD__RESOURCESERVICECLIENT__APIKEY"] = _resourceKey,
            ["DASHBOARD__FRONTEND__AUTHMODE"] = "BrowserToken",
            ["DASHBOARD__FRONTEND__BROWSERTOKEN"] = BrowserToken,
            ["DASHBOARD__OTLP__AUTHMODE"] = "ApiKey",
            ["DASHBOARD__OTLP__PRIMARYAPIKEY"] = TelemetryKey,
            ["ASPIRE_VERSION_CHECK_DISABLED"] = "true",
            ["ASPIRE_DASHBOARD_TELEMETRY_OPTOUT"] = "true",
            ["DASHBOARD__UI__DISABLEAGENTHELP"] = "true",
            ["LOGGING__CONSOLE__FORMATTERNAME"] = "json",
        };
        if (string.Equals(configuration["ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS"], "true", StringComparison.OrdinalIgnoreCase))
            variables["DASHBOARD__FRONTEND__AUTHMODE"] = "Unsecured";
        // Its keys for cookies stay in the checkout, as everything of this run does.
        var state = Path.GetFullPath(Path.Combine(appHostDirectory, "..", ".jafer"));
        if (Directory.Exists(state))
            variables["HOME"] = Directory.CreateDirectory(Path.Combine(state, "home")).FullName;
        logger.LogInformation("Login to the dashboard at {Url}/login?t={Token}", FrontendUrl, BrowserToken);
        var file = findDashboard();
        return Orchestrator.DcpObject("Executable", ExecutableName, new JsonObject
        {
            ["executablePath"] = file,
            ["workingDirectory"] = Path.GetDirectoryName(file),
            ["executionType"] = "Process",
            ["ambientEnvironment"] = new JsonObject { ["behavior"] = "Inherit" },
            ["args"] = new JsonArray("dashboard"),
            ["env"] = new JsonArray([.. variables.Select(v => (JsonNode)new JsonObject { ["name"] = v.Key, ["value"] = v.Value })]),
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is null)
            return;
        // The dashboard's streams are endless: they are cut, not awaited.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
        _server = null;
    }

    private string ResourceUrl => _server!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    private static string NewKey() => RandomNumberGenerator.GetHexString(32, lowercase: true);
}

internal static class KestrelExtensions
{
    /// <summary>Clear-text HTTP/2 on the loopback; port 0 lets the system choose.</summary>
    public static void ListenHttp2(this KestrelServerOptions kestrel, int port) =>
        kestrel.Listen(System.Net.IPAddress.Loopback, port, o => o.Protocols = HttpProtocols.Http2);
}
