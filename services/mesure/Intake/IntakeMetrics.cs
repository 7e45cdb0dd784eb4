using System.Diagnostics.Metrics;
using Jafer.ServiceDefaults.Telemetry;

namespace Jafer.Mesures.Intake;

/// <summary>Figures of the intake.</summary>
internal static class IntakeMetrics
{
    private static long s_silent;

    static IntakeMetrics() => new Meter(JaferMetrics.Name).CreateObservableGauge(
        "jafer.intake.silent_sources", () => Volatile.Read(ref s_silent), "{source}", "Software that reports no more, as told");

    /// <summary>Notes how many sources are silent, as told.</summary>
    /// <param name="count">Sources.</param>
    public static void Silent(long count) => Volatile.Write(ref s_silent, count);
}
