using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Jafer.ServiceDefaults.Telemetry;

/// <summary>Traces, metrics and logs over OTLP, where an endpoint is configured. The runtime and the libraries emit their own.</summary>
internal static class TelemetryExtensions
{
    private static readonly string[] s_meters =
    [
        JaferMetrics.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime", "Npgsql", "MassTransit",
    ];

    private static readonly string[] s_sources =
    [
        JaferMetrics.Name, "Microsoft.AspNetCore", "System.Net.Http", "Npgsql", "MassTransit",
    ];

    public static void AddJaferTelemetry(this WebApplicationBuilder builder, string service)
    {
        var exports = builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is { Length: > 0 };
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService(
                builder.Configuration["OTEL_SERVICE_NAME"] ?? service,
                serviceNamespace: "jafer",
                serviceVersion: typeof(TelemetryExtensions).Assembly.GetName().Version?.ToString(),
                autoGenerateServiceInstanceId: true).AddEnvironmentVariableDetector())
            .WithMetrics(m => m.AddMeter(s_meters))
            .WithTracing(t => t.AddSource(s_sources).AddProcessor(new SqlTextFilter()));
        builder.Logging.AddOpenTelemetry(o =>
        {
            o.IncludeFormattedMessage = true;
            o.IncludeScopes = false;
        });
        if (exports)
        {
            telemetry.UseOtlpExporter();
        }
    }

    /// <summary>
    /// Drops the polling of the relay and of health checks, which would bury the calls, and the text of SQL statements, which
    /// may one day quote a value.
    /// </summary>
    private sealed class SqlTextFilter : BaseProcessor<System.Diagnostics.Activity>
    {
        public override void OnEnd(System.Diagnostics.Activity data)
        {
            if (data.Source.Name == "Npgsql")
            {
                data.SetTag("db.query.text", null);
                data.SetTag("db.statement", null);
                if (data.Parent is null && data.ParentSpanId == default)
                {
                    data.ActivityTraceFlags &= ~System.Diagnostics.ActivityTraceFlags.Recorded;
                }
            }
            else if (data.Source.Name == "Microsoft.AspNetCore" && data.GetTagItem("url.path") is "/health" or "/alive")
            {
                data.ActivityTraceFlags &= ~System.Diagnostics.ActivityTraceFlags.Recorded;
            }
        }
    }
}
