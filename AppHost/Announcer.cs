using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Jafer.AppHost;

/// <summary>Where the dashboard will be, chosen beforehand so that it can be announced whichever engine serves it.</summary>
internal sealed record DashboardAddress(string Url, string Token, IReadOnlyList<string> Configuration)
{
    public string LoginUrl => $"{Url}/login?t={Token}";

    /// <summary>Takes what the environment says, else fixed ports from --port-base, else free ones.</summary>
    public static DashboardAddress Choose(Wishes wishes)
    {
        var configuration = new List<string>();
        var url = Value("ASPNETCORE_URLS", () => $"http://localhost:{wishes.PortBase ?? Place.FreePort()}").Split(';')[0].TrimEnd('/');
        Value("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", () => $"http://localhost:{wishes.PortBase + 1 ?? Place.FreePort()}");
        Value("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", () => $"http://localhost:{wishes.PortBase + 2 ?? Place.FreePort()}");
        var token = Value("ASPIRE_DASHBOARD_FRONTEND_BROWSERTOKEN", () => RandomNumberGenerator.GetHexString(32, lowercase: true));
        if (Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") is null)
            configuration.Add("--environment=Development");
        return new DashboardAddress(url, token, configuration);

        string Value(string key, Func<string> choose)
        {
            if (Environment.GetEnvironmentVariable(key) is { Length: > 0 } given)
                return given;
            var chosen = choose();
            configuration.Add($"--{key}={chosen}");
            return chosen;
        }
    }
}

/// <summary>
/// Says one line per resource that becomes healthy, and once all are, where everything is: on the console and in the endpoints
/// file, which disappears with the run. Says at once what failed, with the end of its console. When the time for it has passed
/// it says what is not healthy, and stops everything.
/// </summary>
internal sealed class Announcer(Place place, DashboardAddress? dashboard) : IHostedService, IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<IResourceBuilder<IResource>> _healthy = [];
    private IReadOnlyList<IResourceBuilder<ProjectResource>> _services = [];
    private IResourceBuilder<ExecutableResource>? _identity, _mail;
    private IResourceBuilder<ProjectResource>? _demoData;
    private readonly ConcurrentDictionary<string, (string Name, string State)> _states = new();
    private ResourceNotificationService? _notifications;
    private ResourceLoggerService? _loggers;
    private IHostApplicationLifetime? _lifetime;
    private Task _work = Task.CompletedTask;

    private string LoadedMark => Path.Combine(place.Data, "demonstration.loaded");

    /// <summary>The demonstration data are loaded once per data folder.</summary>
    public bool DemonstrationLoaded => File.Exists(LoadedMark);

    public void Await(IReadOnlyList<IResourceBuilder<ProjectResource>> services, IResourceBuilder<ExecutableResource> identity,
        IResourceBuilder<ExecutableResource> mail, IResourceBuilder<ProjectResource> demoData)
    {
        (_services, _identity, _mail, _demoData) = (services, identity, mail, demoData);
        _healthy.AddRange([identity, mail, .. services]);
    }

