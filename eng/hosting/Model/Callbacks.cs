using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The variables of one program about to start; values may be texts or <see cref="IValueProvider"/>.</summary>
public class EnvironmentCallbackContext(DistributedApplicationExecutionContext executionContext, IResource resource,
    Dictionary<string, object>? environmentVariables = null, CancellationToken cancellationToken = default)
{
    public Dictionary<string, object> EnvironmentVariables { get; } = environmentVariables ?? [];
    public DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;
    public IResource Resource { get; } = resource;
    public CancellationToken CancellationToken { get; } = cancellationToken;
    public ILogger Logger { get; set; } = NullLogger.Instance;
}

public class EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> callback) : IResourceAnnotation
{
    public Func<EnvironmentCallbackContext, Task> Callback { get; } = callback;
}

/// <summary>The arguments of one program about to start; values may be texts or <see cref="IValueProvider"/>.</summary>
public sealed class CommandLineArgsCallbackContext(IList<object> args, IResource resource, CancellationToken cancellationToken = default)
{
    public IList<object> Args { get; } = args;
    public IResource Resource { get; } = resource;
    public CancellationToken CancellationToken { get; } = cancellationToken;
}

public class CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> callback) : IResourceAnnotation
{
    public Func<CommandLineArgsCallbackContext, Task> Callback { get; } = callback;
}
