using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>Holds the present state of every instance and tells whoever listens of each change.</summary>
public class ResourceNotificationService
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ResourceEvent> _states = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<IResource, IReadOnlyList<string>> _instances = [];
    private readonly HashSet<Channel<ResourceEvent>> _watchers = [];
    private readonly TimeProvider _clock;

    internal ResourceNotificationService(TimeProvider clock) => _clock = clock;

    internal WaitBehavior DefaultWaitBehavior { get; set; } = WaitBehavior.WaitOnResourceUnavailable;

    /// <summary>Declares the instances of a resource (one per replica) with their first state.</summary>
    internal void Register(IResource resource, IReadOnlyList<string> instances, Func<string, CustomResourceSnapshot> initial)
    {
        lock (_lock)
            _instances[resource] = instances;
        foreach (var id in instances)
            Publish(resource, id, _ => initial(id));
    }

    internal IReadOnlyList<string> Instances(IResource resource)
    {
        lock (_lock)
            return _instances.TryGetValue(resource, out var ids) ? ids : [];
    }

    /// <summary>Changes the state of every instance of a resource.</summary>
    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        foreach (var id in Instances(resource))
            Publish(resource, id, stateFactory);
        return Task.CompletedTask;
    }

    /// <summary>Changes the state of one instance.</summary>
    public Task PublishUpdateAsync(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        Publish(resource, resourceId, stateFactory);
        return Task.CompletedTask;
    }

    internal void Publish(IResource resource, string id, Func<CustomResourceSnapshot, CustomResourceSnapshot> change)
    {
        lock (_lock)
        {
            var before = _states.TryGetValue(id, out var e) ? e.Snapshot : new CustomResourceSnapshot { ResourceType = "", Properties = [] };
            var after = change(before);
            if (after.CreationTimeStamp is null)
                after = after with { CreationTimeStamp = _clock.GetUtcNow().UtcDateTime };
            if (e is not null && ReferenceEquals(before, after))
                return;
            var changed = new ResourceEvent(resource, id, after);
            _states[id] = changed;
            foreach (var watcher in _watchers)
                watcher.Writer.TryWrite(changed);
        }
    }

    /// <summary>The state of an instance, or of the only instance of the resource of that name.</summary>
    public bool TryGetCurrentState(string resourceId, [NotNullWhen(true)] out ResourceEvent? resourceEvent)
    {
        lock (_lock)
        {
            if (_states.TryGetValue(resourceId, out resourceEvent))
                return true;
            var named = _states.Values.Where(e => IsNamed(e, resourceId)).ToArray();
            resourceEvent = named.Length == 1 ? named[0] : null;
            return resourceEvent is not null;
        }
    }

    /// <summary>All present states first, then every change, until cancelled.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>(new() { SingleReader = true });
        lock (_lock)
        {
            foreach (var state in _states.Values)
                channel.Writer.TryWrite(state);
            _watchers.Add(channel);
        }
        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken))
                yield return change;
        }
        finally
        {
            lock (_lock)
                _watchers.Remove(channel);
        }
    }

    /// <summary>Waits until one instance of the resource is in the state; null means Running.</summary>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, [targetState ?? KnownResourceStates.Running], cancellationToken);

    /// <summary>Waits until one instance of the resource is in one of the states, and returns it.</summary>
    public async Task<string> WaitForResourceAsync(string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default)
    {
        var wanted = targetStates.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var found = await WaitForResourceAsync(resourceName, e => e.Snapshot.State is { } s && wanted.Contains(s.Text), cancellationToken);
        return found.Snapshot.State!.Text;
    }

    /// <summary>Waits for the first state of the resource that fulfils the condition, the present one included.</summary>
    public async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var e in WatchAsync(cancellationToken))
        {
            if (IsNamed(e, resourceName) && predicate(e))
                return e;
        }
        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>Waits until the resource is running and healthy and its ready handlers are done.</summary>
    /// <exception cref="DistributedApplicationException">It failed, and no dashboard is there to start it again.</exception>
    public Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceHealthyAsync(resourceName, DefaultWaitBehavior, cancellationToken);

    /// <summary>Waits until the resource is running and healthy and its ready handlers are done.</summary>
    /// <exception cref="DistributedApplicationException">It failed, and <paramref name="waitBehavior"/> says not to wait on.</exception>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, WaitBehavior waitBehavior, CancellationToken cancellationToken = default)
    {
        var e = await WaitForResourceAsync(resourceName, e => IsReady(e.Snapshot)
            || waitBehavior == WaitBehavior.StopOnResourceUnavailable && e.Snapshot.IsTerminal, cancellationToken);
        if (!IsReady(e.Snapshot))
            throw new DistributedApplicationException($"'{resourceName}' cannot become healthy: it is {e.Snapshot.State?.Text}.");
        await e.Snapshot.Ready!.WaitAsync(cancellationToken);
        return e;
    }

    /// <summary>Waits until all instances fulfil the condition at the same time.</summary>
    internal async Task<IReadOnlyList<CustomResourceSnapshot>> WaitForAllAsync(IResource resource,
        Func<CustomResourceSnapshot, bool> condition, CancellationToken ct)
    {
        var latest = new ConcurrentDictionary<string, CustomResourceSnapshot>();
        await foreach (var e in WatchAsync(ct))
        {
            if (e.Resource != resource)
                continue;
            latest[e.ResourceId] = e.Snapshot;
            if (latest.Count == Instances(resource).Count && latest.Values.All(condition))
                return [.. latest.Values];
        }
        throw new OperationCanceledException(ct);
    }

    internal static bool IsReady(CustomResourceSnapshot s) => s.HealthStatus == HealthStatus.Healthy && s.Ready is not null;

    private static bool IsNamed(ResourceEvent e, string name) =>
        string.Equals(e.Resource.Name, name, StringComparison.OrdinalIgnoreCase);
}
