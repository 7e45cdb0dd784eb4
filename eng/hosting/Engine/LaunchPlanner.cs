using System.Collections.Immutable;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting.Engine;

/// <summary>What DCP has to start for one instance.</summary>
internal sealed record LaunchPlan(string Command, string WorkingDirectory, IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Variables, string? ProjectPath = null)
{
    internal const string RunAnnotation = "run";

    public CustomResourceSnapshot Describe(CustomResourceSnapshot s)
    {
        s = s.WithProperty("executable.path", Command).WithProperty("executable.workDir", WorkingDirectory)
            .WithProperty("executable.args", Arguments);
        // Of a project the dashboard shows only what comes after the assembly.
        s = ProjectPath is null
            ? s.WithProperty("resource.appArgs", Arguments)
            : s.WithProperty("project.path", ProjectPath).WithProperty("resource.appArgs", Arguments.Skip(1).ToArray());
        return s with { EnvironmentVariables = [.. Variables.Select(v => new EnvironmentVariableSnapshot(v.Key, v.Value, true))] };
    }

    public JsonObject ToDcp(Instance instance, int run)
    {
        var producers = new JsonArray([.. instance.Resource.All<EndpointAnnotation>().Select(e =>
        {
            var producer = new JsonObject { ["serviceName"] = e.ServiceName, ["address"] = e.TargetHost };
            if (e.TargetPort is { } port)
                producer["port"] = port;
            return (JsonNode)producer;
        })]);
        return Orchestrator.DcpObject("Executable", instance.Id, new JsonObject
        {
            ["executablePath"] = Command,
            ["workingDirectory"] = WorkingDirectory,
            ["executionType"] = "Process",
            ["ambientEnvironment"] = new JsonObject { ["behavior"] = "Inherit" },
            ["args"] = new JsonArray([.. Arguments.Select(a => (JsonNode)Template(a))]),
            ["env"] = new JsonArray([.. Variables.Select(v => (JsonNode)new JsonObject { ["name"] = v.Key, ["value"] = Template(v.Value) })]),
        }, new JsonObject
        {
            [RunAnnotation] = $"{run}",
            ["resource-name"] = instance.Resource.Name,
            ["otel-service-name"] = instance.Resource.Name,
            ["otel-service-instance-id"] = instance.Suffix,
            ["service-producer"] = producers.ToJsonString(),
        });
    }

    /// <summary>Values pass through DCP's templates: braces of the user stay text, our own marks become the private port.</summary>
    internal static string Template(string value)
    {
        value = value.Replace("{{", "{{ \"{{\" }}", StringComparison.Ordinal);
        return value.Replace($"{EndpointReferenceExpression.OwnPortStart}", "{{ portForServing \"", StringComparison.Ordinal)
            .Replace($"{EndpointReferenceExpression.OwnPortEnd}", "\" }}", StringComparison.Ordinal);
    }
}

/// <summary>Turns a resource of the model into commands, variables, addresses and first snapshots.</summary>
internal sealed class LaunchPlanner(DistributedApplicationExecutionContext context, IHostEnvironment environment, DashboardLauncher dashboard, string appHostDirectory)
{
    public async Task<LaunchPlan> PlanAsync(Instance instance, CancellationToken ct)
    {
        var resource = instance.Resource;
        var variables = new Dictionary<string, object>(StringComparer.Ordinal);
        if (resource is ProjectResource || resource.Has<OtlpAnnotation>())
            AddTelemetry(variables, instance);
        if (resource is ProjectResource)
            AddProjectDefaults(variables, resource);
        foreach (var port in resource.All<EndpointPortVariableAnnotation>())
            variables[port.Variable] = new EndpointReference((IResourceWithEndpoints)resource, port.Endpoint).Property(EndpointProperty.TargetPort);
        var callback = new EnvironmentCallbackContext(context, resource, variables, ct);
        foreach (var annotation in resource.All<EnvironmentCallbackAnnotation>())
            await annotation.Callback(callback);

        var arguments = new List<object>();
        var argumentsCallback = new CommandLineArgsCallbackContext(arguments, resource, ct);
        foreach (var annotation in resource.All<CommandLineArgsCallbackAnnotation>())
            await annotation.Callback(argumentsCallback);

        var resolved = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in variables)
        {
            if (await TextAsync(value, ct) is { } text)
                resolved[name] = text;
        }
        var texts = new List<string>();
        foreach (var argument in arguments)
            texts.Add(await TextAsync(argument, ct) ?? "");

