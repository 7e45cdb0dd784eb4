using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Data;
using Jafer.Directory.Domain;
using Jafer.Directory.Espaces;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Requests;
using Jafer.ServiceDefaults.Time;
using Microsoft.EntityFrameworkCore;

namespace Jafer.Directory.Members;

/// <summary>The members of organisations: invited, accepted, changed, suspended, removed, listed.</summary>
internal sealed class Members(DirectoryDbContext db, Commands<DirectoryDbContext> commands, PageTokens tokens, TimeProvider clock)
{
    private const int MaxName = 100;
    private const int MaxCode = 100;
    private const int MaxMembers = 1000;

    private sealed record Cursor(Guid Id);

    /// <summary>Invites a person.</summary>
    public async Task<InviteMemberResponse> InviteAsync(InviteMemberRequest request, ServerCallContext call)
    {
        var caller = call.Caller();
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.Text("display_name", request.DisplayName, MaxName, required: true);
        check.Known("rank", request.Rank);
        var own = organisation == caller.OrganisationId;
        check.That(own || caller.Tenancy == Tenancy.Own || request.Rank is MemberRank.Manager or MemberRank.Unspecified, "rank", "must be MANAGER: an organisation invites its other members itself");
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        var response = await commands.RunAsync(call, request, requestId, async ct =>
        {
            await caller.RequireWholeAsync(db, organisation, ct);
            await db.BeginMemberWriteAsync(organisation, ct);
            var now = clock.GetStoredNow();

            // Those whose invitation ran out make room.
            if (await Of(organisation).CountAsync(m => m.State != MemberState.Removed && (m.State != MemberState.Invited || m.InvitationExpiresAt > now), ct) >= MaxMembers)
                throw DomainError.LimitExceeded("an organisation has at most 1000 members", TimeSpan.FromHours(1));
            MemberRules.RequireInvitable(await Managers(organisation).AnyAsync(ct), request.Rank);
            var id = Guid.CreateVersion7(now);
            var member = new MemberRow
            {
                Id = id,
                OrganisationId = organisation,
                Role = own ? caller.Role : "",
                DisplayName = request.DisplayName.Trim(),
                Rank = request.Rank,
                State = MemberState.Invited,
                InvitationHash = HashOf(CodeOf(id)),
                InvitationExpiresAt = now + MemberRules.InvitationLifetime,
                InvitedAt = now,
                UpdatedAt = now,
                Version = 1,
            };
            db.Members.Add(member);
            return new InviteMemberResponse { Member = ToProto(member) };
        }, r => Name(r.Member));

        // Only now: what is kept for a repetition holds no code.
        var invited = Guid.Parse(response.Member.MemberId);
        if (await db.Members.AnyAsync(m => m.Id == invited && m.State == MemberState.Invited, call.CancellationToken))
            response.Code = CodeOf(invited);
        return response;
    }

    /// <summary>Makes the caller the member who was invited by a code.</summary>
    public Task<AcceptInvitationResponse> AcceptAsync(AcceptInvitationRequest request, ServerCallContext call)
    {
        var caller = call.Caller();
        var check = new FieldChecks();
        check.Text("code", request.Code, MaxCode, required: true);
        var requestId = check.RequestId(request.RequestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, requestId, async ct =>
        {
            await db.BeginMemberWriteAsync(caller.OrganisationId, ct);
            var (hash, now) = (HashOf(request.Code), clock.GetStoredNow());
            var member = await Of(caller.OrganisationId).SingleOrDefaultAsync(m => m.InvitationHash == hash && m.InvitationExpiresAt > now, ct);
            if (member is null || (member.Role.Length > 0 && member.Role != caller.Role))
                throw DomainError.InvitationInvalid();
            var held = await Of(caller.OrganisationId).Where(m => m.Subject == caller.Subject && m.State != MemberState.Removed).Select(m => (MemberState?)m.State).SingleOrDefaultAsync(ct);
            if (held is { } state)
                throw DomainError.StateForbids(state.ToCode(), "ACCEPT_INVITATION", "the caller is a member already");
            (member.Subject, member.Role, member.State, member.AcceptedAt) = (caller.Subject, caller.Role, MemberState.Active, now);
            EndInvitation(member);
            return new AcceptInvitationResponse { Member = ToProto(Changed(member, now)) };
        }, r => Name(r.Member));
    }

