using System.Diagnostics;
using System.Text.Json;
using Jafer.ServiceDefaults.Telemetry;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.ServiceDefaults.Messaging;

/// <summary>
/// Gives the messages of the outbox to the broker, in order for each aggregate, at least once. One replica works at a time,
/// behind an advisory lock that dies with its connection; README.md of this folder tells the design.
/// </summary>
internal sealed class OutboxRelay(
    NpgsqlDataSource source, IBusControl bus, OutboxSignal signal, IOptions<OutboxOptions> options, ILogger<OutboxRelay> logger)
    : BackgroundService
{
    // The lock and the claim in one round trip. One row comes back at least: whether the lock was had.
    // The commit need not wait for the disk: what a crash brings back is sent twice, and every inbox drops it.
    private const string Claim = """
        with relay as materialized (
            select pg_try_advisory_xact_lock(hashtextextended('jafer:outbox', 0)) as mine, set_config('synchronous_commit', 'off', true)),
        claimed as (
            select m.id, m.message_id, m.message_type, m.payload, m.headers, m.ordering_key, m.attempts
            from outbox_messages m
            where (select mine from relay)
              and m.parked_at is null and m.next_attempt_at <= now()
              and not exists (select 1 from outbox_messages e
                              where e.ordering_key = m.ordering_key and e.id < m.id
                                and e.attempts > 0 and e.parked_at is null and e.next_attempt_at > now())
            order by m.id limit @batch for update of m)
        select r.mine, c.* from relay r left join claimed c on true order by c.id
        """;

    private const string Fail = """
        update outbox_messages
        set attempts = attempts + 1, last_error = left(@error, 1000),
            next_attempt_at = now() + least(power(2, attempts + 1), 300) * interval '1 second' * (0.8 + 0.4 * random()),
            parked_at = case when @park or attempts + 1 >= @max then now() end
        where id = @id
        """;

    // A broker that takes nothing at all in time is slow, and no message to blame: none is parked for it.
    private const string Delay = """
        update outbox_messages
        set attempts = greatest(attempts, 1), last_error = left(@error, 1000), next_attempt_at = now() + interval '2 seconds'
        where id = @id
        """;

    // Between two looks at the lock while another replica holds it and we know of something new.
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_quietBetweenWarnings = TimeSpan.FromSeconds(30);

    private long _warnedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        var signalled = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = options.Value.PollInterval * (0.8 + (0.4 * Random.Shared.NextDouble()));
            try
            {
                await bus.WaitForHealthStatus(BusHealthStatus.Healthy, stoppingToken);
                var pass = await PassAsync(stoppingToken);
                if (pass == Pass.More)
                {
                    continue;
                }

                if (pass == Pass.LockTaken && signalled)
                {
                    // Another replica is at it: it may have looked before our commit, so look again soon.
                    wait = s_lookAgain;
                }

                // In real time: the broker and the store live by it.
                signalled = await signal.WaitAsync(wait, TimeProvider.System, stoppingToken) || (pass == Pass.LockTaken && signalled);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Warn(e);
                await Task.Delay(wait, TimeProvider.System, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<Pass> PassAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await ClaimAsync(connection, ct) is not { } claimed)
        {
            return Pass.LockTaken;
        }

        if (claimed.Count == 0)
        {
            return Pass.Empty;
        }

        // Side by side for different aggregates, one after the other for each.
        var groups = claimed.GroupBy(r => r.OrderingKey).Select(g => g.ToList()).ToLookup(g => g[0].Attempts > 0);
        var fresh = groups[false].ToList();
        var outcomes = (await Task.WhenAll(fresh.Select(rows => PublishAsync(rows, ct)))).ToList();

        // They share a channel, which one bad message closes for all: ask each by itself before blaming it, and those that
        // failed before only by themselves.
        for (var i = 0; fresh.Count > 1 && i < fresh.Count; i++)
        {
            if (outcomes[i][^1] is { Result: Result.Refused } refused)
            {
                outcomes[i] = [.. outcomes[i].SkipLast(1), .. await PublishAsync(fresh[i].SkipWhile(r => r.Id != refused.Id), ct)];
            }
        }

        foreach (var rows in groups[true])
        {
            outcomes.Add(await PublishAsync(rows, ct));
        }

        var published = outcomes.SelectMany(o => o).Where(o => o.Result == Result.Taken).Select(o => o.Id).ToArray();
        foreach (var failed in outcomes.Select(o => o[^1]).Where(o => o.Result is Result.Refused or Result.TimedOut or Result.Unreadable))
        {
            await FailAsync(connection, failed, counts: failed.Result != Result.TimedOut || published.Length > 0);
        }

        // What the broker has taken is deleted even when the service is stopping: else it would only be sent twice.
        await using (var delete = new NpgsqlCommand("delete from outbox_messages where id = any(@ids)", connection))
        {
            delete.Parameters.AddWithValue("ids", published);
            await delete.ExecuteNonQueryAsync(CancellationToken.None);
        }

        await transaction.CommitAsync(CancellationToken.None);
        JaferMetrics.OutboxPublished.Add(published.Length);
        return published.Length > 0 && claimed.Count == options.Value.BatchSize ? Pass.More : Pass.Done;
    }

    /// <summary>The messages that are due, in order; null when another replica relays.</summary>
    private async Task<List<Row>?> ClaimAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var claim = new NpgsqlCommand(Claim, connection);
        claim.Parameters.AddWithValue("batch", options.Value.BatchSize);
        await using var reader = await claim.ExecuteReaderAsync(ct);
        var rows = new List<Row>();
        while (await reader.ReadAsync(ct))
        {
            if (!reader.GetBoolean(0))
            {
                return null;
            }

            if (!reader.IsDBNull(1))
            {
                rows.Add(new Row(
                    reader.GetInt64(1), reader.GetGuid(2), reader.GetString(3), reader.GetString(4), reader.GetString(5), reader.GetGuid(6), reader.GetInt16(7)));
            }
        }

        return rows;
    }

    /// <summary>The messages of one aggregate, up to the first that is not taken.</summary>
    private async Task<List<Outcome>> PublishAsync(IEnumerable<Row> rows, CancellationToken ct)
    {
        var outcomes = new List<Outcome>();
        foreach (var row in rows)
        {
            // What was begun is not given up when the service stops: the broker may have taken it already.
            var outcome = ct.IsCancellationRequested ? new Outcome(row.Id, Result.Interrupted) : await PublishAsync(row);
            outcomes.Add(outcome);
            if (outcome.Result != Result.Taken)
            {
                break;
            }
        }

        return outcomes;
    }

    private async Task<Outcome> PublishAsync(Row row)
    {
        if (EventTypes.TypeOf(row.MessageType) is not { } type)
        {
            return new Outcome(row.Id, Result.Unreadable, "unknown message type");
        }

        object? message;
        try
        {
            message = JsonSerializer.Deserialize(row.Payload, type, EventTypes.Json);
        }
        catch (JsonException)
        {
            message = null;
        }

        if (message is null)
        {
            return new Outcome(row.Id, Result.Unreadable, "payload cannot be read");
        }

        using var activity = StartActivity(row);
        using var timeout = new CancellationTokenSource(options.Value.PublishTimeout);
        try
        {
            // Waited for by the same token too: the bus does not always look at it, and one unanswered message held all others.
            await bus.Publish(message, type, context =>
            {
                context.MessageId = row.MessageId;
                context.CorrelationId = row.OrderingKey;
            }, timeout.Token).WaitAsync(timeout.Token);
            return new Outcome(row.Id, Result.Taken);
        }
        catch (Exception e)
        {
            if (bus.CheckHealth().Status != BusHealthStatus.Healthy)
            {
                return new Outcome(row.Id, Result.Interrupted);
            }

            JaferMetrics.OutboxFailures.Add(1);
            logger.LogWarning("Message {MessageId} of type {MessageType} was not taken: {Fault}", row.MessageId, row.MessageType, Redaction.Describe(e));
            return new Outcome(row.Id, e is OperationCanceledException ? Result.TimedOut : Result.Refused, e.GetType().FullName);
        }
    }

    private static Activity? StartActivity(Row row)
    {
        var headers = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Headers);
        return headers?.GetValueOrDefault("traceparent") is { } parent && ActivityContext.TryParse(parent, null, out var context)
            ? JaferMetrics.Activities.StartActivity($"relay {row.MessageType}", ActivityKind.Producer, context)
            : JaferMetrics.Activities.StartActivity($"relay {row.MessageType}", ActivityKind.Producer);
    }

    private async Task FailAsync(NpgsqlConnection connection, Outcome outcome, bool counts)
    {
        await using var fail = new NpgsqlCommand(counts ? Fail : Delay, connection);
        fail.Parameters.AddWithValue("error", outcome.Error!);
        fail.Parameters.AddWithValue("id", outcome.Id);
        if (counts)
        {
            fail.Parameters.AddWithValue("park", outcome.Result == Result.Unreadable);
            fail.Parameters.AddWithValue("max", options.Value.MaxAttempts);
        }

        await fail.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private void Warn(Exception e)
    {
        if (_warnedAt == 0 || Stopwatch.GetElapsedTime(_warnedAt) > s_quietBetweenWarnings)
        {
            _warnedAt = Stopwatch.GetTimestamp();
            logger.LogWarning("The relay could not pass, and goes on trying: {Fault}", Redaction.Describe(e));
        }
    }

    private enum Pass
    {
        Empty,
        Done,
        More,
        LockTaken,
    }

    private enum Result
    {
        /// <summary>The broker confirmed it.</summary>
        Taken,

        /// <summary>The broker is away or the service stops: nothing is counted.</summary>
        Interrupted,

        /// <summary>The broker answered nothing in time.</summary>
        TimedOut,

        /// <summary>The broker answered, but did not take it.</summary>
        Refused,

        /// <summary>No attempt can ever succeed.</summary>
        Unreadable,
    }

    private sealed record Row(long Id, Guid MessageId, string MessageType, string Payload, string Headers, Guid OrderingKey, short Attempts);

    private sealed record Outcome(long Id, Result Result, string? Error = null);
}
