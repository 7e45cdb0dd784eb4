using System.Diagnostics;
using System.Diagnostics.Metrics;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Jafer.Mesures.Intake;

/// <summary>
/// Decides what was held for too long, and tells of software that has fallen silent. Any replica may do it: what was decided or
/// told stands in the same transaction as the event, so that nothing is told twice and nothing is lost.
/// </summary>
internal sealed class IntakeSweep : BackgroundService
{
    private const int Portion = 500;

    private readonly NpgsqlDataSource _source;
    private readonly IServiceScopeFactory _scopes;
    private readonly OutboxSignal _outbox;
    private readonly IOptions<IntakeOptions> _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<IntakeSweep> _logger;
    private readonly Meter _meter = new(JaferMetrics.Name);
    private long _silent;

    public IntakeSweep(
        NpgsqlDataSource source, IServiceScopeFactory scopes, OutboxSignal outbox, IOptions<IntakeOptions> options, TimeProvider clock, ILogger<IntakeSweep> logger)
    {
        (_source, _scopes, _outbox, _options, _clock, _logger) = (source, scopes, outbox, options, clock, logger);
        _meter.CreateObservableGauge("jafer.intake.silent_sources", () => Volatile.Read(ref _silent), "{source}", "Software that reports no more, as told");
    }

    /// <summary>Looks after everything that is due now.</summary>
    /// <returns>Items decided and silences told.</returns>
    public async Task<int> SweepAsync(CancellationToken ct)
    {
        var done = await WhileDueAsync(AnyHeldAsync, ReleaseAsync, ct) + await WhileDueAsync(AnySilentAsync, TellAsync, ct);
        await using var count = _source.CreateCommand("select count(*) from intake_sources where silence_told");
        Volatile.Write(ref _silent, (long)(await count.ExecuteScalarAsync(ct))!);
        return done;
    }

    public override void Dispose()
    {
        _meter.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _clock.RepeatAsync(_options.Value.SweepEvery, SweepAsync, _logger, "the intake could not be swept", stoppingToken);

    private Task<bool> AnyHeldAsync(CancellationToken ct) =>
        _source.AnyAsync("select from intake_items where result = 'HELD' and received_at <= $1", [_clock.GetStoredNow() - _options.Value.HoldFor], ct);

    private Task<bool> AnySilentAsync(CancellationToken ct) =>
        _source.AnyAsync("select from intake_sources where not silence_told and silent_after < $1", [_clock.TodayInParis()], ct);

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
        await using var scope = _scopes.CreateAsyncScope();
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
            _outbox.Notify();
        }

        return done;
    }

    private async Task<int> ReleaseAsync(MesuresDbContext db, CancellationToken ct)
    {
        var now = _clock.GetStoredNow();
        var before = now - _options.Value.HoldFor;
        var due = await db.IntakeItems.AsNoTracking().Where(i => i.Result == IntakeResult.Held && i.ReceivedAt <= before)
            .OrderBy(i => i.ReceivedAt).Take(Portion).Select(i => new { MesureId = i.MesureId!.Value, i.SourceSystem }).ToListAsync(ct);
        return due.Count == 0 ? 0 : await new IntakeBatch(db, _scopes, _options.Value.Limits, now).ReleaseAsync([.. due.Select(d => (d.MesureId, d.SourceSystem)).Distinct()], ct);
    }

    // Only software that has open mesures to speak of can be silent.
    private async Task<int> TellAsync(MesuresDbContext db, CancellationToken ct)
    {
        var now = _clock.GetStoredNow();
        var today = _clock.TodayInParis();
        var silent = await db.IntakeSources.FromSql($"""
            select s.* from intake_sources s
            where not s.silence_told and s.silent_after < {today} and exists (
                select from mesures m join intake_sequences q on q.mesure_id = m.id and q.source_system = s.source_system
                where m.gestionnaire_id = s.gestionnaire_id and m.state <> 'CLOTUREE')
            order by s.gestionnaire_id, s.source_system limit {Portion} for update of s
            """).ToListAsync(ct);
        foreach (var fallen in silent.Where(s => s.FallsSilent(today)))
        {
            fallen.Tell();
            db.Publish(new SourceSilent
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = StableIds.For($"intake-source:{fallen.GestionnaireId}:{fallen.SourceSystem}"),
                AggregateVersion = fallen.Silences,
                OccurredAt = now,
                RecordedAt = now,
                CorrelationId = Activity.Current?.TraceId.ToString(),
                GestionnaireId = fallen.GestionnaireId,
                SourceSystem = fallen.SourceSystem,
                LastDay = fallen.LastDay,
                UsualDays = fallen.UsualDays,
            });
        }

        return silent.Count;
    }
}
