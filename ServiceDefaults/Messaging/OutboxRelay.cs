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
    NpgsqlDataSource source, IBusControl bus, OutboxSignal signal, OutboxState state, IOptions<OutboxOptions> options, TimeProvider clock, ILogger<OutboxRelay> logger)
    : BackgroundService
{
    private const string Lock = "select pg_try_advisory_xact_lock(hashtextextended('jafer:outbox', 0))";

    private const string Claim = """
        select m.id, m.message_id, m.message_type, m.payload, m.headers, m.ordering_key
        from outbox_messages m
        where m.parked_at is null and m.next_attempt_at <= now()
          and not exists (select 1 from outbox_messages e
                          where e.ordering_key = m.ordering_key and e.id < m.id
                            and e.attempts > 0 and e.parked_at is null and e.next_attempt_at > now())
        order by m.id limit @batch for update of m
        """;

    private const string Fail = """
        update outbox_messages
        set attempts = attempts + 1, last_error = left(@error, 1000),
            next_attempt_at = now() + least(power(2, attempts + 1), 300) * interval '1 second' * (0.8 + 0.4 * random()),
            parked_at = case when @park or attempts + 1 >= @max then now() end
        where id = @id
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
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

                if (pass == Pass.LockTaken && state.SignalSeen)
                {
                    // Another replica is at it: it may have looked before our commit, so look again at once.
                    wait = TimeSpan.FromMilliseconds(20);
                }

                state.SignalSeen = await signal.WaitAsync(wait, clock, stoppingToken) || (pass == Pass.LockTaken && state.SignalSeen);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                logger.LogWarning("The relay could not pass: {Fault}", Redaction.Describe(e));
                await Task.WhenAny(signal.WaitAsync(wait, clock, stoppingToken));
            }
        }
    }

    private async Task<Pass> PassAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var tryLock = new NpgsqlCommand(Lock, connection))
        {
            if (await tryLock.ExecuteScalarAsync(ct) is not true)
            {
                return Pass.LockTaken;
            }
        }

        var claimed = await ClaimAsync(connection, ct);
        if (claimed.Count == 0)
        {
            return Pass.Empty;
        }

        var published = new List<long>(claimed.Count);
        var blocked = new HashSet<Guid>();
        var interrupted = false;
        foreach (var row in claimed)
        {
            if (blocked.Contains(row.OrderingKey))
            {
                continue;
            }

            if (ct.IsCancellationRequested || interrupted)
            {
                break;
            }

            var outcome = await PublishAsync(row, ct);
            if (outcome.Sent)
            {
                published.Add(row.Id);
            }
            else if (outcome.Interrupted)
            {
                interrupted = true;
            }
            else
            {
                blocked.Add(row.OrderingKey);
                await FailAsync(connection, row.Id, outcome);
            }
        }

        // What the broker has taken is deleted even when the service is stopping: else it would only be sent twice.
        await using (var delete = new NpgsqlCommand("delete from outbox_messages where id = any(@ids)", connection))
        {
            delete.Parameters.AddWithValue("ids", published.ToArray());
            await delete.ExecuteNonQueryAsync(CancellationToken.None);
        }

        await transaction.CommitAsync(CancellationToken.None);
        JaferMetrics.OutboxPublished.Add(published.Count);
        return !interrupted && claimed.Count == options.Value.BatchSize ? Pass.More : Pass.Done;
    }

    private async Task<List<Row>> ClaimAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var rows = new List<Row>();
        await using (var claim = new NpgsqlCommand(Claim, connection))
        {
            claim.Parameters.AddWithValue("batch", options.Value.BatchSize);
            await using (var reader = await claim.ExecuteReaderAsync(ct))
            {
                while (await reader.ReadAsync(ct))
                {
                    rows.Add(new Row(
                        reader.GetInt64(0), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.GetString(4), reader.GetGuid(5)));
                }
            }
        }

        return rows;
    }

    private async Task<Outcome> PublishAsync(Row row, CancellationToken ct)
    {
        object message;
        Type? type;
        try
        {
            type = EventTypes.TypeOf(row.MessageType);
            if (type is null)
            {
                return new Outcome(Error: "unknown message type", Park: true);
            }

            message = JsonSerializer.Deserialize(row.Payload, type, EventTypes.Json)!;
        }
        catch (JsonException)
        {
            return new Outcome(Error: "payload cannot be read", Park: true);
        }

        using var activity = StartActivity(row);
        using var timeout = new CancellationTokenSource(options.Value.PublishTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        try
        {
            await bus.Publish(message, type, context =>
            {
                context.MessageId = row.MessageId;
                context.CorrelationId = row.OrderingKey;
            }, either.Token);
            return new Outcome(Sent: true);
        }
        catch (Exception e)
        {
            if (ct.IsCancellationRequested || bus.CheckHealth().Status != BusHealthStatus.Healthy || e is OperationCanceledException)
            {
                // The broker is away or slow, not the message bad: no attempt is counted.
                return new Outcome(Interrupted: true);
            }

            JaferMetrics.OutboxFailures.Add(1);
            logger.LogWarning("Message {MessageId} of type {MessageType} was not taken: {Fault}", row.MessageId, row.MessageType, Redaction.Describe(e));
            return new Outcome(Error: e.GetType().FullName!);
        }
    }

    private static Activity? StartActivity(Row row)
    {
        var headers = JsonSerializer.Deserialize<Dictionary<string, string>>(row.Headers);
        return headers?.GetValueOrDefault("traceparent") is { } parent && ActivityContext.TryParse(parent, null, out var context)
            ? JaferMetrics.Activities.StartActivity($"relay {row.MessageType}", ActivityKind.Producer, context)
            : JaferMetrics.Activities.StartActivity($"relay {row.MessageType}", ActivityKind.Producer);
    }

    private async Task FailAsync(NpgsqlConnection connection, long id, Outcome outcome)
    {
        await using (var fail = new NpgsqlCommand(Fail, connection))
        {
            fail.Parameters.AddWithValue("error", outcome.Error!);
            fail.Parameters.AddWithValue("park", outcome.Park);
            fail.Parameters.AddWithValue("max", options.Value.MaxAttempts);
            fail.Parameters.AddWithValue("id", id);
            await fail.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private enum Pass
    {
        Empty,
        Done,
        More,
        LockTaken,
    }

    private sealed record Row(long Id, Guid MessageId, string MessageType, string Payload, string Headers, Guid OrderingKey);

    private readonly record struct Outcome(bool Sent = false, bool Interrupted = false, string? Error = null, bool Park = false);
}
