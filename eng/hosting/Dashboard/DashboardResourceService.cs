using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Wire = Jafer.Hosting.Local.Dashboard;

namespace Aspire.Hosting.Engine;

internal sealed record DashboardServiceContext(string ApplicationName, IServiceProvider Services, string ApiKey);

/// <summary>What the dashboard asks of the AppHost: resources, console lines, commands.</summary>
internal sealed class DashboardResourceService(ResourceNotificationService notifications, ResourceLoggerService loggers, DashboardServiceContext context)
    : Wire.DashboardService.DashboardServiceBase
{
    // A console batch stays far below the dashboard's message limit.
    private const int MostCharacters = 500_000;

    public override Task<Wire.ApplicationInformationResponse> GetApplicationInformation(Wire.ApplicationInformationRequest request, ServerCallContext call) =>
        Task.FromResult(new Wire.ApplicationInformationResponse { ApplicationName = context.ApplicationName });

    public override async Task WatchResources(Wire.WatchResourcesRequest request, IServerStreamWriter<Wire.WatchResourcesUpdate> responses, ServerCallContext call)
    {
        // Everything known is sent as one first message: the dashboard expects exactly one.
        var changes = notifications.WatchAsync(call.CancellationToken).GetAsyncEnumerator(call.CancellationToken);
        await using var _ = changes;
        try
        {
            var initial = new Dictionary<string, Wire.Resource>();
            var next = changes.MoveNextAsync().AsTask();
            while (next.IsCompleted && await next)
            {
                initial[changes.Current.ResourceId] = ToWire(changes.Current);
                next = changes.MoveNextAsync().AsTask();
            }
            await responses.WriteAsync(new() { InitialData = new() { Resources = { initial.Values } } }, call.CancellationToken);
            while (await next)
            {
                await responses.WriteAsync(new()
                {
                    Changes = new() { Value = { new Wire.WatchResourcesChange { Upsert = ToWire(changes.Current) } } }
                }, call.CancellationToken);
                next = changes.MoveNextAsync().AsTask();
            }
        }
        catch (Exception e) when (call.CancellationToken.IsCancellationRequested && e is OperationCanceledException or IOException or InvalidOperationException)
        {
            // The dashboard left.
        }
    }

    public override async Task WatchResourceConsoleLogs(Wire.WatchResourceConsoleLogsRequest request,
        IServerStreamWriter<Wire.WatchResourceConsoleLogsUpdate> responses, ServerCallContext call)
    {
        try
        {
            if (request.SuppressFollow)
            {
                await SendAsync(loggers.Backlog(request.ResourceName));
                return;
            }
            await foreach (var lines in loggers.WatchAsync(request.ResourceName, call.CancellationToken))
                await SendAsync(lines);
        }
        catch (OperationCanceledException) when (call.CancellationToken.IsCancellationRequested)
        {
            // The page was closed.
        }

        async Task SendAsync(IReadOnlyList<LogLine> lines)
        {
            var update = new Wire.WatchResourceConsoleLogsUpdate();
            var size = 0;
            foreach (var line in lines)
            {
                update.LogLines.Add(new Wire.ConsoleLogLine { Text = line.Content, IsStdErr = line.IsErrorMessage, LineNumber = line.LineNumber });
                size += line.Content.Length;
                if (size < MostCharacters)
                    continue;
                await responses.WriteAsync(update, call.CancellationToken);
                (update, size) = (new Wire.WatchResourceConsoleLogsUpdate(), 0);
            }
            if (update.LogLines.Count > 0)
                await responses.WriteAsync(update, call.CancellationToken);
        }
    }

    public override async Task<Wire.ResourceCommandResponse> ExecuteResourceCommand(Wire.ResourceCommandRequest request, ServerCallContext call)
    {
        var result = await context.Services.GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync(request.ResourceName, request.CommandName, call.CancellationToken);
        var response = new Wire.ResourceCommandResponse
        {
            Kind = result.Success ? Wire.ResourceCommandResponseKind.Succeeded
                : result.Canceled ? Wire.ResourceCommandResponseKind.Cancelled
                : Wire.ResourceCommandResponseKind.Failed,
        };
        if (result.Message is not null)
            response.Message = result.Message;
        if (result.Data is { } data)
        {
            response.Result = new Wire.ResourceCommandResult
            {
                Value = data.Value,
                DisplayImmediately = data.DisplayImmediately,
                Format = data.Format switch
                {
                    CommandResultFormat.Json => Wire.CommandResultFormat.Json,
                    CommandResultFormat.Markdown => Wire.CommandResultFormat.Markdown,
                    _ => Wire.CommandResultFormat.Text,
                },
            };
        }
        return response;
    }

    public override async Task WatchInteractions(IAsyncStreamReader<Wire.WatchInteractionsRequestUpdate> requests,
        IServerStreamWriter<Wire.WatchInteractionsResponseUpdate> responses, ServerCallContext call)
    {
        try
        {
            while (await requests.MoveNext(call.CancellationToken))
            {
                // Nothing is ever asked, so nothing is ever answered.
            }
        }
        catch (Exception e) when (call.CancellationToken.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The dashboard left.
        }
    }

    private Wire.Resource ToWire(ResourceEvent change)
    {
        var s = change.Snapshot;
        var resource = new Wire.Resource
        {
            Name = change.ResourceId,
            ResourceType = s.ResourceType,
            DisplayName = change.Resource.Name,
            Uid = change.ResourceId,
            CreatedAt = Stamp(s.CreationTimeStamp!.Value),
            IsHidden = s.IsHidden,
            SupportsDetailedTelemetry = true,
        };
        if (s.State is { } state)
        {
            resource.State = state.Text;
            if (state.Style is not null)
                resource.StateStyle = state.Style;
        }
        if (s.StartTimeStamp is { } started)
            resource.StartedAt = Stamp(started);
        if (s.StopTimeStamp is { } stopped)
            resource.StoppedAt = Stamp(stopped);
        if (change.Resource.All<IconAnnotation>().LastOrDefault() is { } icon)
        {
            resource.IconName = icon.Name;
            resource.IconVariant = ToWire(icon.Variant);
        }
        resource.Environment.Add(s.EnvironmentVariables.Select(v =>
        {
            var variable = new Wire.EnvironmentVariable { Name = v.Name, IsFromSpec = v.IsFromSpec };
            if (v.Value is not null)
                variable.Value = v.Value;
            return variable;
        }));
        resource.Properties.Add(s.Properties.Select(p => new Wire.ResourceProperty { Name = p.Name, Value = ToValue(p.Value), IsSensitive = p.IsSensitive }));
        resource.Relationships.Add(s.Relationships.Select(r => new Wire.ResourceRelationship { ResourceName = r.ResourceName, Type = r.Type }));
        resource.Urls.Add(s.Urls.Select(u =>
        {
            var url = new Wire.Url
            {
                FullUrl = u.Url,
                IsInternal = u.IsInternal,
                IsInactive = u.IsInactive,
                DisplayProperties = new Wire.UrlDisplayProperties { DisplayName = u.DisplayProperties.DisplayName, SortOrder = u.DisplayProperties.SortOrder },
            };
            if (u.Name is not null)
                url.EndpointName = u.Name;
            return url;
        }));
        resource.HealthReports.Add(s.HealthReports.Select(h =>
        {
            var report = new Wire.HealthReport { Key = h.Name, Description = h.Description ?? "", Exception = h.ExceptionText ?? "" };
            if (h.Status is { } status)
            {
                report.Status = status switch
                {
                    Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy => Wire.HealthStatus.Healthy,
                    Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Degraded => Wire.HealthStatus.Degraded,
                    _ => Wire.HealthStatus.Unhealthy,
                };
            }
            if (h.LastRunAt is { } at)
                report.LastRunAt = Stamp(at);
            return report;
        }));
        resource.Commands.Add(change.Resource.All<CommandAnnotation>().Select(c => ToWire(c, s)));
        return resource;
    }

    private Wire.ResourceCommand ToWire(CommandAnnotation command, CustomResourceSnapshot snapshot)
    {
        var state = command.Options.UpdateState?.Invoke(new UpdateCommandStateContext { ResourceSnapshot = snapshot, ServiceProvider = context.Services })
            ?? ResourceCommandState.Enabled;
        var wire = new Wire.ResourceCommand
        {
            Name = command.Name,
            DisplayName = command.DisplayName,
            IsHighlighted = command.Options.IsHighlighted,
            State = (Wire.ResourceCommandState)(int)state,
        };
        if (command.Options.Description is { } description)
            wire.DisplayDescription = description;
        if (command.Options.ConfirmationMessage is { } confirmation)
            wire.ConfirmationMessage = confirmation;
        if (command.Options.IconName is { } icon)
        {
            wire.IconName = icon;
            wire.IconVariant = ToWire(command.Options.IconVariant ?? IconVariant.Regular);
        }
        return wire;
    }

    private static Wire.IconVariant ToWire(IconVariant variant) =>
        variant == IconVariant.Filled ? Wire.IconVariant.Filled : Wire.IconVariant.Regular;

    private static Timestamp Stamp(DateTime utc) => Timestamp.FromDateTime(DateTime.SpecifyKind(utc, DateTimeKind.Utc));

    private static Value ToValue(object? value) => value switch
    {
        null => Value.ForNull(),
        string text => Value.ForString(text),
        bool flag => Value.ForBool(flag),
        int or long or double => Value.ForNumber(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        IEnumerable<string> list => Value.ForList([.. list.Select(Value.ForString)]),
        _ => Value.ForString(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""),
    };
}
