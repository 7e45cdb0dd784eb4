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
