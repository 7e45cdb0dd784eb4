using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Jafer.AppHost.Tests;

/// <summary>All of Jafer started inside the tests, without the dashboard, on fresh data.</summary>
public sealed class RunningAppHost : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("jafer-journey-");
    private DistributedApplication? _app;

    public string EndpointsFile => Path.Combine(_folder.FullName, "endpoints.json");

    public DistributedApplication App => _app ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder.FullName, (UnixFileMode)0b111_101_101);
        _app = Program.Build(new Wishes([], Dashboard: false,
            DataFolder: Path.Combine(_folder.FullName, "data"), EndpointsFile: EndpointsFile));
        await _app.StartAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        foreach (var name in (string[])["directory", "mesure", "messaging", "notification"])
            await _app.ResourceNotifications.WaitForResourceHealthyAsync(name, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
            await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

[CollectionDefinition("journey")]
public sealed class JourneyCollection : ICollectionFixture<RunningAppHost>;

[Collection("journey"), Trait("Category", "journey")]
public sealed class RunningTests(RunningAppHost running)
{
    private static CancellationToken Limit => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("directory")]
    [InlineData("mesure")]
    [InlineData("messaging")]
    [InlineData("notification")]
    public async Task Service_Started_AnswersOnItsHealthPort(string service)
    {
        using var client = running.App.CreateHttpClient(service, "health");

        using var health = await client.GetAsync(new Uri("/health", UriKind.Relative), Limit);
        using var alive = await client.GetAsync(new Uri("/alive", UriKind.Relative), Limit);

        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
    }

    [Fact]
    public async Task Replica_KilledBesideAnother_ShowsAsEndedWhileTheServiceGoesOnAndCanBeStartedAgain()
    {
        var notifications = running.App.ResourceNotifications;
        var replica = await notifications.WaitForResourceAsync("mesure", e => Pid(e) is not null, Limit);

        using (var process = Process.GetProcessById((int)Pid(replica)!.Value))
            process.Kill();
        var ended = await notifications.WaitForResourceAsync("mesure",
            e => e.ResourceId == replica.ResourceId && e.Snapshot.State is { } s && KnownResourceStates.TerminalStates.Contains(s.Text), Limit);
        using var client = running.App.CreateHttpClient("mesure", "health");
        using var health = await client.GetAsync(new Uri("/health", UriKind.Relative), Limit);

        Assert.NotNull(ended.Snapshot.StopTimeStamp);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);

        var started = await running.App.ResourceCommands.ExecuteCommandAsync(replica.ResourceId, KnownResourceCommands.StartCommand, Limit);
        Assert.True(started.Success, started.Message);
        var again = await notifications.WaitForResourceAsync("mesure", e => e.ResourceId == replica.ResourceId && Pid(e) is not null, Limit);
        Assert.NotEqual(Pid(replica), Pid(again));
    }

    [Fact]
    public async Task Mesure_ByDefault_RunsInTwoProcesses()
    {
        var pids = new Dictionary<string, long>();

        await running.App.ResourceNotifications.WaitForResourceAsync("mesure", e =>
        {
            if (Pid(e) is { } pid)
                pids[e.ResourceId] = pid;
            return pids.Count == 2;
        }, Limit);

        Assert.Equal(2, pids.Values.Distinct().Count());
    }

    [Theory]
    [InlineData("demo-data", "reset")]
    [InlineData("directory", "redrive")]
    [InlineData("directory", "coverage-map")]
    [InlineData("mesure", "redrive")]
    [InlineData("mesure", "retention-last")]
    [InlineData("mesure", "vacuum")]
    [InlineData("messaging", "redrive")]
    [InlineData("notification", "redrive")]
    public async Task Command_OnTheRunningSystem_Succeeds(string resource, string command)
    {
        var result = await ExecuteAsync(resource, command);

        Assert.True(result.Success, result.Message);
    }

    [Fact]
    public async Task RetentionDryRunCommand_OnTheRunningSystem_TellsTheFiguresOfEachRule()
    {
        var result = await ExecuteAsync("mesure", "retention-dry-run");

        Assert.True(result.Success, result.Message);
        Assert.All((string[])["MESURE_FILES", "MESURE_CONTENT", "INTAKE_UNKNOWN"], rule => Assert.Contains($"{rule} 0 of 0 to erase", result.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("juridiction")]
    [InlineData("espace")]
    [InlineData("operateur")]
    public async Task TokenCommand_OnTheRunningSystem_ShowsAToken(string role)
    {
        var result = await ExecuteAsync("identity", $"token-{role}");

        Assert.True(result.Success, result.Message);
        var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(result.Data!.Value.Split('.')[1]));
        Assert.Equal(role, claims.RootElement.GetProperty("role").GetString());
    }

    [Fact]
    public async Task JourneyCommand_OnTheRunningSystem_DoesTheMainJobThroughTheForeignClients()
    {
        var result = await ExecuteAsync("demo-client", "again");

        Assert.True(result.Success, result.Message);
        Assert.StartsWith("The journey is done", result.Message, StringComparison.Ordinal);
    }

    /// <summary>Calls a command as the dashboard does, once the demonstration data are loaded and the addresses written.</summary>
    private async Task<ExecuteCommandResult> ExecuteAsync(string resource, string command)
    {
        var limit = Stopwatch.StartNew();
        while (!File.Exists(running.EndpointsFile) && limit.Elapsed < TimeSpan.FromMinutes(2))
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, Limit);
        var instance = await running.App.ResourceNotifications.WaitForResourceAsync(resource, _ => true, Limit);
        return await running.App.ResourceCommands.ExecuteCommandAsync(instance.ResourceId, command, Limit);
    }

    private static long? Pid(ResourceEvent e) => e.Snapshot.State?.Text != KnownResourceStates.Running ? null
        : e.Snapshot.Properties.FirstOrDefault(p => p.Name == "executable.pid")?.Value is { } value
            ? Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture) : null;
}
