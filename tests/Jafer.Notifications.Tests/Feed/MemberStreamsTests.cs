using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Directory;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Notifications.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Jafer.Notifications.Tests.Feed;

/// <summary>Streams that are open while the directory changes what their callers may. Each test takes an organisation of its own.</summary>
public sealed class MemberStreamsTests(MemberStreamsFixture jafer) : IClassFixture<MemberStreamsFixture>
{
    private static readonly TimeSpan s_quarter = TimeSpan.FromSeconds(15);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("suspended", "MEMBER_SUSPENDED")]
    [InlineData("removed", "MEMBER_UNKNOWN")]
    public async Task WatchEvents_MemberShutOut_EndsWithinAMinuteAndThatOfAnotherGoesOn(string how, string reason)
    {
        var organisation = await jafer.FoundAsync();
        var member = await jafer.JoinAsync(organisation, "greffe", MemberRank.Reader);
        await jafer.JoinAsync(organisation, "collegue", MemberRank.Reader);
        using var watch = await WatchAsync(organisation, "greffe");
        using var staying = await WatchAsync(organisation, "collegue");

        if (how == "removed")
            await jafer.Members(organisation).RemoveMemberAsync(new() { MemberId = member, RequestId = Id() }, cancellationToken: Ct);
        else
            await jafer.Members(organisation).SuspendMemberAsync(new() { MemberId = member, RequestId = Id() }, cancellationToken: Ct);
        Refusal? refusal = null;
        for (var quarters = 0; quarters < 4 && refusal is null; quarters++)
        {
            jafer.Clock.Advance(s_quarter);
            await jafer.PublishAsync(organisation);
            await staying.NextEventsAsync(1);
            refusal = await Refusal.OrNullAsync(() => watch.NextEventsAsync(1));
        }

        Assert.Equal((StatusCode.PermissionDenied, reason), (refusal?.Code, refusal?.Reason));
    }

    [Fact]
    public async Task WatchEvents_MemberShutOutWhileNothingHappens_EndsByTheHeartbeats()
    {
        var organisation = await jafer.FoundAsync();
        var member = await jafer.JoinAsync(organisation, "greffe", MemberRank.Reader);
        using var watch = await WatchAsync(organisation, "greffe");
        await jafer.Members(organisation).SuspendMemberAsync(new() { MemberId = member, RequestId = Id() }, cancellationToken: Ct);

        var ended = Refusal.OfAsync(() => watch.NextAsync(r => r.Event is not null));
        await Eventually.BecomesAsync(() =>
        {
            jafer.Clock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(ended.IsCompleted);
        }, done => done, "the end of the stream");

        Assert.Equal("MEMBER_SUSPENDED", (await ended).Reason);
    }

    [Fact]
    public async Task StreamStatus_ForAMemberWhoIsLowered_EndsBeforeTheNextBatch()
    {
        var organisation = await jafer.FoundAsync();
        var member = await jafer.JoinAsync(organisation, "accueil", MemberRank.Agent);
        using var call = jafer.Intake(MemberStreamsFixture.Software(organisation, "accueil")).StreamStatus(cancellationToken: Ct);
        Assert.Null(await SendAsync(call, organisation));

        await jafer.Members(organisation).UpdateMemberAsync(new() { MemberId = member, DisplayName = "Personne fictive", Rank = MemberRank.Reader, RequestId = Id() }, cancellationToken: Ct);
        jafer.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((StatusCode.PermissionDenied, "RANK_INSUFFICIENT"), await SendAsync(call, organisation));
        Assert.Equal(1, await jafer.TakenAsync(organisation));
    }

    [Fact]
    public async Task StreamStatus_ByARevokedCredential_EndsAndThatOfAnotherGoesOn()
    {
        var organisation = await jafer.FoundAsync();
        using var keys = new CredentialKeys();
        var (revoked, kept) = (await jafer.CredentialAsync(organisation, keys), await jafer.CredentialAsync(organisation, keys));
        using var call = jafer.Intake(keys.Token(revoked, jafer.Clock.GetUtcNow().AddMinutes(9))).StreamStatus(cancellationToken: Ct);
        using var other = jafer.Intake(keys.Token(kept, jafer.Clock.GetUtcNow().AddMinutes(9))).StreamStatus(cancellationToken: Ct);
        Assert.Null(await SendAsync(call, organisation));
        Assert.Null(await SendAsync(other, organisation));

        await jafer.Credentials(organisation).RevokeCredentialAsync(new() { CredentialId = revoked.CredentialId, RequestId = Id() }, cancellationToken: Ct);
        jafer.Clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal((StatusCode.Unauthenticated, "TOKEN_INVALID"), await SendAsync(call, organisation));
        Assert.Null(await SendAsync(other, organisation));
        Assert.Equal(3, await jafer.TakenAsync(organisation));
    }

    [Fact]
    public async Task WatchEvents_DirectoryAway_GoesOn()
    {
        var organisation = await jafer.FoundAsync();
        await jafer.JoinAsync(organisation, "greffe", MemberRank.Reader);
        using var watch = await WatchAsync(organisation, "greffe");

        jafer.Directory.IsAway = true;
        try
        {
            for (var minutes = 0; minutes < 3; minutes++)
            {
                jafer.Clock.Advance(TimeSpan.FromMinutes(1));
                await jafer.PublishAsync(organisation);
                await watch.NextEventsAsync(1);
            }
        }
        finally
        {
            jafer.Directory.IsAway = false;
        }

        Assert.True(jafer.Directory.Refused >= 3);
    }

    private async Task<AsyncServerStreamingCall<WatchEventsResponse>> WatchAsync(Guid organisation, string subject)
    {
        var watch = jafer.Notifications(MemberStreamsFixture.Person(organisation, subject)).WatchEvents(new(), cancellationToken: Ct);
        await watch.ResponseHeadersAsync;
        return watch;
    }

    /// <summary>Sends a batch and waits for its answer: null, or how the stream ended.</summary>
    private static async Task<(StatusCode, string)?> SendAsync(AsyncDuplexStreamingCall<StreamStatusRequest, StreamStatusResponse> call, Guid organisation)
    {
        var item = new StatusItem
        {
            SourceSystem = "planning",
            ExternalId = Id(),
            Sequence = 1,
            MesureId = organisation.ToString(),
            RencontreScheduled = new() { ExternalRencontreId = Id(), StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(3)), DurationMinutes = 60 },
        };
        await call.RequestStream.WriteAsync(new StreamStatusRequest { Items = { item }, RequestId = Id() }, Ct);
        return await Refusal.OrNullAsync(() => call.ResponseStream.MoveNext(Ct)) is { } refusal ? (refusal.Code, refusal.Reason) : null;
    }

    private static string Id() => TestMesure.NewId().ToString();
}

