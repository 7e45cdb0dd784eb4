using Jafer.Contracts.Events;
using Jafer.Directory.Members;
using Jafer.Directory.Places;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Directory.Upkeep;

/// <summary>When the upkeep is looked after; section Upkeep of the configuration.</summary>
internal sealed class UpkeepOptions
{
    /// <summary>How long after the start the first sweep runs.</summary>
    public TimeSpan FirstSweepAfter { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>Tells the sweep of this process that agréments may have changed.</summary>
internal sealed class UpkeepSignal : WorkSignal;

/// <summary>
/// Tells when a group goes stale and when an espace or one of its lieux loses its last valid agrément: soon after the start and
/// every hour, since both come with a day, and the agréments also at once when one is changed; reminders of what nobody saw to follow,
/// warnings of credentials that end, and places whose hold ran out.
/// </summary>
internal sealed class UpkeepSweep(
    NpgsqlDataSource source, UpkeepReminders reminders, CredentialWarnings credentials, ExpiredHolds holds, UpkeepSignal hints, OutboxSignal outbox,
    IHostApplicationLifetime lifetime, IOptions<UpkeepOptions> options, TimeProvider clock, ILogger<UpkeepSweep> logger) : BackgroundService
{
    private readonly Telling _telling = new(source, outbox, clock);

    private const string Stale = $"""
        with {UpkeepSql.Groups},
        due as (
            select k.espace_id, k.espace_group, k.key, k.fresh_until
            from kept k left join stale_groups_told t using (espace_id, espace_group, key)
            where k.fresh_until < @today and (t.fresh_until is null or t.fresh_until < k.fresh_until)
            order by k.espace_id, k.espace_group, k.key limit 500),
        told as (
            insert into stale_groups_told (espace_id, espace_group, key, fresh_until, told_at)
            select espace_id, espace_group, key, fresh_until, @now from due
            on conflict (espace_id, espace_group, key) do update set fresh_until = excluded.fresh_until, told_at = excluded.told_at
            returning espace_id, espace_group, key, fresh_until)
        select t.espace_id, e.gestionnaire_id, e.version, t.espace_group, t.key, t.fresh_until
        from told t join espaces e on e.id = t.espace_id order by t.espace_id, t.espace_group, t.key
        """;

    private const string Ended = """
        with due as (
            select v.espace_id, max(upper(d)) - 1 as last_day
            from agrement_validities v, unnest(v.days) as d
            where not v.days @> @today and upper(d) <= @today
            group by v.espace_id
            union all
            select v.espace_id, upper(d) - 1
            from agrement_validities v, unnest(v.days) as d
            where d @> @today
                and exists (select from agrements a where a.espace_id = v.espace_id and a.state in ('RETIRE', 'SUSPENDU') and a.end_date = upper(d) - 1)),
        told as (
            insert into agrement_ends_told as t (espace_id, last_day, told_at)
            select espace_id, last_day, @now from due d
            where not exists (select from agrement_ends_told a where a.espace_id = d.espace_id and a.last_day = d.last_day)
            order by espace_id limit 500
            on conflict (espace_id) do update set last_day = excluded.last_day, told_at = excluded.told_at
            returning espace_id, last_day)
        select t.espace_id, e.gestionnaire_id, e.version, t.last_day,
            exists (select from agrements a where a.espace_id = t.espace_id and a.state in ('RETIRE', 'SUSPENDU') and a.end_date = t.last_day) as withdrawn
        from told t join espaces e on e.id = t.espace_id order by t.espace_id
        """;

    // Lieux without an agrément of an espace that keeps one.
    private const string LieuxEnded = """
        with due as (
            select v.espace_id, v.lieu_id, v.lieu_external_id, max(upper(d)) - 1 as last_day
            from lieu_validities v join agrement_validities e on e.espace_id = v.espace_id, unnest(v.days) as d
            where e.days @> @today and not v.days @> @today and upper(d) <= @today
            group by v.espace_id, v.lieu_id, v.lieu_external_id
            union all
            select v.espace_id, v.lieu_id, v.lieu_external_id, upper(d) - 1
            from lieu_validities v join agrement_validities e on e.espace_id = v.espace_id, unnest(v.days) as d
            where d @> @today and e.days @> upper(d)
                and exists (
                    select from agrements a where a.espace_id = v.espace_id and a.state in ('RETIRE', 'SUSPENDU') and a.end_date = upper(d) - 1
                        and (cardinality(a.lieu_external_ids) = 0 or v.lieu_external_id = any(a.lieu_external_ids)))),
        told as (
            insert into agrement_lieux_ends_told as t (espace_id, lieu_external_id, last_day, told_at)
            select espace_id, lieu_external_id, last_day, @now from due d
            where not exists (
                select from agrement_lieux_ends_told a
                where a.espace_id = d.espace_id and a.lieu_external_id = d.lieu_external_id and a.last_day = d.last_day)
            order by espace_id, lieu_external_id limit 500
            on conflict (espace_id, lieu_external_id) do update set last_day = excluded.last_day, told_at = excluded.told_at
            returning espace_id, lieu_external_id, last_day)
        select t.espace_id, e.gestionnaire_id, e.version, t.last_day,
            exists (
                select from agrements a where a.espace_id = t.espace_id and a.state in ('RETIRE', 'SUSPENDU') and a.end_date = t.last_day
                    and (cardinality(a.lieu_external_ids) = 0 or t.lieu_external_id = any(a.lieu_external_ids))) as withdrawn,
            l.id
        from told t join espaces e on e.id = t.espace_id join lieux l on l.espace_id = t.espace_id and l.external_id = t.lieu_external_id
        order by t.espace_id, l.id
        """;

    /// <summary>Tells everything that is due now.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Events published.</returns>
    public async Task<int> SweepAsync(CancellationToken ct) => await SweepAgrementsAsync(ct) + await _telling.TellAsync(Stale, ToStale, ct, UpkeepSql.Rules);

    /// <summary>Tells of agréments that are no longer valid, and of those withdrawn from a later day on.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <returns>Events published.</returns>
    public async Task<int> SweepAgrementsAsync(CancellationToken ct) =>
        await _telling.TellAsync(Ended, ToEnded, ct) + await _telling.TellAsync(LieuxEnded, ToLieuEnded, ct);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(EveryHourAsync(stoppingToken), OnHintsAsync(stoppingToken));

    private async Task EveryHourAsync(CancellationToken ct)
    {
        // Once the service answers, so that the start does not wait for it: a process that never lives an hour looks too.
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var _ = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
        await Task.Delay(options.Value.FirstSweepAfter, clock, ct);
        using var timer = new PeriodicTimer(TimeSpan.FromHours(1), clock);
        do
        {
            await TryAsync(SweepAsync, ct);
            await TryAsync(reminders.RemindAsync, ct);
            await TryAsync(credentials.WarnAsync, ct);
            await TryAsync(holds.DeleteAsync, ct);
        }
        while (await timer.WaitForNextTickAsync(ct));
    }

    private async Task OnHintsAsync(CancellationToken ct)
    {
        while (true)
        {
            await hints.WaitAsync(ct);
            await TryAsync(SweepAgrementsAsync, ct);
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task<int>> sweep, CancellationToken ct)
    {
        try
        {
            await sweep(ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            logger.LogWarning("The upkeep sweep failed and will be tried again ({Fault})", e.GetType().Name);
        }
    }

    private static EspaceGroupStale ToStale(NpgsqlDataReader row, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = row.GetGuid(0),
        AggregateVersion = row.GetInt64(2),
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        GestionnaireId = row.GetGuid(1),
        Group = row.GetString(3),
        Key = row.GetString(4) is { Length: > 0 } key ? key : null,
        Since = row.GetFieldValue<DateOnly>(5).AddDays(1),
    };

    private static AgrementEnded ToEnded(NpgsqlDataReader row, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = row.GetGuid(0),
        AggregateVersion = row.GetInt64(2),
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        GestionnaireId = row.GetGuid(1),
        LastDay = row.GetFieldValue<DateOnly>(3),
        Withdrawn = row.GetBoolean(4),
    };

    private static AgrementLieuEnded ToLieuEnded(NpgsqlDataReader row, DateTimeOffset now) => new()
    {
        EventId = Guid.CreateVersion7(now),
        AggregateId = row.GetGuid(0),
        AggregateVersion = row.GetInt64(2),
        OccurredAt = now,
        RecordedAt = now,
        CorrelationId = System.Diagnostics.Activity.Current?.TraceId.ToString(),
        GestionnaireId = row.GetGuid(1),
        LieuId = row.GetGuid(5),
        LastDay = row.GetFieldValue<DateOnly>(3),
        Withdrawn = row.GetBoolean(4),
    };
}
