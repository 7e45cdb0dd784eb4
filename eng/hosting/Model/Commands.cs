using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.ApplicationModel;

public enum ResourceCommandState
{
    Enabled = 0,
    Disabled = 1,
    Hidden = 2
}

public enum CommandResultFormat
{
    Text = 0,
    Json = 1,
    Markdown = 2
}

public sealed class CommandResultData
{
    public required string Value { get; init; }
    public CommandResultFormat Format { get; init; }
    /// <summary>Opens the result at once instead of behind a notification.</summary>
    public bool DisplayImmediately { get; init; }
}

public sealed class ExecuteCommandResult
{
    public required bool Success { get; init; }
    public bool Canceled { get; init; }
    public string? Message { get; init; }
    public CommandResultData? Data { get; init; }
}

public static class CommandResults
{
    public static ExecuteCommandResult Success() => new() { Success = true };
    public static ExecuteCommandResult Success(string message) => new() { Success = true, Message = message };

    public static ExecuteCommandResult Success(string message, CommandResultData value) =>
        new() { Success = true, Message = message, Data = value };

    public static ExecuteCommandResult Failure(string? errorMessage = null) => new() { Success = false, Message = errorMessage };
    public static ExecuteCommandResult Failure(Exception exception) => Failure(exception.Message);
    public static ExecuteCommandResult Canceled() => new() { Success = false, Canceled = true };
}

public sealed class ExecuteCommandContext
{
    public required IServiceProvider ServiceProvider { get; init; }
    /// <summary>Id of the instance on which the command was called.</summary>
    public required string ResourceName { get; init; }
    public required CancellationToken CancellationToken { get; init; }
    /// <summary>Writes into the resource's console log.</summary>
    public required ILogger Logger { get; init; }
}

public sealed class UpdateCommandStateContext
{
    public required CustomResourceSnapshot ResourceSnapshot { get; init; }
    public required IServiceProvider ServiceProvider { get; init; }
}

public class CommandOptions
{
    public string? Description { get; set; }
    public string? ConfirmationMessage { get; set; }
    public string? IconName { get; set; }
    public IconVariant? IconVariant { get; set; }
    public bool IsHighlighted { get; set; }
    public Func<UpdateCommandStateContext, ResourceCommandState>? UpdateState { get; set; }
}

internal sealed record CommandAnnotation(string Name, string DisplayName, Func<ExecuteCommandContext, Task<ExecuteCommandResult>> Execute,
    CommandOptions Options) : IResourceAnnotation;

public static class KnownResourceCommands
{
    public static readonly string StartCommand = "start";
    public static readonly string StopCommand = "stop";
    public static readonly string RestartCommand = "restart";
}

/// <summary>Runs the commands of resources, the built-in and the custom ones.</summary>
public class ResourceCommandService
{
    private readonly ResourceNotificationService _notifications;
    private readonly ResourceLoggerService _loggers;
    private readonly IServiceProvider _services;

    internal ResourceCommandService(ResourceNotificationService notifications, ResourceLoggerService loggers, IServiceProvider services)
    {
        _notifications = notifications;
        _loggers = loggers;
        _services = services;
    }

    /// <summary>Runs a command on one instance. An unknown instance or command is a failure, not an exception.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(string resourceId, string commandName, CancellationToken cancellationToken = default)
    {
        if (!_notifications.TryGetCurrentState(resourceId, out var state))
            return CommandResults.Failure($"There is no resource '{resourceId}'.");
        var command = state.Resource.All<CommandAnnotation>().LastOrDefault(c => c.Name == commandName);
        if (command is null)
            return CommandResults.Failure($"Resource '{resourceId}' has no command '{commandName}'.");
        var logger = _loggers.GetLogger(state.ResourceId);
        try
        {
            return await command.Execute(new ExecuteCommandContext
            {
                ServiceProvider = _services,
                ResourceName = state.ResourceId,
                CancellationToken = cancellationToken,
                Logger = logger
            });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return CommandResults.Canceled();
        }
        catch (Exception e)
        {
            logger.LogError(e, "Command {Command} failed", commandName);
            return CommandResults.Failure(e);
        }
    }

    /// <summary>Runs a command on every instance of a resource; fails with the first that fails.</summary>
    public async Task<ExecuteCommandResult> ExecuteCommandAsync(IResource resource, string commandName, CancellationToken cancellationToken = default)
    {
        var results = await Task.WhenAll(_notifications.Instances(resource).Select(id => ExecuteCommandAsync(id, commandName, cancellationToken)));
        return results.FirstOrDefault(r => !r.Success) ?? results[0];
    }
}
