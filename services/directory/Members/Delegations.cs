using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Members;

/// <summary>Ranks lent by one member to another between two dates.</summary>
internal sealed class Delegations(DirectoryDbContext db, Commands<DirectoryDbContext> commands, PageTokens tokens, TimeProvider clock)
{
    private sealed record Cursor(Guid Id);

    /// <summary>Ends a delegation at an instant; one that has not begun never does.</summary>
    /// <param name="delegation">The delegation, not ended.</param>
    /// <param name="now">The instant.</param>
    public static void End(DelegationRow delegation, DateTimeOffset now) => (delegation.EndsAt, delegation.Version) = (now, delegation.Version + 1);

    /// <summary>Delegates a rank.</summary>
    public Task<CreateDelegationResponse> CreateAsync(CreateDelegationRequest request, ServerCallContext call)
    {
        var caller = call.Caller();
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        var from = check.Uuid("from_member_id", request.FromMemberId);
        var to = check.Uuid("to_member_id", request.ToMemberId);
        check.That(from != to || from == Guid.Empty, "to_member_id", "must be another member");
        var start = check.Date("start_date", request.StartDate);
        var end = check.Date("end_date", request.EndDate);
        check.That(end >= start, "end_date", "must not lie before start_date");
        check.That(end < start.SameDayAfter(12), "end_date", "must lie less than a year after start_date");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, requestId, async ct =>
        {
            caller.Require(organisation);
            await db.BeginMemberWriteAsync(organisation, ct);
            var members = await db.Members.Where(m => m.OrganisationId == organisation && (m.Id == from || m.Id == to)).ToDictionaryAsync(m => m.Id, ct);
            if (members.Count != 2)
                throw DomainError.Forbidden();
            if (caller.Rank is not (null or MemberRank.Manager) && members[from].Subject != caller.Subject)
                throw DomainError.RankInsufficient(MemberRank.Manager);
            MemberRules.RequireState(members[from].State, "CREATE_DELEGATION", MemberState.Active);
            MemberRules.RequireState(members[to].State, "CREATE_DELEGATION", MemberState.Active);
            var zone = await ZoneAsync(organisation, ct);
            var now = clock.GetStoredNow();
            var today = zone.DayOf(now);
            var late = new FieldChecks();
            late.That(start <= today.SameDayAfter(12), "start_date", "must lie at most a year ahead");
            late.That(end >= today, "end_date", "must not be past");
            late.ThrowIfAny();
            var delegation = new DelegationRow
            {
                Id = Guid.CreateVersion7(now),
                OrganisationId = organisation,
                FromMemberId = from,
                ToMemberId = to,
                StartOn = start,
                EndOn = end,
                StartsAt = zone.At(start, 0),
                EndsAt = zone.At(end, 24 * 60),
                CreatedAt = now,
                Version = 1,
            };
            db.Delegations.Add(delegation);
            return new CreateDelegationResponse { Delegation = ToProto(delegation) };
        }, r => Name(r.Delegation));
    }

    /// <summary>Ends a delegation at once.</summary>
    public Task<EndDelegationResponse> EndAsync(EndDelegationRequest request, ServerCallContext call)
    {
        var caller = call.Caller();
        var check = new FieldChecks();
        var id = check.Uuid("delegation_id", request.DelegationId);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, requestId, async ct =>
        {
            await db.BeginMemberWriteAsync(caller.OrganisationId, ct);
            var delegation = await db.Delegations.SingleOrDefaultAsync(d => d.Id == id && d.OrganisationId == caller.OrganisationId, ct) ?? throw DomainError.Forbidden();
            if (caller.Rank is not (null or MemberRank.Manager) && !await db.Members.AnyAsync(m => m.Id == delegation.FromMemberId && m.Subject == caller.Subject, ct))
                throw DomainError.RankInsufficient(MemberRank.Manager);
            var now = clock.GetStoredNow();
            if (delegation.EndsAt <= now)
                throw DomainError.StateForbids("ENDED", "END_DELEGATION");
            End(delegation, now);
            return new EndDelegationResponse { Delegation = ToProto(delegation) };
        }, r => Name(r.Delegation));
    }

    /// <summary>Lists delegations, the latest first.</summary>
    public async Task<ListDelegationsResponse> ListAsync(ListDelegationsRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        caller.Require(organisation);

        var now = clock.GetUtcNow();
        var delegations = db.Delegations.AsNoTracking().Where(d => d.OrganisationId == organisation && (request.WithEnded || d.EndsAt > now));
        if (cursor is not null)
            delegations = delegations.Where(d => d.Id < cursor.Id);
        var page = await delegations.OrderByDescending(d => d.Id).Take(size + 1).ToListAsync(ct);
        var response = new ListDelegationsResponse();
        response.Delegations.Add(page.Take(size).Select(ToProto));
        if (page.Count > size)
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        return response;
    }

    // A day ends when it ends where the organisation sits.
    private async Task<TimeZoneInfo> ZoneAsync(Guid organisation, CancellationToken ct)
    {
        var place = await db.Courts.Where(c => c.OrganisationId == organisation).Select(c => c.CommuneInsee).SingleOrDefaultAsync(ct)
            ?? await db.Espaces.Where(e => e.GestionnaireId == organisation).OrderBy(e => e.Id).Select(e => e.Departement).FirstOrDefaultAsync(ct);
        return TimeZoneInfo.FindSystemTimeZoneById(place is null ? Communes.Paris : Communes.ZoneOf(place));
    }

    private static string Name(Delegation delegation) => $"delegations/{delegation.DelegationId}";

    private static Delegation ToProto(DelegationRow row) => new()
    {
        DelegationId = row.Id.ToString(),
        OrganisationId = row.OrganisationId.ToString(),
        FromMemberId = row.FromMemberId.ToString(),
        ToMemberId = row.ToMemberId.ToString(),
        StartDate = row.StartOn.ToProto(),
        EndDate = row.EndOn.ToProto(),
        StartTime = row.StartsAt.ToProto(),
        EndTime = row.EndsAt.ToProto(),
        CreateTime = row.CreatedAt.ToProto(),
    };
}
