using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Messaging.V1;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Jafer.Notifications.Tests.Mails;

#pragma warning disable RS0030 // A directory that answers as none of ours would.

/// <summary>The notification service with a directory whose answers the test chooses, and a mail server that misbehaves as it says.</summary>
public class MailFaultFixture : NotificationsFixture
{
    private WebApplication _issuer = null!;
    private WebApplication _directory = null!;

    internal FaultySmtp Smtp { get; private set; } = null!;

    internal StubDirectory Directory { get; } = new();

    internal StubMessaging Messaging { get; } = new();

    public override async ValueTask InitializeAsync()
    {
        Smtp = await StartSmtpAsync();
        _issuer = await MailFixture.StartIssuerAsync();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(Directory);
        builder.Services.AddSingleton(Messaging);
        _directory = builder.Build();
        _directory.MapGrpcService<StubDirectory>();
        _directory.MapGrpcService<StubMessaging>();
        await _directory.StartAsync();
        await base.InitializeAsync();
    }

    /// <summary>What a process of the service needs besides.</summary>
    public Dictionary<string, string?> MailSettings() => new()
    {
        ["Mail:Host"] = "127.0.0.1",
        ["Mail:Port"] = $"{Smtp.SmtpPort}",
        ["Mail:GroupingDelay"] = "00:00:00",
        ["Mail:PollInterval"] = "00:00:00.100",
        ["Mail:FirstBackoff"] = "00:00:00.200",
        ["Mail:LongestRest"] = "00:00:00.400",
        ["Mail:Timeout"] = "00:00:02",
        ["Mail:Lease"] = "00:00:03",
        ["Webhooks:AllowHttp"] = "true",
        ["Webhooks:AllowedNetworks:0"] = "127.0.0.0/8",
        ["Webhooks:PollInterval"] = "00:00:00.100",
        ["services:directory:grpc:0"] = AddressOf(_directory),
        ["services:messaging:grpc:0"] = AddressOf(_directory),
        ["Identity:TokenEndpoint"] = AddressOf(_issuer) + "/token",
        ["Identity:ClientId"] = "systeme.notification",
        ["Identity:ClientSecret"] = "secret",
    };

    /// <summary>Queues something for an organisation, as the projection would.</summary>
    /// <returns>The delivery.</returns>
    public async Task<Guid> QueueAsync(Guid organisation, Guid? about = null, string type = "messaging.message-posted.v1", bool urgent = false)
    {
        var delivery = TestMesure.NewId();
        await Database.RunAsync($"""
            insert into deliveries values
                ('{delivery}', '{organisation}', gen_random_uuid(), '{type}', '{about ?? TestMesure.NewId()}', {urgent}, 'QUEUED', 0, now() - interval '1 second', now() - interval '1 second')
            """);
        return delivery;
    }

    /// <summary>Waits for a state of a recipient.</summary>
    public Task<string> RecipientAsync(Guid delivery, string contact, Func<string, bool> holds) => Eventually.BecomesAsync(
        () => Database.ReadAsync<string>($"""
            select coalesce((
                select concat_ws(' ', state, last_error, case when attempts > 0 then 'after ' || attempts end) from mail_recipients
                where delivery_id = '{delivery}' and contact_id = '{contact}'), '')
            """),
        holds, "the recipient");

    public Task<string> DeliveryAsync(Guid delivery, string state) =>
        Eventually.BecomesAsync(() => Database.ReadAsync<string>($"select state from deliveries where delivery_id = '{delivery}'"), s => s == state, $"the delivery {state}");

    private protected virtual Task<FaultySmtp> StartSmtpAsync() => FaultySmtp.StartAsync();

    protected override Dictionary<string, string?> Settings() => MailSettings();

    protected override async ValueTask StopOthersAsync()
    {
        await _directory.DisposeAsync();
        await _issuer.DisposeAsync();
        await Smtp.DisposeAsync();
    }

    private static string AddressOf(WebApplication app) => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
}

