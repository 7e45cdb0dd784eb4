using System.Collections.Concurrent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Notifications.Data;
using Jafer.Notifications.Domain;
using Jafer.Notifications.Feed;
using Jafer.Notifications.Mails;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Jafer.Notifications.Webhooks;

/// <summary>
/// Posts what is queued. Every replica takes what is due and belongs to nobody, for the time of a lease: what a replica that died
/// had taken, another takes again. Each endpoint has few attempts at a time and rests after failures, so that none holds up others.
/// What an endpoint is told of one mesure it is told in the order of the feed, whoever posts it: an event that waits, or is under way,
/// holds back the later ones of its own mesure, and nothing else.
/// </summary>
internal sealed class WebhookDispatcher(
    NpgsqlDataSource source, IServiceScopeFactory scopes, WebhookSignal signal, WebhookPost post, WebhookSecrets secrets, DeliveryProofs proofs,
    OutboxSignal outbox, IOptions<WebhookOptions> options, IOptions<MailOptions> mail, TimeProvider clock, ILogger<WebhookDispatcher> logger) : BackgroundService
{
    // Those that have failed in a row are tried by one attempt alone. Tests pass by rest and state. The first of an aggregate is asked
    // for each row that is due, by its index: as a join, it would be made for all that wait.
    private const string Claim = """
        with tests as (
            select delivery_id from webhook_deliveries
            where state = 'QUEUED' and test and next_attempt_at <= @now
            order by next_attempt_at limit least(@slots, 20) for update skip locked),
        events as (
            select due.delivery_id from webhook_endpoints e
            left join unnest(@busy, @counts) as b(endpoint_id, running) on b.endpoint_id = e.endpoint_id
            cross join lateral (
                select d.delivery_id, d.next_attempt_at, d.position from webhook_deliveries d
                where d.endpoint_id = e.endpoint_id and d.state = 'QUEUED' and not d.test and d.next_attempt_at <= @now
                  and d.position = (
                      select min(b.position) from webhook_deliveries b
                      where b.endpoint_id = d.endpoint_id and b.aggregate_id = d.aggregate_id and b.state = 'QUEUED' and not b.test)
                order by d.next_attempt_at, d.position
                limit greatest(0, case when e.failures >= @rest_after then 1 else @each end - coalesce(b.running, 0))
                for update of d skip locked) due
            where e.state = 'ENABLED' and (e.rest_until is null or e.rest_until <= @now)
            order by due.next_attempt_at, due.position limit @slots)
        update webhook_deliveries d set lease = @lease, next_attempt_at = @until, last_attempt_at = @now
        from (select delivery_id from tests union all select delivery_id from events) taken, webhook_endpoints e
        where d.delivery_id = taken.delivery_id and e.endpoint_id = d.endpoint_id
        returning d.delivery_id, d.endpoint_id, e.organisation_id, d.test, d.event_id, d.event_type, d.aggregate_id, d.occurred_at, d.attempts,
                  d.queued_at, d.expires_at, e.url, e.secret, case when e.previous_secret_expires_at > @now then e.previous_secret end, d.about_espace,
                  d.aggregate_version, d.position
        """;

    // What came behind an event that waits for another attempt is put off until then: the claim would look at all of it each time in vain.
    // Whoever delivers the first one wakes the next; the first one's row is locked meanwhile, so that it is either seen as delivered or
    // finds what was put off.
    private const string PutOff = """
        with looked as (
            select due.delivery_id, head.delivery_id as head_id
            from webhook_endpoints e
            cross join lateral (
                select d.delivery_id, d.aggregate_id, d.position from webhook_deliveries d
                where d.endpoint_id = e.endpoint_id and d.state = 'QUEUED' and not d.test and d.next_attempt_at <= $1
                order by d.next_attempt_at, d.position limit 200) due
            cross join lateral (
                select h.delivery_id, h.position, h.next_attempt_at from webhook_deliveries h
                where h.endpoint_id = e.endpoint_id and h.aggregate_id = due.aggregate_id and h.state = 'QUEUED' and not h.test
                order by h.position limit 1) head
            where e.state = 'ENABLED' and (e.rest_until is null or e.rest_until <= $1) and head.position < due.position and head.next_attempt_at > $1
            limit 5000),
        heads as (
            select delivery_id, next_attempt_at from webhook_deliveries
            where delivery_id in (select head_id from looked) and state = 'QUEUED' and next_attempt_at > $1 for share skip locked),
        behind as (
            select b.delivery_id, h.next_attempt_at
            from webhook_deliveries b join looked l on l.delivery_id = b.delivery_id join heads h on h.delivery_id = l.head_id
            where b.state = 'QUEUED' and b.lease is null for update of b skip locked)
        update webhook_deliveries d set next_attempt_at = b.next_attempt_at from behind b where d.delivery_id = b.delivery_id
        """;

    // The next of the same mesure was put off; one that failed itself keeps its own wait.
    private const string Delivered = """
        update webhook_deliveries
        set state = 'DELIVERED', attempts = attempts + 1, delivered_at = @now, first_delivered_at = coalesce(first_delivered_at, @now),
            last_status = @status, last_error = null, last_duration_ms = @milliseconds, lease = null
        where delivery_id = @delivery and state <> 'DELIVERED';
        update webhook_deliveries set next_attempt_at = @now
        where attempts = 0 and lease is null and next_attempt_at > @now and delivery_id = (
            select delivery_id from webhook_deliveries
            where endpoint_id = @endpoint and aggregate_id = @aggregate and state = 'QUEUED' and not test
            order by position limit 1);
        update webhook_endpoints set failures = 0, failing_since = null, rest_until = null where endpoint_id = @endpoint and failures > 0
        """;

    // An attempt that is cut by the end of the service is made again elsewhere: it should have its time first.
    private static readonly TimeSpan s_courtesy = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, (Guid EndpointId, Task Attempt)> _running = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var cut = new CancellationTokenSource();
        try
        {
            await Task.WhenAll(clock.RepeatAsync(options.Value.PollInterval, WakeAsync, logger, "webhooks could not be woken", stoppingToken), DispatchAsync(cut.Token, stoppingToken));
        }
        finally
        {
            var left = Task.WhenAll(_running.Values.Select(r => r.Attempt));
            await Task.WhenAny(left, Task.Delay(s_courtesy, TimeProvider.System, CancellationToken.None));
            await cut.CancelAsync();
            await left;
        }
    }

    private async Task WakeAsync(CancellationToken ct)
    {
        signal.Notify();
        int moved;
        do
        {
            await using var command = source.CreateCommand(PutOff);
            command.Parameters.AddWithValue(clock.GetStoredNow());
            moved = await command.ExecuteNonQueryAsync(ct);
        }
        while (moved > 0);
    }

    private async Task DispatchAsync(CancellationToken cut, CancellationToken stopping)
    {
        while (true)
        {
            await signal.WaitAsync(stopping);
            try
            {
                foreach (var taken in await TakeAsync(stopping))
                {
                    Start(taken, cut);
                }
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                logger.LogWarning("Webhooks could not be posted, and it is tried again: {Fault}", Redaction.Describe(e));
            }
        }
    }

    private void Start(Taken taken, CancellationToken cut)
    {
        // It begins once it is known to run.
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _running[taken.DeliveryId] = (taken.EndpointId, RunAsync());
        begin.SetResult();

        async Task RunAsync()
        {
            await begin.Task;
            try
            {
                await AttemptAsync(taken, cut);
            }
            finally
            {
                _running.TryRemove(taken.DeliveryId, out _);
                signal.Notify();
            }
        }
    }

    private async Task<List<Taken>> TakeAsync(CancellationToken ct)
    {
        var slots = options.Value.Concurrency - _running.Count;
        if (slots <= 0)
        {
            return [];
        }

        var now = clock.GetStoredNow();
        var busy = _running.Values.GroupBy(r => r.EndpointId).ToDictionary(g => g.Key, g => g.Count());
        var lease = Guid.CreateVersion7(now);
        await using var command = source.CreateCommand(Claim);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("until", now + options.Value.Lease);
        command.Parameters.AddWithValue("lease", lease);
        command.Parameters.AddWithValue("slots", slots);
        command.Parameters.AddWithValue("each", options.Value.EndpointConcurrency);
        command.Parameters.AddWithValue("rest_after", options.Value.RestAfterFailures);
        command.Parameters.AddWithValue("busy", NpgsqlDbType.Array | NpgsqlDbType.Uuid, busy.Keys.ToArray());
        command.Parameters.AddWithValue("counts", NpgsqlDbType.Array | NpgsqlDbType.Integer, busy.Values.ToArray());
        await using var reader = await command.ExecuteReaderAsync(ct);
        var taken = new List<Taken>();
        while (await reader.ReadAsync(ct))
        {
            taken.Add(new Taken(
                lease, reader.GetGuid(0), reader.GetGuid(1), reader.GetGuid(2), reader.GetBoolean(3), reader.GetGuid(4), reader.GetString(5), reader.GetGuid(6),
                reader.GetFieldValue<DateTimeOffset>(7), reader.GetInt32(8), reader.GetFieldValue<DateTimeOffset>(9), reader.GetFieldValue<DateTimeOffset>(10),
                reader.GetString(11), reader.GetString(12), reader.IsDBNull(13) ? null : reader.GetString(13), reader.GetBoolean(14),
                reader.GetInt64(15), reader.GetInt64(16)));
        }

        return taken;
    }

    private async Task AttemptAsync(Taken taken, CancellationToken cut)
    {
        try
        {
            var start = clock.GetTimestamp();
            var result = await PostAsync(taken, cut);
            var milliseconds = (int)clock.GetElapsedTime(start).TotalMilliseconds;
            NotificationMetrics.Webhooks.Add(1, new KeyValuePair<string, object?>("outcome", result.Outcome.ToString()));
            if (result.Outcome == WebhookOutcome.Delivered)
            {
                await NoteDeliveredAsync(taken, result, milliseconds);
                return;
            }

            // The host alone: paths and queries may hold secrets.
            logger.LogWarning("A post to endpoint {EndpointId} at {Host} failed: {Error}", taken.EndpointId, new Uri(taken.Url).Host, result.Error);
            await NoteFailedAsync(taken, result, milliseconds);
        }
        catch (OperationCanceledException) when (cut.IsCancellationRequested)
        {
            // Whether it arrived is not known: another replica posts it again, under the same id, once the lease is over.
        }
        catch (Exception e)
        {
            logger.LogWarning("What became of a post to endpoint {EndpointId} could not be noted, and it is posted again: {Fault}", taken.EndpointId, Redaction.Describe(e));
        }
    }

    private async Task<WebhookResult> PostAsync(Taken taken, CancellationToken cut)
    {
        var keys = new[] { taken.Secret, taken.PreviousSecret }.Where(s => s is not null).Select(s => secrets.TryOpen(taken.EndpointId, s!)).Where(s => s is not null).ToList();
        if (keys.Count == 0)
        {
            return WebhookResult.NoAnswer("SECRET_UNREADABLE");
        }

        var body = WebhookMessage.Body(
            taken.DeliveryId, taken.OrganisationId, taken.EventId, taken.EventType, taken.AggregateId, taken.OccurredAt, mail.Value.MesureUrl, taken.AboutEspace,
            taken.Test ? null : taken.AggregateVersion, taken.Test ? null : taken.Position);
        return await post.SendAsync(taken.Url, taken.DeliveryId, body, keys!, cut);
    }

    /// <summary>Notes an answer 2xx, and with it the proof that a transmission arrived. It counts whoever holds the lease by now.</summary>
    private async Task NoteDeliveredAsync(Taken taken, WebhookResult result, int milliseconds)
    {
        var now = clock.GetStoredNow();
        if (taken.Test || taken.EventType != DeliveryProofs.Transmitted)
        {
            // Alone it is a transaction by itself, in one round trip.
            await using var alone = source.CreateCommand(Delivered);
            await NoteAsync(alone);
            return;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotificationsDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        await using (var command = new NpgsqlCommand(Delivered, (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction()))
        {
            await NoteAsync(command);
        }

        var told = await proofs.NoteHadAsync(db, taken.OrganisationId, taken.EventId, DeliveryChannel.Webhook, CancellationToken.None);
        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        if (told)
        {
            outbox.Notify();
        }

        Task<int> NoteAsync(NpgsqlCommand command)
        {
            command.Parameters.AddWithValue("now", now);
            command.Parameters.AddWithValue("status", result.Status!.Value);
            command.Parameters.AddWithValue("milliseconds", milliseconds);
            command.Parameters.AddWithValue("delivery", taken.DeliveryId);
            command.Parameters.AddWithValue("endpoint", taken.EndpointId);
            command.Parameters.AddWithValue("aggregate", taken.AggregateId);
            return command.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    private async Task NoteFailedAsync(Taken taken, WebhookResult result, int milliseconds)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<NotificationsDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(CancellationToken.None);
        var now = clock.GetStoredNow();
        var next = taken.Test ? null : WebhookSchedule.Next(now, taken.ExpiresAt, options.Value.FirstBackoff, taken.Attempts + 1, result.RetryAfter, Random.Shared.NextDouble());
        var state = next is null ? "FAILED" : "QUEUED";
        var noted = await db.Database.ExecuteSqlAsync($"""
            update webhook_deliveries
            set state = {state}, attempts = attempts + 1, next_attempt_at = coalesce({next}, next_attempt_at), last_status = {result.Status}, last_error = {result.Error},
                last_duration_ms = {milliseconds}, lease = null
            where delivery_id = {taken.DeliveryId} and lease = {taken.Lease} and state = 'QUEUED'
            """);
        if (noted > 0 && !taken.Test)
        {
            if (next is { } later)
            {
                await HoldBackAsync(db, taken, later);
            }

            await NoteFailureOfEndpointAsync(db, taken, result, next is null, now);
        }

        await transaction.CommitAsync(CancellationToken.None);
    }

    /// <summary>
    /// Puts off what waits behind an event that failed until that is tried again: it may not go before, and would be looked at in
    /// vain. The order does not rest on it. What another transaction holds is passed by.
    /// </summary>
    private static Task<int> HoldBackAsync(NotificationsDbContext db, Taken taken, DateTimeOffset until) => db.Database.ExecuteSqlAsync($"""
        update webhook_deliveries set next_attempt_at = {until}
        where delivery_id in (
            select delivery_id from webhook_deliveries
            where endpoint_id = {taken.EndpointId} and aggregate_id = {taken.AggregateId} and state = 'QUEUED' and not test and position > {taken.Position}
              and lease is null and next_attempt_at < {until}
            for update skip locked)
        """);

    private async Task NoteFailureOfEndpointAsync(NotificationsDbContext db, Taken taken, WebhookResult result, bool givenUp, DateTimeOffset now)
    {
        var (restAfter, firstRest, longestRest) = (options.Value.RestAfterFailures, options.Value.FirstRest, options.Value.LongestRest);
        // Who asks for patience by 429 or 503 means all that is for it.
        DateTimeOffset? asked = result is { Status: 429 or 503, RetryAfter: { } wait } ? now + wait : null;
        var since = (await db.Database.SqlQuery<DateTimeOffset>($"""
            update webhook_endpoints
            set failures = failures + 1, failing_since = coalesce(failing_since, {now}),
                rest_until = greatest(rest_until, {asked},
                    case when failures + 1 >= {restAfter} then {now} + least({longestRest}, {firstRest} * power(2, least(failures + 1 - {restAfter}, 20))) end)
            where endpoint_id = {taken.EndpointId}
            returning failing_since as "Value"
            """).ToListAsync()) is [var first] ? first : now;
        var end = result.Outcome == WebhookOutcome.Gone ? WebhookEndpointState.DisabledGone
            : WebhookSchedule.IsDead(now, since, taken.QueuedAt, givenUp) ? WebhookEndpointState.DisabledFailing
            : WebhookEndpointState.Enabled;
        if (end == WebhookEndpointState.Enabled)
        {
            return;
        }

        var code = end.ToCode();
        var disabled = await db.Database.ExecuteSqlAsync($"""
            update webhook_endpoints
            set state = {code}, disabled_at = {now}, updated_at = {now}, version = version + 1, notice_at = {now}, notice_attempts = 0
            where endpoint_id = {taken.EndpointId} and state = 'ENABLED'
            """);
        if (disabled > 0)
        {
            logger.LogWarning("Endpoint {EndpointId} of organisation {OrganisationId} is disabled: {State}", taken.EndpointId, taken.OrganisationId, code);
        }
    }

    private sealed record Taken(
        Guid Lease, Guid DeliveryId, Guid EndpointId, Guid OrganisationId, bool Test, Guid EventId, string EventType, Guid AggregateId, DateTimeOffset OccurredAt,
        int Attempts, DateTimeOffset QueuedAt, DateTimeOffset ExpiresAt, string Url, string Secret, string? PreviousSecret, bool AboutEspace,
        long AggregateVersion, long Position);
}
