using System.Collections.Immutable;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public static class KnownResourceStates
{
    public static readonly string Starting = "Starting";
    public static readonly string Running = "Running";
    public static readonly string Waiting = "Waiting";
    public static readonly string NotStarted = "NotStarted";
    public static readonly string Stopping = "Stopping";
    public static readonly string Finished = "Finished";
    public static readonly string Exited = "Exited";
    public static readonly string FailedToStart = "FailedToStart";
    public static readonly string RuntimeUnhealthy = "RuntimeUnhealthy";
    public static readonly string ValueMissing = "ValueMissing";
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, Exited, FailedToStart];
}

public static class KnownResourceStateStyles
{
    public static readonly string Success = "success";
    public static readonly string Info = "info";
    public static readonly string Warn = "warning";
    public static readonly string Error = "error";
}

public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    public static implicit operator ResourceStateSnapshot?(string? s) => s is null ? null : new(s, null);
}

public sealed record EnvironmentVariableSnapshot(string Name, string? Value, bool IsFromSpec);

public sealed record ResourcePropertySnapshot(string Name, object? Value)
{
    public bool IsSensitive { get; init; }
}

public sealed record UrlDisplayPropertiesSnapshot(string DisplayName = "", int SortOrder = 0);

public sealed record UrlSnapshot(string? Name, string Url, bool IsInternal)
{
    public bool IsInactive { get; init; }
    public UrlDisplayPropertiesSnapshot DisplayProperties { get; init; } = new();
}

public sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText)
{
    public DateTime? LastRunAt { get; init; }
}

public sealed record RelationshipSnapshot(string ResourceName, string Type);

/// <summary>What is known of one instance at one moment; replaced as a whole by every change.</summary>
public sealed record CustomResourceSnapshot
{
    public required string ResourceType { get; init; }
    public required ImmutableArray<ResourcePropertySnapshot> Properties { get; init; }
    public ResourceStateSnapshot? State { get; init; }
    public int? ExitCode { get; init; }
    public DateTime? CreationTimeStamp { get; init; }
    public DateTime? StartTimeStamp { get; init; }
    public DateTime? StopTimeStamp { get; init; }
    public ImmutableArray<EnvironmentVariableSnapshot> EnvironmentVariables { get; init; } = [];
    public ImmutableArray<UrlSnapshot> Urls { get; init; } = [];
    public ImmutableArray<HealthReportSnapshot> HealthReports { get; internal init; } = [];
    public ImmutableArray<RelationshipSnapshot> Relationships { get; init; } = [];
    public bool IsHidden { get; init; }

    /// <summary>Done once the handlers of ResourceReady have run; null until the instance is first healthy.</summary>
    internal Task? Ready { get; init; }

    /// <summary>The worst of the reports while running; null when not running; unhealthy while a report is missing.</summary>
    public HealthStatus? HealthStatus =>
        State?.Text != KnownResourceStates.Running ? null
        : HealthReports.IsEmpty ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
        : HealthReports.Min(r => r.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy);

    internal bool IsTerminal => State is { } s && KnownResourceStates.TerminalStates.Contains(s.Text);

    internal CustomResourceSnapshot WithProperty(string name, object? value, bool sensitive = false)
    {
        var rest = Properties.RemoveAll(p => p.Name == name);
        return this with { Properties = value is null ? rest : rest.Add(new(name, value) { IsSensitive = sensitive }) };
    }
}

/// <summary>A change of one instance.</summary>
public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    public IResource Resource { get; } = resource;
    public string ResourceId { get; } = resourceId;
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}
