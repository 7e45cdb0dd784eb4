using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.MemberFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>A member has the rank of another one between two dates. On a directory of its own: these tests move the clock by days.</summary>
public sealed class DelegationTests(MemberFixture directory) : IClassFixture<MemberFixture>
{
    private DateTimeOffset Now => directory.Clock.GetUtcNow();

    [Fact]
    public async Task CreateDelegation_WithinItsDates_LendsTheRankAndNamesTheDelegator()
    {
        // The clock of this court is ten hours behind that of Paris.
        var organisation = StableIds.Court("tj98735");
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Pacific/Tahiti");
        Assert.Equal("98735", await directory.Database.ReadAsync<string>($"select commune_insee from courts where organisation_id = '{organisation}'"));
        var manager = await directory.JoinAsync(organisation, "chef", "chef", MemberRank.Manager);
        var delegated = await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Reader);
        var start = zone.DayOf(Now).AddDays(1);

        var delegation = await CreateAsync(organisation, "chef", manager, delegated, start, start);

        Assert.Equal(zone.At(start, 0), delegation.StartTime.ToDateTimeOffset());
        Assert.Equal(zone.At(start.AddDays(1), 0), delegation.EndTime.ToDateTimeOffset());
        directory.Clock.Advance(zone.At(start, 0) - Now - TimeSpan.FromSeconds(1));
        Assert.Equal("RANK_INSUFFICIENT", await InviteAsync());
        directory.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await InviteAsync());
        Assert.Equal("chef", await directory.Database.ReadAsync<string>("select on_behalf_of from journal.entries where subject = 'greffe' and rpc like '%InviteMember' and outcome = 'OK'"));
        await directory.Members(organisation, "greffe").ListMembersAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel);
        Assert.Equal(0, await directory.Database.ReadAsync<long>("select count(*) from journal.entries where subject = 'greffe' and rpc like '%ListMembers' and on_behalf_of is not null"));
        directory.Clock.Advance(zone.At(start.AddDays(1), 0) - Now);
        Assert.Equal("RANK_INSUFFICIENT", await InviteAsync());

        async Task<string?> InviteAsync() => (await Refusal.OrNullAsync(() => directory.InviteAsync(organisation, "greffe", MemberRank.Agent)))?.Reason;
    }

    [Fact]
    public async Task CreateDelegation_ByWhomAndOfWhat_IsLimited()
    {
        var (organisation, manager) = await directory.FoundAsync();
        var agent = await directory.JoinAsync(organisation, "chef", "greffe", MemberRank.Agent);
        var reader = await directory.JoinAsync(organisation, "chef", "lecture", MemberRank.Reader);
        var (_, stranger) = await directory.FoundAsync();
        var today = directory.Clock.TodayInParis();

        Assert.Equal("RANK_INSUFFICIENT", await ReasonAsync("greffe", manager, agent, today, today));
        Assert.Equal("RANK_INSUFFICIENT", await ReasonAsync("lecture", reader, agent, today, today));
        Assert.Equal("CALLER_FORBIDDEN", await ReasonAsync("chef", manager, stranger, today, today));
        Assert.Equal("REQUEST_INVALID", await ReasonAsync("chef", manager, manager, today, today));
        Assert.Equal("REQUEST_INVALID", await ReasonAsync("chef", manager, agent, today.AddDays(-2), today.AddDays(-1)));
        Assert.Equal("REQUEST_INVALID", await ReasonAsync("chef", manager, agent, today, today.SameDayAfter(12)));
        Assert.Null(await ReasonAsync("greffe", agent, reader, today, today.SameDayAfter(12).AddDays(-1)));

        directory.Clock.Advance(TimeSpan.FromMinutes(1));

        // What was lent is not lent on: the reader has an agent's rank, and delegates a reader's.
        Assert.Null(await ReasonAsync("lecture", reader, agent, today, today));
        await directory.Members(organisation, "chef").SuspendMemberAsync(new() { MemberId = agent.MemberId, RequestId = NewId() }, cancellationToken: Cancel);
        Assert.Equal("STATE_FORBIDS", await ReasonAsync("chef", manager, agent, today, today));

        async Task<string?> ReasonAsync(string by, Member from, Member to, DateOnly start, DateOnly end) =>
            (await Refusal.OrNullAsync(() => CreateAsync(organisation, by, from, to, start, end)))?.Reason;
    }

    [Theory]
    [InlineData("end", false)]
    [InlineData("suspend", false)]
    [InlineData("remove", true)]
    [InlineData("remove and end", false)]
    [InlineData("remove the delegate", false)]
    public async Task Delegation_AfterAnAct_GoesOnOrRests(string act, bool goesOn)
    {
        var (organisation, _) = await directory.FoundAsync();
        var judge = await directory.JoinAsync(organisation, "chef", "juge", MemberRank.Manager);
        var replacement = await directory.JoinAsync(organisation, "chef", "remplaçant", MemberRank.Agent);
        var today = directory.Clock.TodayInParis();
        var delegation = await CreateAsync(organisation, "juge", judge, replacement, today, today.AddDays(3));
        await directory.InviteAsync(organisation, "remplaçant", MemberRank.Agent);
        var chef = directory.Members(organisation, "chef");
        var delegations = new DelegationService.DelegationServiceClient(directory.Person(organisation, "chef"));

        switch (act)
        {
            case "end": await delegations.EndDelegationAsync(new() { DelegationId = delegation.DelegationId, RequestId = NewId() }, cancellationToken: Cancel); break;
            case "suspend": await chef.SuspendMemberAsync(new() { MemberId = judge.MemberId, RequestId = NewId() }, cancellationToken: Cancel); break;
            case "remove the delegate": await chef.RemoveMemberAsync(new() { MemberId = replacement.MemberId, RequestId = NewId() }, cancellationToken: Cancel); break;
            default: await chef.RemoveMemberAsync(new() { MemberId = judge.MemberId, EndDelegations = act == "remove and end", RequestId = NewId() }, cancellationToken: Cancel); break;
        }

        Assert.Equal(goesOn, await Refusal.OrNullAsync(() => directory.InviteAsync(organisation, "remplaçant", MemberRank.Agent)) is null);
        var listed = await delegations.ListDelegationsAsync(new() { OrganisationId = organisation.ToString() }, cancellationToken: Cancel);
        Assert.Equal(act is "suspend" or "remove" ? 1 : 0, listed.Delegations.Count);
    }

    private async Task<Delegation> CreateAsync(Guid organisation, string by, Member from, Member to, DateOnly start, DateOnly end) =>
        (await new DelegationService.DelegationServiceClient(directory.Person(organisation, by)).CreateDelegationAsync(new()
        {
            OrganisationId = organisation.ToString(),
            FromMemberId = from.MemberId,
            ToMemberId = to.MemberId,
            StartDate = start.ToProto(),
            EndDate = end.ToProto(),
            RequestId = NewId(),
        }, cancellationToken: Cancel)).Delegation;
}
