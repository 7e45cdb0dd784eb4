using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// How many messages wait in the error queue, looked at now and then: a metric, and a service that calls itself degraded as long as
/// one waits, also after a restart. An absent broker tells nothing: what was known stands.
/// </summary>
internal sealed class InboxState : BackgroundService, IHealthCheck
{
    private readonly ErrorQueue _errors;
    private readonly TimeProvider _clock;
    private readonly TimeSpan _interval;
    private readonly ILogger<InboxState> _logger;
    private long _failed;

    public InboxState(ErrorQueue errors, IOptions<OutboxOptions> options, TimeProvider clock, ILogger<InboxState> logger)
    {
        (_errors, _clock, _interval, _logger) = (errors, clock, options.Value.ErrorQueueInterval, logger);
        JaferMetrics.Meter.CreateObservableGauge("jafer.inbox.failed", () => Volatile.Read(ref _failed), "{message}", "Messages that could not be applied and wait for a person");
    }

    /// <summary>Messages in the error queue, now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="TimeoutException">The broker does not answer.</exception>
    public async Task<long> ReadAsync(CancellationToken ct)
    {
        var failed = await _errors.CountAsync(ct);
        Volatile.Write(ref _failed, failed);
        return failed;
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        Volatile.Read(ref _failed) is > 0 and var failed ? HealthCheckResult.Degraded($"{failed} messages could not be applied") : HealthCheckResult.Healthy());

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _clock.RepeatAsync(_interval, ReadAsync, _logger, "the error queue could not be counted", stoppingToken);
}
