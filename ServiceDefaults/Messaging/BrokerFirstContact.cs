using MassTransit;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Unhealthy until the broker was reached once, when the service's queue exists: what is published before is lost to it, so
/// nobody should begin earlier. Tells about start-up only, not whether calls are taken.
/// </summary>
internal sealed class BrokerFirstContact(IBusControl bus) : IHealthCheck
{
    public const string Tag = "start";

    private volatile bool _reached;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        _reached = _reached || bus.CheckHealth().Status == BusHealthStatus.Healthy;
        return Task.FromResult(_reached ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("the broker was not reached yet"));
    }
}