/// <summary>The directory with its members, and the services whose streams may stay open, by one clock that tests move.</summary>
public sealed class MemberStreamsFixture : IAsyncLifetime
{
    private readonly string _prefix = ServiceHost.UniquePrefix();
    private readonly List<IAsyncDisposable> _parts = [];
    private ServiceHost _directory = null!;
    private ServiceHost _mesures = null!;
    private ServiceHost _notifications = null!;
    private TestDatabase _mesureDatabase = null!;

    /// <summary>Begins at the present moment, because tokens are valid now.</summary>
    public TestClock Clock { get; } = new(TimeProvider.System.GetUtcNow());

    /// <summary>What the directory says, without a way between.</summary>
    internal DirectoryThatMayBeAway Directory { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var directoryDatabase = await CloneAsync(DirectoryModule.Name, c => DirectoryModule.Build([], c), app => app.MigrateDirectoryAsync());
        _mesureDatabase = await CloneAsync(MesuresModule.Name, c => MesuresModule.Build([], c), app => app.MigrateAsync<MesuresDbContext>());
        var notificationDatabase = await CloneAsync(NotificationsModule.Name, c => NotificationsModule.Build([], c), NotificationsModule.MigrateAsync);
        _directory = await StartAsync(DirectoryModule.Name, directoryDatabase, c => DirectoryModule.Build([], c), null, ("Upkeep:FirstSweepAfter", "30.00:00:00"));
        Directory = new(_directory.App.Services.GetRequiredService<IOrganisations>());
        _mesures = await StartAsync(MesuresModule.Name, _mesureDatabase, c => MesuresModule.Build([], c), Directory, ("Deadlines:SweepInterval", "40.00:00:00"), ("Delays:FoldInterval", "40.00:00:00"));
        _notifications = await StartAsync(NotificationsModule.Name, notificationDatabase, c => NotificationsModule.Build([], c), Directory);
        _parts.AddRange([_directory, _mesures, _notifications]);
        await _notifications.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }
    }

    /// <summary>Token of a person of an espace's gestionnaire.</summary>
    public static string Person(Guid organisation, string subject) => TestIssuer.Shared.Token(Roles.Espace, organisation, subject: subject, person: true);

    /// <summary>Token of an outside issuer for software that works for a person.</summary>
    public static string Software(Guid organisation, string onBehalfOf) =>
        TestIssuer.Shared.Token(Roles.Espace, organisation, more: new Dictionary<string, object?> { ["on_behalf_of"] = onBehalfOf });

    public NotificationService.NotificationServiceClient Notifications(string token) => new(_notifications.Channel(token));

    public IntakeService.IntakeServiceClient Intake(string token) => new(_mesures.Channel(token));

    /// <summary>The members of an organisation, for its manager.</summary>
    public MemberService.MemberServiceClient Members(Guid organisation, string subject = "chef") => new(_directory.Channel(Person(organisation, subject)));

    public CredentialService.CredentialServiceClient Credentials(Guid organisation) => new(_directory.Channel(Person(organisation, "chef")));

    /// <summary>An organisation of its own with a manager "chef".</summary>
    public async Task<Guid> FoundAsync()
    {
        var organisation = TestMesure.NewId();
        await JoinAsync(organisation, "chef", MemberRank.Manager);
        return organisation;
    }

    /// <summary>Makes somebody a member: their id.</summary>
    public async Task<string> JoinAsync(Guid organisation, string subject, MemberRank rank)
    {
        var invite = new InviteMemberRequest { OrganisationId = organisation.ToString(), DisplayName = "Personne fictive", Rank = rank, RequestId = TestMesure.NewId().ToString() };
        var code = (await Members(organisation).InviteMemberAsync(invite)).Code;
        return (await Members(organisation, subject).AcceptInvitationAsync(new() { Code = code, RequestId = TestMesure.NewId().ToString() })).Member.MemberId;
    }

    /// <summary>A credential that may act for its organisation.</summary>
    internal async Task<Credential> CredentialAsync(Guid organisation, CredentialKeys keys) => (await Credentials(organisation).CreateCredentialAsync(new()
    {
        OrganisationId = organisation.ToString(),
        DisplayName = "Logiciel fictif",
        Rank = MemberRank.Agent,
        PublicKeyJwk = keys.Jwk,
        RequestId = TestMesure.NewId().ToString(),
    })).Credential;

    /// <summary>Lets something happen in the feed of an organisation.</summary>
    public Task PublishAsync(Guid organisation) => _notifications.PublishAsync<NotificationsDbContext>(new TestMesure(TestMesure.NewId(), organisation).Transmitted());

    /// <summary>How many items of an organisation were taken.</summary>
    public Task<long> TakenAsync(Guid organisation) => _mesureDatabase.ReadAsync<long>($"select count(*) from intake_items where gestionnaire_id = '{organisation}'");

    private async Task<TestDatabase> CloneAsync(string name, Func<Action<WebApplicationBuilder>, WebApplication> build, Func<WebApplication, Task> migrate)
    {
        var database = await TestDatabase.CloneAsync(name, async connection =>
        {
            await using var app = build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(name, connection, "none")));
            await migrate(app);
        });
        _parts.Add(database);
        return database;
    }

    private Task<ServiceHost> StartAsync(
        string name, TestDatabase database, Func<Action<WebApplicationBuilder>, WebApplication> build, IOrganisations? organisations, params (string Key, string? Value)[] settings) =>
        ServiceHost.StartAsync(
            build,
            ServiceHost.Settings(name, database.ConnectionString, _prefix, settings.Append(("Identity:Members", "directory")).ToDictionary(s => s.Item1, s => s.Item2)),
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(Clock);
                if (organisations is not null)
                {
                    builder.Services.AddSingleton(organisations);
                }
            });
}

