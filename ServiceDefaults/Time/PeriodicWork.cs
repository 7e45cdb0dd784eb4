using Jafer.ServiceDefaults.Telemetry;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Time;

/// <summary>Work that is done again and again in the background.</summary>
public static class PeriodicWork
{
    /// <summary>
    /// Does work at every interval until the service stops. What fails, a time-out included, is logged without its text and tried
    /// again at the next interval: nothing but the end of the service ends it.
    /// </summary>
    /// <param name="clock">Time.</param>
    /// <param name="interval">How often.</param>
    /// <param name="work">The work.</param>
    /// <param name="logger">Where failures are told.</param>
    /// <param name="what">What could not be done then, such as "deadlines could not be told".</param>
    /// <param name="stopping">The end of the service.</param>
    public static async Task RepeatAsync(
        this TimeProvider clock, TimeSpan interval, Func<CancellationToken, Task> work, ILogger logger, string what, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(work);
        using var timer = new PeriodicTimer(interval, clock);
        while (await timer.WaitForNextTickAsync(stopping))
        {
            try
            {
                await work(stopping);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                logger.LogWarning("{What}, and it is tried again: {Fault}", what, Redaction.Describe(e));
            }
        }
    }
}
