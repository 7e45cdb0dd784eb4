using System.Diagnostics;
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
        var traces = exports || builder.Configuration["OTEL_TRACES_SAMPLER"] is { Length: > 0 };
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(r => r.AddService(
                builder.Configuration["OTEL_SERVICE_NAME"] ?? service,
                serviceNamespace: "jafer",
                serviceVersion: typeof(TelemetryExtensions).Assembly.GetName().Version?.ToString(),
                autoGenerateServiceInstanceId: true).AddEnvironmentVariableDetector())
            .WithMetrics(m => m.AddMeter(s_meters))
            .WithTracing(t => t.AddSource(s_sources)
                // The caller's choice counts, so that what a probe sets off is dropped with it. Traces that go nowhere cost as much as others.
                .SetSampler(new ParentBasedSampler(traces ? new AlwaysOnSampler() : new AlwaysOffSampler()))
                .AddProcessor(new SqlFilter()));
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
    /// Keeps the probes of /health and /alive, and the queries that they make, out of the traces: they would bury the calls.
    /// </summary>
    public static void UseQuietProbes(this WebApplication app) => app.Use((context, next) =>
    {
        if (Activity.Current is { } activity && context.Request.Path.Value is "/health" or "/alive")
        {
            activity.IsAllDataRequested = false;
            activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        return next(context);
    });

    /// <summary>
    /// Drops the text of SQL statements, which may one day quote a value, the messages of the database, which do, and the
    /// queries of jobs that poll.
    /// </summary>
    private sealed class SqlFilter : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            if (data.Source.Name != "Npgsql")
            {
                return;
            }

            data.SetTag("db.query.text", null);
            data.SetTag("db.statement", null);
            if (data.Status == ActivityStatusCode.Error)
            {
                // Its event holds the server's message, which quotes values, and cannot be taken away.
                data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
                data.Parent?.AddEvent(new("db.failed", tags: new() { ["db.response.status_code"] = data.GetTagItem("db.response.status_code") }));
            }

            if (data.ParentSpanId == default)
            {
                data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
            }
        }
    }
}
