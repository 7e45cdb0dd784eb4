using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Engine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>What is declared of a resource after it has been added.</summary>
public static class ResourceBuilderExtensions
{
    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, string? value)
        where T : IResourceWithEnvironment => builder.Variable(name, value ?? "");

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name,
        in ReferenceExpression.ExpressionInterpolatedStringHandler value)
        where T : IResourceWithEnvironment => builder.Variable(name, ReferenceExpression.Create(value));

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, ReferenceExpression value)
        where T : IResourceWithEnvironment => builder.Variable(name, value);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, Func<string> callback)
        where T : IResourceWithEnvironment => builder.WithEnvironment(c => c.EnvironmentVariables[name] = callback());

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, EndpointReference endpointReference)
        where T : IResourceWithEnvironment => builder.Variable(name, endpointReference).Refers(endpointReference.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string name, IResourceBuilder<ParameterResource> parameter)
        where T : IResourceWithEnvironment => builder.Variable(name, parameter.Resource).Refers(parameter.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, string envVarName,
        IResourceBuilder<IResourceWithConnectionString> resource)
        where T : IResourceWithEnvironment => builder.Variable(envVarName, resource.Resource).Refers(resource.Resource);

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Action<EnvironmentCallbackContext> callback)
        where T : IResourceWithEnvironment => builder.WithAnnotation(new EnvironmentCallbackAnnotation(c =>
        {
            callback(c);
            return Task.CompletedTask;
        }));

    public static IResourceBuilder<T> WithEnvironment<T>(this IResourceBuilder<T> builder, Func<EnvironmentCallbackContext, Task> callback)
        where T : IResourceWithEnvironment => builder.WithAnnotation(new EnvironmentCallbackAnnotation(callback));

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params string[] args) where T : IResourceWithArgs =>
        builder.WithArgs(c =>
        {
            foreach (var arg in args)
                c.Args.Add(arg);
        });

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, params object[] args) where T : IResourceWithArgs =>
        builder.WithArgs(c =>
        {
            foreach (var arg in args)
                c.Args.Add(arg);
        });

    public static IResourceBuilder<T> WithArgs<T>(this IResourceBuilder<T> builder, Action<CommandLineArgsCallbackContext> callback)
        where T : IResourceWithArgs => builder.WithAnnotation(new CommandLineArgsCallbackAnnotation(c =>
        {
            callback(c);
            return Task.CompletedTask;
        }));

    /// <summary>
    /// Gives the services of another resource: <c>services__name__endpoint__0</c> per endpoint, and <c>NAME_ENDPOINT</c>.
    /// </summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithServiceDiscovery> source)
        where TDestination : IResourceWithEnvironment =>
        builder.Refers(source.Resource).WithEnvironment(c =>
        {
            foreach (var endpoint in source.Resource.All<EndpointAnnotation>())
                AddEndpoint(c, source.Resource.Name, new EndpointReference(source.Resource, endpoint.Name));
        });

    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder, EndpointReference endpointReference)
        where TDestination : IResourceWithEnvironment =>
        builder.Refers(endpointReference.Resource).WithEnvironment(c => AddEndpoint(c, endpointReference.Resource.Name, endpointReference));

    /// <summary>Gives a connection string as <c>ConnectionStrings__name</c>.</summary>
    public static IResourceBuilder<TDestination> WithReference<TDestination>(this IResourceBuilder<TDestination> builder,
        IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null, bool optional = false)
        where TDestination : IResourceWithEnvironment =>
        builder.Refers(source.Resource).WithEnvironment(async c =>
        {
            var value = await source.Resource.GetConnectionStringAsync(c.CancellationToken);
            if (string.IsNullOrEmpty(value))
            {
                if (optional)
                    return;
                throw new DistributedApplicationException($"The connection string of '{source.Resource.Name}' is empty.");
            }
            c.EnvironmentVariables[source.Resource.ConnectionStringEnvironmentVariable
                ?? $"ConnectionStrings__{connectionName ?? source.Resource.Name}"] = value;
        });

    public static EndpointReference GetEndpoint<T>(this IResourceBuilder<T> builder, string name) where T : IResourceWithEndpoints =>
        new(builder.Resource, name);

    public static IResourceBuilder<T> WithHttpEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null,
        string? name = null, string? env = null, bool? isProxied = null) where T : IResourceWithEndpoints =>
        builder.WithEndpoint(port, targetPort, "http", name, env, isProxied);

    /// <summary>Adds an endpoint, or changes by the given arguments the one that has the name already.</summary>
    public static IResourceBuilder<T> WithEndpoint<T>(this IResourceBuilder<T> builder, int? port = null, int? targetPort = null,
        string? scheme = null, string? name = null, string? env = null, bool? isProxied = null, bool? isExternal = null,
        ProtocolType? protocol = null) where T : IResourceWithEndpoints
    {
        if (port is not null && port == targetPort && isProxied != false)
            throw new InvalidOperationException($"'{builder.Resource.Name}': a proxied endpoint cannot have the same public and own port.");
        var wanted = name ?? scheme ?? protocol?.ToString().ToLowerInvariant() ?? "tcp";
        if (builder.Resource.All<EndpointAnnotation>().FirstOrDefault(e => e.Name == wanted) is { } known)
        {
            known.Port = port ?? known.Port;
            known.TargetPort = targetPort ?? known.TargetPort;
            known.UriScheme = scheme ?? known.UriScheme;
            known.IsProxied = isProxied ?? known.IsProxied;
            known.IsExternal = isExternal ?? known.IsExternal;
        }
        else
        {
            builder.WithAnnotation(new EndpointAnnotation(protocol ?? ProtocolType.Tcp, scheme, name: wanted, port: port,
                targetPort: targetPort, isExternal: isExternal, isProxied: isProxied));
        }
        return env is null ? builder : builder.WithAnnotation(new EndpointPortVariableAnnotation(wanted, env));
    }

    public static IResourceBuilder<T> AsHttp2Service<T>(this IResourceBuilder<T> builder) where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.All<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https"))
            endpoint.Transport = "http2";
        return builder;
    }

    public static IResourceBuilder<T> WithExternalHttpEndpoints<T>(this IResourceBuilder<T> builder) where T : IResourceWithEndpoints
    {
        foreach (var endpoint in builder.Resource.All<EndpointAnnotation>().Where(e => e.UriScheme is "http" or "https"))
            endpoint.IsExternal = true;
        return builder;
    }

    public static IResourceBuilder<T> WithExplicitStart<T>(this IResourceBuilder<T> builder) where T : IResource =>
        builder.WithAnnotation(new ExplicitStartupAnnotation());

    /// <summary>Starts only when the dependency is running, healthy and its ready handlers are done.</summary>
    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport => builder.Waits(dependency, WaitKind.Healthy);

    public static IResourceBuilder<T> WaitFor<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitBehavior waitBehavior)
        where T : IResourceWithWaitSupport => builder.Waits(dependency, WaitKind.Healthy, behavior: waitBehavior);

    /// <summary>Starts only when the dependency is running, healthy or not.</summary>
    public static IResourceBuilder<T> WaitForStart<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency)
        where T : IResourceWithWaitSupport => builder.Waits(dependency, WaitKind.Started);

    /// <summary>Starts only when the dependency has ended with the exit code; fails when it ended otherwise.</summary>
    public static IResourceBuilder<T> WaitForCompletion<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, int exitCode = 0)
        where T : IResourceWithWaitSupport => builder.Waits(dependency, WaitKind.Completed, exitCode);

    /// <summary>Names a check registered with <c>Services.AddHealthChecks()</c> that tells this resource's health.</summary>
    public static IResourceBuilder<T> WithHealthCheck<T>(this IResourceBuilder<T> builder, string key) where T : IResource =>
        builder.WithAnnotation(new HealthCheckAnnotation(key));

    /// <summary>The resource is healthy while a GET of the path answers with the status code (200).</summary>
    public static IResourceBuilder<T> WithHttpHealthCheck<T>(this IResourceBuilder<T> builder, string? path = null, int? statusCode = null,
        string? endpointName = null) where T : IResourceWithEndpoints
    {
        path ??= "/";
        var status = statusCode ?? 200;
        var name = endpointName ?? builder.Resource.All<EndpointAnnotation>().FirstOrDefault(e => e.UriScheme is "http" or "https")?.Name ?? "http";
        var key = $"{builder.Resource.Name}_{name}_{path}_{status}_check";
        var endpoint = builder.GetEndpoint(name);
        builder.ApplicationBuilder.Services.AddHealthChecks()
            .Add(new HealthCheckRegistration(key, _ => new HttpEndpointCheck(() => endpoint, path, status), null, null));
        return builder.WithHealthCheck(key);
    }

    /// <summary>Adds a button to the resource in the dashboard.</summary>
    public static IResourceBuilder<T> WithCommand<T>(this IResourceBuilder<T> builder, string name, string displayName,
        Func<ExecuteCommandContext, Task<ExecuteCommandResult>> executeCommand, CommandOptions? commandOptions = null)
        where T : IResource => builder.WithAnnotation(new CommandAnnotation(name, displayName, executeCommand, commandOptions ?? new CommandOptions()));

    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder, string url, string? displayText = null)
        where T : IResource => builder.WithAnnotation(new UrlAnnotation(ReferenceExpression.Lazy(url, () => url), displayText));

    public static IResourceBuilder<T> WithUrl<T>(this IResourceBuilder<T> builder,
        in ReferenceExpression.ExpressionInterpolatedStringHandler url, string? displayText = null)
        where T : IResource => builder.WithAnnotation(new UrlAnnotation(ReferenceExpression.Create(url), displayText));

    /// <summary>Changes the link that an endpoint has anyway; a URL that begins with a slash is taken as a path.</summary>
    public static IResourceBuilder<T> WithUrlForEndpoint<T>(this IResourceBuilder<T> builder, string endpointName, Action<ResourceUrlAnnotation> callback)
        where T : IResource => builder.WithAnnotation(new UrlForEndpointAnnotation(endpointName, callback));

    /// <summary>Shows the resource below another one in the dashboard.</summary>
    public static IResourceBuilder<T> WithParentRelationship<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> parent)
        where T : IResource => builder.WithAnnotation(new RelationshipAnnotation(parent.Resource, "Parent"));

    public static IResourceBuilder<T> WithRelationship<T>(this IResourceBuilder<T> builder, IResource resource, string type)
        where T : IResource => builder.WithAnnotation(new RelationshipAnnotation(resource, type));

    public static IResourceBuilder<T> WithIconName<T>(this IResourceBuilder<T> builder, string iconName, IconVariant iconVariant = IconVariant.Filled)
        where T : IResource => builder.WithAnnotation(new IconAnnotation(iconName, iconVariant));

    public static IResourceBuilder<T> WithHidden<T>(this IResourceBuilder<T> builder) where T : IResource =>
        builder.WithAnnotation(new HiddenAnnotation());

    public static IResourceBuilder<T> ExcludeFromManifest<T>(this IResourceBuilder<T> builder) where T : IResource => builder;

    private static IResourceBuilder<T> Variable<T>(this IResourceBuilder<T> builder, string name, object value) where T : IResourceWithEnvironment =>
        builder.WithEnvironment(c => c.EnvironmentVariables[name] = value);

    private static IResourceBuilder<T> Refers<T>(this IResourceBuilder<T> builder, IResource resource) where T : IResource =>
        resource == (IResource)builder.Resource ? builder : builder.WithAnnotation(new RelationshipAnnotation(resource, "Reference"));

    private static IResourceBuilder<T> Waits<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResource> dependency, WaitKind kind,
        int exitCode = 0, WaitBehavior? behavior = null) where T : IResource
    {
        if ((IResource)builder.Resource == dependency.Resource)
            throw new DistributedApplicationException($"'{builder.Resource.Name}' cannot wait for itself.");
        return builder.WithAnnotation(new WaitAnnotation(dependency.Resource, kind, exitCode, behavior));
    }

    private static void AddEndpoint(EnvironmentCallbackContext context, string service, EndpointReference endpoint)
    {
        context.EnvironmentVariables[$"services__{service}__{endpoint.EndpointName}__0"] = endpoint;
        context.EnvironmentVariables[$"{VariableName(service)}_{VariableName(endpoint.EndpointName)}"] = endpoint;
    }

    private static string VariableName(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_'));
}
