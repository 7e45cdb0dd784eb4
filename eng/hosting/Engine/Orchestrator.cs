using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Engine;

/// <summary>
/// Brings the model to life through DCP: a service (public port) per endpoint, then an executable per replica once its
/// dependencies are there; afterwards it turns every change that DCP reports into a snapshot.
/// </summary>
internal sealed class Orchestrator(
    DistributedApplicationModel model,
    Func<string> findDcp,
    LaunchPlanner planner,
    ResourceNotificationService notifications,
    ResourceLoggerService loggers,
    HealthMonitor health,
    DashboardLauncher dashboard,
    IDistributedApplicationEventing eventing,
    IServiceProvider services,
    TimeProvider clock,
    ILogger<Orchestrator> logger) : IHostedService, IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<string, Instance> _instances = new();
    private readonly ConcurrentBag<Task> _background = [];
    private DcpClient? _dcp;

    private DcpClient Dcp => _dcp ?? throw new InvalidOperationException("The application has not started.");

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await eventing.PublishAsync(new BeforeStartEvent(services, model), cancellationToken);
        Register();
        var dcp = DcpClient.StartAsync(findDcp(), clock, cancellationToken);
        await dashboard.ServeResourcesAsync(cancellationToken);
        _dcp = await dcp;

        Watch();
        if (dashboard.Launch() is { } launch)
            await Dcp.CreateAsync("executables", launch, cancellationToken);
        await AllocateEndpointsAsync(cancellationToken);
        PublishUrls();
        foreach (var resource in model.Resources)
        {
            if (resource.IsProgram())
            {
                health.Watch(resource, _stopping.Token);
                if (!resource.Has<ExplicitStartupAnnotation>())
                {
                    foreach (var instance in InstancesOf(resource))
                        InBackground(StartInstanceAsync(instance));
                }
            }
            else
            {
                InBackground(PublishValueAsync(resource));
            }
        }
    }

    /// <summary>Ends what depends on others first, so that it can still finish its work, then all the rest; at most 15 s.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_dcp is not null && !_stopping.IsCancellationRequested)
            await StopDependentsAsync();
        await _stopping.CancelAsync();
        if (_dcp is not null)
            await _dcp.DisposeAsync();
        await Task.WhenAll(_background);
        await dashboard.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    /// <summary>Starts an instance that is not running; its dependencies are awaited again.</summary>
    public async Task StartAsync(string id, CancellationToken ct)
    {
        var instance = _instances[id];
        if (instance.State is "Running" or "Starting" or "Waiting")
            return;
        InBackground(StartInstanceAsync(instance));
        await notifications.WaitForResourceAsync(instance.Resource.Name, e => e.ResourceId == id
            && (e.Snapshot.State?.Text == KnownResourceStates.Running || e.Snapshot.IsTerminal && e.Snapshot.StartTimeStamp is not null
                || e.Snapshot.State?.Text is "Waiting" or "FailedToStart"), ct);
    }

    /// <summary>Stops an instance in an orderly way (SIGTERM, then by force) and waits until it is gone.</summary>
    public async Task StopAsync(string id, CancellationToken ct)
    {
        var instance = _instances[id];
        instance.StopWanted = true;
        await instance.CancelStartAsync();
        if (await Dcp.GetAsync("executables", id, ct) is null)
            return;
        await Dcp.PatchAsync("executables", id, new JsonObject { ["spec"] = new JsonObject { ["stop"] = true } }, ct);
        await notifications.WaitForResourceAsync(instance.Resource.Name, e => e.ResourceId == id && e.Snapshot.IsTerminal, ct);
    }

    public async Task RestartAsync(string id, CancellationToken ct)
    {
        await StopAsync(id, ct);
        await StartAsync(id, ct);
    }

    private async Task StopDependentsAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(6));
        var depths = new Dictionary<IResource, int>();
        try
        {
            foreach (var instance in _instances.Values)
                await instance.CancelStartAsync();
            foreach (var level in _instances.Values.GroupBy(i => Depth(i.Resource)).Where(g => g.Key > 0).OrderByDescending(g => g.Key))
                await Task.WhenAll(level.Where(i => i.State is "Running" or "Starting").Select(i => StopAsync(i.Id, limit.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or DistributedApplicationException)
        {
            // Too slow, or DCP is gone: what is left ends with the rest.
        }

        int Depth(IResource resource)
        {
            if (!depths.TryGetValue(resource, out var depth))
            {
                depths[resource] = 0; // a circle would never start anyway
                depths[resource] = depth = resource.All<WaitAnnotation>().Select(w => Depth(w.Resource) + 1).DefaultIfEmpty(0).Max();
            }
            return depth;
        }
    }

    private void Register()
    {
        var instances = new Dictionary<IResource, string[]>();
        foreach (var resource in model.Resources)
        {
            var endpoints = resource.All<EndpointAnnotation>().ToArray();
            foreach (var endpoint in endpoints)
                endpoint.ServiceName = endpoints.Length == 1 ? resource.Name : $"{resource.Name}-{endpoint.Name}";

            string[] ids = [resource.Name];
            if (resource.IsProgram())
            {
                var created = Enumerable.Range(0, resource.Replicas())
                    .Select(_ => new Instance(resource, RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 8))).ToArray();
                foreach (var instance in created)
                    _instances[instance.Id] = instance;
                ids = [.. created.Select(i => i.Id)];
            }
            instances[resource] = ids;
        }
        foreach (var (resource, ids) in instances)
        {
            // The dashboard nests below an instance, so a parent with replicas shows its children below the first.
            var parent = resource.All<RelationshipAnnotation>().LastOrDefault(r => r.Type == "Parent") is { } relation ? instances[relation.Resource][0] : null;
            notifications.Register(resource, ids, _ => LaunchPlanner.Describe(resource).WithProperty("resource.parentName", parent));
        }
        loggers.UseInstances(notifications.Instances);
    }

    private IEnumerable<Instance> InstancesOf(IResource resource) => notifications.Instances(resource).Select(id => _instances[id]);

    private async Task AllocateEndpointsAsync(CancellationToken ct)
    {
        var endpoints = model.Resources.SelectMany(r => r.All<EndpointAnnotation>()).ToArray();
        foreach (var endpoint in endpoints)
        {
            var spec = new JsonObject { ["protocol"] = "TCP", ["addressAllocationMode"] = "Localhost" };
            if (!endpoint.IsProxied)
            {
                // Without DCP's proxy in between the program's own port is the public one.
                endpoint.TargetPort ??= endpoint.Port ?? FreePort.Next();
                spec["addressAllocationMode"] = "Proxyless";
                spec["port"] = endpoint.Port = endpoint.TargetPort;
            }
            else if (endpoint.Port is { } port)
            {
                spec["port"] = port;
            }
            await Dcp.CreateAsync("services", DcpObject("Service", endpoint.ServiceName, spec), ct);
            if (!endpoint.IsProxied)
                endpoint.Allocate("localhost", endpoint.Port!.Value);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromSeconds(15));
        foreach (var endpoint in endpoints)
        {
            try
            {
                while (endpoint.Allocated is null)
                {
                    var status = (await Dcp.GetAsync("services", endpoint.ServiceName, limit.Token))?["status"];
                    if (status?["effectivePort"]?.GetValue<int>() is { } port and > 0)
                        endpoint.Allocate("localhost", port);
                    else
                        await Task.Delay(TimeSpan.FromMilliseconds(25), clock, limit.Token);
                }
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw new DistributedApplicationException(endpoint.Port is { } port
                    ? $"Port {port}, wanted for '{endpoint.ServiceName}', is in use by another program."
                    : $"DCP gave no port to '{endpoint.ServiceName}' within 15 s.");
            }
        }
    }

    private void PublishUrls()
    {
        foreach (var resource in model.Resources)
            InBackground(Publish(resource));

        async Task Publish(IResource resource)
        {
            var urls = await LaunchPlanner.UrlsAsync(resource, _stopping.Token);
            await notifications.PublishUpdateAsync(resource, s => s with { Urls = urls });
        }
    }

    private async Task PublishValueAsync(IResource resource)
    {
        try
        {
            await WaitForDependenciesAsync(resource, [resource.Name], _stopping.Token);
            await eventing.PublishAsync(new BeforeResourceStartedEvent(resource, services), _stopping.Token);
            var (property, value, secret) = resource switch
            {
                ParameterResource p => ("Value", p.Text, p.Secret),
                // Not the dashboard's own property of that name: it would take several databases of one server for one another.
                IResourceWithConnectionString c => ("ConnectionString", await c.GetConnectionStringAsync(_stopping.Token) ?? "", true),
                _ => ("resource.source", resource.Name, false),
            };
            await notifications.PublishUpdateAsync(resource, s => (s with { State = KnownResourceStates.Running }).WithProperty(property, value, secret));
            health.OnStateChanged(resource);
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            loggers.GetLogger(resource).LogError(e, "No value");
            await notifications.PublishUpdateAsync(resource, s => s with
            {
                State = new ResourceStateSnapshot(KnownResourceStates.ValueMissing, KnownResourceStateStyles.Error)
            });
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task StartInstanceAsync(Instance instance)
    {
        var (run, ct) = await instance.BeginStartAsync(_stopping.Token);
        var resource = instance.Resource;
        try
        {
            Change(instance, s => health.Reset(resource, s with
            {
                State = KnownResourceStates.Starting,
                ExitCode = null,
                StartTimeStamp = null,
                StopTimeStamp = null,
                Ready = null
            }));
            if (run > 1)
                await Dcp.DeleteAsync("executables", instance.Id, ct);
            await WaitForDependenciesAsync(resource, [instance.Id], ct);
            await eventing.PublishAsync(new BeforeResourceStartedEvent(resource, services), ct);

            var launch = await planner.PlanAsync(instance, ct);
            Change(instance, s => launch.Describe(s) with { State = KnownResourceStates.Starting });
            await Dcp.CreateAsync("executables", launch.ToDcp(instance, run), ct);
            foreach (var source in (string[])["stdout", "stderr", "system"])
                InBackground(FollowAsync(instance.Id, source));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            Change(instance, s => s.IsTerminal ? s : s with { State = KnownResourceStates.NotStarted });
        }
        catch (Exception e)
        {
            loggers.GetLogger(instance.Id).LogError("{Reason}", e is DistributedApplicationException ? e.Message : e.ToString());
            logger.LogError("{Resource} failed to start: {Reason}", resource.Name, e.Message);
            Change(instance, s => s with { State = KnownResourceStates.FailedToStart });
        }
    }

    /// <exception cref="DistributedApplicationException">A dependency failed for good.</exception>
    private async Task WaitForDependenciesAsync(IResource resource, string[] ids, CancellationToken ct)
    {
        var waits = resource.All<WaitAnnotation>().ToArray();
        if (waits.Length == 0)
            return;
        foreach (var id in ids)
            notifications.Publish(resource, id, s => s with { State = KnownResourceStates.Waiting });
        await Task.WhenAll(waits.Select(WaitAsync));
        foreach (var id in ids)
            notifications.Publish(resource, id, s => s with { State = KnownResourceStates.Starting });

        async Task WaitAsync(WaitAnnotation wait)
        {
            var mayFail = (wait.Behavior ?? notifications.DefaultWaitBehavior) == WaitBehavior.StopOnResourceUnavailable;
            var states = await notifications.WaitForAllAsync(wait.Resource, s => wait.Kind switch
            {
                WaitKind.Completed => s.IsTerminal,
                WaitKind.Started => s.State?.Text == KnownResourceStates.Running || s.IsTerminal,
                _ => ResourceNotificationService.IsReady(s) || mayFail && s.IsTerminal,
            }, ct);
            if (wait.Kind == WaitKind.Completed)
            {
                if (states.FirstOrDefault(s => s.State?.Text != KnownResourceStates.FailedToStart && s.ExitCode == wait.ExitCode) is null)
                    throw new DistributedApplicationException($"'{wait.Resource.Name}' ended with {states[0].ExitCode?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? states[0].State?.Text}, not {wait.ExitCode}.");
                return;
            }
            if (mayFail && states.Any(s => s.IsTerminal))
                throw new DistributedApplicationException($"'{wait.Resource.Name}', which '{resource.Name}' needs, is {states.First(s => s.IsTerminal).State?.Text}.");
            if (wait.Kind == WaitKind.Healthy)
                await Task.WhenAll(states.Select(s => s.Ready!)).WaitAsync(ct);
        }
    }

    private void Watch() => InBackground(Task.Run(async () =>
    {
        try
        {
            await foreach (var (type, changed) in Dcp.WatchAsync("executables", _stopping.Token))
            {
                var id = changed["metadata"]?["name"]?.GetValue<string>() ?? "";
                var run = changed["metadata"]?["annotations"]?[LaunchPlan.RunAnnotation]?.GetValue<string>();
                if (id == DashboardLauncher.ExecutableName && changed["status"]?["state"]?.GetValue<string>() is "Finished" or "FailedToStart" && !_stopping.IsCancellationRequested)
                    logger.LogError("The dashboard ended by itself; is its port in use by another program?");
                // A late change of an earlier run says nothing about the present one.
                if (type != "DELETED" && _instances.TryGetValue(id, out var instance) && run == $"{instance.Run}")
                    await ApplyAsync(instance, changed["status"]);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
        }
        catch (Exception e)
        {
            logger.LogCritical(e, "The watch of DCP ended: states shown are no longer true");
        }
    }));

    private async Task ApplyAsync(Instance instance, JsonNode? status)
    {
        if (status?["state"]?.GetValue<string>() is not { Length: > 0 } reported)
            return;
        var state = reported == "Terminated" ? KnownResourceStates.Exited : reported;
        var exitCode = status["exitCode"]?.GetValue<int>();
        var ended = false;
        Change(instance, s =>
        {
            var after = s with
            {
                State = state,
                ExitCode = exitCode is -1 ? null : exitCode,
                StartTimeStamp = Time(status["startupTimestamp"]) ?? s.StartTimeStamp,
                StopTimeStamp = Time(status["finishTimestamp"]) ?? s.StopTimeStamp,
                EnvironmentVariables = Variables(status["effectiveEnv"]) ?? s.EnvironmentVariables,
            };
            ended = after.IsTerminal && !s.IsTerminal;
            return after.WithProperty("executable.pid", state == "Running" ? status["pid"]?.GetValue<long>() : null)
                .WithProperty("resource.exitCode", after.ExitCode);
        });
        health.OnStateChanged(instance.Resource);
        if (ended && notifications.TryGetCurrentState(instance.Id, out var e))
        {
            if (state == KnownResourceStates.FailedToStart)
                logger.LogError("{Resource} failed to start; its console log tells why", instance.Resource.Name);
            else if (e.Snapshot.ExitCode is { } code and not 0 && !instance.StopWanted)
                logger.LogInformation("{Instance} ended with exit code {Code}", instance.Id, code);
            await eventing.PublishAsync(new ResourceStoppedEvent(instance.Resource, services, e), _stopping.Token);
        }

        static DateTime? Time(JsonNode? node) => node is null ? null
            : DateTimeOffset.Parse(node.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture).UtcDateTime;
    }

    private static ImmutableArray<EnvironmentVariableSnapshot>? Variables(JsonNode? node) => node is not JsonArray variables ? null
        : [.. variables.OfType<JsonObject>().Select(v => new EnvironmentVariableSnapshot($"{v["name"]}", $"{v["value"]}", true))];

    private async Task FollowAsync(string id, string source)
    {
        try
        {
            await foreach (var line in Dcp.LogsAsync(id, source, _stopping.Token))
                loggers.Append(id, source == "system" ? DcpClient.Readable(line) : line, source == "stderr");
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private void Change(Instance instance, Func<CustomResourceSnapshot, CustomResourceSnapshot> change) =>
        notifications.Publish(instance.Resource, instance.Id, s =>
        {
            var after = change(s);
            instance.State = after.State?.Text;
            return after;
        });

    private void InBackground(Task task) => _background.Add(task);

    internal static JsonObject DcpObject(string kind, string name, JsonObject spec, JsonObject? annotations = null) => new()
    {
        ["apiVersion"] = "usvc-dev.developer.microsoft.com/v1",
        ["kind"] = kind,
        ["metadata"] = new JsonObject { ["name"] = name, ["annotations"] = annotations ?? [] },
        ["spec"] = spec,
    };
}

/// <summary>One replica of a program; keeps its name over restarts.</summary>
internal sealed class Instance(IResource resource, string suffix)
{
    private readonly Lock _lock = new();
    private CancellationTokenSource? _starting;

    public IResource Resource { get; } = resource;
    public string Suffix { get; } = suffix;
    public string Id { get; } = $"{resource.Name}-{suffix}";
    public string? State { get; set; }
    /// <summary>Someone asked for the end: an exit code is no failure then.</summary>
    public bool StopWanted { get; set; }
    /// <summary>Counts the starts, so that reports about an earlier one are recognised.</summary>
    public int Run { get; private set; }

    public async Task<(int Run, CancellationToken Token)> BeginStartAsync(CancellationToken stopping)
    {
        await CancelStartAsync();
        lock (_lock)
        {
            _starting = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            StopWanted = false;
            return (++Run, _starting.Token);
        }
    }

    public Task CancelStartAsync()
    {
        CancellationTokenSource? starting;
        lock (_lock)
            (starting, _starting) = (_starting, null);
        return starting?.CancelAsync() ?? Task.CompletedTask;
    }
}