        if (resource is ExecutableResource executable)
            return new LaunchPlan(executable.Command, Path.GetFullPath(executable.WorkingDirectory, appHostDirectory), texts, resolved);
        var project = resource.All<IProjectMetadata>().Last();
        var output = BesideAppHost((project as IProjectOutput)?.OutputPath
            ?? throw new DistributedApplicationException($"'{resource.Name}': the project has no known build output."));
        if (!File.Exists(output))
            throw new DistributedApplicationException($"'{resource.Name}' is not built: {output} is missing.");
        return new LaunchPlan("dotnet", Path.GetDirectoryName(project.ProjectPath)!, [output, .. texts], resolved, project.ProjectPath);
    }

    /// <summary>An AppHost that runs from a copy of the outputs starts the programs of that copy, where it has them.</summary>
    private static string BesideAppHost(string output)
    {
        var (file, configuration) = (Path.GetFileName(output), Path.GetDirectoryName(output)!);
        var copy = Path.Combine(AppContext.BaseDirectory, "..", "..", Path.GetFileName(Path.GetDirectoryName(configuration)!), Path.GetFileName(configuration), file);
        return File.Exists(copy) ? Path.GetFullPath(copy) : output;
    }

    /// <summary>The first snapshot of an instance, before anything has started.</summary>
    public static CustomResourceSnapshot Describe(IResource resource)
    {
        var source = resource switch
        {
            ExecutableResource e => ("executable.path", (object)e.Command),
            ProjectResource => ("project.path", resource.All<IProjectMetadata>().Last().ProjectPath),
            _ => ("resource.source", resource.Name),
        };
        var snapshot = new CustomResourceSnapshot
        {
            ResourceType = resource switch
            {
                ProjectResource => "Project",
                ExecutableResource => "Executable",
                ParameterResource => "Parameter",
                IResourceWithConnectionString => "ConnectionString",
                _ => resource.GetType().Name.Replace("Resource", "", StringComparison.Ordinal),
            },
            Properties = [],
            State = resource.Has<ExplicitStartupAnnotation>() || !resource.IsProgram() ? KnownResourceStates.NotStarted : KnownResourceStates.Starting,
            IsHidden = resource.Has<HiddenAnnotation>(),
            HealthReports = [.. resource.All<HealthCheckAnnotation>().Select(h => new HealthReportSnapshot(h.Key, null, null, null))],
            Relationships = Relationships(resource),
        };
        return resource is ParameterResource ? snapshot : snapshot.WithProperty(source.Item1, source.Item2);
    }

    public static async Task<ImmutableArray<UrlSnapshot>> UrlsAsync(IResource resource, CancellationToken ct)
    {
        var urls = new List<UrlSnapshot>();
        foreach (var endpoint in resource.All<EndpointAnnotation>())
        {
            var reference = new EndpointReference((IResourceWithEndpoints)resource, endpoint.Name);
            var url = new ResourceUrlAnnotation { Url = (await reference.GetValueAsync(ct))!, Endpoint = reference };
            foreach (var change in resource.All<UrlForEndpointAnnotation>().Where(u => u.Endpoint == endpoint.Name))
            {
                change.Callback(url);
                // A path alone is relative to the endpoint.
                if (url.Url.StartsWith('/'))
                    url.Url = reference.Url + url.Url;
            }
            urls.Add(Snapshot(url, endpoint.Name));
        }
        foreach (var extra in resource.All<UrlAnnotation>())
            urls.Add(Snapshot(new ResourceUrlAnnotation { Url = (await extra.Url.GetValueAsync(ct))!, DisplayText = extra.DisplayText }, null));
        return [.. urls];

        UrlSnapshot Snapshot(ResourceUrlAnnotation url, string? name) =>
            new(name, url.Url, url.DisplayLocation == UrlDisplayLocation.DetailsOnly)
            {
                DisplayProperties = new UrlDisplayPropertiesSnapshot(url.DisplayText ?? "", -urls.Count),
            };
    }

    private static ImmutableArray<RelationshipSnapshot> Relationships(IResource resource) =>
        [.. resource.All<RelationshipAnnotation>().Select(r => new RelationshipSnapshot(r.Resource.Name, r.Type))
            .Concat(resource.All<WaitAnnotation>().Select(w => new RelationshipSnapshot(w.Resource.Name, "WaitFor"))).Distinct()];

    private void AddTelemetry(Dictionary<string, object> variables, Instance instance)
    {
        if (dashboard.TelemetryUrl is not { } url)
            return;
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = url;
        variables["OTEL_EXPORTER_OTLP_PROTOCOL"] = "grpc";
        variables["OTEL_EXPORTER_OTLP_HEADERS"] = $"x-otlp-api-key={dashboard.TelemetryKey}";
        variables["OTEL_SERVICE_NAME"] = instance.Resource.Name;
        variables["OTEL_RESOURCE_ATTRIBUTES"] = $"service.instance.id={instance.Suffix}";
        variables["OTEL_DOTNET_EXPERIMENTAL_OTLP_RETRY"] = "in_memory";
        if (!environment.IsDevelopment())
            return;
        // Shown within a second instead of five to sixty.
        foreach (var name in (string[])["OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"])
            variables[name] = "1000";
        variables["OTEL_TRACES_SAMPLER"] = "always_on";
        variables["OTEL_METRICS_EXEMPLAR_FILTER"] = "trace_based";
    }

    private static void AddProjectDefaults(Dictionary<string, object> variables, IResource resource)
    {
        variables["DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION"] = "true";
        variables["LOGGING__CONSOLE__FORMATTERNAME"] = "simple";
        var urls = resource.All<EndpointAnnotation>()
            .Where(e => e.UriScheme is "http" or "https" && e.Protocol == ProtocolType.Tcp && resource.All<EndpointFilterAnnotation>().All(f => f.Filter(e)))
            .Select(e => e.TargetPort is { } port
                ? $"{e.UriScheme}://localhost:{port}"
                : $"{e.UriScheme}://localhost:{EndpointReferenceExpression.OwnPortStart}{e.ServiceName}{EndpointReferenceExpression.OwnPortEnd}");
        if (string.Join(';', urls) is { Length: > 0 } joined)
            variables["ASPNETCORE_URLS"] = joined;
    }

    private static async ValueTask<string?> TextAsync(object? value, CancellationToken ct) => value switch
    {
        null => null,
        string text => text,
        IValueProvider provider => await provider.GetValueAsync(ct),
        IResourceBuilder<IResource> { Resource: IValueProvider provider } => await provider.GetValueAsync(ct),
        IFormattable formattable => formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };
}

/// <summary>What the generated class of a referenced project says beyond its path.</summary>
public interface IProjectOutput
{
    /// <summary>Full path of the built assembly.</summary>
    string OutputPath { get; }
}

internal static class FreePort
{
    /// <summary>A loopback port that nobody listens on at this moment.</summary>
    public static int Next()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
