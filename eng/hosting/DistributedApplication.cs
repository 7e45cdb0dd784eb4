using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Engine;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

public sealed class DistributedApplicationOptions
{
    public string[]? Args { get; set; }
    /// <summary>Name of the AppHost's assembly, which knows its project folder; by default the one that was started.</summary>
    public string? AssemblyName { get; set; }
    public string? ProjectDirectory { get; set; }
    public bool DisableDashboard { get; set; }
    public bool AllowUnsecuredTransport { get; set; }
    public bool EnableResourceLogging { get; set; }
    public string? DashboardApplicationName { get; set; }
}

public enum DistributedApplicationOperation
{
    Run = 0,
    Publish = 1
}

public class DistributedApplicationExecutionContext(DistributedApplicationOperation operation)
{
    public DistributedApplicationOperation Operation { get; } = operation;
    public bool IsRunMode => Operation == DistributedApplicationOperation.Run;
    public bool IsPublishMode => Operation == DistributedApplicationOperation.Publish;
}

/// <summary>Collects the resources of an application before it is built.</summary>
public interface IDistributedApplicationBuilder
{
    ConfigurationManager Configuration { get; }
    string AppHostDirectory { get; }
    Assembly? AppHostAssembly { get; }
    IHostEnvironment Environment { get; }
    IServiceCollection Services { get; }
    IDistributedApplicationEventing Eventing { get; }
    DistributedApplicationExecutionContext ExecutionContext { get; }
    IResourceCollection Resources { get; }
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;
    IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;
    DistributedApplication Build();
}

internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private readonly DistributedApplicationOptions _options;
    private readonly HostApplicationBuilder _host;
    private readonly DistributedApplicationEventing _eventing = new();

    public DistributedApplicationBuilder(DistributedApplicationOptions options)
    {
        _options = options;
        AppHostAssembly = options.AssemblyName is { } name ? Assembly.Load(name) : Assembly.GetEntryAssembly();
        AppHostDirectory = Path.GetFullPath(options.ProjectDirectory
            ?? AppHostAssembly?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => m.Key == "AppHostProjectPath")?.Value
            ?? Directory.GetCurrentDirectory());
        _host = new HostApplicationBuilder(new HostApplicationBuilderSettings
        {
            Args = options.Args,
            ContentRootPath = AppHostDirectory,
            ApplicationName = AppHostAssembly?.GetName().Name,
        });
        _host.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        _host.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        _host.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        _host.Services.AddHealthChecks();
        // The period of the built-in publisher is unused; checks are asked by the engine's own monitor.
        _host.Services.TryAddSingleton(TimeProvider.System);
        _host.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(20));
    }

    public ConfigurationManager Configuration => _host.Configuration;
    public string AppHostDirectory { get; }
    public Assembly? AppHostAssembly { get; }
    public IHostEnvironment Environment => _host.Environment;
    public IServiceCollection Services => _host.Services;
    public IDistributedApplicationEventing Eventing => _eventing;
    public DistributedApplicationExecutionContext ExecutionContext { get; } = new(DistributedApplicationOperation.Run);
    public IResourceCollection Resources { get; } = new ResourceCollection();

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        Resources.Add(resource);
        if (resource.IsProgram())
            BuiltInCommands.AddTo(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build()
    {
        var model = new DistributedApplicationModel(Resources);
        Services.AddSingleton(model);
        Services.AddSingleton(_options);
        Services.AddSingleton<IDistributedApplicationEventing>(_eventing);
        Services.AddSingleton(ExecutionContext);
        Services.AddSingleton(s => new ResourceNotificationService(s.GetRequiredService<TimeProvider>())
        {
            DefaultWaitBehavior = _options.DisableDashboard ? WaitBehavior.StopOnResourceUnavailable : WaitBehavior.WaitOnResourceUnavailable
        });
        Services.AddSingleton(s => new ResourceLoggerService(s.GetRequiredService<TimeProvider>()));
        Services.AddSingleton(s => new ResourceCommandService(s.GetRequiredService<ResourceNotificationService>(), s.GetRequiredService<ResourceLoggerService>(), s));
        Services.AddSingleton<HealthMonitor>();
        Services.AddSingleton(s => new DashboardLauncher(_options, Configuration,
            _options.DashboardApplicationName ?? Environment.ApplicationName, AppHostDirectory, () => AspireBundle.Find(Configuration, AppHostDirectory).Dashboard,
            s.GetRequiredService<ResourceNotificationService>(), s.GetRequiredService<ResourceLoggerService>(), s, s.GetRequiredService<ILogger<DashboardLauncher>>()));
        Services.AddSingleton(s => new LaunchPlanner(ExecutionContext, Environment, s.GetRequiredService<DashboardLauncher>(), AppHostDirectory));
        Services.AddSingleton(s => new Orchestrator(model, () => AspireBundle.Find(Configuration, AppHostDirectory).Dcp,
            s.GetRequiredService<LaunchPlanner>(), s.GetRequiredService<ResourceNotificationService>(), s.GetRequiredService<ResourceLoggerService>(),
            s.GetRequiredService<HealthMonitor>(), s.GetRequiredService<DashboardLauncher>(), _eventing, s,
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<Orchestrator>>()));
        Services.AddHostedService(s => s.GetRequiredService<Orchestrator>());
        return new DistributedApplication(_host.Build());
    }
}

