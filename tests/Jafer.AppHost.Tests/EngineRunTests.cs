using System.Net;

namespace Jafer.AppHost.Tests;

/// <summary>What the AppHost relies on, shown with small programs: whichever engine runs it must behave so.</summary>
public sealed class EngineRunTests
{
    private static CancellationToken Limit => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WaitForCompletion_DependencyEndsWithAnotherCode_DependentFailsToStart()
    {
        var builder = NewBuilder();
        var step = builder.AddExecutable("step", "bash", ".", "-c", "exit 3");
        builder.AddExecutable("after", "bash", ".", "-c", "echo must not run").WaitForCompletion(step);
        await using var app = builder.Build();
        await app.StartAsync(Limit);

        var ended = await app.ResourceNotifications.WaitForResourceAsync("step", e => e.Snapshot.ExitCode is not null, Limit);
        var state = await app.ResourceNotifications.WaitForResourceAsync("after", KnownResourceStates.TerminalStates, Limit);

        Assert.Equal(3, ended.Snapshot.ExitCode);
        Assert.Equal(KnownResourceStates.FailedToStart, state);
    }

    [Fact]
    public async Task Start_ProgramThatDoesNotExist_ShowsFailedToStart()
    {
        var builder = NewBuilder();
        builder.AddExecutable("missing", "/no/such/program", ".");
        await using var app = builder.Build();
        await app.StartAsync(Limit);

        Assert.Equal(KnownResourceStates.FailedToStart,
            await app.ResourceNotifications.WaitForResourceAsync("missing", KnownResourceStates.TerminalStates, Limit));
    }

    [Fact]
    public async Task Restart_HealthyServer_IsAnotherProcessAtTheSameAddress()
    {
        var builder = NewBuilder();
        builder.AddExecutable("server", "node", ".", "-e", "require('http').createServer((q, s) => s.end(String(process.pid))).listen(process.env.PORT, 'localhost')")
            .WithHttpEndpoint(env: "PORT")
            .WithHttpHealthCheck("/");
        await using var app = builder.Build();
        await app.StartAsync(Limit);
        var running = await app.ResourceNotifications.WaitForResourceHealthyAsync("server", Limit);
        using var client = app.CreateHttpClient("server");
        var before = await client.GetStringAsync(new Uri("/", UriKind.Relative), Limit);

        var result = await app.ResourceCommands.ExecuteCommandAsync(running.ResourceId, KnownResourceCommands.RestartCommand, Limit);
        await app.ResourceNotifications.WaitForResourceHealthyAsync("server", Limit);
        // A new connection: the old one ended with its process.
        using var again = app.CreateHttpClient("server");
        using var after = await again.GetAsync(new Uri("/", UriKind.Relative), Limit);

        Assert.True(result.Success, result.Message);
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.NotEqual(before, await after.Content.ReadAsStringAsync(Limit));
    }

    [Fact]
    public async Task WaitFor_DependencyNotYetHealthy_StartsAfterItsReadyHandler()
    {
        var builder = NewBuilder();
        var prepared = false;
        var server = builder.AddExecutable("server", "node", ".", "-e",
                "setTimeout(() => require('http').createServer((q, s) => s.end()).listen(process.env.PORT, 'localhost'), 500)")
            .WithHttpEndpoint(env: "PORT")
            .WithHttpHealthCheck("/")
            .OnResourceReady((_, _, _) =>
            {
                prepared = true;
                return Task.CompletedTask;
            });
        bool? preparedBeforeStart = null;
        builder.AddExecutable("after", "bash", ".", "-c", "true")
            .WithEnvironment("SEEN", () => (preparedBeforeStart = prepared).ToString()!)
            .WaitFor(server);
        await using var app = builder.Build();
        await app.StartAsync(Limit);

        await app.ResourceNotifications.WaitForResourceAsync("after", e => e.Snapshot.ExitCode == 0, Limit);

        Assert.True(preparedBeforeStart);
    }

    private static IDistributedApplicationBuilder NewBuilder() => DistributedApplication.CreateBuilder(new DistributedApplicationOptions
    {
        AssemblyName = typeof(Program).Assembly.GetName().Name,
        DisableDashboard = true,
    });
}
