using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Messaging.V1;
using Jafer.Contracts.Notification.V1;
using Jafer.Contracts.Operations.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory;
using Jafer.Mesures;
using Jafer.Mesures.Data;
using Jafer.Messaging;
using Jafer.Messaging.Data;
using Jafer.Notifications.Tests.Mails;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Jafer.Notifications.Tests.Telemetry;

#pragma warning disable RS0030 // What a client catches.

/// <summary>
/// The four services together, and a marker in every text of every request: none of them comes out by what the services tell of
/// themselves (logs, traces, metrics, errors, error queues), nor by what goes to somebody who did not ask (mails, webhooks, feed).
/// </summary>
public sealed class MarkerTests : IAsyncLifetime
{
    private static readonly Guid s_court = StableIds.Court("tj69123");
    private static readonly Guid s_gestionnaire = StableIds.Gestionnaire("test", "G1");
    private static readonly Guid s_espace = StableIds.Espace("test", "E1");
    private static readonly Guid s_operator = StableIds.For("organisation:operateur:national");

    private readonly string _prefix = ServiceHost.UniquePrefix();
    private readonly TelemetryRecorder _told = new();
    private readonly Planter _planter = new();
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly Dictionary<(ServiceHost, string), GrpcChannel> _channels = [];
    private MailCatcher _mails = null!;
    private WebhookReceiver _hooks = null!;
    private ServiceHost _directory = null!, _mesures = null!, _messaging = null!, _notifications = null!;
    private TestDatabase _mesuresDatabase = null!, _messagingDatabase = null!, _notificationsDatabase = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _mails = await MailCatcher.StartAsync();
        _hooks = await WebhookReceiver.StartAsync();
        var issuer = await MailFixture.StartIssuerAsync();
        _parts.AddRange([_mails, _hooks, issuer]);
        var asService = new Dictionary<string, string?>
        {
            ["Identity:TokenEndpoint"] = issuer.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/token",
            ["Identity:ClientId"] = "systeme.test",
            ["Identity:ClientSecret"] = "secret",
            // As in production, and all that is our own.
            ["Logging:LogLevel:Default"] = "Information",
            ["Logging:LogLevel:Jafer"] = "Trace",
        };
        (_directory, _) = await StartAsync(DirectoryModule.Name, c => DirectoryModule.Build([], c), app => app.MigrateDirectoryAsync(), asService);
        asService["services:directory:grpc:0"] = _directory.Grpc.ToString();
        (_mesures, _mesuresDatabase) = await StartAsync(MesuresModule.Name, c => MesuresModule.Build([], c), app => app.MigrateAsync<MesuresDbContext>(), asService);
        asService["Attachments:ClearWithoutScanner"] = "true";
        (_messaging, _messagingDatabase) = await StartAsync(MessagingModule.Name, c => MessagingModule.Build([], c), MessagingModule.MigrateAsync, asService);
        asService["services:messaging:grpc:0"] = _messaging.Grpc.ToString();
        foreach (var (key, value) in new[]
        {
            ("Mail:Host", "127.0.0.1"), ("Mail:Port", $"{_mails.SmtpPort}"), ("Mail:GroupingDelay", "00:00:00"), ("Mail:PollInterval", "00:00:00.100"),
            ("Webhooks:AllowHttp", "true"), ("Webhooks:AllowedNetworks:0", "127.0.0.0/8"), ("Webhooks:PollInterval", "00:00:00.100"),
        })
        {
            asService[key] = value;
        }