    /// <summary>Changes rank or name.</summary>
    public Task<UpdateMemberResponse> UpdateAsync(UpdateMemberRequest request, ServerCallContext call)
    {
        var check = new FieldChecks();
        check.KnownOrUnspecified("rank", request.Rank);
        check.Text("display_name", request.DisplayName, MaxName);
        check.That(request.Rank != MemberRank.Unspecified || !string.IsNullOrWhiteSpace(request.DisplayName), "rank", "or display_name is required");
        return ChangeAsync(call, request, check, request.MemberId, request.Etag, request.RequestId, async (member, _, ct) =>
        {
            MemberRules.RequireState(member.State, "UPDATE_MEMBER", MemberState.Invited, MemberState.Active, MemberState.Suspended);
            if (request.Rank != MemberRank.Unspecified)
            {
                if (request.Rank != MemberRank.Manager)
                    await RequireAnotherManagerAsync(member, ct);
                member.Rank = request.Rank;
            }
            if (!string.IsNullOrWhiteSpace(request.DisplayName))
                member.DisplayName = request.DisplayName.Trim();
        }, member => new UpdateMemberResponse { Member = member }, r => r.Member);
    }

    /// <summary>Suspends a member.</summary>
    public Task<SuspendMemberResponse> SuspendAsync(SuspendMemberRequest request, ServerCallContext call) =>
        ChangeAsync(call, request, new FieldChecks(), request.MemberId, request.Etag, request.RequestId, async (member, _, ct) =>
        {
            MemberRules.RequireState(member.State, "SUSPEND_MEMBER", MemberState.Active);
            await RequireAnotherManagerAsync(member, ct);
            member.State = MemberState.Suspended;
        }, member => new SuspendMemberResponse { Member = member }, r => r.Member);

    /// <summary>Lets a suspended member in again.</summary>
    public Task<ResumeMemberResponse> ResumeAsync(ResumeMemberRequest request, ServerCallContext call) =>
        ChangeAsync(call, request, new FieldChecks(), request.MemberId, request.Etag, request.RequestId, (member, _, _) =>
        {
            MemberRules.RequireState(member.State, "RESUME_MEMBER", MemberState.Suspended);
            member.State = MemberState.Active;
            return Task.CompletedTask;
        }, member => new ResumeMemberResponse { Member = member }, r => r.Member);

    /// <summary>Removes a member, or withdraws an invitation.</summary>
    public Task<RemoveMemberResponse> RemoveAsync(RemoveMemberRequest request, ServerCallContext call) =>
        ChangeAsync(call, request, new FieldChecks(), request.MemberId, request.Etag, request.RequestId, async (member, now, ct) =>
        {
            MemberRules.RequireState(member.State, "REMOVE_MEMBER", MemberState.Invited, MemberState.Active, MemberState.Suspended);
            await RequireAnotherManagerAsync(member, ct);
            (member.State, member.DisplayName) = (MemberState.Removed, "");
            EndInvitation(member);
            var ended = await db.Delegations
                .Where(d => d.EndsAt > now && (d.ToMemberId == member.Id || (request.EndDelegations && d.FromMemberId == member.Id))).ToListAsync(ct);
            foreach (var delegation in ended)
                Delegations.End(delegation, now);
        }, member => new RemoveMemberResponse { Member = member }, r => r.Member);

    /// <summary>Returns a member.</summary>
    public async Task<GetMemberResponse> GetAsync(GetMemberRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var id = check.Uuid("member_id", request.MemberId);
        check.ThrowIfAny();
        var member = await db.Members.AsNoTracking().SingleOrDefaultAsync(m => m.Id == id, ct);
        caller.RequireOrganisation(member?.OrganisationId);
        return new GetMemberResponse { Member = ToProto(member ?? throw DomainError.NotFound($"members/{id}")) };
    }

