using Aspire.Hosting.Engine;

namespace Jafer.AppHost.Tests;

/// <summary>Parts of the local engine that a run of the whole would not show.</summary>
public sealed class EngineTests
{
    [Fact]
    public async Task Template_OwnPortBesideBracesOfTheUser_OnlyThePortIsATemplate()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { ProjectDirectory = AppContext.BaseDirectory });
        var program = builder.AddExecutable("echo", "echo", ".").WithHttpEndpoint(name: "web");
        program.Resource.Annotations.OfType<EndpointAnnotation>().Single().ServiceName = "echo";
        var text = ReferenceExpression.Create($"{"{{ secret }}"} on {program.GetEndpoint("web").Property(EndpointProperty.TargetPort)}");

        var template = LaunchPlan.Template((await text.GetValueAsync(TestContext.Current.CancellationToken))!);

        Assert.Equal("""{{ "{{" }} secret }} on {{ portForServing "echo" }}""", template);
    }

    [Fact]
    public async Task ReferenceExpression_EndpointNotYetAllocated_WaitsForIt()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { ProjectDirectory = AppContext.BaseDirectory });
        var program = builder.AddExecutable("server", "server", ".").WithEndpoint(scheme: "amqp", name: "amqp");
        var address = ReferenceExpression.Create($"amqp://{program.GetEndpoint("amqp").Property(EndpointProperty.HostAndPort)}/");

        var value = address.GetValueAsync(TestContext.Current.CancellationToken).AsTask();
        Assert.False(value.IsCompleted);
        program.Resource.Annotations.OfType<EndpointAnnotation>().Single().Allocate("localhost", 5672);

        Assert.Equal("amqp://localhost:5672/", await value);
    }

    [Fact]
    public void AddExecutable_NameTakenAlready_Throws()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { ProjectDirectory = AppContext.BaseDirectory });
        builder.AddExecutable("mail", "node", ".");

        Assert.Throws<DistributedApplicationException>(() => builder.AddExecutable("Mail", "node", "."));
    }
}

/// <summary>The local engine's own promise: what depends on others ends first.</summary>
public sealed class EngineStopTests
{
    [Fact]
    public async Task Stop_DependentAndItsServer_DependentEndsFirst()
    {
        var ct = TestContext.Current.CancellationToken;
        var log = Path.GetTempFileName();
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions
        {
            AssemblyName = typeof(Program).Assembly.GetName().Name,
            DisableDashboard = true,
        });
        var server = builder.AddExecutable("server", "bash", ".", "-c", "trap 'echo server >> $LOG; exit' TERM; echo up; while :; do sleep 0.1; done").WithEnvironment("LOG", log);
        builder.AddExecutable("client", "bash", ".", "-c", "trap 'sleep 0.5; echo client >> $LOG; exit' TERM; echo up; while :; do sleep 0.1; done")
            .WithEnvironment("LOG", log)
            .WaitFor(server);
        await using var app = builder.Build();
        await app.StartAsync(ct);
        await UpAsync("server");
        await UpAsync("client");

        await app.StopAsync(ct);

        Assert.Equal(["client", "server"], await File.ReadAllLinesAsync(log, ct));
        File.Delete(log);

        // Running alone does not mean that the trap is set.
        async Task UpAsync(string name)
        {
            var running = await app.ResourceNotifications.WaitForResourceAsync(name, e => e.Snapshot.State?.Text == KnownResourceStates.Running, ct);
            var lines = (ResourceLoggerService)app.Services.GetService(typeof(ResourceLoggerService))!;
            await foreach (var batch in lines.WatchAsync(running.ResourceId).WithCancellation(ct))
            {
                if (batch.Any(l => l.Content.EndsWith(" up", StringComparison.Ordinal)))
                    return;
            }
        }
    }
}
