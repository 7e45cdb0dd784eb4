using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Retention;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Retention;

/// <summary>Tells the sweep of this process that a run was ordered.</summary>
internal sealed class RetentionSignal : WorkSignal;

/// <summary>
/// Begins a run each night and does what runs are left to do: a mesure for each transaction, with its event and the mark how far
/// the run came, so that it goes on where it was after a kill. The lock of the run's row lets one replica at a time work on it.
/// </summary>
internal sealed class RetentionSweep(
    NpgsqlDataSource source, IServiceScopeFactory scopes, RetentionTable table, RetentionSignal hints, OutboxSignal outbox, IOptions<RetentionOptions> options,
    TimeProvider clock, ILogger<RetentionSweep> logger) : BackgroundService
{
    private const int IntakePortion = 1000;

    private static readonly string[] s_rules = [DueMesures.Files, DueMesures.Content, DueMesures.Intake];

    /// <summary>The first rule of a run.</summary>
    public static string FirstRule => s_rules[0];

    /// <summary>Does all that runs are left to do.</summary>
    /// <param name="ct">Cancellation.</param>
    /// <param name="atMost">Steps after which it leaves off.</param>
    public async Task WorkAsync(CancellationToken ct, int atMost = int.MaxValue)
    {
        for (var steps = 0; steps < atMost && await StepAsync(ct); steps++)
        {
        }
    }

    /// <summary>Begins the run of this night when its hour has come and no replica has begun it.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task BeginNightAsync(CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        if (now.HourInParis() < options.Value.Hour)
        {
            return;
        }

        await using var begin = source.CreateCommand("""
            insert into retention_runs (id, dry_run, night, started_at, rule, after_mesure_id)
            values (@id, false, @night, @now, @rule, '00000000-0000-0000-0000-000000000000') on conflict (night) do nothing
            """);
        begin.Parameters.AddWithValue("id", Guid.CreateVersion7(now));
        begin.Parameters.AddWithValue("night", clock.TodayInParis());
        begin.Parameters.AddWithValue("now", now);
        begin.Parameters.AddWithValue("rule", FirstRule);
        await begin.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Tells, once, that no run was finished for too long.</summary>
    /// <param name="ct">Cancellation.</param>
    public async Task TellOverdueAsync(CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var last = await db.RetentionRuns.FromSqlRaw($"select * from retention_runs where id = (select r.id from ({RetentionHealthCheck.Last}) r) for update skip locked").SingleOrDefaultAsync(ct);
        if (last is null || last.OverdueToldAt is not null || now - last.StartedAt < options.Value.OverdueAfter)
        {
            return;
        }

        last.OverdueToldAt = now;
        db.Publish(new RetentionOverdue
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = last.Id,
            AggregateVersion = 1,
            OccurredAt = now,
            RecordedAt = now,
            CorrelationId = Activity.Current?.TraceId.ToString(),
            LastRunAt = last.StartedAt,
        });
        db.JournalOwnWork("retention");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        outbox.Notify();
        logger.LogError("No run of retention was finished since {LastRun}: what is due is not erased", last.StartedAt);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            // A run that another replica left behind is found without a hint.
            await hints.WaitAsync(options.Value.LookEvery, clock, stoppingToken);
            try
            {
                if (options.Value.Nightly)
                {
                    await BeginNightAsync(stoppingToken);
                }

                await WorkAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning("Retention met a fault and goes on later: {Fault}", Redaction.Describe(e));
            }

            try
            {
                // After the work, and whatever became of it: it may be the work that fails each time.
                await TellOverdueAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning("It could not be told that retention is overdue: {Fault}", Redaction.Describe(e));
            }
        }
    }

    /// <summary>Deals with one mesure, or one portion, of a run that is not finished; false when there is none.</summary>
    private async Task<bool> StepAsync(CancellationToken ct)
    {
        if (!await source.AnyAsync("select from retention_runs where finished_at is null", [], ct))
        {
            return false;
        }

        (Guid RunId, string Rule, Due Mesure)? at = null;
        try
        {
            return await InTransactionAsync(async (scope, db, run) =>
            {
                if (run.DryRun)
                {
                    await CountAsync(db, run, ct);
                    await FinishAsync(db, run, ct);
                    return;
                }

                if (run.Rule == DueMesures.Intake)
                {
                    await EraseUnknownAsync(db, run, ct);
                    return;
                }

                if (await NextAsync(db, run, ct) is not { } mesure)
                {
                    (run.Rule, run.AfterMesureId) = (s_rules[Array.IndexOf(s_rules, run.Rule) + 1], Guid.Empty);
                    return;
                }

                at = (run.Id, run.Rule, mesure);
                run.AfterMesureId = mesure.Id;
                var count = await CountOfAsync(db, run, run.Rule, mesure.Since, ct);
                count.Due++;
                if (mesure.Held || !await EraseAsync(scope, db, run, mesure.Id, ct))
                {
                    count.Held++;
                }
                else
                {
                    count.Erased++;
                }
            }, ct);
        }
        catch (Exception e) when (at is not null && !ct.IsCancellationRequested)
        {
            // One mesure must not keep all others: the next night tries it again.
            var (runId, rule, mesure) = at.Value;
            logger.LogError("Mesure {MesureId} could not be erased by {Rule}: {Fault}", mesure.Id, rule, Redaction.Describe(e));
            return await InTransactionAsync(async (_, db, run) =>
            {
                if (run.Id == runId && run.Rule == rule && run.AfterMesureId.CompareTo(mesure.Id) != 0)
                {
                    run.AfterMesureId = mesure.Id;
                    var count = await CountOfAsync(db, run, rule, mesure.Since, ct);
                    (count.Due, count.Failed) = (count.Due + 1, count.Failed + 1);
                }
            }, ct);
        }
    }

    private async Task<bool> InTransactionAsync(Func<IServiceProvider, MesuresDbContext, RetentionRun, Task> work, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var run = await db.RetentionRuns.FromSql($"select * from retention_runs where finished_at is null order by id limit 1 for update skip locked").SingleOrDefaultAsync(ct);
        if (run is null)
        {
            return false;
        }

        await work(scope.ServiceProvider, db, run);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        outbox.Notify();
        return true;
    }

    private DateTimeOffset CutOff(RetentionRun run, string rule) => table[rule].Keep.Before(run.StartedAt);

    private async Task<Due?> NextAsync(MesuresDbContext db, RetentionRun run, CancellationToken ct)
    {
        await using var command = Command(
            db, $"select d.id, d.since, {DueMesures.Held} from ({DueMesures.Of(run.Rule)}) d where d.id > @after order by d.id limit 1", run, run.Rule);
        command.Parameters.AddWithValue("after", run.AfterMesureId);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? new Due(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1), reader.GetBoolean(2)) : null;
    }

    /// <summary>Erases; false when a hold came meanwhile, or the mesure is not due any more.</summary>
    private async Task<bool> EraseAsync(IServiceProvider services, MesuresDbContext db, RetentionRun run, Guid mesureId, CancellationToken ct)
    {
        // Whoever places a hold locks the same row: it comes before this, and is seen, or after it, and finds nothing.
        await db.Database.ExecuteSqlAsync($"select from mesures where id = {mesureId} for update", ct);
        var mesure = (await db.MesureAsync(mesureId, ct))!;
        await using (var still = Command(db, $"select {DueMesures.Held} from ({DueMesures.Of(run.Rule)}) d where d.id = @mesure", run, run.Rule))
        {
            still.Parameters.AddWithValue("mesure", mesureId);
            if (await still.ExecuteScalarAsync(ct) is not false)
            {
                return false;
            }
        }

        var erasure = new Erasure(db, mesure, clock.GetStoredNow());
        await (run.Rule == DueMesures.Files ? erasure.OfFilesAsync(ct) : erasure.OfContentAsync(ct));
        services.GetRequiredService<MesureActs>().Publish(mesure);
        db.JournalOwnWork("retention");
        return true;
    }

    private async Task EraseUnknownAsync(MesuresDbContext db, RetentionRun run, CancellationToken ct)
    {
        await using var command = Command(db, $"""
            with gone as (
                delete from intake_items where (gestionnaire_id, id) in (select i.gestionnaire_id, i.id {DueMesures.Unknown} limit {IntakePortion}) returning decided_at)
            select count(*), min(decided_at) from gone
            """, run, run.Rule);
        var (gone, oldest) = await ReadAsync(command, ct);
        var count = await CountOfAsync(db, run, run.Rule, oldest, ct);
        (count.Due, count.Erased) = (count.Due + gone, count.Erased + gone);
        if (gone < IntakePortion)
        {
            await FinishAsync(db, run, ct);
        }
    }

    /// <summary>Counts what a run that began with this one would do.</summary>
    private async Task CountAsync(MesuresDbContext db, RetentionRun run, CancellationToken ct)
    {
        foreach (var rule in s_rules)
        {
            await using var command = rule == DueMesures.Intake
                ? Command(db, $"select count(*), min(i.decided_at), 0::bigint {DueMesures.Unknown}", run, rule)
                : Command(db, $"select count(*), min(d.since), count(*) filter (where {DueMesures.Held}) from ({DueMesures.Of(rule)}) d", run, rule);
            long due, held;
            DateTimeOffset? oldest;
            await using (var reader = await command.ExecuteReaderAsync(ct))
            {
                await reader.ReadAsync(ct);
                (due, oldest, held) = (reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1), reader.GetInt64(2));
            }

            var count = await CountOfAsync(db, run, rule, oldest, ct);
            (count.Due, count.Held, count.Erased) = (due, held, due - held);
        }
    }

    private async Task FinishAsync(MesuresDbContext db, RetentionRun run, CancellationToken ct)
    {
        await using (var stale = Command(db, DueMesures.Stale, run, DueMesures.Content))
        {
            run.Stale = (long)(await stale.ExecuteScalarAsync(ct))!;
        }

        run.FinishedAt = clock.GetStoredNow();
        logger.LogInformation("Retention run {RunId} is done, dry: {DryRun}", run.Id, run.DryRun);
    }

    private static async Task<RetentionCount> CountOfAsync(MesuresDbContext db, RetentionRun run, string rule, DateTimeOffset? since, CancellationToken ct)
    {
        var count = await db.RetentionCounts.SingleOrDefaultAsync(c => c.RunId == run.Id && c.Rule == rule, ct);
        if (count is null)
        {
            count = new RetentionCount { RunId = run.Id, Rule = rule };
            db.RetentionCounts.Add(count);
        }

        count.OldestAt = count.OldestAt is { } known && !(since < known) ? known : since;
        return count;
    }

    private NpgsqlCommand Command(MesuresDbContext db, string sql, RetentionRun run, string rule)
    {
        var command = ((NpgsqlConnection)db.Database.GetDbConnection()).CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 600;
        command.Parameters.AddWithValue("cutoff", CutOff(run, rule));
        command.Parameters.AddWithValue("today", run.StartedAt.DayInParis());
        return command;
    }

    private static async Task<(long Count, DateTimeOffset? Oldest)> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return (reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1));
    }

    private readonly record struct Due(Guid Id, DateTimeOffset Since, bool Held);
}
