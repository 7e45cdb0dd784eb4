using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Engine;

/// <summary>Asks the health checks of every running resource and announces readiness, once per start.</summary>
internal sealed class HealthMonitor(ResourceNotificationService notifications, IDistributedApplicationEventing eventing,
    IServiceProvider services, TimeProvider clock, ILogger<HealthMonitor> logger)
{
    private static readonly TimeSpan WhileHealthy = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<IResource, Watched> _watched = [];

    /// <summary>Begins to check a resource whenever it runs.</summary>
    public void Watch(IResource resource, CancellationToken stopping)
    {
        if (resource.Has<HealthCheckAnnotation>())
            _ = MonitorAsync(resource, Of(resource), stopping);
    }

    /// <summary>A changed state may mean that checks have to begin, or that a resource without checks is ready.</summary>
    public void OnStateChanged(IResource resource)
    {
        Announce(resource);
        Of(resource).Kick.Writer.TryWrite(true);
    }

    /// <summary>Before a start nothing is known of the health.</summary>
    public CustomResourceSnapshot Reset(IResource resource, CustomResourceSnapshot s)
    {
        // While another replica goes on running, the resource as a whole stays what it was.
        if (notifications.Instances(resource).Count == 1)
            Of(resource).Ready = null;
        return s with { HealthReports = [.. resource.All<HealthCheckAnnotation>().Select(h => new HealthReportSnapshot(h.Key, null, null, null))] };
    }

    private Watched Of(IResource resource) => _watched.GetOrAdd(resource, _ => new Watched());

    private async Task MonitorAsync(IResource resource, Watched watched, CancellationToken stopping)
    {
        var keys = resource.All<HealthCheckAnnotation>().Select(h => h.Key).ToHashSet();
        var pause = TimeSpan.Zero;
        var patience = TimeSpan.FromSeconds(1);
        try
        {
            while (!stopping.IsCancellationRequested)
            {
                if (!AnyRunning(resource))
                {
                    await watched.Kick.Reader.ReadAsync(stopping);
                    (pause, patience) = (TimeSpan.Zero, TimeSpan.FromSeconds(1));
                    continue;
                }
                var reports = await CheckAsync(keys, patience, stopping);
                await notifications.PublishUpdateAsync(resource, s => s with { HealthReports = reports });
                Announce(resource);
                var healthy = reports.All(r => r.Status == HealthStatus.Healthy);
                pause = healthy ? WhileHealthy : Min(pause * 1.5 + TimeSpan.FromMilliseconds(100), LongestPause);
                patience = healthy ? LongestWait : Min(patience * 1.5, LongestWait);
                await PauseAsync(watched, pause, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <summary>Ends early when the state changes, so that a restarted resource is not seen late.</summary>
    private async Task PauseAsync(Watched watched, TimeSpan pause, CancellationToken stopping)
    {
        using var limit = new CancellationTokenSource(pause, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping);
        try
        {
            await watched.Kick.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
        }
    }

    private async Task<ImmutableArray<HealthReportSnapshot>> CheckAsync(HashSet<string> keys, TimeSpan patience, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(patience);
        try
        {
            var report = await services.GetRequiredService<HealthCheckService>()
                .CheckHealthAsync(r => keys.Contains(r.Name), limit.Token).WaitAsync(limit.Token);
            return [.. report.Entries.Select(e => new HealthReportSnapshot(e.Key, e.Value.Status, e.Value.Description, e.Value.Exception?.ToString())
            {
                LastRunAt = clock.GetUtcNow().UtcDateTime
            })];
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            var text = e is OperationCanceledException ? $"No answer within {patience.TotalSeconds:0.#} s." : e.Message;
            return [.. keys.Select(k => new HealthReportSnapshot(k, HealthStatus.Unhealthy, text, null) { LastRunAt = clock.GetUtcNow().UtcDateTime })];
        }
    }

    private bool AnyRunning(IResource resource) => notifications.Instances(resource)
        .Any(id => notifications.TryGetCurrentState(id, out var e) && e.Snapshot.State?.Text == KnownResourceStates.Running);

    private void Announce(IResource resource)
    {
        var watched = Of(resource);
        foreach (var id in notifications.Instances(resource))
        {
            notifications.Publish(resource, id, s =>
            {
                if (s.HealthStatus != HealthStatus.Healthy || s.Ready is not null)
                    return s;
                return s with { Ready = watched.Ready ??= AnnounceAsync(resource) };
            });
        }
    }

    private Task AnnounceAsync(IResource resource) => Task.Run(async () =>
    {
        try
        {
            await eventing.PublishAsync(new ResourceReadyEvent(resource, services));
        }
        catch (Exception e)
        {
            logger.LogError(e, "What had to be done when {Resource} became ready failed", resource.Name);
            throw;
        }
    });

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private sealed class Watched
    {
        public Channel<bool> Kick { get; } = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        public Task? Ready { get; set; }
    }
}

/// <summary>An HTTP GET that must answer with one status code.</summary>
internal sealed class HttpEndpointCheck(Func<EndpointReference> endpoint, string path, int statusCode) : IHealthCheck
{
    // No connection is kept: the next one may go to another replica.
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero, AllowAutoRedirect = false, UseProxy = false });

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var reference = endpoint();
        if (!reference.IsAllocated)
            return HealthCheckResult.Unhealthy("No address yet.");
        try
        {
            using var response = await Http.GetAsync(new Uri(new Uri(reference.Url), path), HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return (int)response.StatusCode == statusCode
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{path} answered {(int)response.StatusCode}, not {statusCode}.");
        }
        catch (HttpRequestException e)
        {
            return HealthCheckResult.Unhealthy($"{path} cannot be reached: {e.Message}");
        }
    }
}
