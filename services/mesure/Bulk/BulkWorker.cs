using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Telemetry;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Jafer.Mesures.Bulk;

/// <summary>Tells the worker of this process that a job runs.</summary>
internal sealed class BulkSignal : WorkSignal;

/// <summary>
/// Does the jobs that run, a mesure for each transaction: the act, its events and the mark that it was done stand or fall together,
/// so that a job goes on where it was after a kill, and replicas share it.
/// </summary>
internal sealed class BulkWorker(
    NpgsqlDataSource source, IServiceScopeFactory scopes, BulkSignal hints, OutboxSignal outbox, TimeProvider clock, ILogger<BulkWorker> logger) : BackgroundService
{
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                while (await DoNextAsync(stoppingToken))
                {
                    outbox.Notify();
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning("A job on many mesures met a fault and goes on later: {Fault}", Redaction.Describe(e));
            }

            // A job that another replica began, or that was left behind, is found without a hint.
            await hints.WaitAsync(s_rest, clock, stoppingToken);
        }
    }

    /// <summary>Deals with one mesure of a running job; false when there is none to deal with.</summary>
    private async Task<bool> DoNextAsync(CancellationToken ct)
    {
        if (!await source.AnyAsync("select from bulk_jobs where state = 'RUNNING'", [], ct))
        {
            return false;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<MesuresDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var item = await db.BulkItems.FromSql($"""
            select i.* from bulk_items i join bulk_jobs j on j.id = i.job_id
            where i.state = 'PENDING' and j.state = 'RUNNING'
            order by i.job_id, i.mesure_id limit 1
            for update of i skip locked
            """).SingleOrDefaultAsync(ct);
        if (item is null)
        {
            // Another replica may hold the last ones: then it is the one that ends the job.
            var ended = await db.Database.ExecuteSqlAsync($"""
                update bulk_jobs j set state = 'DONE', ended_at = {clock.GetStoredNow()}
                where state = 'RUNNING' and not exists (select from bulk_items i where i.job_id = j.id and i.state = 'PENDING')
                """, ct);
            await transaction.CommitAsync(CancellationToken.None);
            return ended > 0;
        }

        var job = await db.BulkJobs.AsNoTracking().SingleAsync(j => j.Id == item.JobId, ct);
        var mesure = (await db.MesureAsync(item.MesureId, ct))!;
        try
        {
            await ActAsync(db, job, mesure, ct);
            scope.ServiceProvider.GetRequiredService<MesureActs>().Publish(mesure);
            db.JournalOwnWork("bulk job", job.Subject);
            item.State = BulkItemState.Done;
        }
        catch (DomainError refusal)
        {
            item.State = BulkItemState.Refused;
            item.Reason = refusal.Reason.ToCode();
        }

        // An act that came in between makes this fail as a whole, and the mesure is met again.
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(CancellationToken.None);
        return true;
    }

    private async Task ActAsync(MesuresDbContext db, BulkJob job, Domain.Mesure mesure, CancellationToken ct)
    {
        var now = clock.GetStoredNow();
        var acting = new Acting(job.OrganisationId, job.Subject, now, now);
        if (job.Kind == BulkJobKind.Fermeture)
        {
            if (await db.Difficulties.AnyAsync(d => d.MesureId == mesure.Id && d.Reason == DifficultyReason.EspaceFerme && d.AnsweredAt == null, ct))
            {
                throw DomainError.StateForbids(mesure.Status.State.ToCode(), MesureAct.ReportDifficulty.ToCode(), "its judge knows already");
            }

            db.Difficulties.Add(mesure.ReferClosingEspace(job.Id, acting));
            return;
        }

        // One act prorogues a mesure once, whoever asks twice: an espace and its ressort may both be named under it.
        if (await db.BulkJobs.AnyAsync(
            j => j.Kind == job.Kind && j.Id != job.Id && j.LegalActKind == job.LegalActKind && j.LegalActReference == job.LegalActReference && j.LegalActDate == job.LegalActDate
                && db.BulkItems.Any(i => i.JobId == j.Id && i.MesureId == mesure.Id && i.State == BulkItemState.Done), ct))
        {
            throw DomainError.StateForbids(mesure.Status.State.ToCode(), MesureAct.Modify.ToCode(), "the act has prorogued it already");
        }

        var before = await db.DecisionVersions.Where(v => v.MesureId == mesure.Id).ToListAsync(ct);
        var rencontres = await db.Rencontres.AsNoTracking().Where(r => r.MesureId == mesure.Id).OrderBy(r => r.StartsAt).ToListAsync(ct);
        db.DecisionVersions.AddRange(mesure.Prorogue(
            job.Months,
            job.LegalActDate!.Value,
            before,
            [.. rencontres.Where(r => r.Outcome == RencontreOutcome.Scheduled)],
            rencontres.Find(r => r.Outcome == RencontreOutcome.Held)?.Day,
            job.Id,
            acting));
    }
}
