using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Threads;
using Jafer.Directory;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Messaging;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Messaging;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Jafer.Notifications.Tests.Retention;

/// <summary>
/// The four services together: a mesure lives with a word of its own in each text, its time passes, and no backup of any database
/// holds one of these words any more.
/// </summary>
public sealed class ErasureTests : IAsyncLifetime
{
    private const string Purged = "mesure.mesure-purged.v1";

    private static readonly Guid s_court = StableIds.Court("tj69123");
    private static readonly Guid s_gestionnaire = StableIds.Gestionnaire("test", "G1");
    private static readonly Guid s_espace = StableIds.Espace("test", "E1");
    private static readonly Guid s_operator = StableIds.For("organisation:operateur:national");

    private readonly string _prefix = ServiceHost.UniquePrefix();
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly List<(string Name, ServiceHost Host, TestDatabase Database)> _services = [];
    private readonly List<string> _words = [];
    private WebhookReceiver _hooks = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _hooks = await WebhookReceiver.StartAsync();
        _parts.Add(_hooks);
        await StartAsync(DirectoryModule.Name, c => DirectoryModule.Build([], c), app => app.MigrateDirectoryAsync());
        await StartAsync(MesuresModule.Name, c => MesuresModule.Build([], c), app => app.MigrateAsync<MesuresDbContext>());
        await StartAsync(MessagingModule.Name, c => MessagingModule.Build([], c), MessagingModule.MigrateAsync, ("Attachments:ClearWithoutScanner", "true"));
        await StartAsync(
            NotificationsModule.Name, c => NotificationsModule.Build([], c), NotificationsModule.MigrateAsync,
            ("Webhooks:AllowHttp", "true"), ("Webhooks:AllowedNetworks:0", "127.0.0.0/8"), ("Webhooks:PollInterval", "00:00:00.100"));
        // The directory tells of the courts that it knows, at times before this.
        await Database(MesuresModule.Name).RunAsync($$"""
            insert into organisations (id, kind, code) values ('{{s_court}}', 'JURIDICTION', 'tj69123') on conflict do nothing;
            insert into espaces (id, gestionnaire_id, state, agrement_periods, time_zone, departement, capacities, version) values
                ('{{s_espace}}', '{{s_gestionnaire}}', 'OUVERT', '[{"from":"2013-09-01"}]', 'Europe/Paris', '69', '[]', 1);
            """);
        await Task.WhenAll(_services.Select(s => s.Host.ReadyAsync()));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }
    }

    [Fact]
    public async Task Mesure_WhoseTimeIsOver_LeavesNoWordOfItInAnyDatabase()
    {
        foreach (var (role, path) in new[] { (Roles.Juridiction, "court"), (Roles.Espace, "espace") })
        {
            await new WebhookService.WebhookServiceClient(Channel(NotificationsModule.Name, role)).CreateEndpointAsync(
                new CreateEndpointRequest { Endpoint = new WebhookEndpoint { Url = _hooks.Address + path, ContactEmail = "si@association.test" }, RequestId = Id() });
        }

        var mesureId = await LiveAsync();
        await SettledAsync();
        var planted = await FoundAsync();
        Assert.Equal(_words.Order(StringComparer.Ordinal), planted.Order(StringComparer.Ordinal));

        await AgeAsync(mesureId);
        var run = await RunAsync();
        Assert.Equal((1, 0), (run.Counts.Single(c => c.Rule == "MESURE_CONTENT").ErasedCount, (int)run.Counts.Sum(c => c.FailedCount)));

        // Everybody who holds something of it hears of it, and why.
        foreach (var path in new[] { "/court", "/espace" })
        {
            var told = await _hooks.ReceivedAsync(2, c => c.Path == path && c.Json.GetProperty("type").GetString() == Purged);
            Assert.All(told, c => Assert.Equal((mesureId, "rgpd"), (c.Data("mesureId"), c.Data("webhookReason"))));
        }

        foreach (var role in new[] { Roles.Juridiction, Roles.Espace })
        {
            var feed = await new NotificationService.NotificationServiceClient(Channel(NotificationsModule.Name, role)).AllEventsAsync();
            Assert.Equal(
                ["FILES RETENTION", "CONTENT RETENTION"],
                feed.Where(e => e.Type == Purged).Select(e => $"{e.Data.Fields["scope"].StringValue} {e.Data.Fields["reason"].StringValue}"));
        }

        await Eventually.BecomesAsync(
            () => Database(MessagingModule.Name).ReadAsync<long>($"select count(*) from threads where thread_id = '{mesureId}' and erased_at is not null"), n => n == 1, "the thread to be erased");
        await SettledAsync();
        foreach (var (_, host, _) in _services)
        {
            // Answers for repeated requests last a day; the clock of this test does not turn.
            await host.App.Services.GetServices<IHostedService>().OfType<Housekeeping>().Single().SweepAsync(Ct);
        }

        Assert.Empty(await FoundAsync());
        Assert.Equal(0, await Database(NotificationsModule.Name).ReadAsync<long>($"""
            select (select count(*) from notice_proofs where mesure_id = '{mesureId}') + (select count(*) from deliveries where mesure_id = '{mesureId}')
                + (select count(*) from mesure_holders where mesure_id = '{mesureId}')
                + (select count(*) from webhook_deliveries where aggregate_id = '{mesureId}' and event_type <> '{Purged}')
            """));

        // What is told late brings nothing back.
        var messages = await Database(MessagingModule.Name).ReadAsync<long>($"select message_count from threads where thread_id = '{mesureId}'");
        var late = new TestMesure(s_court, s_gestionnaire).Transmitted() with { AggregateId = Guid.Parse(mesureId) };
        await Host(MesuresModule.Name).PublishAsync<MesuresDbContext>(late);
        await Eventually.BecomesAsync(
            () => Database(MessagingModule.Name).ReadAsync<long>($"select count(*) from inbox_messages where message_id = '{late.EventId}'"), n => n == 1, "the late event");
        Assert.Equal(messages, await Database(MessagingModule.Name).ReadAsync<long>($"select message_count from threads where thread_id = '{mesureId}'"));

        // The chain still holds, of texts that are no more.
        var thread = await ExportAsync(mesureId);
        Assert.Null(ThreadChain.Verify(thread));
        Assert.All(thread.Messages.Where(m => m.EventType is null), m => Assert.True(m is { Body: null, Salt: null, ErasedTime: not null, BodyDigest: not null }));
        var forged = thread with { Messages = [.. thread.Messages.Select(m => m.EventType is null ? m with { BodyDigest = new string('0', 64) } : m)] };
        Assert.NotNull(ThreadChain.Verify(forged));
    }

    /// <summary>The main job, with a word of its own in each text that a service keeps of a mesure.</summary>
    private async Task<string> LiveAsync()
    {
        var court = new MesureService.MesureServiceClient(Channel(MesuresModule.Name, Roles.Juridiction));
        var espace = new MesureService.MesureServiceClient(Channel(MesuresModule.Name, Roles.Espace));
        var content = TestDraft.Content(s_espace, TimeProvider.System.TodayInParis().AddDays(-20));
        content.Decision.RgNumber = Word("rg");
        content.Decision.JudgeName = Word("juge");
        content.Decision.ReplacementJudgeName = Word("remplacant");
        content.Decision.Restrictions = Word("restrictions");
        foreach (var party in content.Parties)
        {
            (party.GivenName, party.FamilyName, party.Address, party.Email) = (Word("prenom"), Word("nom"), Word("adresse"), Word("mail") + "@famille.test");
        }

        (content.Children[0].GivenName, content.Children[0].FamilyName) = (Word("enfant"), Word("nomenfant"));
        var id = (await court.CreateMesureAsync(content, cancellationToken: Ct)).Mesure.MesureId;
        await AttachAsync(id);
        await court.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = Id() });
        await court.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = Id() });
        await espace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = Id() });
        await espace.RequestInformationAsync(new RequestInformationRequest { MesureId = id, Reason = InformationReason.Other, Question = Word("question"), RequestId = Id() });
        await court.ProvideInformationAsync(new ProvideInformationRequest { MesureId = id, Answer = Word("reponse"), RequestId = Id() });
        await espace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = Id() });
        await espace.RecordContactAsync(new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, RequestId = Id() });
        await court.ModifyMesureAsync(new ModifyMesureRequest
        {
            MesureId = id,
            Modification = new Modification { DecisionDate = TimeProvider.System.TodayInParis().AddDays(-1).ToProto(), Restrictions = Word("version") },
            RequestId = Id(),
        });
        await espace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Capacity, Comment = Word("difficulte"), RequestId = Id() });
        var difficulty = (await court.GetMesureAsync(new GetMesureRequest { MesureId = id })).Mesure.Difficulties[0].DifficultyId;
        await court.AnswerDifficultyAsync(new AnswerDifficultyRequest { MesureId = id, DifficultyId = difficulty, Answer = DifficultyAnswer.Maintain, Comment = Word("maintien"), RequestId = Id() });
        await new IntakeService.IntakeServiceClient(Host(MesuresModule.Name).Channel(Roles.Espace, s_gestionnaire)).ReportStatusAsync(new ReportStatusRequest
        {
            Items =
            {
                new StatusItem
                {
                    SourceSystem = "planning",
                    ExternalId = Word("externe"),
                    Sequence = 1,
                    MesureId = id,
                    RencontreScheduled = new() { ExternalRencontreId = Word("rencontre"), StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(3)), DurationMinutes = 60 },
                },
            },
            RequestId = Id(),
        });

        await Eventually.BecomesAsync(
            () => Database(MessagingModule.Name).ReadAsync<long>($"select count(*) from threads where thread_id = '{id}'"), n => n == 1, "the thread to open");
        var messages = new MessagingService.MessagingServiceClient(Channel(MessagingModule.Name, Roles.Espace));
        var answers = new MessagingService.MessagingServiceClient(Channel(MessagingModule.Name, Roles.Juridiction));
        var contact = Word("contact");
        await answers.AssignParticipantAsync(new AssignParticipantRequest { MesureId = id, ContactId = contact, Role = ParticipantRole.Responsable, RequestId = Id() });
        await answers.PostMessageAsync(new PostMessageRequest { MesureId = id, Body = Word("message"), RequestId = Id() });
        await messages.PostMessageAsync(new PostMessageRequest
        {
            MesureId = id,
            Body = Word("courrier"),
            AttachmentIds = { await UploadAsync(id) },
            AnswerByContactId = contact,
            AnswerDueTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(3)),
            RequestId = Id(),
        });

        var close = new CloseMesureRequest { MesureId = id, Reason = ClosureReason.InterruptionEspaceAutre, Comment = Word("fin"), RequestId = Id() };
        await espace.CloseMesureAsync(close);
        await court.ReopenMesureAsync(new ReopenMesureRequest { MesureId = id, Comment = Word("reouverture"), RequestId = Id() });
        (close.Comment, close.RequestId) = (Word("cloture"), Id());
        await espace.CloseMesureAsync(close);

        // The first comment went when the closing was taken back.
        _words.RemoveAll(w => w.Contains("zqfin", StringComparison.Ordinal));
        return id;
    }

    private async Task AttachAsync(string mesureId)
    {
        var file = TestPdf.Make($"/Title ({Word("decision")})");
        using var call = new DocumentService.DocumentServiceClient(Channel(MesuresModule.Name, Roles.Juridiction)).AttachDecision(cancellationToken: Ct);
        await call.RequestStream.WriteAsync(new AttachDecisionRequest { MesureId = mesureId, SizeBytes = file.Length, Sha256 = ByteString.CopyFrom(SHA256.HashData(file)), RequestId = Id() }, Ct);
        await call.RequestStream.WriteAsync(new AttachDecisionRequest { Data = ByteString.CopyFrom(file) }, Ct);
        await call.RequestStream.CompleteAsync();
        await call.ResponseAsync;
    }

    private async Task<string> UploadAsync(string mesureId)
    {
        var file = TestPdf.Make($"/Title ({Word("piece")})");
        using var call = new AttachmentService.AttachmentServiceClient(Channel(MessagingModule.Name, Roles.Espace)).UploadAttachment(cancellationToken: Ct);
        await call.RequestStream.WriteAsync(
            new UploadAttachmentRequest { MesureId = mesureId, FileName = Word("fichier") + ".pdf", SizeBytes = file.Length, Sha256 = ByteString.CopyFrom(SHA256.HashData(file)), RequestId = Id() }, Ct);
        await call.RequestStream.WriteAsync(new UploadAttachmentRequest { Data = ByteString.CopyFrom(file) }, Ct);
        await call.RequestStream.CompleteAsync();
        var id = (await call.ResponseAsync).Attachment.AttachmentId;
        await Eventually.BecomesAsync(
            () => Database(MessagingModule.Name).ReadAsync<long>($"select count(*) from attachments where attachment_id = '{id}' and state = 'SAIN'"), n => n == 1, "a cleared file");
        return id;
    }

    /// <summary>Lets thirty months pass since all that was told of it, and two days since every answer.</summary>
    private async Task AgeAsync(string mesureId)
    {
        await Database(MesuresModule.Name).RunAsync($"""
            alter table mesure_facts disable trigger mesure_facts_append_only;
            update mesure_facts set occurred_at = occurred_at - interval '30 months' where mesure_id = '{mesureId}';
            alter table mesure_facts enable trigger mesure_facts_append_only;
            update mesures set closed_at = closed_at - interval '30 months' where id = '{mesureId}';
            delete from delay_queue
            """);
        foreach (var (_, _, database) in _services)
        {
            await database.RunAsync("update processed_requests set created_at = created_at - interval '2 days'");
        }
    }

    private async Task<RetentionRun> RunAsync()
    {
        var client = new RetentionService.RetentionServiceClient(Channel(MesuresModule.Name, Roles.Operateur));
        var id = (await client.StartRetentionRunAsync(new StartRetentionRunRequest { RequestId = Id() })).Run.RunId;
        return await Eventually.BecomesAsync(async () => (await client.GetRetentionRunAsync(new GetRetentionRunRequest { RunId = id })).Run, r => r.EndTime is not null, "the end of the run");
    }

    private async Task<ThreadExport> ExportAsync(string mesureId)
    {
        using var call = new MessagingService.MessagingServiceClient(Channel(MessagingModule.Name, Roles.Juridiction)).GetThreadExport(
            new GetThreadExportRequest { MesureId = mesureId, Format = ExportFormat.Json }, cancellationToken: Ct);
        using var file = new MemoryStream();
        while (await call.ResponseStream.MoveNext(Ct))
        {
            file.Write(call.ResponseStream.Current.Data.Span);
        }

        return JsonSerializer.Deserialize<ThreadExport>(file.ToArray(), ThreadChain.Json)!;
    }

    /// <summary>Which words stand in a backup of one of the databases.</summary>
    private async Task<HashSet<string>> FoundAsync()
    {
        var dumps = await Task.WhenAll(_services.Select(s => OpenedDump.OpenedAsync(s.Database)));
        return [.. dumps.SelectMany(d => OpenedDump.Found(d, _words))];
    }

    /// <summary>Waits until what was decided is given to the broker and applied.</summary>
    private async Task SettledAsync()
    {
        foreach (var (name, _, database) in _services)
        {
            await Eventually.BecomesAsync(() => database.ReadAsync<long>("select count(*) from outbox_messages"), n => n == 0, $"an empty outbox of {name}");
        }
    }

    private async Task StartAsync(
        string name, Func<Action<WebApplicationBuilder>, WebApplication> build, Func<WebApplication, Task> migrate, params (string Key, string? Value)[] settings)
    {
        var database = await TestDatabase.CloneAsync(name, async connection =>
        {
            await using var app = build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(name, connection, "none")));
            await migrate(app);
        });
        var host = await ServiceHost.StartAsync(build, ServiceHost.Settings(name, database.ConnectionString, _prefix, settings.ToDictionary(s => s.Key, s => s.Value)));
        _parts.AddRange([database, host]);
        _services.Add((name, host, database));
    }

    private ServiceHost Host(string name) => _services.Single(s => s.Name == name).Host;

    private TestDatabase Database(string name) => _services.Single(s => s.Name == name).Database;

    private Grpc.Net.Client.GrpcChannel Channel(string name, string role) => Host(name).Channel(TestIssuer.Shared.Token(
        role, role switch { Roles.Juridiction => s_court, Roles.Espace => s_gestionnaire, _ => s_operator }, $"personne.{role}", person: true));

    private string Word(string field)
    {
        _words.Add($"zq{field}{_words.Count}q");
        return _words[^1];
    }

    private static string Id() => TestMesure.NewId().ToString();
}
