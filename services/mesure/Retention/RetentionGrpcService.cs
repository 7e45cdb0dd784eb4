using System.Text.RegularExpressions;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Mesures;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Retention;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Proto = Jafer.Contracts.Mesure.V1;

namespace Jafer.Mesures.Retention;

/// <summary>The gRPC face of retention: its rules, its runs, what it would erase, and what it must leave.</summary>
internal sealed partial class RetentionGrpcService(
    MesuresDbContext db, Commands<MesuresDbContext> commands, MesureActs acts, PageTokens tokens, RetentionTable table, RetentionSignal worker, TimeProvider clock)
    : RetentionService.RetentionServiceBase
{
    private const int MaxReference = 40;
    private const string OfTerritory = " and exists (select from mesures m where m.id = d.id and (m.espace_id = any(@espaces) or m.juridiction_id = any(@courts)))";

    public override Task<ListRetentionRulesResponse> ListRetentionRules(ListRetentionRulesRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 100, 100);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var skip = tokens.Read<RuleCursor>(request.PageToken, binding)?.Count ?? 0;
        var response = new ListRetentionRulesResponse();
        response.Rules.AddRange(table.Rules.Skip(skip).Take(size).Select(r => new Proto.RetentionRule
        {
            Code = r.Code,
            What = r.What,
            After = r.After,
            Keep = r.Keep.ToString(),
            How = r.How,
            Source = r.Source,
        }));
        if (table.Rules.Count > skip + size)
        {
            response.NextPageToken = tokens.Protect(new RuleCursor(skip + size), binding);
        }

        return Task.FromResult(response);
    }

    public override async Task<StartRetentionRunResponse> StartRetentionRun(StartRetentionRunRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        var now = clock.GetStoredNow();
        var run = new RetentionRun { Id = Guid.CreateVersion7(now), DryRun = request.DryRun, StartedAt = now, Rule = RetentionSweep.FirstRule };
        var response = await commands.RunAsync(context, request, requestId, _ =>
        {
            db.RetentionRuns.Add(run);
            return Task.FromResult(new StartRetentionRunResponse { Run = ToProto(run, []) });
        }, _ => $"retention-runs/{run.Id}");
        worker.Notify();
        return response;
    }

    public override async Task<GetRetentionRunResponse> GetRetentionRun(GetRetentionRunRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var id = check.Uuid("run_id", request.RunId);
        check.ThrowIfAny();
        var run = await db.RetentionRuns.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, context.CancellationToken) ?? throw DomainError.NotFound($"retention-runs/{id}");
        return new GetRetentionRunResponse { Run = (await ToProtoAsync([run], context.CancellationToken))[0] };
    }

    public override async Task<ListRetentionRunsResponse> ListRetentionRuns(ListRetentionRunsRequest request, ServerCallContext context)
    {
        var check = new FieldChecks();
        var size = check.PageSize(request.PageSize, 50, 200);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var runs = db.RetentionRuns.AsNoTracking();
        if (tokens.Read<Cursor>(request.PageToken, binding) is { } cursor)
        {
            runs = runs.Where(r => r.Id < cursor.Id);
        }

        // The ids are of version 7: the latest is the greatest.
        var page = await runs.OrderByDescending(r => r.Id).Take(size + 1).ToListAsync(context.CancellationToken);
        var response = new ListRetentionRunsResponse();
        response.Runs.AddRange(await ToProtoAsync([.. page.Take(size)], context.CancellationToken));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        }

        return response;
    }

    public override async Task<ListRetentionCandidatesResponse> ListRetentionCandidates(ListRetentionCandidatesRequest request, ServerCallContext context)
    {
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        check.That(request.Rule is DueMesures.Files or DueMesures.Content, "rule", "must be MESURE_FILES or MESURE_CONTENT");
        var size = check.PageSize(request.PageSize, 100, 500);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(context.Caller().OrganisationId, request);
        var after = tokens.Read<Cursor>(request.PageToken, binding)?.Id ?? Guid.Empty;
        var now = clock.GetStoredNow();
        var territory = context.Caller().Territory;
        var page = new List<RetentionCandidate>();
        await db.Database.OpenConnectionAsync(ct);
        await using (var command = ((NpgsqlConnection)db.Database.GetDbConnection()).CreateCommand())
        {
            command.CommandText = $"select d.id, d.since, {DueMesures.Held} from ({DueMesures.Of(request.Rule)}) d where d.id > @after{(territory is null ? "" : OfTerritory)} order by d.id limit @size";
            command.Parameters.AddWithValue("cutoff", table[request.Rule].Keep.Before(now));
            command.Parameters.AddWithValue("today", clock.TodayInParis());
            command.Parameters.AddWithValue("after", after);
            if (territory is not null)
            {
                command.Parameters.AddWithValue("espaces", territory.EspaceIds.ToArray());
                command.Parameters.AddWithValue("courts", territory.OrganisationIds.ToArray());
            }

            command.Parameters.AddWithValue("size", size + 1);
            await using var reader = await command.ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct))
            {
                page.Add(new RetentionCandidate { MesureId = reader.GetGuid(0).ToString(), SinceTime = reader.GetFieldValue<DateTimeOffset>(1).ToProto(), Held = reader.GetBoolean(2) });
            }
        }

        var response = new ListRetentionCandidatesResponse();
        response.Candidates.AddRange(page.Take(size));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(Guid.ParseExact(page[size - 1].MesureId, "D")), binding);
        }

        return response;
    }

    public override Task<SetLegalHoldResponse> SetLegalHold(SetLegalHoldRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var reason = check.Known("reason", request.Reason);
        var reference = check.Text("reference", request.Reference, MaxReference, required: true);
        check.That(reference.Length == 0 || FileNumber().IsMatch(reference), "reference", "must be the number of a file: capitals, digits, spaces and . / -, with a digit");
        var until = check.OptionalDate("until_date", request.UntilDate);
        check.That(until is null || until >= clock.TodayInParis(), "until_date", "must not lie in the past");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            var mesure = await LockAsync(mesureId, caller, ct);
            mesure.RequireContent();
            var hold = new LegalHold
            {
                Id = Guid.CreateVersion7(now),
                MesureId = mesureId,
                Reason = reason,
                Reference = reference,
                UntilDate = until,
                OrganisationId = caller.OrganisationId,
                CreatedAt = now,
            };
            db.LegalHolds.Add(hold);
            return new SetLegalHoldResponse { Hold = ToProto(hold) };
        }, _ => $"mesures/{mesureId}");
    }

    public override Task<LiftLegalHoldResponse> LiftLegalHold(LiftLegalHoldRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var now = clock.GetStoredNow();
        var check = new FieldChecks();
        var mesureId = check.Uuid("mesure_id", request.MesureId);
        var holdId = check.Uuid("hold_id", request.HoldId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(context, request, requestId, async ct =>
        {
            await LockAsync(mesureId, caller, ct);
            var hold = await db.LegalHolds.SingleOrDefaultAsync(h => h.Id == holdId && h.MesureId == mesureId, ct)
                ?? throw DomainError.Invalid("hold_id", "is no hold of the mesure");
            if (hold.OrganisationId != caller.OrganisationId)
            {
                throw DomainError.StateForbids("HELD", "LIFT_LEGAL_HOLD", "whoever placed it lifts it");
            }

            hold.LiftedAt ??= now;
            return new LiftLegalHoldResponse { Hold = ToProto(hold) };
        }, _ => $"mesures/{mesureId}");
    }

    public override async Task<ListLegalHoldsResponse> ListLegalHolds(ListLegalHoldsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var mesureId = check.OptionalUuid("mesure_id", request.MesureId);
        var size = check.PageSize(request.PageSize, 50, 200);
        check.ThrowIfAny();
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var holds = db.LegalHolds.AsNoTracking();
        if (caller.Tenancy == Tenancy.Own)
        {
            holds = holds.Where(h => db.Mesures.Any(m => m.Id == h.MesureId && m.JuridictionId == caller.OrganisationId));
        }
        else if (caller.Territory is { } territory)
        {
            var lying = db.Mesures.LyingIn(territory);
            holds = holds.Where(h => lying.Any(m => m.Id == h.MesureId));
        }

        if (mesureId is { } id)
        {
            holds = holds.Where(h => h.MesureId == id);
        }

        if (!request.IncludeEnded)
        {
            var today = clock.TodayInParis();
            holds = holds.Where(h => h.LiftedAt == null && (h.UntilDate == null || h.UntilDate >= today));
        }

        if (tokens.Read<Cursor>(request.PageToken, binding) is { } cursor)
        {
            holds = holds.Where(h => h.Id < cursor.Id);
        }

        var page = await holds.OrderByDescending(h => h.Id).Take(size + 1).ToListAsync(ct);
        var response = new ListLegalHoldsResponse();
        response.Holds.AddRange(page.Take(size).Select(ToProto));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        }

        return response;
    }

    /// <summary>
    /// The mesure, locked until the hold is written, so that no run erases it meanwhile. A court has its own, an operator those of its territory; who
    /// may touch all learns whether there is one.
    /// </summary>
    private async Task<Domain.Mesure> LockAsync(Guid mesureId, Caller caller, CancellationToken ct)
    {
        if (caller.Tenancy != Tenancy.Any)
        {
            await acts.LoadAsync(mesureId, caller, ct);
            db.Forget();
        }

        await db.Database.BeginTransactionAsync(ct);
        await db.Database.ExecuteSqlAsync($"select from mesures where id = {mesureId} for update", ct);
        return await db.Mesures.AsNoTracking().SingleOrDefaultAsync(m => m.Id == mesureId, ct)
            ?? throw DomainError.NotFound($"mesures/{mesureId}");
    }

    private async Task<List<Proto.RetentionRun>> ToProtoAsync(IReadOnlyList<RetentionRun> runs, CancellationToken ct)
    {
        var ids = runs.Select(r => r.Id).ToArray();
        var counts = (await db.RetentionCounts.AsNoTracking().Where(c => ids.Contains(c.RunId)).ToListAsync(ct)).ToLookup(c => c.RunId);
        return [.. runs.Select(r => ToProto(r, counts[r.Id]))];
    }

    private Proto.RetentionRun ToProto(RetentionRun run, IEnumerable<RetentionCount> counts)
    {
        var proto = new Proto.RetentionRun
        {
            RunId = run.Id.ToString(),
            DryRun = run.DryRun,
            StartTime = run.StartedAt.ToProto(),
            EndTime = run.FinishedAt.ToProto(),
            Nightly = run.Night is not null,
            StaleCount = run.Stale,
        };
        var order = table.Rules.Select(r => r.Code).ToList();
        proto.Counts.AddRange(counts.OrderBy(c => order.IndexOf(c.Rule)).Select(c => new Proto.RetentionCount
        {
            Rule = c.Rule,
            DueCount = c.Due,
            ErasedCount = c.Erased,
            HeldCount = c.Held,
            FailedCount = c.Failed,
            OldestTime = c.OldestAt.ToProto(),
        }));
        return proto;
    }

    private static Proto.LegalHold ToProto(LegalHold hold) => new()
    {
        HoldId = hold.Id.ToString(),
        MesureId = hold.MesureId.ToString(),
        Reason = hold.Reason,
        Reference = hold.Reference,
        UntilDate = hold.UntilDate.ToProto(),
        OrganisationId = hold.OrganisationId.ToString(),
        CreateTime = hold.CreatedAt.ToProto(),
        LiftTime = hold.LiftedAt.ToProto(),
    };

    [GeneratedRegex("^(?=.*[0-9])[A-Z0-9][A-Z0-9 ./-]*$")]
    private static partial Regex FileNumber();

    private sealed record Cursor(Guid Id);

    private sealed record RuleCursor(int Count);
}