    public Announcer Attach(IServiceProvider services)
    {
        _notifications = services.GetRequiredService<ResourceNotificationService>();
        _loggers = services.GetRequiredService<ResourceLoggerService>();
        // At the first sign of the end: what ends from now on has not failed.
        _lifetime = services.GetRequiredService<IHostApplicationLifetime>();
        _lifetime.ApplicationStopping.Register(Withdraw);
        return this;
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _work = Task.WhenAll(AnnounceAsync(_stopping.Token), ReportFailuresAsync(_stopping.Token));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        Withdraw();
        await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public ValueTask DisposeAsync()
    {
        Withdraw();
        place.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Withdraw()
    {
        _stopping.Cancel();
        File.Delete(place.EndpointsFile);
    }

    private async Task AnnounceAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(place.StartLimit);
        var awaited = new ConcurrentDictionary<string, bool>(_healthy.Select(r => KeyValuePair.Create(r.Resource.Name, true)));
        if (!DemonstrationLoaded)
            awaited[_demoData!.Resource.Name] = true;
        try
        {
            await AnnounceAsync(awaited, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            await GiveUpAsync(awaited.Keys.Order(StringComparer.Ordinal));
        }
    }

    private async Task AnnounceAsync(ConcurrentDictionary<string, bool> awaited, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(_healthy.Select(async r =>
        {
            await _notifications!.WaitForResourceHealthyAsync(r.Resource.Name, WaitBehavior.WaitOnResourceUnavailable, ct);
            awaited.TryRemove(r.Resource.Name, out _);
            Console.WriteLine($"  {r.Resource.Name,-14} healthy after {watch.Elapsed.TotalSeconds:0.0} s");
        }));
        if (!DemonstrationLoaded)
        {
            await _notifications!.WaitForResourceAsync(_demoData!.Resource.Name, e => e.Snapshot.ExitCode == 0, ct);
            await File.WriteAllTextAsync(LoadedMark, "", ct);
            Console.WriteLine($"  {_demoData.Resource.Name,-14} loaded after {watch.Elapsed.TotalSeconds:0.0} s");
        }

        var endpoints = new
        {
            dashboard = dashboard is null ? null : new { url = dashboard.Url, loginUrl = dashboard.LoginUrl },
            services = _services.ToDictionary(s => s.Resource.Name, s => new { grpc = s.GetEndpoint("grpc").Url, health = s.GetEndpoint("health").Url }),
            identity = new { issuer = _identity!.GetEndpoint("http").Url },
            mail = new { smtp = _mail!.GetEndpoint("smtp").Url, web = _mail!.GetEndpoint("http").Url },
            pid = Environment.ProcessId,
        };
        // Written aside and renamed: a reader never sees half of it.
        var aside = $"{place.EndpointsFile}.{Environment.ProcessId}";
        await File.WriteAllTextAsync(aside, JsonSerializer.Serialize(endpoints, s_indented), ct);
        File.Move(aside, place.EndpointsFile, overwrite: true);
        Console.WriteLine($"All healthy after {watch.Elapsed.TotalSeconds:0.0} s.{(dashboard is null ? "" : $" Dashboard: {dashboard.LoginUrl}")}");
    }

    /// <summary>Consoles end with the run: those that tell why are kept in files.</summary>
    private async Task GiveUpAsync(IEnumerable<string> awaited)
    {
        var logs = Directory.CreateDirectory(Path.Combine(place.State, "logs")).FullName;
        Console.Error.WriteLine($"jafer: not everything is healthy after {place.StartLimit.TotalSeconds:0} s (JAFER_START_LIMIT); stopping. Not healthy:");
        foreach (var name in awaited)
        {
            foreach (var (id, state) in _states.Where(s => s.Value.Name == name).OrderBy(s => s.Key, StringComparer.Ordinal))
            {
                var file = Path.Combine(logs, $"not-healthy-{id}.log");
                await File.WriteAllLinesAsync(file, await LinesAsync(id));
                Console.Error.WriteLine($"  {id,-24} {state.State}; its console: {file}");
            }
        }
        Environment.ExitCode = 1;
        _lifetime!.StopApplication();
    }

    private async Task ReportFailuresAsync(CancellationToken ct)
    {
        var reported = new HashSet<(string, DateTime?)>();
        await foreach (var e in _notifications!.WatchAsync(ct))
        {
            _states[e.ResourceId] = (e.Resource.Name, e.Snapshot.State?.Text ?? "not started");
            var failed = e.Snapshot.State?.Text == KnownResourceStates.FailedToStart || e.Snapshot is { ExitCode: not null and not 0, StopTimeStamp: not null };
            if (!failed || !reported.Add((e.ResourceId, e.Snapshot.StopTimeStamp)))
                continue;
            Console.Error.WriteLine($"{e.ResourceId}: {e.Snapshot.State?.Text}{(e.Snapshot.ExitCode is { } code ? $" with exit code {code}" : "")}. The end of its console:");
            foreach (var line in (await LinesAsync(e.ResourceId)).TakeLast(25))
                Console.Error.WriteLine($"    {line}");
        }
    }

    private async Task<List<string>> LinesAsync(string resourceId)
    {
        // The console may arrive a moment after the end, and nothing says when it is complete.
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        enough.CancelAfter(TimeSpan.FromSeconds(1));
        var lines = new List<string>();
        try
        {
            await foreach (var batch in _loggers!.WatchAsync(resourceId).WithCancellation(enough.Token))
                lines.AddRange(batch.Select(l => l.Content));
        }
        catch (OperationCanceledException)
        {
        }
        return lines;
    }

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };
}