    /// <summary>Lists members, the latest first.</summary>
    public async Task<ListMembersResponse> ListAsync(ListMembersRequest request, Caller caller, CancellationToken ct)
    {
        var check = new FieldChecks();
        var organisation = check.Uuid("organisation_id", request.OrganisationId);
        check.KnownOrUnspecified("state", request.State);
        var size = check.PageSize(request.PageSize, 50, 200);
        var binding = PageTokens.Binding(caller.OrganisationId, request);
        var cursor = tokens.Read<Cursor>(check, request.PageToken, binding);
        check.ThrowIfAny();
        caller.RequireOrganisation(organisation);

        var members = Of(organisation).AsNoTracking()
            .Where(m => request.State == MemberState.Unspecified ? m.State != MemberState.Removed : m.State == request.State);
        if (cursor is not null)
            members = members.Where(m => m.Id < cursor.Id);
        var page = await members.OrderByDescending(m => m.Id).Take(size + 1).ToListAsync(ct);
        var response = new ListMembersResponse();
        response.Members.Add(page.Take(size).Select(ToProto));
        if (page.Count > size)
            response.NextPageToken = tokens.Protect(new Cursor(page[size - 1].Id), binding);
        return response;
    }

    private Task<TResponse> ChangeAsync<TRequest, TResponse>(
        ServerCallContext call, TRequest request, FieldChecks check, string memberId, string etag, string requestId, Func<MemberRow, DateTimeOffset, CancellationToken, Task> change,
        Func<Member, TResponse> answer, Func<TResponse, Member> memberOf)
        where TRequest : IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>, new()
    {
        var caller = call.Caller();
        var id = check.Uuid("member_id", memberId);
        var read = check.Etag(etag);
        var key = check.RequestId(requestId);
        check.ThrowIfAny();
        return commands.RunAsync(call, request, key, async ct =>
        {
            await db.BeginMemberWriteAsync(caller.OrganisationId, ct);
            var member = await Of(caller.OrganisationId).SingleOrDefaultAsync(m => m.Id == id, ct) ?? throw DomainError.Forbidden();
            if (read is { } version && version != member.Version)
                throw DomainError.EtagMismatch(member.Version.ToEtag());
            var now = clock.GetStoredNow();
            await change(member, now, ct);
            return answer(ToProto(Changed(member, now)));
        }, r => Name(memberOf(r)));
    }

    private async Task RequireAnotherManagerAsync(MemberRow member, CancellationToken ct) =>
        MemberRules.RequireAnotherManager(member.State, member.Rank, await Managers(member.OrganisationId).CountAsync(m => m.Id != member.Id, ct));

    private IQueryable<MemberRow> Of(Guid organisation) => db.Members.Where(m => m.OrganisationId == organisation);

    private IQueryable<MemberRow> Managers(Guid organisation) => Of(organisation).Where(m => m.State == MemberState.Active && m.Rank == MemberRank.Manager);

    private string CodeOf(Guid memberId) => tokens.Code("invitation", memberId);

    private static byte[] HashOf(string code) => SHA256.HashData(Encoding.UTF8.GetBytes(code));

    private static string Name(Member member) => $"members/{member.MemberId}";

    private static void EndInvitation(MemberRow member) => (member.InvitationHash, member.InvitationExpiresAt) = (null, null);

    private static MemberRow Changed(MemberRow member, DateTimeOffset now)
    {
        (member.UpdatedAt, member.Version) = (now, member.Version + 1);
        return member;
    }

    private static Member ToProto(MemberRow row) => new()
    {
        MemberId = row.Id.ToString(),
        OrganisationId = row.OrganisationId.ToString(),
        Subject = row.Subject ?? "",
        DisplayName = row.DisplayName,
        Rank = row.Rank,
        State = row.State,
        InviteTime = row.InvitedAt.ToProto(),
        InvitationExpireTime = row.InvitationExpiresAt.ToProto(),
        AcceptTime = row.AcceptedAt.ToProto(),
        UpdateTime = row.UpdatedAt.ToProto(),
        Etag = row.Version.ToEtag(),
    };
}
