using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;

namespace Jafer.Directory.Members;

/// <summary>The rpcs of members.</summary>
internal sealed class MemberGrpcService(Members members) : MemberService.MemberServiceBase
{
    public override Task<InviteMemberResponse> InviteMember(InviteMemberRequest request, ServerCallContext context) => members.InviteAsync(request, context);

    public override Task<AcceptInvitationResponse> AcceptInvitation(AcceptInvitationRequest request, ServerCallContext context) => members.AcceptAsync(request, context);

    public override Task<UpdateMemberResponse> UpdateMember(UpdateMemberRequest request, ServerCallContext context) => members.UpdateAsync(request, context);

    public override Task<SuspendMemberResponse> SuspendMember(SuspendMemberRequest request, ServerCallContext context) => members.SuspendAsync(request, context);

    public override Task<ResumeMemberResponse> ResumeMember(ResumeMemberRequest request, ServerCallContext context) => members.ResumeAsync(request, context);

    public override Task<RemoveMemberResponse> RemoveMember(RemoveMemberRequest request, ServerCallContext context) => members.RemoveAsync(request, context);

    public override Task<GetMemberResponse> GetMember(GetMemberRequest request, ServerCallContext context) =>
        members.GetAsync(request, context.Caller(), context.CancellationToken);

    public override Task<ListMembersResponse> ListMembers(ListMembersRequest request, ServerCallContext context) =>
        members.ListAsync(request, context.Caller(), context.CancellationToken);
}

/// <summary>The rpcs of delegations.</summary>
internal sealed class DelegationGrpcService(Delegations delegations) : DelegationService.DelegationServiceBase
{
    public override Task<CreateDelegationResponse> CreateDelegation(CreateDelegationRequest request, ServerCallContext context) => delegations.CreateAsync(request, context);

    public override Task<EndDelegationResponse> EndDelegation(EndDelegationRequest request, ServerCallContext context) => delegations.EndAsync(request, context);

    public override Task<ListDelegationsResponse> ListDelegations(ListDelegationsRequest request, ServerCallContext context) =>
        delegations.ListAsync(request, context.Caller(), context.CancellationToken);
}

/// <summary>The rpcs of credentials of software.</summary>
internal sealed class CredentialGrpcService(Credentials credentials) : CredentialService.CredentialServiceBase
{
    public override Task<CreateCredentialResponse> CreateCredential(CreateCredentialRequest request, ServerCallContext context) => credentials.CreateAsync(request, context);

    public override Task<RotateCredentialResponse> RotateCredential(RotateCredentialRequest request, ServerCallContext context) => credentials.RotateAsync(request, context);

    public override Task<RevokeCredentialResponse> RevokeCredential(RevokeCredentialRequest request, ServerCallContext context) => credentials.RevokeAsync(request, context);

    public override Task<ListCredentialsResponse> ListCredentials(ListCredentialsRequest request, ServerCallContext context) =>
        credentials.ListAsync(request, context.Caller(), context.CancellationToken);
}