/// <summary>Answers for an organisation with what the test said, after so many bad answers.</summary>
internal sealed class StubDirectory : DirectoryService.DirectoryServiceBase
{
    private readonly Dictionary<string, (StatusCode Code, int Left)> _bad = [];
    private readonly ConcurrentDictionary<string, Contact[]> _contacts = [];
    private readonly ConcurrentDictionary<string, int> _asked = [];

    /// <summary>The address of the contact whom an organisation has unless the test says otherwise.</summary>
    public static string AddressOf(Guid organisation) => $"{organisation}@association.test";

    /// <summary>How often it was asked for the contacts of an organisation.</summary>
    public int Asked(Guid organisation) => _asked.GetValueOrDefault(organisation.ToString());

    public void Answer(Guid organisation, params Contact[] contacts) => _contacts[organisation.ToString()] = contacts;

    public void AnswerBadly(Guid organisation, StatusCode code, int times)
    {
        lock (_bad)
        {
            _bad[organisation.ToString()] = (code, times);
        }
    }

    public override Task<ListContactsResponse> ListContacts(ListContactsRequest request, ServerCallContext context)
    {
        _asked.AddOrUpdate(request.OrganisationId, 1, (_, n) => n + 1);
        lock (_bad)
        {
            if (_bad.TryGetValue(request.OrganisationId, out var bad) && bad.Left > 0)
            {
                _bad[request.OrganisationId] = bad with { Left = bad.Left - 1 };
                throw new RpcException(new Status(bad.Code, "as the test wants it"));
            }
        }

        var contacts = _contacts.GetValueOrDefault(request.OrganisationId, [new Contact { ExternalId = "1", Email = AddressOf(Guid.Parse(request.OrganisationId)) }]);
        return Task.FromResult(new ListContactsResponse { Contacts = { contacts } });
    }
}

/// <summary>Answers who is named for a mesure; for others as a messaging that does not know the question.</summary>
internal sealed class StubMessaging : MessagingService.MessagingServiceBase
{
    private readonly ConcurrentDictionary<string, Func<ListParticipantsResponse>> _answers = [];

    public void Answer(Guid mesure, Func<ListParticipantsResponse> answer) => _answers[mesure.ToString()] = answer;

    public override Task<ListParticipantsResponse> ListParticipants(ListParticipantsRequest request, ServerCallContext context) =>
        Task.FromResult(_answers.TryGetValue(request.MesureId, out var answer) ? answer() : new());
}

/// <summary>Whatever the directory answers, mails go on.</summary>
public sealed class MailFaultTests(MailFaultFixture fixture) : IClassFixture<MailFaultFixture>
{
    [Theory]
    [InlineData(StatusCode.Cancelled, "DIRECTORY_AWAY")]
    [InlineData(StatusCode.Internal, "DIRECTORY_AWAY")]
    [InlineData(StatusCode.PermissionDenied, "FAULT_RpcException")]
    [InlineData(StatusCode.InvalidArgument, "FAULT_RpcException")]
    public async Task Mail_BadAnswersOfTheDirectory_WaitsAndGoesOnceThereIsAGoodOne(StatusCode code, string error)
    {
        var organisation = TestMesure.NewId();
        fixture.Directory.AnswerBadly(organisation, code, times: 2);

        var delivery = await fixture.QueueAsync(organisation);
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<string>($"select coalesce(last_error, '') from deliveries where delivery_id = '{delivery}'"), e => e == error, "a failed attempt");
        await fixture.DeliveryAsync(delivery, "SENT");