        (_notifications, _notificationsDatabase) = await StartAsync(NotificationsModule.Name, c => NotificationsModule.Build([], c), NotificationsModule.MigrateAsync, asService);
        await Task.WhenAll(_directory.ReadyAsync(), _mesures.ReadyAsync(), _messaging.ReadyAsync(), _notifications.ReadyAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts))
        {
            await part.DisposeAsync();
        }

        _told.Dispose();
    }

    [Fact]
    public async Task Journey_WithMarkersInEveryText_TellsNoneOfThem()
    {
        var mesureId = await LiveAsync();
        await Eventually.BecomesAsync(() => Task.FromResult(_hooks.Calls.Count), n => n > 0, "posts");
        await Eventually.BecomesAsync(() => _mails.AllAsync(), m => m.Count > 0, "mails");
        AssertNone("the journey");

        await EverythingAsync(mesureId);
        await SettledAsync();
        await CollectAsync();
        AssertNone("every rpc");
        Assert.Superset(new HashSet<string> { "mail", "webhook", "feed" }, _told.Lines.Select(l => l.Source).ToHashSet());

        await PoisonAsync();
        AssertNone("poisoned events");
        await AssertDumpsAsync();
    }

    /// <summary>
    /// What a thief of the four databases reads: nothing of a family and no address of a professional, neither as text nor in another
    /// writing of it; and what one reads who holds the keys too.
    /// </summary>
    private async Task AssertDumpsAsync()
    {
        var (closed, opened) = (new StringBuilder(), new StringBuilder());
        foreach (var database in _parts.OfType<TestDatabase>())
        {
            closed.Append(await OpenedDump.ClosedAsync(database));
            opened.Append(await OpenedDump.OpenedAsync(database));
        }

        var stolen = closed.ToString();
        var shown = _planter.FieldsShownBy(stolen).Except(s_inClear).Order(StringComparer.Ordinal);
        Assert.True(!shown.Any(), "in clear: " + string.Join(", ", shown));
        for (var offset = 0; offset < 3; offset++)
        {
            // The letters that no neighbour changes.
            var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(new string('x', offset) + Planter.Marker));
            Assert.DoesNotContain(base64[(offset == 0 ? 0 : 4)..][..8], stolen, StringComparison.Ordinal);
        }

        Assert.Superset(s_sealed.ToHashSet(), _planter.FieldsShownBy(opened.ToString()).ToHashSet());
    }

    /// <summary>The main job, each step with as many markers as it takes.</summary>
    private async Task<string> LiveAsync()
    {
        await StepAsync(_directory, Roles.Operateur, DirectoryService.Descriptor, new ImportEspacesRequest { Source = "test", Espaces = { Espace() }, RequestId = Id() });
        await StepAsync(_directory, Roles.Juridiction, DirectoryService.Descriptor, new ReplaceContactsRequest
        {
            OrganisationId = s_court.ToString(),
            Contacts = { new Contact { ExternalId = "1", Email = "greffe@justice.test", Role = ContactRole.Suivi } },
            RequestId = Id(),
        });
        await StepAsync(_notifications, Roles.Espace, WebhookService.Descriptor, new CreateEndpointRequest
        {
            Endpoint = new WebhookEndpoint { Url = _hooks.Address + "hook", ContactEmail = "si@association.test" },
            RequestId = Id(),
        });
        await Eventually.BecomesAsync(
            () => _mesuresDatabase.ReadAsync<long>($"select count(*) from espaces where id = '{s_espace}'"), n => n == 1, "the espace is known");

        var created = (CreateMesureResponse)await StepAsync(_mesures, Roles.Juridiction, MesureService.Descriptor, TestDraft.Content(s_espace, TimeProvider.System.TodayInParis().AddDays(-20)));
        var mesureId = created.Mesure.MesureId;
        Task<IMessage> Court(IMessage request) => StepAsync(_mesures, Roles.Juridiction, MesureService.Descriptor, request);
        Task<IMessage> Side(IMessage request) => StepAsync(_mesures, Roles.Espace, MesureService.Descriptor, request);
        await Court(new CheckMesureRequest { MesureId = mesureId });
        await Court(new CompleteMesureRequest { MesureId = mesureId, RequestId = Id() });
        await Court(new TransmitMesureRequest { MesureId = mesureId, RequestId = Id() });
        await Side(new AcknowledgeMesureRequest { MesureId = mesureId, RequestId = Id() });
        await Side(new RequestInformationRequest { MesureId = mesureId, Reason = InformationReason.Other, Question = "?", RequestId = Id() });
        await Court(new ProvideInformationRequest { MesureId = mesureId, Answer = "!", RequestId = Id() });
        await Side(new TakeChargeRequest { MesureId = mesureId, RequestId = Id() });
        await Side(new RecordContactRequest { MesureId = mesureId, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = Id() });
        await Side(new RecordInterviewRequest { MesureId = mesureId, PartyRole = PartyRole.Hote, RequestId = Id() });
        await Side(new ScheduleRencontreRequest
        {
            MesureId = mesureId,
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-3)),
            DurationMinutes = 60,
            RequestId = Id(),
        });
        var mesure = ((GetMesureResponse)await Side(new GetMesureRequest { MesureId = mesureId })).Mesure;
        // Whoever asks and may know is told.
        Assert.All(mesure.Parties, p => Assert.Contains(Planter.Marker, p.FamilyName, StringComparison.Ordinal));
        Assert.Contains(Planter.Marker, mesure.Decision.JudgeName, StringComparison.Ordinal);
        await Side(new RecordRencontreOutcomeRequest { MesureId = mesureId, RencontreId = mesure.Rencontres[0].RencontreId, Outcome = RencontreOutcome.VisiteurAbsent, RequestId = Id() });
        await Side(new ReportDifficultyRequest { MesureId = mesureId, Reason = DifficultyReason.Incident, RequestId = Id() });

        await Eventually.BecomesAsync(
            () => _messagingDatabase.ReadAsync<long>($"select count(*) from threads where thread_id = '{mesureId}'"), n => n == 1, "the thread to open");
        var file = TestPdf.Make();
        var header = new UploadAttachmentRequest { MesureId = mesureId, FileName = "rapport.pdf", SizeBytes = file.Length, Sha256 = ByteString.CopyFrom(SHA256.HashData(file)), RequestId = Id() };
        var uploaded = (UploadAttachmentResponse)await StepAsync(_messaging, Roles.Espace, AttachmentService.Descriptor, header, new UploadAttachmentRequest { Data = ByteString.CopyFrom(file) });
        await Eventually.BecomesAsync(
            () => _messagingDatabase.ReadAsync<long>("select count(*) from attachments where state = 'SAIN'"), n => n == 1, "a cleared file");
        await StepAsync(_messaging, Roles.Espace, MessagingService.Descriptor, new PostMessageRequest
        {
            MesureId = mesureId,
            Body = "!",
            AttachmentIds = { uploaded.Attachment.AttachmentId },
            RequestId = Id(),
        });
        await StepAsync(_messaging, Roles.Juridiction, MessagingService.Descriptor, new ListMessagesRequest { MesureId = mesureId });
        return mesureId;
    }

    /// <summary>Every rpc as one who may and one who may not, everything in it set; texts alone, and with ids that exist.</summary>
    private async Task EverythingAsync(string mesureId)
    {
        var ids = new Dictionary<string, string>
        {
            ["mesure_id"] = mesureId,
            ["espace_id"] = s_espace.ToString(),
            ["organisation_id"] = s_gestionnaire.ToString(),
            ["page_token"] = "",
            ["resume_token"] = "",
            ["etag"] = "",
        };
        var none = new Dictionary<string, string>();
        foreach (var (host, service) in Services())
        {
            foreach (var rpc in service.Methods)
            {
                var name = $"/{service.FullName}/{rpc.Name}";
                var granted = s_roles.ToLookup(role => AccessTable.BuiltIn.Grant(name, role) != Tenancy.None);
                foreach (var (role, known) in granted[true].Take(1).SelectMany(r => new[] { (r, none), (r, ids) }).Concat(granted[false].Take(1).Select(r => (r, ids))))
                {
                    await SendAsync(host, role, rpc, [_planter.Wild(rpc.InputType, known)]);
                }
            }
        }
    }

    /// <summary>Events whose texts are markers: some are dropped, some cannot be applied.</summary>
    private async Task PoisonAsync()
    {
        var mesure = TestMesure.Create();
        // A thread has two sides: the database refuses this one, and quotes its row.
        foreach (var poison in new DomainEvent[] { TestEspace.Published(s_espace, s_gestionnaire, 99), mesure.Transmitted() with { GestionnaireId = mesure.JuridictionId } })
        {
            foreach (var property in poison.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite && p.PropertyType == typeof(string)))
            {
                property.SetValue(poison, _planter.Next($"{poison.GetType().Name}.{property.Name}"));
            }

            await _messaging.PublishAsync<MessagingDbContext>(poison);
        }

        await Eventually.BecomesAsync(
            () => Task.FromResult(_told.Lines.Count(l => l.Source == "log" && l.Text.Contains("could not apply event", StringComparison.Ordinal))), n => n > 0, "events that cannot be applied");
        await SettledAsync();

        // The event itself is what its owner published; what was written on it is the consumer's.
        await using var tap = await Tap.OpenAsync(Servers.RabbitMq);
        foreach (var (key, value) in await tap.PeekAsync($"{_prefix}.jafer.messaging_error"))
        {
            _told.Add("error queue", $"{key}={(value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value)}");
        }

        foreach (var text in await _messagingDatabase.ReadAllAsync<string>("select coalesce(last_error, '') from outbox_messages"))
        {
            _told.Add("outbox", text);
        }
    }

    /// <summary>What went out by itself.</summary>
    private async Task CollectAsync()
    {
        foreach (var mail in await _mails.AllAsync())
        {
            // Whom a mail is for stands in it.
            var headers = mail.To.Aggregate(mail.Headers, (text, to) => text.Replace(to, "", StringComparison.OrdinalIgnoreCase));
            _told.Add("mail", string.Join('\n', mail.Subject, mail.Text, mail.Html, headers));
        }

        foreach (var call in _hooks.Calls)
        {
            _told.Add("webhook", call.Body);
        }

        foreach (var (role, organisation) in new[] { (Roles.Juridiction, s_court), (Roles.Espace, s_gestionnaire), (Roles.Operateur, s_operator) })
        {
            foreach (var @event in await new NotificationService.NotificationServiceClient(Channel(_notifications, role)).AllEventsAsync())
            {
                _told.Add("feed", @event.ToString());
            }
        }

        foreach (var error in await _notificationsDatabase.ReadAllAsync<string>(
            "select coalesce(last_error, '') from mail_recipients union all select coalesce(last_error, '') from webhook_deliveries union all select coalesce(last_error, '') from deliveries"))
        {
            _told.Add("last error", error);
        }
    }

    /// <summary>A step that must succeed: with a marker in every text but those that the service refuses by name.</summary>
    private async Task<IMessage> StepAsync(ServiceHost host, string role, ServiceDescriptor service, params IMessage[] requests)
    {
        var rpc = service.Methods.Single(m => m.InputType == requests[0].Descriptor);
        HashSet<string> spared = [];
        var refusals = new List<string>();
        for (var attempt = 0; attempt < 20; attempt++)
        {
            // First with a marker in everything; then what finds things keeps its value, and at last whatever stands in the request itself.
            bool Keeps(string path) => spared.Contains(path) || (attempt > 0 && IsKey(path[(path.LastIndexOf('.') + 1)..])) || (attempt > 12 && !path.Contains('.', StringComparison.Ordinal));
            var (answer, refusal) = await SendAsync(host, role, rpc, [_planter.Planted(requests[0], Keeps), .. requests.Skip(1)]);
            if (answer is not null)
            {
                return answer;
            }

            refusals.Add($"{refusal?.Reason} {string.Join(' ', refusal?.Fields ?? [])} {string.Join(' ', refusal?.Rules ?? [])}");
            spared.UnionWith(refusal?.Fields ?? []);
        }

        throw new InvalidOperationException($"{rpc.Name} was refused to the end:\n{string.Join('\n', refusals)}");
    }

    private static bool IsKey(string name) =>
        name is "etag" or "source" || name.EndsWith("_id", StringComparison.Ordinal) || name.EndsWith("_ids", StringComparison.Ordinal) || name.EndsWith("_token", StringComparison.Ordinal) || name.EndsWith("_code", StringComparison.Ordinal);

    /// <summary>Sends messages; the last answer, or the refusal, all of which counts as told.</summary>
    private async Task<(IMessage? Answer, Refusal? Refusal)> SendAsync(ServiceHost host, string role, MethodDescriptor rpc, params IReadOnlyList<IMessage> requests)
    {
        IReadOnlyList<byte[]> answers = [];
        // Streams of a feed never end: they are left after a moment.
        var patience = rpc.IsServerStreaming && !rpc.IsClientStreaming ? TimeSpan.FromMilliseconds(400) : Eventually.Limit;
        var refusal = await Refusal.OrNullAsync(async () =>
        {
            try
            {
                answers = await Rpcs.ExchangeAsync(
                    Channel(host, role), rpc, requests.Select(r => r.ToByteArray()), new CallOptions(deadline: TimeProvider.System.GetUtcNow().Add(patience).UtcDateTime, cancellationToken: Ct));
            }
            catch (RpcException e)
            {
                _told.Add("error", $"{rpc.Name} {e.Status.Detail}");
                foreach (var trailer in e.Trailers)
                {
                    _told.Add("error", $"{rpc.Name} {trailer.Key} {Encoding.UTF8.GetString(trailer.ValueBytes)}");
                }

                if (e.StatusCode is StatusCode.Unknown or StatusCode.Internal)
                {
                    throw new InvalidOperationException($"{rpc.Name}: {e.Status}");
                }

                if (e.Trailers.GetValueBytes(RpcErrors.DetailsTrailer) is null)
                {
                    return;
                }

                throw;
            }
        });
        return (answers.Count > 0 ? rpc.OutputType.Parser.ParseFrom(answers[^1]) : null, refusal);
    }

    /// <summary>Waits until what was published is applied everywhere, or given up.</summary>
    private async Task SettledAsync()
    {
        foreach (var host in new[] { _directory, _mesures, _messaging, _notifications })
        {
            var operations = new OperationsService.OperationsServiceClient(Channel(host, Roles.Operateur));
            await Eventually.BecomesAsync(async () => await operations.GetOutboxAsync(new GetOutboxRequest()), o => o.PendingCount == 0, "an empty outbox");
        }

        var last = -1;
        await Eventually.BecomesAsync(
            async () =>
            {
                var count = await _notificationsDatabase.ReadAsync<long>("select count(*) from inbox_messages");
                var same = count == last;
                last = (int)count;
                return same;
            },
            same => same,
            "events to be applied");
    }

    private void AssertNone(string after)
    {
        var leaks = _told.Lines.Where(l => l.Text.Contains(Planter.Marker, StringComparison.OrdinalIgnoreCase))
            .Select(l => $"after {after}: {l.Source} of {_planter.FieldsIn(l.Text)}: {(l.Text.Length > 400 ? l.Text[..400] : l.Text)}")
            .Distinct()
            .ToList();
        Assert.True(leaks.Count == 0, string.Join('\n', leaks.Take(25)));
        Assert.Superset(new HashSet<string> { "log", "span", "metric", "error" }, _told.Lines.Select(l => l.Source).ToHashSet());
    }

    private IEnumerable<(ServiceHost Host, ServiceDescriptor Service)> Services() =>
        AccessTable.BuiltIn.Rpcs.Select(r => r[1..r.IndexOf('/', 1)]).Distinct().SelectMany(name =>
            new[] { (_directory, "jafer.directory"), (_mesures, "jafer.mesure"), (_messaging, "jafer.messaging"), (_notifications, "jafer.notification") }
                .Where(h => name.StartsWith(h.Item2, StringComparison.Ordinal) || name.StartsWith("jafer.operations", StringComparison.Ordinal))
                .Select(h => (h.Item1, s_services[name])));

    private static readonly Dictionary<string, ServiceDescriptor> s_services = typeof(DirectoryService).Assembly.GetTypes()
        .Where(t => t is { IsAbstract: true, IsSealed: true } && t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.PropertyType == typeof(ServiceDescriptor))
        .Select(t => (ServiceDescriptor)t.GetProperty("Descriptor")!.GetValue(null)!)
        .ToDictionary(s => s.FullName, StringComparer.Ordinal);

    // Texts that stand in the databases in clear: what organisations say of themselves, events (which are poison here), and who was there.
    private static readonly string[] s_inClear =
    [
        "Agrement.number", "EspaceImport.alert_text", "EspaceImport.name", "GestionnaireImport.name", "Lieu.address_line", "Lieu.name",
        "EspacePublished.Departement", "EspacePublished.State", "EspacePublished.TimeZone", "MesureTransmitted.Holder", "MesureTransmitted.Modalite", "MesureTransmitted.State",
        "the token's subject",
    ];

    // Some of those that stand there sealed.
    private static readonly string[] s_sealed = ["Party.family_name", "Party.address", "Child.given_name", "Decision.judge_name", "PostMessageRequest.body"];

    private static readonly string[] s_roles = [Roles.Juridiction, Roles.Espace, Roles.Operateur, Roles.Statisticien];

    private GrpcChannel Channel(ServiceHost host, string role)
    {
        if (!_channels.TryGetValue((host, role), out var channel))
        {
            var organisation = role switch { Roles.Juridiction => s_court, Roles.Espace => s_gestionnaire, _ => s_operator };
            // A subject may be the name of a person.
            channel = host.Channel(TestIssuer.Shared.Token(role, organisation, _planter.Next("the token's subject"), person: true));
            _channels.Add((host, role), channel);
        }

        return channel;
    }

    private async Task<(ServiceHost Host, TestDatabase Database)> StartAsync(
        string name, Func<Action<WebApplicationBuilder>, WebApplication> build, Func<WebApplication, Task> migrate, Dictionary<string, string?> settings)
    {
        var database = await TestDatabase.CloneAsync(name, async connection =>
        {
            await using var app = build(b => b.Configuration.AddInMemoryCollection(ServiceHost.Settings(name, connection, "none")));
            await migrate(app);
        });
        var host = await ServiceHost.StartAsync(build, ServiceHost.Settings(name, database.ConnectionString, _prefix, new Dictionary<string, string?>(settings)), _told.Attach);
        _parts.AddRange([database, host]);
        return (host, database);
    }

    private static string Id() => TestMesure.NewId().ToString();

    private static EspaceImport Espace()
    {
        var espace = new EspaceImport
        {
            ExternalId = "E1",
            Gestionnaire = new GestionnaireImport
            {
                ExternalId = "G1",
                Name = "Association fictive",
                Siret = "73282932000074",
                Contacts = { new Contact { ExternalId = "1", Email = "fictif@association.test", Role = ContactRole.Suivi } },
            },
            Name = "Espace fictif",
            Departement = "69",
            Fictive = true,
            State = EspaceState.Ouvert,
        };
        espace.Agrements.Add(new Agrement { Number = "N-1", Departement = "69", State = AgrementState.Accorde, StartDate = new DateOnly(2020, 1, 1).ToProto() });
        espace.Lieux.Add(new Lieu { ExternalId = "L1", Name = "Lieu fictif", CommuneInsee = "69123" });
        espace.Modalites.Add(new ModaliteOfferte { Modalite = Modalite.Visite, State = ModaliteState.Ouverte, CapacityFamilies = 10, SlotsPerWeek = 10, MaxAge = 17 });
        return espace;
    }
}
