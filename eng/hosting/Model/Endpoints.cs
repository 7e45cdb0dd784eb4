using System.Net.Sockets;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A port that a program listens on, and the public one through which others reach it.</summary>
public sealed class EndpointAnnotation : IResourceAnnotation
{
    private readonly TaskCompletionSource<AllocatedEndpoint> _allocated = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EndpointAnnotation(ProtocolType protocol, string? uriScheme = null, string? transport = null, string? name = null,
        int? port = null, int? targetPort = null, bool? isExternal = null, bool? isProxied = null)
    {
        Protocol = protocol;
        UriScheme = uriScheme ?? "tcp";
        Transport = transport ?? (UriScheme is "http" or "https" ? "http" : "tcp");
        Name = name ?? UriScheme;
        Port = port;
        TargetPort = targetPort;
        IsExternal = isExternal ?? false;
        IsProxied = isProxied ?? true;
    }

    public ProtocolType Protocol { get; set; }
    public string Name { get; set; }
    /// <summary>The public port; null lets the engine choose a free one.</summary>
    public int? Port { get; set; }
    /// <summary>The port on which the program itself listens; null lets the engine choose a free one per replica.</summary>
    public int? TargetPort { get; set; }
    public string UriScheme { get; set; }
    public string Transport { get; set; }
    public string TargetHost { get; set; } = "localhost";
    public bool IsExternal { get; set; }
    public bool IsProxied { get; set; }

    /// <summary>Name of the DCP service behind this endpoint; set before the start.</summary>
    internal string ServiceName { get; set; } = "";

    internal AllocatedEndpoint? Allocated => _allocated.Task.IsCompletedSuccessfully ? _allocated.Task.Result : null;

    internal void Allocate(string host, int port) => _allocated.TrySetResult(new AllocatedEndpoint(host, port));

    internal Task<AllocatedEndpoint> WhenAllocatedAsync(CancellationToken ct) => _allocated.Task.WaitAsync(ct);
}

internal sealed record AllocatedEndpoint(string Host, int Port);

public enum EndpointProperty
{
    Url = 0,
    Host = 1,
    IPV4Host = 2,
    Port = 3,
    Scheme = 4,
    TargetPort = 5,
    HostAndPort = 6
}

/// <summary>A named endpoint of a resource, which need not be allocated yet.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IExpressionValue
{
    public IResourceWithEndpoints Resource { get; } = owner;
    public string EndpointName { get; } = endpointName;
    public bool Exists => Find() is not null;
    public bool IsAllocated => Find()?.Allocated is not null;
    public string Scheme => EndpointAnnotation.UriScheme;
    public string Host => Allocated.Host;
    public int Port => Allocated.Port;
    public int? TargetPort => EndpointAnnotation.TargetPort;
    public string Url => $"{Scheme}://{Host}:{Port}";
    public string ValueExpression => $"{{{Resource.Name}.bindings.{EndpointName}.url}}";

    public EndpointAnnotation EndpointAnnotation => Find()
        ?? throw new InvalidOperationException($"Resource '{Resource.Name}' has no endpoint '{EndpointName}'.");

    private AllocatedEndpoint Allocated => EndpointAnnotation.Allocated
        ?? throw new InvalidOperationException($"Endpoint '{EndpointName}' of '{Resource.Name}' has no port before the start.");

    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) =>
        Property(EndpointProperty.Url).GetValueAsync(cancellationToken);

    private EndpointAnnotation? Find() => Resource.All<EndpointAnnotation>()
        .FirstOrDefault(e => string.Equals(e.Name, EndpointName, StringComparison.OrdinalIgnoreCase));
}

public class EndpointReferenceExpression(EndpointReference endpointReference, EndpointProperty property) : IExpressionValue
{
    /// <summary>Brackets around a service name; the engine puts DCP's template for the program's own port there.</summary>
    internal const char OwnPortStart = '\uE000', OwnPortEnd = '\uE001';

    public EndpointReference Endpoint { get; } = endpointReference;
    public EndpointProperty Property { get; } = property;
    public string ValueExpression => $"{{{Endpoint.Resource.Name}.bindings.{Endpoint.EndpointName}.{Property}}}";

    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        var endpoint = Endpoint.EndpointAnnotation;
        if (Property == EndpointProperty.TargetPort)
            return endpoint.TargetPort?.ToString(System.Globalization.CultureInfo.InvariantCulture)
                ?? $"{OwnPortStart}{endpoint.ServiceName}{OwnPortEnd}";
        if (Property == EndpointProperty.Scheme)
            return endpoint.UriScheme;
        var address = await endpoint.WhenAllocatedAsync(cancellationToken);
        return Property switch
        {
            EndpointProperty.Url => $"{endpoint.UriScheme}://{address.Host}:{address.Port}",
            EndpointProperty.Host => address.Host,
            EndpointProperty.IPV4Host => "127.0.0.1",
            EndpointProperty.Port => $"{address.Port}",
            EndpointProperty.HostAndPort => $"{address.Host}:{address.Port}",
            _ => throw new InvalidOperationException($"Unknown endpoint property {Property}.")
        };
    }
}

public enum UrlDisplayLocation
{
    SummaryAndDetails = 0,
    DetailsOnly = 1
}

/// <summary>A link shown in the dashboard.</summary>
public sealed class ResourceUrlAnnotation : IResourceAnnotation
{
    public required string Url { get; set; }
    public string? DisplayText { get; set; }
    public UrlDisplayLocation DisplayLocation { get; set; }
    public EndpointReference? Endpoint { get; init; }
}

internal sealed record UrlForEndpointAnnotation(string Endpoint, Action<ResourceUrlAnnotation> Callback) : IResourceAnnotation;

internal sealed record UrlAnnotation(ReferenceExpression Url, string? DisplayText) : IResourceAnnotation;
