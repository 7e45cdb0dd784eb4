using Grpc.Core;
using Jafer.Contracts.Notification.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;

namespace Jafer.Notifications.Feed;

internal sealed partial class NotificationGrpcService
{
    // A page is all that a watcher holds in memory.
    private const int WatchPageSize = 100;
    private static readonly TimeSpan s_longestTimer = TimeSpan.FromDays(40);
    private static readonly TimeSpan s_courtesy = TimeSpan.FromSeconds(1);

    public override async Task WatchEvents(WatchEventsRequest request, IServerStreamWriter<WatchEventsResponse> responseStream, ServerCallContext context)
    {
        var check = new FieldChecks();
        var types = Types(check, request.Types_);
        check.ThrowIfAny();

        var caller = context.Caller();
        var position = Position(caller, request.ResumeToken);
        using var expiry = new CancellationTokenSource(Life(caller), clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, expiry.Token);
        NotificationMetrics.Watchers.Add(1);
        try
        {
            await StreamAsync(caller, position, types, responseStream, context, end.Token);
        }
        catch (OperationCanceledException) when (expiry.IsCancellationRequested)
        {
            throw DomainError.TokenInvalid();
        }
        finally
        {
            NotificationMetrics.Watchers.Add(-1);
        }
    }

    /// <summary>
    /// Reads a page, hands it over as fast as the client takes it, reads the next one; at the end of the feed waits for news.
    /// HTTP/2's window is the only buffer: a client that does not read stops this loop, and nothing else.
    /// </summary>
    private async Task StreamAsync(
        Caller caller, long? position, string[] types, IServerStreamWriter<WatchEventsResponse> stream, ServerCallContext context, CancellationToken ct)
    {
        using var watch = hub.Begin(caller.OrganisationId);
        var heartbeat = options.Value.Heartbeat;
        var begun = clock.GetTimestamp();
        var page = await feed.ReadAsync(caller, position, types, WatchPageSize, ct);

        await ProveAsync(caller, position, page, types, ct);

        // The client learns that it is heard before anything happens.
        await context.WriteResponseHeadersAsync([]);
        var lastSent = clock.GetTimestamp();
        for (; ; page = await feed.ReadAsync(caller, page.Position, types, WatchPageSize, ct))
        {
            // Who begins may be trying: what goes on has a token, or stays for a heartbeat.
            if (position is not null || clock.GetElapsedTime(begun) >= heartbeat)
            {
                await consumers.NoteAsync(caller.OrganisationId, ct);
            }

            foreach (var (at, message) in page.Events)
            {
                await SendAsync(stream, new WatchEventsResponse { Event = message, ResumeToken = Token(caller, at) }, context, ct);
                NotificationMetrics.Watched.Add(1);
            }

            if (page.Events.Count > 0)
            {
                lastSent = clock.GetTimestamp();
            }

            if (page.More)
            {
                continue;
            }

            // Events of other types move the token without a message: they must not put off the heartbeat that carries it.
            var silence = heartbeat - clock.GetElapsedTime(lastSent);
            if (silence <= TimeSpan.Zero || !await watch.WaitBeyondAsync(page.Position, silence, ct))
            {
                await SendAsync(stream, new WatchEventsResponse { ResumeToken = Token(caller, page.Position) }, context, ct);
                lastSent = clock.GetTimestamp();
            }
        }
    }

    /// <summary>
    /// Waits for the client, but no longer than the stream lives. One that stopped reading could not be told the end either, and
    /// would hold up a shutdown: after a moment its stream is cut.
    /// </summary>
    private async Task SendAsync(IServerStreamWriter<WatchEventsResponse> stream, WatchEventsResponse message, ServerCallContext context, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var write = stream.WriteAsync(message, CancellationToken.None);
        try
        {
            await write.WaitAsync(ct);
        }
        catch (OperationCanceledException) when (!write.IsCompleted)
        {
            if (await Task.WhenAny(write, Task.Delay(s_courtesy, clock, CancellationToken.None)) != write)
            {
                context.GetHttpContext().Abort();
            }

            throw;
        }
    }

    private TimeSpan Life(Caller caller)
    {
        var left = caller.TokenExpiresAt - clock.GetUtcNow();
        return left < TimeSpan.Zero ? TimeSpan.Zero : left > s_longestTimer ? s_longestTimer : left;
    }
}
