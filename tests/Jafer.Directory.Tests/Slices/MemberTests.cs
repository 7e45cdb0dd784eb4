using Google.Protobuf.Reflection;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.MemberFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>The members of an organisation, and what each may do.</summary>
public sealed class MemberTests(MemberFixture directory) : IClassFixture<MemberFixture>
{
    [Fact]
    public async Task AcceptInvitation_ByAPersonOfTheOrganisation_MakesAMember()
    {
        var (organisation, manager) = await directory.FoundAsync();
        var invited = await directory.InviteAsync(organisation, "chef", MemberRank.Agent, "Greffe fictif");
        Assert.Equal((MemberState.Invited, "", 24), (invited.Member.State, invited.Member.Subject, invited.Code.Length));

        var member = (await directory.Members(organisation, "greffe").AcceptInvitationAsync(new() { Code = invited.Code, RequestId = NewId() }, cancellationToken: Cancel)).Member;

        Assert.Equal((MemberState.Active, MemberRank.Agent, "greffe", "Greffe fictif"), (member.State, member.Rank, member.Subject, member.DisplayName));
        Assert.Null(member.InvitationExpireTime);
        var listed = await directory.Members(organisation, "greffe").ListMembersAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel);
        Assert.Equal([member, manager], listed.Members);
        Assert.Equal(member, (await directory.Members(organisation, "chef").GetMemberAsync(new() { MemberId = member.MemberId }, cancellationToken: Cancel)).Member);
    }

    [Fact]
    public async Task AcceptInvitation_CodeThatIsNoGood_IsOneAnswer()
    {
        var (organisation, _) = await directory.FoundAsync();
        var (used, withdrawn, fresh) = (await directory.InviteAsync(organisation, "chef", MemberRank.Agent), await directory.InviteAsync(organisation, "chef", MemberRank.Agent), await directory.InviteAsync(organisation, "chef", MemberRank.Agent));
        await directory.Members(organisation, "one").AcceptInvitationAsync(new() { Code = used.Code, RequestId = NewId() }, cancellationToken: Cancel);
        await directory.Members(organisation, "chef").RemoveMemberAsync(new() { MemberId = withdrawn.Member.MemberId, RequestId = NewId() }, cancellationToken: Cancel);

        foreach (var (who, code) in new (MemberService.MemberServiceClient, string)[]
        {
            (directory.Members(organisation, "two"), used.Code),
            (directory.Members(organisation, "two"), withdrawn.Code),
            (directory.Members(organisation, "two"), fresh.Code[..^1]),
            (directory.Members(TestMesure.NewId(), "two"), fresh.Code),
            (directory.Members(organisation, "two", Roles.Espace), fresh.Code),
        })
        {
            var refusal = await Refusal.OfAsync(who.AcceptInvitationAsync(new() { Code = code, RequestId = NewId() }, cancellationToken: Cancel));
            Assert.Equal((StatusCode.PermissionDenied, "INVITATION_INVALID"), (refusal.Code, refusal.Reason));
        }
        var member = await Refusal.OfAsync(directory.Members(organisation, "one").AcceptInvitationAsync(new() { Code = fresh.Code, RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal(("STATE_FORBIDS", "ACTIVE"), (member.Reason, member.Metadata["state"]));

        // It is good until eight days are over, and not a moment longer.
        await directory.Database.RunAsync($"update members set invitation_expires_at = '{directory.Clock.GetStoredNow():O}' where id = '{fresh.Member.MemberId}'");
        Assert.Equal("INVITATION_INVALID", (await Refusal.OfAsync(directory.Members(organisation, "two").AcceptInvitationAsync(new() { Code = fresh.Code, RequestId = NewId() }, cancellationToken: Cancel))).Reason);
        Assert.Equal(TimeSpan.FromDays(8), fresh.Member.InvitationExpireTime - fresh.Member.InviteTime is var life ? life.ToTimeSpan() : default);
    }

    [Fact]
    public async Task InviteMember_SameRequestTwice_GivesTheCodeAgainAndKeepsItsHashAlone()
    {
        var (organisation, _) = await directory.FoundAsync();
        var request = new InviteMemberRequest { OrganisationId = organisation.ToString(), DisplayName = "Personne fictive", Rank = MemberRank.Reader, RequestId = NewId() };
        var first = await directory.Members(organisation, "chef").InviteMemberAsync(request, cancellationToken: Cancel);

        Assert.Equal(first, await directory.Members(organisation, "chef").InviteMemberAsync(request, cancellationToken: Cancel));
        Assert.Equal(0, await directory.Database.ReadAsync<long>(
            $"select count(*) from processed_requests where request_id = '{request.RequestId}' and position(convert_to('{first.Code}', 'UTF8') in response) > 0"));
        await directory.Members(organisation, "lecture").AcceptInvitationAsync(new() { Code = first.Code, RequestId = NewId() }, cancellationToken: Cancel);
        Assert.Equal("", (await directory.Members(organisation, "chef").InviteMemberAsync(request, cancellationToken: Cancel)).Code);
    }

    [Fact]
    public async Task InviteMember_OrganisationWithoutMembers_BeginsWithAManager()
    {
        var organisation = TestMesure.NewId();
        var refusal = await Refusal.OfAsync(directory.Members(organisation, "first").InviteMemberAsync(
            new() { OrganisationId = organisation.ToString(), DisplayName = "Personne fictive", Rank = MemberRank.Agent, RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal(("STATE_FORBIDS", "NO_MANAGER"), (refusal.Reason, refusal.Metadata["state"]));

        // An operator may begin it too, and gives nobody another rank elsewhere.
        var national = directory.Members(StableIds.For("organisation:operateur:national"), "exploitant", Roles.Operateur);
        var invite = new InviteMemberRequest { OrganisationId = organisation.ToString(), DisplayName = "Personne fictive", Rank = MemberRank.Agent, RequestId = NewId() };
        Assert.Equal(["rank"], (await Refusal.OfAsync(national.InviteMemberAsync(invite, cancellationToken: Cancel))).Fields);
        invite.Rank = MemberRank.Manager;
        var invited = await national.InviteMemberAsync(invite, cancellationToken: Cancel);
        Assert.Equal(MemberState.Active, (await directory.Members(organisation, "first").AcceptInvitationAsync(new() { Code = invited.Code, RequestId = NewId() }, cancellationToken: Cancel)).Member.State);

        // From now on the issuer's word does not suffice.
        Assert.Equal("MEMBER_UNKNOWN", (await Refusal.OfAsync(directory.Directory(organisation, "second").ListCourtsAsync(new(), cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task AnyRpc_ByEachRank_IsLetInAsFarAsTheRankGoes()
    {
        var (organisation, _) = await directory.FoundAsync();
        await directory.JoinAsync(organisation, "chef", "lecture", MemberRank.Reader);
        await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);
        var services = new[] { DirectoryService.Descriptor, MemberService.Descriptor, DelegationService.Descriptor, CredentialService.Descriptor, OperationsService.Descriptor };
        var faults = new List<string>();
        foreach (var rpc in services.SelectMany(s => s.Methods))
        {
            var cell = AccessTable.BuiltIn.Cell($"/{rpc.Service.FullName}/{rpc.Name}", Roles.Juridiction);
            if (cell.Tenancy == Tenancy.None || cell.OpenToInvited || !cell.Actors.HasFlag(Actors.Person))
                continue;
            foreach (var (subject, rank) in new[] { ("lecture", MemberRank.Reader), ("greffe", MemberRank.Agent), ("chef", MemberRank.Manager), ("inconnu", MemberRank.Unspecified) })
            {
                var refusal = await Refusal.OrNullAsync(() => Rpcs.OpenAsync(directory.Person(organisation, subject), rpc));
                var expected = rank == MemberRank.Unspecified ? "MEMBER_UNKNOWN" : rank < cell.Rank ? "RANK_INSUFFICIENT" : null;
                var told = refusal?.Reason is "RANK_INSUFFICIENT" or "MEMBER_UNKNOWN" ? refusal.Reason : null;
                if (told != expected || (expected == "RANK_INSUFFICIENT" && refusal!.Metadata["rank"] != cell.Rank.ToCode()))
                    faults.Add($"{rpc.Name} as {subject}: {refusal?.Reason}");
            }
        }

        Assert.Empty(faults);
    }

    [Fact]
    public async Task SuspendMember_AnActiveOne_IsRefusedWithinAMinuteAndLetInAgain()
    {
        var (organisation, _) = await directory.FoundAsync();
        var member = await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);
        var greffe = directory.Directory(organisation, "greffe");
        await greffe.ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel);

        var suspended = (await directory.Members(organisation, "chef").SuspendMemberAsync(new() { MemberId = member.MemberId, Etag = member.Etag, RequestId = NewId() }, cancellationToken: Cancel)).Member;
        directory.Clock.Advance(TimeSpan.FromMinutes(1));

        var refusal = await Refusal.OfAsync(greffe.ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel));
        Assert.Equal((StatusCode.PermissionDenied, "MEMBER_SUSPENDED"), (refusal.Code, refusal.Reason));
        var forThem = new DirectoryService.DirectoryServiceClient(directory.Software(organisation, "greffe"));
        Assert.Equal("MEMBER_SUSPENDED", (await Refusal.OfAsync(forThem.ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel))).Reason);
        await directory.Members(organisation, "chef").ResumeMemberAsync(new() { MemberId = member.MemberId, Etag = suspended.Etag, RequestId = NewId() }, cancellationToken: Cancel);
        directory.Clock.Advance(TimeSpan.FromMinutes(1));
        await greffe.ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task RemoveMember_ComingBack_IsAnotherMember()
    {
        var (organisation, _) = await directory.FoundAsync();
        var member = await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);

        var removed = (await directory.Members(organisation, "chef").RemoveMemberAsync(new() { MemberId = member.MemberId, RequestId = NewId() }, cancellationToken: Cancel)).Member;

        Assert.Equal((MemberState.Removed, "", "greffe"), (removed.State, removed.DisplayName, removed.Subject));
        directory.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("MEMBER_UNKNOWN", (await Refusal.OfAsync(directory.Directory(organisation, "greffe").ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel))).Reason);
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(directory.Members(organisation, "chef").ResumeMemberAsync(new() { MemberId = member.MemberId, RequestId = NewId() }, cancellationToken: Cancel))).Reason);
        Assert.NotEqual(member.MemberId, (await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Reader)).MemberId);
        directory.Clock.Advance(TimeSpan.FromMinutes(1));
        await directory.Directory(organisation, "greffe").ListCourtsAsync(new() { PageSize = 1 }, cancellationToken: Cancel);
    }

    [Fact]
    public async Task AnyChange_OfTheLastManager_IsRefused()
    {
        var (organisation, manager) = await directory.FoundAsync();
        await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);
        var chef = directory.Members(organisation, "chef");
        var refusals = new[]
        {
            await Refusal.OfAsync(chef.RemoveMemberAsync(new() { MemberId = manager.MemberId, RequestId = NewId() }, cancellationToken: Cancel)),
            await Refusal.OfAsync(chef.SuspendMemberAsync(new() { MemberId = manager.MemberId, RequestId = NewId() }, cancellationToken: Cancel)),
            await Refusal.OfAsync(chef.UpdateMemberAsync(new() { MemberId = manager.MemberId, Rank = MemberRank.Agent, RequestId = NewId() }, cancellationToken: Cancel)),
        };
        Assert.All(refusals, r => Assert.Equal((StatusCode.FailedPrecondition, "LAST_MANAGER"), (r.Code, r.Reason)));

        // An invitation is no manager yet; somebody who accepted it is.
        var invited = await directory.InviteAsync(organisation, "chef", MemberRank.Manager);
        Assert.Equal("LAST_MANAGER", (await Refusal.OfAsync(chef.RemoveMemberAsync(new() { MemberId = manager.MemberId, RequestId = NewId() }, cancellationToken: Cancel))).Reason);
        await directory.Members(organisation, "adjoint").AcceptInvitationAsync(new() { Code = invited.Code, RequestId = NewId() }, cancellationToken: Cancel);
        await chef.UpdateMemberAsync(new() { MemberId = manager.MemberId, Rank = MemberRank.Reader, RequestId = NewId() }, cancellationToken: Cancel);
        Assert.Equal("RANK_INSUFFICIENT", (await Refusal.OfAsync(chef.RemoveMemberAsync(new() { MemberId = manager.MemberId, RequestId = NewId() }, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task RemoveMember_TwoManagersEachOtherAtOnce_OneSucceeds()
    {
        for (var i = 0; i < 5; i++)
        {
            var (organisation, first) = await directory.FoundAsync();
            var second = await directory.JoinAsync(organisation, "chef", "adjoint", MemberRank.Manager);

            var refusals = await Task.WhenAll(
                Refusal.OrNullAsync(() => directory.Members(organisation, "chef").RemoveMemberAsync(new() { MemberId = second.MemberId, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync),
                Refusal.OrNullAsync(() => directory.Members(organisation, "adjoint").RemoveMemberAsync(new() { MemberId = first.MemberId, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync));

            // Whoever came second is the last manager's victim, or no member any more when they ask.
            Assert.Single(refusals, r => r is null);
            Assert.Contains(refusals.Single(r => r is not null)!.Reason, new[] { "LAST_MANAGER", "MEMBER_UNKNOWN" });
            Assert.Equal(1, await directory.Database.ReadAsync<long>($"select count(*) from members where organisation_id = '{organisation}' and state = 'ACTIVE' and rank = 'MANAGER'"));
        }
    }

    [Fact]
    public async Task AnyRpc_AnotherOrganisationsMember_IsForbiddenAsWhatDoesNotExist()
    {
        var (_, theirs) = await directory.FoundAsync();
        var (organisation, _) = await directory.FoundAsync();
        var chef = directory.Members(organisation, "chef");
        foreach (var id in new[] { theirs.MemberId, NewId() })
        {
            foreach (var call in new Func<Task>[]
            {
                () => chef.GetMemberAsync(new() { MemberId = id }, cancellationToken: Cancel).ResponseAsync,
                () => chef.UpdateMemberAsync(new() { MemberId = id, Rank = MemberRank.Reader, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync,
                () => chef.SuspendMemberAsync(new() { MemberId = id, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync,
                () => chef.ResumeMemberAsync(new() { MemberId = id, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync,
                () => chef.RemoveMemberAsync(new() { MemberId = id, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync,
                () => chef.ListMembersAsync(new() { OrganisationId = id }, cancellationToken: Cancel).ResponseAsync,
                () => chef.InviteMemberAsync(new() { OrganisationId = id, DisplayName = "x", Rank = MemberRank.Manager, RequestId = NewId() }, cancellationToken: Cancel).ResponseAsync,
            })
            {
                Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(call)).Reason);
            }
        }
    }

    [Fact]
    public async Task UpdateMember_StaleEtag_IsAborted()
    {
        var (organisation, _) = await directory.FoundAsync();
        var member = await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);
        var chef = directory.Members(organisation, "chef");
        await chef.UpdateMemberAsync(new() { MemberId = member.MemberId, DisplayName = "Autre nom", Etag = member.Etag, RequestId = NewId() }, cancellationToken: Cancel);

        var refusal = await Refusal.OfAsync(chef.UpdateMemberAsync(new() { MemberId = member.MemberId, Rank = MemberRank.Reader, Etag = member.Etag, RequestId = NewId() }, cancellationToken: Cancel));

        Assert.Equal((StatusCode.Aborted, "ETAG_MISMATCH", "3"), (refusal.Code, refusal.Reason, refusal.Metadata["etag"]));
    }

    [Fact]
    public async Task AnyRpc_EveryFieldWrongOrRandom_IsAnAnswerOfTheContract()
    {
        var (organisation, member) = await directory.FoundAsync();
        var channel = directory.Person(organisation, "chef");
        foreach (var rpc in new[] { MemberService.Descriptor, DelegationService.Descriptor, CredentialService.Descriptor }.SelectMany(s => s.Methods))
        {
            var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(channel, rpc, Rpcs.Wrong(rpc.InputType)));
            Assert.Equal("REQUEST_INVALID", refusal.Reason);
            Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(rpc.InputType, path), path));
            Assert.Empty(rpc.InputType.Fields.InDeclarationOrder()
                .Where(f => f.FieldType != FieldType.Bool && f.Name != "page_token" && !refusal.Fields.Contains(f.Name)).Select(f => $"{rpc.Name} {f.Name}"));
        }
        string[] known = [organisation.ToString(), member.MemberId];
        Assert.Empty(await Fuzz.FaultsAsync([directory.Members(organisation, "chef")], MemberService.Descriptor, 5, 20, known));
        Assert.Empty(await Fuzz.FaultsAsync([new DelegationService.DelegationServiceClient(channel)], DelegationService.Descriptor, 6, 20, known));
        Assert.Empty(await Fuzz.FaultsAsync([new CredentialService.CredentialServiceClient(channel)], CredentialService.Descriptor, 7, 20, known));
    }
}