/// <summary>What the directory says, unless it is away.</summary>
internal sealed class DirectoryThatMayBeAway(IOrganisations directory) : IOrganisations
{
    private int _refused;

    public bool IsAway { get; set; }

    /// <summary>How often it was asked while it was away.</summary>
    public int Refused => _refused;

    public Task<Guid?> OfSiretAsync(string siret, CancellationToken ct) => directory.OfSiretAsync(siret, ct);

    public async Task<GetMembershipResponse?> MembershipAsync(Guid organisationId, string subject, CancellationToken ct)
    {
        if (IsAway)
        {
            Interlocked.Increment(ref _refused);
            return null;
        }

        return await directory.MembershipAsync(organisationId, subject, ct);
    }

    public Task<GetCredentialKeysResponse?> CredentialKeysAsync(Guid credentialId, CancellationToken ct) => directory.CredentialKeysAsync(credentialId, ct);

    public Task<GetTerritoryResponse?> TerritoryAsync(Guid organisationId, CancellationToken ct) => directory.TerritoryAsync(organisationId, ct);

    public Task RecordUseAsync(Guid credentialId, DateOnly day, CancellationToken ct) => Task.CompletedTask;
}

/// <summary>The key pair of a program.</summary>
internal sealed class CredentialKeys : IDisposable
{
    private readonly RSA _rsa = RSA.Create(2048);

    public string Jwk => JsonSerializer.Serialize(new { kty = "RSA", n = Base64UrlEncoder.Encode(_rsa.ExportParameters(false).Modulus!), e = "AQAB" });

    /// <param name="credential">The credential.</param>
    /// <param name="end">Its end, ten minutes ahead at most.</param>
    public string Token(Credential credential, DateTimeOffset end) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = "jafer-credential",
        Audience = "jafer",
        NotBefore = TimeProvider.System.GetUtcNow().AddMinutes(-1).UtcDateTime,
        Expires = end.UtcDateTime,
        Claims = new Dictionary<string, object> { ["sub"] = credential.CredentialId },
        SigningCredentials = new SigningCredentials(new RsaSecurityKey(_rsa) { KeyId = credential.Keys[0].KeyId }, SecurityAlgorithms.RsaSha256),
    });

    public void Dispose() => _rsa.Dispose();
}
