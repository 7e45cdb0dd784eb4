using System.Collections.Concurrent;
using Jafer.Notifications.Data;
using Jafer.Notifications.Webhooks;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Notifications.Feed;

/// <summary>
/// Tells the watchers of this replica how far feeds reach: at once for what this replica appended, within the poll interval for
/// what another did. It holds a number for each watched organisation, no events: those are read by each watcher at its own pace.
/// </summary>
internal sealed class FeedHub(NpgsqlDataSource source, IOptions<FeedOptions> options, TimeProvider clock, ILogger<FeedHub> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<Guid, WatchedFeed> _watched = [];

    /// <summary>Begins to watch a feed; dispose to end.</summary>
    /// <param name="organisationId">Whose feed.</param>
    public Watch Begin(Guid organisationId)
    {
        while (true)
        {
            var feed = _watched.GetOrAdd(organisationId, _ => new WatchedFeed());
            if (feed.TryEnter())
            {
                return new Watch(this, organisationId, feed);
            }

            // Its last watcher is just leaving: take a new one.
            _watched.TryRemove(new KeyValuePair<Guid, WatchedFeed>(organisationId, feed));
        }
    }

    /// <summary>Tells that a feed reaches at least a position.</summary>
    /// <param name="organisationId">Whose feed.</param>
    /// <param name="position">Position of an event that is committed.</param>
    public void Announce(Guid organisationId, long position)
    {
        if (_watched.TryGetValue(organisationId, out var feed))
        {
            feed.Reach(position);
        }
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.PollInterval, PollAsync, logger, "feeds could not be polled", stoppingToken);

    private async Task PollAsync(CancellationToken ct)
    {
        var organisations = _watched.Keys.ToArray();
        if (organisations.Length == 0)
        {
            return;
        }

        await using var command = source.CreateCommand("select organisation_id, last_position from feed_heads where organisation_id = any(@organisations)");
        command.Parameters.AddWithValue("organisations", organisations);
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            Announce(reader.GetGuid(0), reader.GetInt64(1));
        }
    }

    /// <summary>One watcher's look at a feed.</summary>
    internal sealed class Watch(FeedHub hub, Guid organisationId, WatchedFeed feed) : IDisposable
    {
        /// <summary>Waits until the feed reaches beyond a position. False when it did not within the time given.</summary>
        public async Task<bool> WaitBeyondAsync(long position, TimeSpan atMost, CancellationToken ct)
        {
            try
            {
                await feed.BeyondAsync(position).WaitAsync(atMost, hub.Clock, ct);
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        public void Dispose()
        {
            if (feed.Leave())
            {
                hub._watched.TryRemove(new KeyValuePair<Guid, WatchedFeed>(organisationId, feed));
            }
        }
    }

    private TimeProvider Clock => clock;

    /// <summary>How far the feed of an organisation is known to reach, and who waits for more.</summary>
    internal sealed class WatchedFeed
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource _reached = New();
        private long _head;
        private int _watchers;

        public bool TryEnter()
        {
            lock (_lock)
            {
                if (_watchers < 0)
                {
                    return false;
                }

                _watchers++;
                return true;
            }
        }

        /// <summary>True for the last one to leave, after which nobody may enter.</summary>
        public bool Leave()
        {
            lock (_lock)
            {
                if (--_watchers > 0)
                {
                    return false;
                }

                _watchers = -1;
                return true;
            }
        }

        public void Reach(long position)
        {
            TaskCompletionSource reached;
            lock (_lock)
            {
                if (position <= _head)
                {
                    return;
                }

                _head = position;
                reached = _reached;
                _reached = New();
            }

            reached.SetResult();
        }

        /// <summary>Completes at the next news when the head is not yet beyond the position; at once when it is.</summary>
        public Task BeyondAsync(long position)
        {
            lock (_lock)
            {
                // A position ahead of the head is one read from the database meanwhile: whatever comes next lies beyond it.
                return _head > position ? Task.CompletedTask : _reached.Task;
            }
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>Tells the hub of what this replica appended, and the dispatcher of what it queued, once it is committed.</summary>
internal sealed class FeedSignal(FeedHub hub, WebhookSignal webhooks) : CommitListener
{
    public override void Committed(JaferDbContext db)
    {
        foreach (var entry in db.ChangeTracker.Entries<FeedEvent>())
        {
            hub.Announce(entry.Entity.OrganisationId, entry.Entity.Position);
        }

        if (db.ChangeTracker.Entries<WebhookDelivery>().Any())
        {
            webhooks.Notify();
        }
    }
}
