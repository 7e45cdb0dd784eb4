using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;
using Mesure = Jafer.Mesures.Domain.Mesure;

namespace Jafer.Mesures.Mesures;

/// <summary>What waits for whom, the most urgent first.</summary>
internal sealed class WorklistGrpcService(MesuresDbContext db, PageTokens tokens, TimeProvider clock) : WorklistService.WorklistServiceBase
{
    public override async Task<GetWorklistsResponse> GetWorklists(GetWorklistsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        check.ThrowIfAny();
        var now = clock.GetUtcNow();
        var mesures = Seen(caller, espaceId);
        var response = new GetWorklistsResponse();
        foreach (var worklist in Worklists.Of(caller.Role))
        {
            var figures = await Worklists.Filter(db, mesures, worklist, clock)
                .Select(m => new { m.Status.HolderSince, m.NextDueAt })
                .GroupBy(_ => 1)
                .Select(g => new { Count = g.Count(), Overdue = g.Count(m => m.NextDueAt <= now), Oldest = g.Min(m => m.HolderSince), Next = g.Min(m => m.NextDueAt) })
                .SingleOrDefaultAsync(context.CancellationToken);
            response.Worklists.Add(figures is null ? new WorklistSummary { Worklist = worklist } : new WorklistSummary
            {
                Worklist = worklist,
                Count = figures.Count,
                OverdueCount = figures.Overdue,
                OldestSinceTime = figures.Oldest.ToProto(),
                NextDeadlineTime = figures.Next == DeadlineTable.Never ? null : figures.Next.ToProto(),
            });
        }

        return response;
    }

    public override async Task<ListWorkItemsResponse> ListWorkItems(ListWorkItemsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var ct = context.CancellationToken;
        var check = new FieldChecks();
        var worklist = check.KnownOrUnspecified("worklist", request.Worklist);
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var noVisitAfter = request.NoVisitAfterDays == 0 ? Worklists.NoVisitAfterDays : check.Range("no_visit_after_days", request.NoVisitAfterDays, 1, 3650);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var seen = Seen(caller, espaceId);
        var mesures = Worklists.Filter(db, worklist == Worklist.Unspecified ? Worklists.Open(seen) : seen, worklist, clock, noVisitAfter);
        if (cursor is not null)
        {
            mesures = mesures.Where(m => EF.Functions.GreaterThan(
                ValueTuple.Create(m.NextDueAt, m.Status.HolderSince, m.Id), ValueTuple.Create(cursor.NextDueAt, cursor.HolderSince, cursor.Id)));
        }

        var page = await mesures.AsNoTracking().OrderBy(m => m.NextDueAt).ThenBy(m => m.Status.HolderSince).ThenBy(m => m.Id).Take(size + 1).ToListAsync(ct);
        var shown = page.Take(size).ToList();
        var ids = shown.Select(m => m.Id).ToArray();
        var next = (await db.Deadlines.AsNoTracking().Where(d => ids.Contains(d.MesureId)).ToListAsync(ct))
            .GroupBy(d => d.MesureId).ToDictionary(g => g.Key, g => g.OrderBy(d => d.DueAt).ThenBy(d => d.Kind).First());
        var response = new ListWorkItemsResponse();
        response.Items.AddRange(shown.Select(m => ToItem(m, next.GetValueOrDefault(m.Id))));
        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new Cursor(shown[^1].NextDueAt, shown[^1].Status.HolderSince, shown[^1].Id), binding);
        }

        return response;
    }

    public override async Task<ListClosureProposalsResponse> ListClosureProposals(ListClosureProposalsRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var check = new FieldChecks();
        var espaceId = check.OptionalUuid("espace_id", request.EspaceId);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<ProposalCursor>(check, request.PageToken, binding);
        check.ThrowIfAny();

        var ct = context.CancellationToken;
        var now = clock.GetUtcNow();
        // A mesure that missed both is told once, by the earlier one.
        var stale = from mesure in Worklists.Open(Seen(caller, espaceId)).AsNoTracking()
                    where mesure.NextDueAt <= now
                    let since = db.Deadlines.Where(d => d.MesureId == mesure.Id && ClosureProposals.Kinds.Contains(d.Kind) && d.DueAt <= now).Min(d => (DateTimeOffset?)d.DueAt)
                    where since != null
                    select new { Mesure = mesure, Since = since.Value };
        if (cursor is not null)
        {
            stale = stale.Where(s => s.Since > cursor.Since || (s.Since == cursor.Since && s.Mesure.Id > cursor.Id));
        }

        var page = await stale.OrderBy(s => s.Since).ThenBy(s => s.Mesure.Id).Take(size + 1).ToListAsync(ct);
        var shown = page.Take(size).ToList();
        var ids = shown.Select(s => s.Mesure.Id).ToArray();
        var missed = (await db.Deadlines.AsNoTracking().Where(d => ids.Contains(d.MesureId) && ClosureProposals.Kinds.Contains(d.Kind)).ToListAsync(ct)).ToLookup(d => d.MesureId);
        var response = new ListClosureProposalsResponse();
        foreach (var (mesure, since) in shown.Select(s => (s.Mesure, s.Since)))
        {
            if (missed[mesure.Id].Where(d => d.DueAt == since).Select(d => ClosureProposals.Of(mesure, d.Kind, since)).FirstOrDefault(p => p is not null) is { } proposed)
            {
                response.Proposals.Add(new ClosureProposal { Mesure = mesure.ToSummary(), Reason = proposed.Reason, SinceTime = proposed.Since.ToProto() });
            }
        }

        if (page.Count > size)
        {
            response.NextPageToken = tokens.Protect(new ProposalCursor(shown[^1].Since, shown[^1].Mesure.Id), binding);
        }

        return response;
    }

    private IQueryable<Mesure> Seen(Caller caller, Guid? espaceId)
    {
        var mesures = caller.Tenancy == Tenancy.Own ? db.Mesures.HeldBy(caller) : db.Mesures.LyingIn(caller.Territory);
        return espaceId is { } id ? mesures.Where(m => m.EspaceId == id) : mesures;
    }

    private WorkItem ToItem(Mesure mesure, Domain.Deadline? next)
    {
        var now = clock.GetUtcNow();
        return new WorkItem
        {
            Mesure = mesure.ToSummary(),
            WaitingDays = Math.Max(0, (now - mesure.Status.HolderSince).Days),
            AgeDays = Math.Max(0, clock.TodayInParis().DayNumber - (mesure.Decision.Date ?? mesure.CreatedAt.DayInParis()).DayNumber),
            NextDeadline = next?.ToProto(),
        };
    }

    private sealed record ProposalCursor(DateTimeOffset Since, Guid Id);

    private sealed record Cursor(DateTimeOffset NextDueAt, DateTimeOffset HolderSince, Guid Id);
}
