using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

public static class ExecutableResourceBuilderExtensions
{
    /// <summary>Adds a program; the folder is relative to the AppHost's project.</summary>
    public static IResourceBuilder<ExecutableResource> AddExecutable(this IDistributedApplicationBuilder builder, string name,
        string command, string workingDirectory, params string[]? args) =>
        builder.AddResource(new ExecutableResource(name, command, Path.GetFullPath(workingDirectory, builder.AppHostDirectory))).WithArgs(args ?? []);
}

public class ProjectResourceOptions
{
    /// <summary>Always the case here: this engine does not read launch profiles.</summary>
    public bool ExcludeLaunchProfile { get; set; }
    /// <summary>Always the case here: endpoints are declared by the AppHost alone.</summary>
    public bool ExcludeKestrelEndpoints { get; set; }
    public string? LaunchProfileName { get; set; }
}

public static class ProjectResourceBuilderExtensions
{
    /// <summary>Adds a service of this solution, run from its build output.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() => builder.AddResource(new ProjectResource(name)).WithAnnotation<IProjectMetadata>(new TProject());

    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name,
        Action<ProjectResourceOptions> configure) where TProject : IProjectMetadata, new()
    {
        configure(new ProjectResourceOptions());
        return builder.AddProject<TProject>(name);
    }

    /// <summary>Runs the project several times behind one address, which spreads connections.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas) =>
        builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);

    /// <summary>Chooses which endpoints go into ASPNETCORE_URLS.</summary>
    public static IResourceBuilder<ProjectResource> WithEndpointsInEnvironment(this IResourceBuilder<ProjectResource> builder,
        Func<EndpointAnnotation, bool> filter) => builder.WithAnnotation(new EndpointFilterAnnotation(filter));
}

public static class ParameterResourceBuilderExtensions
{
    /// <summary>Adds a value from configuration, <c>Parameters:name</c>.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => builder.Configuration[$"Parameters:{name}"]
            ?? throw new DistributedApplicationException($"Parameter '{name}' has no value: set Parameters:{name}."), secret));

    /// <summary>Adds a value that configuration (<c>Parameters:name</c>) may replace.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, string value,
        bool publishValueAsDefault = false, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => builder.Configuration[$"Parameters:{name}"] ?? value, secret));

    /// <summary>Adds a connection string from configuration, <c>ConnectionStrings:name</c>.</summary>
    public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(this IDistributedApplicationBuilder builder, string name,
        string? environmentVariableName = null) =>
        builder.AddResource(new ConfiguredConnectionStringResource(name, () => builder.Configuration.GetConnectionString(name)
            ?? throw new DistributedApplicationException($"Connection string '{name}' has no value: set ConnectionStrings:{name}.")));
}

public static class ConnectionStringBuilderExtensions
{
    /// <summary>Adds a connection string made of other resources' values; it has its value once these are started.</summary>
    public static IResourceBuilder<ConnectionStringResource> AddConnectionString(this IDistributedApplicationBuilder builder, string name,
        ReferenceExpression connectionStringExpression)
    {
        var added = builder.AddResource(new ConnectionStringResource(name, connectionStringExpression));
        var referred = connectionStringExpression.ValueProviders.Select(p => p switch
        {
            EndpointReference e => e.Resource,
            EndpointReferenceExpression e => e.Endpoint.Resource,
            IResource r => r,
            _ => null,
        });
        foreach (var resource in referred.OfType<IResource>().Distinct())
        {
            added.WithRelationship(resource, "Reference");
            if (resource is not ParameterResource)
                added.WaitForStart(builder.CreateResourceBuilder(resource));
        }
        return added;
    }
}

public static class OtlpConfigurationExtensions
{
    /// <summary>Gives a program that is not a project the address of the dashboard's telemetry receiver.</summary>
    public static IResourceBuilder<T> WithOtlpExporter<T>(this IResourceBuilder<T> builder) where T : IResourceWithEnvironment =>
        builder.WithAnnotation(new OtlpAnnotation(OtlpProtocol.Grpc));
}

public static class DistributedApplicationEventingExtensions
{
    /// <summary>Does something each time the resource has become healthy; dependents wait for it.</summary>
    public static IResourceBuilder<T> OnResourceReady<T>(this IResourceBuilder<T> builder,
        Func<T, ResourceReadyEvent, CancellationToken, Task> callback) where T : IResource
    {
        builder.ApplicationBuilder.Eventing.Subscribe<ResourceReadyEvent>(builder.Resource, (e, ct) => callback(builder.Resource, e, ct));
        return builder;
    }

    /// <summary>Does something each time an instance of the resource has ended.</summary>
    public static IResourceBuilder<T> OnResourceStopped<T>(this IResourceBuilder<T> builder,
        Func<T, ResourceStoppedEvent, CancellationToken, Task> callback) where T : IResource
    {
        builder.ApplicationBuilder.Eventing.Subscribe<ResourceStoppedEvent>(builder.Resource, (e, ct) => callback(builder.Resource, e, ct));
        return builder;
    }

    /// <summary>Does something once, before anything starts.</summary>
    public static T OnBeforeStart<T>(this T builder, Func<BeforeStartEvent, CancellationToken, Task> callback) where T : IDistributedApplicationBuilder
    {
        builder.Eventing.Subscribe(callback);
        return builder;
    }
}
