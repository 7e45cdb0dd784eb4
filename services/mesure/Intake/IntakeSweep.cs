using System.Diagnostics;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Intake;

/// <summary>
/// Decides what was held for too long, and tells of software that has fallen silent. Any replica may do it: what was decided or
/// told stands in the same transaction as the event, so that nothing is told twice and nothing is lost.
/// </summary>
internal sealed class IntakeSweep(
    NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal outbox, IOptions<IntakeOptions> options, TimeProvider clock, ILogger<IntakeSweep> logger)
    : BackgroundService
{
    private const int Portion = 500;

    /// <summary>Looks after everything that is due now.</summary>
    /// <returns>Items decided and silences told.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var done = await WhileDueAsync(AnyHeldAsync, ReleaseAsync, ct) + await WhileDueAsync(AnySilentAsync, TellAsync, ct);
        await using var count = source.CreateCommand("select count(*) from intake_sources where silence_told");
        IntakeMetrics.Silent((long)(await count.ExecuteScalarAsync(ct))!);
        return done;
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        clock.RepeatAsync(options.Value.SweepEvery, SweepAsync, logger, "the intake could not be swept", stoppingToken);

    private Task<bool> AnyHeldAsync(CancellationToken ct) =>
        source.AnyAsync("select from intake_items where result = 'HELD' and received_at <= $1", [clock.GetStoredNow() - options.Value.HoldFor], ct);

    private Task<bool> AnySilentAsync(CancellationToken ct) =>
        source.AnyAsync("select from intake_sources where not silence_told and silent_after < $1", [clock.TodayInParis()], ct);

    private async Task<int> WhileDueAsync(Func<CancellationToken, Task<bool>> any, Func<MesuresDbContext, CancellationToken, Task<int>> sweep, CancellationToken ct)
    {
        var total = 0;
        var done = Portion;
        while (done >= Portion && await any(ct))
        {
            done = await InTransactionAsync(sweep, ct);
            total += done;
        }

        return total;
    }

    private async Task<int> InTransactionAsync(Func<MesuresDbContext, CancellationToken, Task<int>> sweep, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);

        // One sweep at a time over all replicas; the lock ends with its transaction, whatever happens to the process.
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended('mesure:intake', 0))", ct);
        var done = await sweep(db, ct);
        if (done > 0)
        {
            db.JournalOwnWork("intake");
            await db.SaveChangesAsync(ct);
            await transaction.CommitAsync(CancellationToken.None);
            outbox.Notify();
        }

        return done;
    }

    private async Task<int> ReleaseAsync(MesuresDbContext db, CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        var before = now - options.Value.HoldFor;
        var due = await db.IntakeItems.AsNoTracking().Where(i => i.Result == IntakeResult.Held && i.ReceivedAt <= before)
            .OrderBy(i => i.ReceivedAt).Take(Portion).Select(i => new { MesureId = i.MesureId!.Value, i.SourceSystem }).ToListAsync(ct);
        return due.Count == 0 ? 0 : await new IntakeBatch(db, scopes, options.Value.Limits, now).ReleaseAsync([.. due.Select(d => (d.MesureId, d.SourceSystem)).Distinct()], ct);
    }

    // Only software that has open mesures to speak of can be silent.
    private async Task<int> TellAsync(MesuresDbContext db, CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        var today = clock.TodayInParis();
        var silent = await db.IntakeSources.FromSql($"""
            select s.* from intake_sources s
            where not s.silence_told and s.silent_after < {today} and exists (
                select from mesures m join intake_sequences q on q.mesure_id = m.id and q.source_system = s.source_system
                where m.gestionnaire_id = s.gestionnaire_id and m.state <> 'CLOTUREE')
            order by s.gestionnaire_id, s.source_system limit {Portion} for update of s
            """).ToListAsync(ct);
        foreach (var source in silent.Where(s => s.FallsSilent(today)))
        {
            source.Tell();
            db.Publish(new SourceSilent
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = StableIds.For($"intake-source:{source.GestionnaireId}:{source.SourceSystem}"),
                AggregateVersion = source.Silences,
                OccurredAt = now,
                RecordedAt = now,
                CorrelationId = Activity.Current?.TraceId.ToString(),
                GestionnaireId = source.GestionnaireId,
                SourceSystem = source.SourceSystem,
                LastDay = source.LastDay,
                UsualDays = source.UsualDays,
            });
        }

        return silent.Count;
    }
}
