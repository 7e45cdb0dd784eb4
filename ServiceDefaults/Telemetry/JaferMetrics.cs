using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Jafer.ServiceDefaults.Telemetry;

/// <summary>The activity source and the meter of Jafer's own machinery. Tags hold identifiers and codes only.</summary>
public static class JaferMetrics
{
    // The default bounds are meant for milliseconds.
    private static readonly InstrumentAdvice<double> s_seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60],
    };

    /// <summary>Name of the source and the meter.</summary>
    public const string Name = "Jafer";

    /// <summary>Source of the relay's and the consumers' activities.</summary>
    public static ActivitySource Activities { get; } = new(Name);

    internal static Meter Meter { get; } = new(Name);

    internal static Histogram<double> CallDuration { get; } =
        Meter.CreateHistogram("rpc.server.duration", "s", "Duration of gRPC calls by method and status", null, s_seconds);

    internal static Counter<long> NoAnswers { get; } =
        Meter.CreateCounter<long>("jafer.client.no_answers", "{call}", "Calls to another service that a fallback replaced, by status");

    internal static Counter<long> LimitsRefused { get; } =
        Meter.CreateCounter<long>("jafer.limits.refused", "{call}", "Calls and connections that were refused because a limit was passed, by limit");

    internal static Counter<long> Enumerations { get; } =
        Meter.CreateCounter<long>("jafer.access.enumeration", "{alarm}", "Callers who were refused so many ids that they seem to try them out");

    internal static Counter<long> Resealed { get; } =
        Meter.CreateCounter<long>("jafer.sealing.rows", "{row}", "Rows sealed under the key that seals, by table");

    internal static Counter<long> OutboxPublished { get; } =
        Meter.CreateCounter<long>("jafer.outbox.published", "{message}", "Messages given to the broker");

    internal static Counter<long> OutboxFailures { get; } =
        Meter.CreateCounter<long>("jafer.outbox.failures", "{message}", "Failed attempts to give a message to the broker");

    internal static Counter<long> InboxHandled { get; } =
        Meter.CreateCounter<long>("jafer.inbox.handled", "{message}", "Messages applied, by type");

    internal static Counter<long> InboxDuplicates { get; } =
        Meter.CreateCounter<long>("jafer.inbox.duplicates", "{message}", "Deliveries dropped because the message was already applied");

    internal static Counter<long> InboxParked { get; } =
        Meter.CreateCounter<long>("jafer.inbox.parked", "{message}", "Messages that could not be applied and wait in the error queue, by type");

    internal static Histogram<double> InboxLag { get; } =
        Meter.CreateHistogram("jafer.inbox.lag", "s", "Time from the recording of an event to its application by a consumer", null, s_seconds);
}
