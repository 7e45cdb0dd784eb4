using Jafer.ServiceDefaults.Messaging;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Jafer.ServiceDefaults.Grpc.Health;

/// <summary>
/// Whether this process takes calls: its health checks say so and it is not about to stop. The checks run at most once a
/// second however many ask, since anybody may ask.
/// </summary>
internal sealed class ServingState(HealthCheckService checks, IHostApplicationLifetime lifetime, TimeProvider clock) : IDisposable
{
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _reading = new(1);
    private volatile bool _serves;
    private long _readAt;

    public async Task<bool> ReadAsync(CancellationToken ct)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return false;
        }

        if (!IsFresh())
        {
            await _reading.WaitAsync(ct);
            try
            {
                if (!IsFresh())
                {
                    _serves = (await checks.CheckHealthAsync(c => !c.Tags.Contains(BrokerFirstContact.Tag), ct)).Status != HealthStatus.Unhealthy;
                    Volatile.Write(ref _readAt, clock.GetTimestamp());
                }
            }
            finally
            {
                _reading.Release();
            }
        }

        return _serves && !lifetime.ApplicationStopping.IsCancellationRequested;
    }

    public void Dispose() => _reading.Dispose();

    private bool IsFresh() => Volatile.Read(ref _readAt) is var at && at != 0 && clock.GetElapsedTime(at) < Freshness;
}
