using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Journal;
using Jafer.ServiceDefaults.Telemetry;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Applies what waits together in one transaction, in the order in which it came; what waits alone in one of its own. A group that
/// fails for whatever reason is rolled back, and its events are applied one by one, those of one aggregate one after the other.
/// </summary>
/// <remarks>
/// One event costs a service several round trips and a wait for the disk, and events of one organisation wait for each other's commits.
/// Together they share both, which counts when many come at once; a single event is as quick as before.
/// </remarks>
internal sealed class InboxGroup<TContext>(
    IServiceScopeFactory scopes, OutboxSignal signal, InboxQueue queue, TimeProvider clock, ILogger<InboxGroup<TContext>> logger)
    where TContext : JaferDbContext
{
    private const int Most = 64;

    // How long a group waits for a row that a command holds: less than the database takes to look for deadlocks, so that it gives way.
    private const string LockTimeout = "200ms";

    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    // How long others wait for a single event, and for a group that is applied one by one: then they go on beside it.
    private static readonly TimeSpan s_single = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_oneByOne = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1)];
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<Item> _waiting = [];

    // What is being applied by itself, by aggregate: later events of the same aggregate follow it.
    private readonly Dictionary<Guid, (Task Last, int Count)> _alone = [];
    private bool _drains;

    /// <summary>Applies an event; completes once it is committed.</summary>
    /// <param name="message">The event.</param>
    /// <param name="turn">Is told as soon as the next event of the aggregate may come.</param>
    /// <param name="ct">Cancellation.</param>
    /// <exception cref="EventNotAppliedException">It was tried several times and failed.</exception>
    public Task ApplyAsync(DomainEvent message, Turn? turn, CancellationToken ct)
    {
        var item = new Item(message, Activity.Current, ct);
        bool begins;
        lock (_lock)
        {
            _waiting.Enqueue(item);
            begins = !_drains;
            _drains = true;
        }

        turn?.Taken();
        if (begins)
        {
            // Of no delivery in particular.
            using (ExecutionContext.SuppressFlow())
            {
                _ = Task.Run(DrainAsync, CancellationToken.None);
            }
        }

        return item.Done.Task;
    }

    private async Task DrainAsync()
    {
        while (Next() is { } group)
        {
            if (group.Count == 1)
            {
                await Task.WhenAny(OneByOne(group), Task.Delay(s_single, TimeProvider.System));
            }
            else if (!await TogetherAsync(group))
            {
                await Task.WhenAny(OneByOne(group), Task.Delay(s_oneByOne, TimeProvider.System));
            }
        }
    }

    /// <summary>What is applied next; null when nothing waits.</summary>
    private List<Item>? Next()
    {
        lock (_lock)
        {
            var group = new List<Item>();
            while (group.Count < Most && _waiting.TryDequeue(out var item))
            {
                if (_alone.ContainsKey(item.Message.AggregateId))
                {
                    Follow(item.Message.AggregateId, [item]);
                }
                else
                {
                    group.Add(item);
                }
            }

            _drains = group.Count > 0;
            return _drains ? group : null;
        }
    }

    private async Task<bool> TogetherAsync(List<Item> group)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(group[0].Cancellation);
        limit.CancelAfter(s_longest);
        var ct = limit.Token;
        try
        {
            bool publishes;
            List<Item> fresh;
            await using (var scope = scopes.CreateAsyncScope())
            {
                var db = scope.ServiceProvider.GetRequiredService<TContext>();
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                fresh = await ClaimAsync(db, group, ct);
                publishes = await HandleAsync(scope, db, fresh, ct);
                await db.SaveAndCommitAsync(ct);
            }

            if (publishes)
            {
                signal.Notify();
            }

            foreach (var item in fresh)
            {
                Count(item.Message);
            }

            foreach (var item in group.Except(fresh))
            {
                JaferMetrics.InboxDuplicates.Add(1, Type(item.Message));
            }

            foreach (var item in group)
            {
                item.Done.SetResult();
            }

            return true;
        }
        catch (Exception e)
        {
            // Which of them it was for, each by itself will tell.
            logger.LogDebug("{Queue} applies {Count} events one by one: {Fault}", queue.Name, group.Count, Redaction.Describe(e));
            return false;
        }
    }

    /// <summary>Notes the events as applied; those that were before are left out.</summary>
    private async Task<List<Item>> ClaimAsync(TContext db, List<Item> group, CancellationToken ct)
    {
        Guid[] ids = [.. group.Select(i => i.Message.EventId)];
        var claimed = (await db.Database.SqlQuery<Guid>($"""
            insert into inbox_messages (message_id, consumer, received_at)
            select i.id, {queue.Name}, {clock.GetUtcNow()} from unnest({ids}) i (id), (select set_config('lock_timeout', {LockTimeout}, true)) timeout
            on conflict do nothing returning message_id as "Value"
            """).ToListAsync(ct)).ToHashSet();
        return [.. group.Where(i => claimed.Remove(i.Message.EventId))];
    }

    private static async Task<bool> HandleAsync(AsyncServiceScope scope, TContext db, List<Item> items, CancellationToken ct)
    {
        // What changed is looked for once, by the save: each look at what is tracked would look through all of it, a tenth of a service's time.
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var handler = scope.ServiceProvider.GetRequiredService<IEventHandler<TContext>>();
        await handler.PrepareAsync(db, [.. items.Select(i => i.Message)], ct);
        var publishes = false;
        foreach (var item in items)
        {
            Activity.Current = item.Activity;
            var before = db.AppendedCount;
            await handler.HandleAsync(db, item.Message, ct);
            var type = EventTypes.NameOf(item.Message.GetType());
            publishes |= db.Publishes;
            db.JournalOwnWork(type, null, JournalEntry.ResourceOf(type, item.Message.AggregateId), before);
        }

        Activity.Current = null;
        return publishes;
    }

    private Task OneByOne(List<Item> group)
    {
        lock (_lock)
        {
            return Task.WhenAll(group.GroupBy(i => i.Message.AggregateId).Select(of => Follow(of.Key, [.. of])).ToList());
        }
    }

    // Within the lock.
    private Task Follow(Guid aggregate, Item[] items)
    {
        var (last, count) = _alone.GetValueOrDefault(aggregate, (Task.CompletedTask, 0));
        using (ExecutionContext.SuppressFlow())
        {
            var task = AfterAsync(last, aggregate, items);
            _alone[aggregate] = (task, count + 1);
            return task;
        }
    }

    private async Task AfterAsync(Task last, Guid aggregate, Item[] items)
    {
        await last.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (var item in items)
        {
            try
            {
                Activity.Current = item.Activity;
                await AloneAsync(item.Message, item.Cancellation);
                item.Done.SetResult();
            }
            catch (OperationCanceledException) when (item.Cancellation.IsCancellationRequested)
            {
                item.Done.SetCanceled(item.Cancellation);
            }
            catch (Exception e)
            {
                item.Done.SetException(e);
            }
        }

        lock (_lock)
        {
            var (newest, count) = _alone[aggregate];
            if (count == 1)
            {
                _alone.Remove(aggregate);
            }
            else
            {
                _alone[aggregate] = (newest, count - 1);
            }
        }
    }

    private async Task AloneAsync(DomainEvent message, CancellationToken ct)
    {
        var faults = 0;
        var pause = s_pauses[0];
        while (true)
        {
            try
            {
                await ApplyOnceAsync(message, ct);
                return;
            }
            catch (Exception e) when (!ct.IsCancellationRequested)
            {
                if (!RpcErrors.IsTransient(e) && await IsAppliedAsync(message, ct))
                {
                    JaferMetrics.InboxDuplicates.Add(1, Type(message));
                    return;
                }

                if (RpcErrors.IsTransient(e))
                {
                    // The store is away: not the message's fault, so it waits however long that lasts. Should the broker lose
                    // patience, it delivers again and the inbox drops what was applied meanwhile.
                    pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause;
                }
                else if (faults == s_pauses.Length)
                {
                    JaferMetrics.InboxParked.Add(1, Type(message));
                    logger.LogError(
                        "{Queue} could not apply event {EventId} of type {MessageType}, version {Version} of {AggregateId}; it waits in the error queue: {Fault}",
                        queue.Name, message.EventId, EventTypes.NameOf(message.GetType()), message.AggregateVersion, message.AggregateId, Redaction.Describe(e));

                    // The broker keeps this text beside the message.
                    throw new EventNotAppliedException(e.GetType().FullName!);
                }
                else
                {
                    pause = s_pauses[faults++];
                }

                // Real time, whatever clock the service lives by: broker and store live by it too.
                await Task.Delay(pause, TimeProvider.System, ct);
            }
        }
    }

    /// <summary>
    /// The note that the event was applied is written last, with the handler's changes and without a round trip of its own: a
    /// duplicate fails on its key, and everything that was done for it is rolled back.
    /// </summary>
    private async Task ApplyOnceAsync(DomainEvent message, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var handler = scope.ServiceProvider.GetRequiredService<IEventHandler<TContext>>();
        await handler.PrepareAsync(db, [message], ct);
        await handler.HandleAsync(db, message, ct);
        db.InboxMessages.Add(new InboxMessage { MessageId = message.EventId, Consumer = queue.Name, ReceivedAt = clock.GetUtcNow() });
        var type = EventTypes.NameOf(message.GetType());
        db.JournalOwnWork(type, null, JournalEntry.ResourceOf(type, message.AggregateId));
        var publishes = db.Publishes;
        await db.SaveAndCommitAsync(ct);
        if (publishes)
        {
            signal.Notify();
        }

        Count(message);
    }

    private async Task<bool> IsAppliedAsync(DomainEvent message, CancellationToken ct)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return await scope.ServiceProvider.GetRequiredService<TContext>().InboxMessages
                .AnyAsync(m => m.MessageId == message.EventId && m.Consumer == queue.Name, ct);
        }
        catch (Exception e) when (RpcErrors.IsTransient(e))
        {
            // Not known: the next attempt tells.
            return false;
        }
    }

    private void Count(DomainEvent message)
    {
        JaferMetrics.InboxHandled.Add(1, Type(message));
        JaferMetrics.InboxLag.Record((clock.GetUtcNow() - message.RecordedAt).TotalSeconds, Type(message));
    }

    private static KeyValuePair<string, object?> Type(DomainEvent message) => new("type", EventTypes.NameOf(message.GetType()));

    private sealed record Item(DomainEvent Message, Activity? Activity, CancellationToken Cancellation)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The place of a delivery among those of its aggregate.</summary>
internal sealed class Turn
{
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the next one may come.</summary>
    public Task IsTaken => _taken.Task;

    /// <summary>Lets the next one come: this one stands before it in the service, or has failed on the way.</summary>
    public void Taken() => _taken.TrySetResult();
}