/// <summary>The built application: a host whose start starts every resource and whose stop ends them all.</summary>
public class DistributedApplication : IHost, IAsyncDisposable
{
    private readonly IHost _host;

    public DistributedApplication(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;
    public ResourceNotificationService ResourceNotifications => Services.GetRequiredService<ResourceNotificationService>();
    public ResourceCommandService ResourceCommands => Services.GetRequiredService<ResourceCommandService>();

    public static IDistributedApplicationBuilder CreateBuilder() => CreateBuilder([]);
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => CreateBuilder(new DistributedApplicationOptions { Args = args });
    public static IDistributedApplicationBuilder CreateBuilder(DistributedApplicationOptions options) => new DistributedApplicationBuilder(options);

    /// <summary>Starts and stays until Ctrl+C or SIGTERM.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Starts and stays until cancelled, Ctrl+C or SIGTERM.</summary>
    public virtual async Task RunAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await StartAsync(cancellationToken);
            await _host.WaitForShutdownAsync(cancellationToken);
        }
        finally
        {
            await DisposeAsync();
        }
    }

    /// <summary>Starts; returns before the resources are healthy.</summary>
    public virtual Task StartAsync(CancellationToken cancellationToken = default) => _host.StartAsync(cancellationToken);

    /// <summary>Ends all programs in order, within 15 seconds at most.</summary>
    public virtual Task StopAsync(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    public virtual void Dispose()
    {
        GC.SuppressFinalize(this);
        DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}

internal static class BuiltInCommands
{
    public static void AddTo(IResource resource)
    {
        Add(KnownResourceCommands.StartCommand, "Start", "Play", (o, id, ct) => o.StartAsync(id, ct),
            state => state is null || state == KnownResourceStates.NotStarted || KnownResourceStates.TerminalStates.Contains(state)
                ? ResourceCommandState.Enabled : ResourceCommandState.Hidden, highlighted: true);
        Add(KnownResourceCommands.StopCommand, "Stop", "Stop", (o, id, ct) => o.StopAsync(id, ct),
            state => state == KnownResourceStates.Running ? ResourceCommandState.Enabled
                : state == KnownResourceStates.Stopping || state == KnownResourceStates.Starting || state == KnownResourceStates.Waiting
                    ? ResourceCommandState.Disabled : ResourceCommandState.Hidden, highlighted: true);
        Add(KnownResourceCommands.RestartCommand, "Restart", "ArrowCounterclockwise", (o, id, ct) => o.RestartAsync(id, ct),
            state => state == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled, highlighted: false);

        void Add(string name, string title, string icon, Func<Orchestrator, string, CancellationToken, Task> execute,
            Func<string?, ResourceCommandState> state, bool highlighted) =>
            resource.Annotations.Add(new CommandAnnotation(name, title, async c =>
            {
                await execute(c.ServiceProvider.GetRequiredService<Orchestrator>(), c.ResourceName, c.CancellationToken);
                return CommandResults.Success();
            }, new CommandOptions
            {
                IconName = icon,
                IconVariant = IconVariant.Filled,
                IsHighlighted = highlighted,
                UpdateState = c => state(c.ResourceSnapshot.State?.Text),
            }));
    }
}
