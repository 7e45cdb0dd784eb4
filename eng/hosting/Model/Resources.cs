using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A fact attached to a resource: an endpoint, a wait, a command.</summary>
public interface IResourceAnnotation;

/// <summary>The facts attached to one resource, in the order in which they were declared.</summary>
public sealed class ResourceAnnotationCollection : Collection<IResourceAnnotation>;

/// <summary>One part of the application: a process, a parameter, a connection string.</summary>
public interface IResource
{
    string Name { get; }
    ResourceAnnotationCollection Annotations { get; }
}

public abstract class Resource(string name) : IResource
{
    public virtual string Name { get; } = name;
    public virtual ResourceAnnotationCollection Annotations { get; } = [];
}

public interface IResourceWithEnvironment : IResource;
public interface IResourceWithArgs : IResource;
public interface IResourceWithEndpoints : IResource;
public interface IResourceWithWaitSupport : IResource;

public interface IResourceWithConnectionString : IResource, IExpressionValue
{
    ReferenceExpression ConnectionStringExpression { get; }
    string? ConnectionStringEnvironmentVariable => null;
    ValueTask<string?> GetConnectionStringAsync(CancellationToken cancellationToken = default) =>
        ConnectionStringExpression.GetValueAsync(cancellationToken);
    string IManifestExpressionProvider.ValueExpression => $"{{{Name}.connectionString}}";
    ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) =>
        GetConnectionStringAsync(cancellationToken);
}

/// <summary>A program found by its path or on PATH.</summary>
public class ExecutableResource(string name, string command, string workingDirectory) : Resource(name),
    IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    public string Command { get; } = command;
    public string WorkingDirectory { get; } = workingDirectory;
}

/// <summary>A .NET project, run from its build output.</summary>
public class ProjectResource(string name) : Resource(name),
    IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport;

/// <summary>A value from configuration (<c>Parameters:name</c>) or from code.</summary>
public class ParameterResource : Resource, IExpressionValue
{
    private readonly Lazy<string> _value;

    public ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false) : base(name)
    {
        Secret = secret;
        _value = new(() => callback(Default));
    }

    public bool Secret { get; }
    public ParameterDefault? Default { get; set; }
    public string ValueExpression => $"{{{Name}.value}}";
    internal string Text => _value.Value;
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken) => new(_value.Value);
}

/// <summary>Where a parameter's value comes from when configuration is silent.</summary>
public abstract class ParameterDefault
{
    public abstract string GetDefaultValue();
}

public interface IResourceCollection : IList<IResource>;

internal sealed class ResourceCollection : Collection<IResource>, IResourceCollection
{
    protected override void InsertItem(int index, IResource item)
    {
        if (this.Any(r => string.Equals(r.Name, item.Name, StringComparison.OrdinalIgnoreCase)))
            throw new DistributedApplicationException($"A resource named '{item.Name}' exists already.");
        base.InsertItem(index, item);
    }
}

public class DistributedApplicationModel(IResourceCollection resources)
{
    public IResourceCollection Resources { get; } = resources;
}

public enum ResourceAnnotationMutationBehavior
{
    Append = 0,
    Replace = 1
}

public interface IResourceBuilder<out T> where T : IResource
{
    IDistributedApplicationBuilder ApplicationBuilder { get; }
    T Resource { get; }
    IResourceBuilder<T> WithAnnotation<TAnnotation>(TAnnotation annotation,
        ResourceAnnotationMutationBehavior behavior = ResourceAnnotationMutationBehavior.Append)
        where TAnnotation : IResourceAnnotation;
}

internal sealed class ResourceBuilder<T>(IDistributedApplicationBuilder builder, T resource) : IResourceBuilder<T>
    where T : IResource
{
    public IDistributedApplicationBuilder ApplicationBuilder { get; } = builder;
    public T Resource { get; } = resource;

    public IResourceBuilder<T> WithAnnotation<TAnnotation>(TAnnotation annotation,
        ResourceAnnotationMutationBehavior behavior = ResourceAnnotationMutationBehavior.Append)
        where TAnnotation : IResourceAnnotation
    {
        if (behavior == ResourceAnnotationMutationBehavior.Replace)
        {
            foreach (var old in Resource.Annotations.OfType<TAnnotation>().ToArray())
                Resource.Annotations.Remove(old);
        }
        Resource.Annotations.Add(annotation);
        return this;
    }
}

public static class ResourceExtensions
{
    public static bool TryGetLastAnnotation<T>(this IResource resource, [NotNullWhen(true)] out T? annotation)
        where T : IResourceAnnotation
    {
        annotation = resource.Annotations.OfType<T>().LastOrDefault();
        return annotation is not null;
    }

    internal static IEnumerable<T> All<T>(this IResource resource) where T : IResourceAnnotation =>
        resource.Annotations.OfType<T>();

    internal static bool Has<T>(this IResource resource) where T : IResourceAnnotation =>
        resource.Annotations.OfType<T>().Any();

    /// <summary>Programs are started by the engine; parameters and connection strings only have a value.</summary>
    internal static bool IsProgram(this IResource resource) => resource is ExecutableResource or ProjectResource;

    internal static int Replicas(this IResource resource) =>
        resource.All<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;
}

public sealed class ReplicaAnnotation(int replicas = 1) : IResourceAnnotation
{
    public int Replicas { get; } = replicas;
}

internal sealed class ExplicitStartupAnnotation : IResourceAnnotation;

internal sealed class HealthCheckAnnotation(string key) : IResourceAnnotation
{
    public string Key { get; } = key;
}

internal enum WaitKind
{
    Healthy,
    Started,
    Completed
}

internal sealed record WaitAnnotation(IResource Resource, WaitKind Kind, int ExitCode, WaitBehavior? Behavior) : IResourceAnnotation;

internal sealed record RelationshipAnnotation(IResource Resource, string Type) : IResourceAnnotation;

internal sealed record IconAnnotation(string Name, IconVariant Variant) : IResourceAnnotation;

internal sealed record HiddenAnnotation : IResourceAnnotation;

internal sealed record OtlpAnnotation(OtlpProtocol Protocol) : IResourceAnnotation;

internal sealed record EndpointFilterAnnotation(Func<EndpointAnnotation, bool> Filter) : IResourceAnnotation;

/// <summary>The port variable of an endpoint: the program reads there where it must listen.</summary>
internal sealed record EndpointPortVariableAnnotation(string Endpoint, string Variable) : IResourceAnnotation;

public enum WaitBehavior
{
    /// <summary>Goes on waiting for a dependency that failed, since someone may start it again.</summary>
    WaitOnResourceUnavailable = 0,
    /// <summary>Fails with the dependency.</summary>
    StopOnResourceUnavailable = 1
}

public enum IconVariant
{
    Regular = 0,
    Filled = 1
}
