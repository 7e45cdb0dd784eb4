using Grpc.Net.Client;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Jafer.Directory.Tests.Slices;

/// <summary>A directory that looks at ranks, under a clock that tests move. Each test takes an organisation of its own.</summary>
public sealed class MemberFixture : IAsyncLifetime
{
    public TestDatabase Database { get; private set; } = null!;

    public ServiceHost Host { get; private set; } = null!;

    /// <summary>Begins at the present moment, because tokens are valid now.</summary>
    public TestClock Clock { get; } = new(TimeProvider.System.GetUtcNow());

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static string NewId() => TestMesure.NewId().ToString();

    public async ValueTask InitializeAsync()
    {
        Database = await DirectoryFixture.CloneAsync();
        Host = await ServiceHost.StartAsync(
            configure => DirectoryModule.Build([], configure),
            ServiceHost.Settings(DirectoryModule.Name, Database.ConnectionString, ServiceHost.UniquePrefix(), new Dictionary<string, string?>
            {
                ["Identity:Members"] = "directory",
                ["Upkeep:FirstSweepAfter"] = "30.00:00:00",
            }),
            builder => builder.Services.AddSingleton<TimeProvider>(Clock));
    }

    /// <summary>A person of an organisation.</summary>
    public GrpcChannel Person(Guid organisation, string subject, string role = Roles.Juridiction) =>
        Host.Channel(TestIssuer.Shared.Token(role, organisation, subject: subject, person: true));

    /// <summary>Unattended software of an organisation, of an outside issuer.</summary>
    public GrpcChannel Software(Guid organisation, string? onBehalfOf = null, string role = Roles.Juridiction) => Host.Channel(TestIssuer.Shared.Token(
        role, organisation, more: onBehalfOf is null ? null : new Dictionary<string, object?> { ["on_behalf_of"] = onBehalfOf }));

    public MemberService.MemberServiceClient Members(Guid organisation, string subject, string role = Roles.Juridiction) => new(Person(organisation, subject, role));

    public DirectoryService.DirectoryServiceClient Directory(Guid organisation, string subject) => new(Person(organisation, subject));

    /// <summary>Invites by a member, or by the first person who comes.</summary>
    public async Task<InviteMemberResponse> InviteAsync(Guid organisation, string by, MemberRank rank, string name = "Personne fictive")
    {
        // One after the other, as their ids say.
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        return await Members(organisation, by).InviteMemberAsync(
            new() { OrganisationId = organisation.ToString(), DisplayName = name, Rank = rank, RequestId = NewId() }, cancellationToken: Cancel);
    }

    /// <summary>Makes somebody a member.</summary>
    public async Task<Member> JoinAsync(Guid organisation, string by, string subject, MemberRank rank)
    {
        var invited = await InviteAsync(organisation, by, rank);
        return (await Members(organisation, subject).AcceptInvitationAsync(new() { Code = invited.Code, RequestId = NewId() }, cancellationToken: Cancel)).Member;
    }

    /// <summary>An organisation of its own with a manager "chef".</summary>
    public async Task<(Guid Organisation, Member Manager)> FoundAsync()
    {
        var organisation = TestMesure.NewId();
        return (organisation, await JoinAsync(organisation, "chef", "chef", MemberRank.Manager));
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Database.DisposeAsync();
    }
}
