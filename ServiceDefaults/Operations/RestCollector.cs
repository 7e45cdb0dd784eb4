using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Operations;

/// <summary>
/// Gives memory back once the service rests. The runtime collects when memory is asked for: without this, what a start or a day's
/// work has left lies there until the next work.
/// </summary>
/// <param name="clock">Time.</param>
/// <param name="logger">Log.</param>
internal sealed class RestCollector(TimeProvider clock, ILogger<RestCollector> logger) : BackgroundService
{
    /// <summary>Bytes allocated within an interval below which a service rests; polls, probes and telemetry stay far below.</summary>
    internal const long Resting = 8 << 20;

    /// <summary>Bytes allocated since the last collection that make another worth its pause, some tens of milliseconds.</summary>
    internal const long Worth = 16 << 20;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(15);

    private long _seen;
    private long _collected;

    /// <summary>Whether to collect now.</summary>
    /// <param name="allocated">Bytes that the process has allocated in its life; asked once in each interval.</param>
    internal bool IsDue(long allocated)
    {
        var due = allocated - _seen < Resting && allocated - _collected >= Worth;
        _seen = allocated;
        if (due)
        {
            _collected = allocated;
        }

        return due;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => clock.RepeatAsync(s_interval, _ =>
    {
        if (IsDue(GC.GetTotalAllocatedBytes()))
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }

        return Task.CompletedTask;
    }, logger, "memory could not be given back", stoppingToken);
}