        Assert.Single(await fixture.Smtp.TakenAsync(StubDirectory.AddressOf(organisation)));
        Assert.Equal(2, await fixture.Database.ReadAsync<int>($"select attempts from deliveries where delivery_id = '{delivery}'"));
        Assert.False(fixture.Host.App.Lifetime.ApplicationStopping.IsCancellationRequested);
    }

    [Fact]
    public async Task Mail_WithTheDirectoryAwayForDays_IsNotGivenUp()
    {
        var organisation = TestMesure.NewId();
        fixture.Directory.AnswerBadly(organisation, StatusCode.Internal, times: 1000);
        var delivery = await fixture.QueueAsync(organisation, urgent: true);
        await fixture.Database.RunAsync($"update deliveries set created_at = created_at - interval '30 days' where delivery_id = '{delivery}'");
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select attempts from deliveries where delivery_id = '{delivery}'"), n => n >= 3, "failed attempts of its age");

        fixture.Directory.AnswerBadly(organisation, StatusCode.Internal, times: 0);
        await fixture.DeliveryAsync(delivery, "SENT");

        Assert.Single(await fixture.Smtp.TakenAsync(StubDirectory.AddressOf(organisation)));
    }

    [Fact]
    public async Task Mail_BehindHundredsForAnOrganisationWithoutAddress_GoesAtOnceAndTheyWaitTheirTurn()
    {
        var (without, urgent, ordinary) = (TestMesure.NewId(), TestMesure.NewId(), TestMesure.NewId());
        fixture.Directory.Answer(without);
        await fixture.Database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), '{without}', gen_random_uuid(), 'messaging.message-posted.v1', gen_random_uuid(), i % 2 = 0, 'QUEUED', 0, now() - interval '1 hour', now() - interval '1 hour'
            from generate_series(1, 600) i
            """);

        await fixture.DeliveryAsync(await fixture.QueueAsync(urgent, urgent: true), "SENT");
        await fixture.DeliveryAsync(await fixture.QueueAsync(ordinary), "SENT");

        // Each time that the organisation is asked for, all its notices are put off together.
        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<int>($"select min(attempts) from deliveries where organisation_id = '{without}'"), n => n >= 2, "two failed attempts of all");
        var asked = fixture.Directory.Asked(without);
        Assert.Equal(
            ["NO_ADDRESS QUEUED"],
            await fixture.Database.ReadAllAsync<string>($"select distinct last_error || ' ' || state from deliveries where organisation_id = '{without}'"));
        Assert.InRange(asked, 1, 1 + await fixture.Database.ReadAsync<int>($"select max(attempts) from deliveries where organisation_id = '{without}'"));
        Assert.Equal(1L, await fixture.Database.ReadAsync<long>($"select count(distinct attempts) from deliveries where organisation_id = '{without}'"));
    }

    [Fact]
    public async Task Reminders_OfAHigherRung_SpareWhoGotThoseOfALowerOneUnlessTheyAreUrgent()
    {
        var mesure = TestMesure.Create();
        await fixture.ApplyAsync(mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "MUST_ACT", 1));
        await AddressedAsync(mesure);
        await fixture.ApplyAsync(
            mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "COLLEAGUE", 1), mesure.ReminderDue("ACKNOWLEDGE", "ESPACE", "MANAGER", 1),
            mesure.ReminderDue("EXTERNAL_ALERT", "ESPACE", "MUST_ACT", 1, urgent: true), mesure.ReminderDue("EXTERNAL_ALERT", "ESPACE", "MANAGER", 1, urgent: true));
        await AddressedAsync(mesure);

        Assert.Equal(
            [
                "ACKNOWLEDGE COLLEAGUE DROPPED NOBODY_ELSE", "ACKNOWLEDGE MANAGER DROPPED NOBODY_ELSE", "ACKNOWLEDGE MUST_ACT TOLD", "EXTERNAL_ALERT MANAGER TOLD", "EXTERNAL_ALERT MUST_ACT TOLD",
            ],
            await StatesAsync(mesure));
    }

    [Fact]
    public async Task Reminders_OfTwoRungsThatWaitTogether_AreOneForWhoeverIsOnBoth()
    {
        var mesure = TestMesure.Create();
        var (follower, manager) = ($"suivi.{mesure.Id:N}@association.test", $"direction.{mesure.Id:N}@association.test");
        fixture.Directory.Answer(
            mesure.GestionnaireId, new Contact { ExternalId = "1", Email = follower, Role = ContactRole.Suivi }, new Contact { ExternalId = "2", Email = manager, Role = ContactRole.Direction });
        await fixture.Database.RunAsync($"""
            insert into deliveries (delivery_id, organisation_id, event_id, event_type, mesure_id, urgent, deadline, deadline_due_at, rung, reminder, state, attempts, next_attempt_at, created_at)
            select gen_random_uuid(), '{mesure.GestionnaireId}', gen_random_uuid(), 'mesure.reminder-due.v1', '{mesure.Id}', false, 'ACKNOWLEDGE', '2026-11-21T09:30:00Z', r, 1, 'QUEUED', 0, now(), now()
            from unnest(array['MANAGER', 'COLLEAGUE', 'MUST_ACT']) r
            """);
        await AddressedAsync(mesure);

        // There is no colleague: the manager stands in, and is not told again in their own turn.
        Assert.Equal(["ACKNOWLEDGE COLLEAGUE TOLD", "ACKNOWLEDGE MANAGER DROPPED NOBODY_ELSE", "ACKNOWLEDGE MUST_ACT TOLD"], await StatesAsync(mesure));
        await Eventually.BecomesAsync(() => fixture.Smtp.TakenAsync(follower), m => m.Count == 1, "the follower's mail");
        await Eventually.BecomesAsync(() => fixture.Smtp.TakenAsync(manager), m => m.Count == 1, "the manager's mail");
    }

    [Fact]
    public async Task Mail_OfAMesureWithNamedContacts_GoesToThemAndNotToEverybody()
    {
        var (organisation, mesure) = (TestMesure.NewId(), TestMesure.NewId());
        string AddressOf(string id) => $"{id}.{organisation:N}@association.test";
        fixture.Directory.Answer(
            organisation, [.. new[] { "1", "2", "3" }.Select(id => new Contact { ExternalId = id, Email = AddressOf(id), Role = id == "1" ? ContactRole.Suivi : ContactRole.Direction })]);
        Participant Named(string id, ParticipantRole role, Guid? of = null) => new() { OrganisationId = (of ?? organisation).ToString(), ContactId = id, Role = role };
        fixture.Messaging.Answer(mesure, () => new ListParticipantsResponse
        {
            Participants = { Named("2", ParticipantRole.Responsable), Named("1", ParticipantRole.Lecteur), Named("3", ParticipantRole.Responsable, TestMesure.NewId()) },
        });

        await fixture.DeliveryAsync(await fixture.QueueAsync(organisation, mesure), "SENT");

        Assert.Single(await fixture.Smtp.TakenAsync(AddressOf("2")));
        Assert.Empty(await fixture.Smtp.TakenAsync(AddressOf("1")));
        Assert.Empty(await fixture.Smtp.TakenAsync(AddressOf("3")));
    }

    [Fact]
    public async Task Mail_BesideOthersWhoseThreadsAreRefused_GoesToThoseNamed()
    {
        var (organisation, mesure, refused) = (TestMesure.NewId(), TestMesure.NewId(), Enumerable.Range(0, 40).Select(_ => TestMesure.NewId()).ToList());
        fixture.Directory.Answer(organisation, [.. new[] { "1", "2" }.Select(id => new Contact { ExternalId = id, Email = $"{id}.{organisation:N}@association.test", Role = ContactRole.Suivi })]);
        refused.ForEach(r => fixture.Messaging.Answer(r, () => throw new RpcException(new Status(StatusCode.PermissionDenied, "as the test wants it"))));
        fixture.Messaging.Answer(mesure, () => new ListParticipantsResponse
        {
            Participants = { new Participant { OrganisationId = organisation.ToString(), ContactId = "2", Role = ParticipantRole.Responsable } },
        });

        // The refused are asked for first, all in one round.
        await fixture.Database.RunAsync($"""
            insert into deliveries
            select gen_random_uuid(), '{organisation}', gen_random_uuid(), 'messaging.message-posted.v1', m, false, 'QUEUED', 0, now() - i * interval '1 second', now() - interval '1 second'
            from unnest(array['{mesure}', '{string.Join("','", refused)}']::uuid[]) with ordinality as l(m, i)
            """);

        await Eventually.BecomesAsync(
            () => fixture.Database.ReadAsync<long>($"select count(*) from deliveries where organisation_id = '{organisation}' and state = 'QUEUED'"), n => n == 0, "mails addressed");
        Assert.Equal(["2"], await fixture.Database.ReadAllAsync<string>($"select contact_id from mail_recipients where subject_id = '{mesure}'"));
    }

    [Fact]
    public async Task Mail_OfAQuestionThatNamesWhoMustAnswer_GoesToThatOneAndItsReminderToo()
    {
        var mesure = TestMesure.Create();
        var (organisation, due) = (mesure.JuridictionId, TimeProvider.System.GetUtcNow().AddMinutes(-1));
        due = new DateTimeOffset(due.Ticks / 10 * 10, TimeSpan.Zero);
        string AddressOf(string id) => $"{id}.{organisation:N}@tribunal.test";
        fixture.Directory.Answer(organisation, [.. new[] { "1", "2", "3" }.Select(id => new Contact { ExternalId = id, Email = AddressOf(id), Role = ContactRole.Suivi })]);
        Participant Named(string id, ParticipantRole role, params DateTimeOffset[] dues) =>
            new() { OrganisationId = organisation.ToString(), ContactId = id, Role = role, AnswerDueTimes = { dues.Select(Google.Protobuf.WellKnownTypes.Timestamp.FromDateTimeOffset) } };
        fixture.Messaging.Answer(mesure.Id, () => new ListParticipantsResponse
        {
            Participants = { Named("1", ParticipantRole.Responsable), Named("2", ParticipantRole.Suppleant, due, due.AddDays(3)), Named("3", ParticipantRole.Responsable, due.AddDays(1)) },
        });

        await fixture.ApplyAsync(mesure.Message(mesure.GestionnaireId, 2) with { AnswerDueAt = due }, mesure.Overdue(organisation, "ANSWER") with { DueAt = due });
        await AddressedAsync(mesure);
        Assert.Equal(["2", "2"], await fixture.Database.ReadAllAsync<string>($"select contact_id from mail_recipients where subject_id = '{mesure.Id}'"));

        // What asks nobody by name goes to all who answer.
        await fixture.ApplyAsync(mesure.Message(mesure.GestionnaireId, 3));
        await AddressedAsync(mesure);
        Assert.Equal(["1", "2", "2", "2", "3"], await fixture.Database.ReadAllAsync<string>($"select contact_id from mail_recipients where subject_id = '{mesure.Id}' order by 1"));
    }

    [Theory]
    [InlineData(StatusCode.Unavailable)]
    [InlineData(StatusCode.Unimplemented)]
    [InlineData(StatusCode.PermissionDenied)]
    public async Task Mail_WithoutAnAnswerOfMessaging_GoesToWhoFollowsMesures(StatusCode code)
    {
        var (organisation, mesure) = (TestMesure.NewId(), TestMesure.NewId());
        fixture.Messaging.Answer(mesure, () => throw new RpcException(new Status(code, "as the test wants it")));

        await fixture.DeliveryAsync(await fixture.QueueAsync(organisation, mesure), "SENT");

        Assert.Single(await fixture.Smtp.TakenAsync(StubDirectory.AddressOf(organisation)));
    }

    [Theory]
    [InlineData("Mail:From", "nobody")]
    [InlineData("Mail:From", "")]
    [InlineData("Mail:Port", "70000")]
    [InlineData("Mail:AuthoritiesFile", "/nowhere/authorities.pem")]
    [InlineData("Mail:Concurrency", "0")]
    [InlineData("Mail:BounceAddress", "retours")]
    public async Task Start_MailSettingThatCannotBe_IsRefusedByItsName(string key, string value)
    {
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => fixture.StartReplicaAsync((key, value)));

        Assert.StartsWith(key + " is not", error.Message, StringComparison.Ordinal);
    }

    private Task<long> AddressedAsync(TestMesure mesure) => Eventually.BecomesAsync(
        () => fixture.Database.ReadAsync<long>($"select count(*) from deliveries where mesure_id = '{mesure.Id}' and state = 'QUEUED'"), n => n == 0, "mails addressed");

    private Task<IReadOnlyList<string>> StatesAsync(TestMesure mesure) => fixture.Database.ReadAllAsync<string>(
        $"select concat_ws(' ', deadline, rung, case when state in ('ADDRESSED', 'SENT') then 'TOLD' else state end, last_error) from deliveries where mesure_id = '{mesure.Id}' order by 1");
}
