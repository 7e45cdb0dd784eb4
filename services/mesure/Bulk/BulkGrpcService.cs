using System.Linq.Expressions;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Bulk;

/// <summary>The gRPC face of acts on many mesures.</summary>
internal sealed class BulkGrpcService(MesuresDbContext db, Commands<MesuresDbContext> commands, PageTokens tokens, BulkSignal worker, TimeProvider clock)
    : BulkService.BulkServiceBase
{
    private const int MaxCourts = 200;

    public override async Task<ProrogueMesuresResponse> ProrogueMesures(ProrogueMesuresRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var act = LegalAct(check, request.LegalAct, required: true);
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var courts = request.JuridictionIds.Select((id, i) => check.Uuid(MesureChecks.Index("juridiction_ids", i), id)).Distinct().ToArray();
        check.That(request.EspaceId.Length > 0 != request.JuridictionIds.Count > 0, "espace_id", "either an espace or courts must be named");
        check.That(request.JuridictionIds.Count <= MaxCourts, "juridiction_ids", "must be at most 200");
        var months = check.Range("months", request.Months, 1, 24);
        return await StartAsync(
            context, request, check, request.RequestId, BulkJobKind.Prorogation, act, espaceId, courts, months, null,
            m => m.Nature == MesureNature.Judiciaire && m.Status.TransmittedAt != null && (m.EspaceId == espaceId || courts.Contains(m.JuridictionId!.Value)),
            j => new ProrogueMesuresResponse { Job = j });
    }

    public override async Task<CloseEspaceResponse> CloseEspace(CloseEspaceRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var espaceId = check.Uuid("espace_id", request.EspaceId);
        var closing = check.Date("closing_date", request.ClosingDate);
        var act = LegalAct(check, request.LegalAct, required: false);
        return await StartAsync(
            context, request, check, request.RequestId, BulkJobKind.Fermeture, act, espaceId, [], 0, closing,
            m => m.EspaceId == espaceId, j => new CloseEspaceResponse { Job = j });
    }

    public override async Task<StopBulkJobResponse> StopBulkJob(StopBulkJobRequest request, ServerCallContext context) =>
        await TurnAsync(context, request, request.JobId, request.RequestId, BulkJobState.Running, BulkJobState.Stopped, "STOP_BULK_JOB", j => new StopBulkJobResponse { Job = j });

    public override async Task<ResumeBulkJobResponse> ResumeBulkJob(ResumeBulkJobRequest request, ServerCallContext context)
    {
        var response = await TurnAsync(
            context, request, request.JobId, request.RequestId, BulkJobState.Stopped, BulkJobState.Running, "RESUME_BULK_JOB", j => new ResumeBulkJobResponse { Job = j });
        worker.Notify();
        return response;
    }

    public override async Task<GetBulkJobResponse> GetBulkJob(GetBulkJobRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("job_id", request.JobId);
        check.ThrowIfAny();
        var ct = context.CancellationToken;
        var job = await db.BulkJobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, ct) ?? throw NotFound(id);
        return new GetBulkJobResponse { Job = (await ToProtoAsync([job], ct))[0] };
    }

    public override async Task<ListBulkJobsResponse> ListBulkJobs(ListBulkJobsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 50, 200);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var jobs = db.BulkJobs.AsNoTracking();
        if (tokens.Read<Cursor>(request.PageToken, binding) is { } cursor)
        {
            jobs = jobs.Where(j => j.Id < cursor.Id);
        }

        // The ids are of version 7: the latest is the greatest.
        var page = await jobs.OrderByDescending(j => j.Id).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListBulkJobsResponse();
        response.Jobs.AddRange(await ToProtoAsync([.. page.Take(size)], context.CancellationToken));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        }

        return response;
    }

    public override async Task<ListBulkItemsResponse> ListBulkItems(ListBulkItemsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var jobId = check.Uuid("job_id", request.JobId);
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(request.PageToken, binding);
        var named = caller.Tenancy == Tenancy.Own;
        if (!named && !await db.BulkJobs.AnyAsync(j => j.Id == jobId, ct))
        {
            throw NotFound(jobId);
        }

        var items = db.BulkItems.AsNoTracking().Where(i => i.JobId == jobId).Join(db.Mesures, i => i.MesureId, m => m.Id, (item, mesure) => new { item, mesure });
        if (named)
        {
            items = items.Where(x => x.mesure.JuridictionId == caller.OrganisationId);
        }

        // A name stands in no token, and the database cannot sort by it: the page goes on after the mesure that was last, wherever its name stands.
        var rows = items.Select(x => new { x.item.MesureId, x.item.State, x.item.Reason, x.mesure.Reference, x.mesure.JuridictionId, x.mesure.Decision.JudgeName });
        if (!named && cursor is not null && await db.Mesures.AsNoTracking().SingleOrDefaultAsync(m => m.Id == cursor.Id, ct) is { } last)
        {
            var court = last.JuridictionId ?? Guid.Empty;
            rows = rows.Where(x => (x.JuridictionId ?? Guid.Empty) > court || ((x.JuridictionId ?? Guid.Empty) == court && x.MesureId > last.Id));
        }

        var page = named
            ? (await rows.ToListAsync(ct)).OrderBy(x => x.JudgeName, StringComparer.Ordinal).ThenBy(x => x.MesureId).ToList()
            : await rows.OrderBy(x => x.JuridictionId ?? Guid.Empty).ThenBy(x => x.MesureId).Take(size + 1).ToListAsync(ct);
        if (named)
        {
            page = [.. page.Skip(cursor is null ? 0 : page.FindIndex(x => x.MesureId == cursor.Id) + 1).Take(size + 1)];
        }

        var response = new ListBulkItemsResponse();
        response.Items.AddRange(page.Take(size).Select(x => new Proto.BulkItem
        {
            MesureId = x.MesureId.ToString(),
            Reference = x.Reference,
            JuridictionId = x.JuridictionId?.ToString() ?? "",
            JudgeName = named ? x.JudgeName : "",
            State = x.State,
            Reason = x.Reason,
        }));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].MesureId), binding);
        }

        return response;
    }

    private (LegalActKind Kind, string Reference, DateOnly? Date) LegalAct(FieldChecks check, LegalAct? act, bool required)
    {
        if (act is null)
        {
            check.That(!required, "legal_act", "is required");
            return (LegalActKind.Unspecified, "", null);
        }

        var date = check.Date("legal_act.act_date", act.ActDate);
        check.That(date <= clock.TodayInParis(), "legal_act.act_date", "must not lie in the future");
        return (check.Known("legal_act.kind", act.Kind), check.Text("legal_act.reference", act.Reference, 200, required: true), date);
    }

    private async Task<TResponse> StartAsync<TResponse>(
        ServerCallContext context, Google.Protobuf.IMessage request, FieldChecks check, string givenRequestId, BulkJobKind kind,
        (LegalActKind Kind, string Reference, DateOnly? Date) act, Guid? espaceId, Guid[] courts, int months, DateOnly? closing,
        Expression<Func<Domain.Mesure, bool>> concerned, Func<Proto.BulkJob, TResponse> respond)
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var requestId = check.RequestId(givenRequestId);
        check.ThrowIfAny();
        var job = new BulkJob
        {
            Id = Guid.CreateVersion7(now),
            Kind = kind,
            LegalActKind = act.Kind,
            LegalActReference = act.Reference,
            LegalActDate = act.Date,
            EspaceId = espaceId,
            JuridictionIds = courts,
            Months = months,
            ClosingDate = closing,
            OrganisationId = caller.OrganisationId,
            Subject = caller.Subject,
            CreatedAt = now,
        };
        var response = await commands.RunAsync(context, request, requestId, async ct =>
        {
            var mesures = await db.Mesures.Where(m => m.Status.State != MesureState.Cloturee).Where(concerned).Select(m => m.Id).ToListAsync(ct);
            db.BulkJobs.Add(job);
            db.BulkItems.AddRange(mesures.Select(id => new BulkItem { JobId = job.Id, MesureId = id }));
            return respond(ToProto(job, new Counts(job.Id, mesures.Count, 0, 0)));
        }, _ => $"bulk-jobs/{job.Id}");
        worker.Notify();
        return response;
    }

    private Task<TResponse> TurnAsync<TResponse>(
        ServerCallContext context, Google.Protobuf.IMessage request, string jobId, string givenRequestId, BulkJobState from, BulkJobState to, string act,
        Func<Proto.BulkJob, TResponse> respond)
        where TResponse : class, Google.Protobuf.IMessage<TResponse>, new()
    {
        var check = new FieldChecks();
        var id = check.Uuid("job_id", jobId);
        var requestId = check.RequestId(givenRequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            // The worker ends jobs by the same condition: whoever comes second sees what the first did.
            await db.Database.BeginTransactionAsync(ct);
            var turned = await db.BulkJobs.Where(j => j.Id == id && j.State == from).ExecuteUpdateAsync(set => set.SetProperty(j => j.State, to), ct);
            var job = await db.BulkJobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, ct) ?? throw NotFound(id);
            return turned == 1
                ? respond((await ToProtoAsync([job], ct))[0])
                : throw DomainError.StateForbids(job.State.ToCode(), act);
        }, _ => $"bulk-jobs/{id}");
    }

    private async Task<List<Proto.BulkJob>> ToProtoAsync(IReadOnlyList<BulkJob> jobs, CancellationToken ct)
    {
        var ids = jobs.Select(j => j.Id).ToArray();
        var counts = await db.BulkItems.Where(i => ids.Contains(i.JobId)).GroupBy(i => i.JobId)
            .Select(g => new Counts(g.Key, g.Count(), g.Count(i => i.State == BulkItemState.Done), g.Count(i => i.State == BulkItemState.Refused)))
            .ToDictionaryAsync(c => c.JobId, ct);
        return [.. jobs.Select(j => ToProto(j, counts.GetValueOrDefault(j.Id, new Counts(j.Id, 0, 0, 0))))];
    }

    private static Proto.BulkJob ToProto(BulkJob job, Counts counts)
    {
        var proto = new Proto.BulkJob
        {
            JobId = job.Id.ToString(),
            Kind = job.Kind,
            State = job.State,
            EspaceId = job.EspaceId?.ToString() ?? "",
            Months = job.Months,
            ClosingDate = job.ClosingDate.ToProto(),
            TotalCount = counts.Total,
            DoneCount = counts.Done,
            RefusedCount = counts.Refused,
            CreateTime = job.CreatedAt.ToProto(),
            EndTime = job.EndedAt.ToProto(),
        };
        proto.JuridictionIds.AddRange(job.JuridictionIds.Select(id => id.ToString()));
        if (job.LegalActDate is { } date)
        {
            proto.LegalAct = new LegalAct { Kind = job.LegalActKind, Reference = job.LegalActReference, ActDate = date.ToProto() };
        }

        return proto;
    }

    private static DomainError NotFound(Guid jobId) => DomainError.NotFound($"bulk-jobs/{jobId}");

    private sealed record Counts(Guid JobId, int Total, int Done, int Refused);

    private sealed record Cursor(Guid Id);
}
