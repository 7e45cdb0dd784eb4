using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

/// <summary>Where a service's project lies; generated for every project that the AppHost references.</summary>
public interface IProjectMetadata : IResourceAnnotation
{
    string ProjectPath { get; }
    bool SuppressBuild => false;
}

public sealed class ConnectionStringResource(string name, ReferenceExpression connectionStringExpression) : Resource(name),
    IResourceWithConnectionString, IResourceWithWaitSupport
{
    public ReferenceExpression ConnectionStringExpression { get; } = connectionStringExpression;
}

internal sealed class ConfiguredConnectionStringResource(string name, Func<string> value) : Resource(name),
    IResourceWithConnectionString, IResourceWithWaitSupport
{
    public ReferenceExpression ConnectionStringExpression { get; } =
        ReferenceExpression.Lazy($"{{{name}.value}}", value);
}

public class DistributedApplicationException : Exception
{
    public DistributedApplicationException() { }
    public DistributedApplicationException(string message) : base(message) { }
    public DistributedApplicationException(string message, Exception inner) : base(message, inner) { }
}

public enum OtlpProtocol
{
    Grpc = 0,
    HttpProtobuf = 1
}
