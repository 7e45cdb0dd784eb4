using Google.Protobuf.WellKnownTypes;
using Grpc.Net.Client;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

[assembly: AssemblyFixture(typeof(Jafer.Mesures.Tests.MesuresFixture))]

namespace Jafer.Mesures.Tests;

/// <summary>The mesure service on its own database, two replicas, with a court, another court, a gestionnaire and its espace.</summary>
public sealed class MesuresFixture : IAsyncLifetime
{
    private static int s_cases;

    private TestDatabase? _database;
    private ServiceHost? _first;
    private ServiceHost? _second;

    public static Guid Court { get; } = StableIds.Court("tj69123");

    public static Guid OtherCourt { get; } = StableIds.Court("tj75056");

    public static Guid Gestionnaire { get; } = StableIds.Gestionnaire("test", "G1");

    public static Guid OtherGestionnaire { get; } = StableIds.Gestionnaire("test", "G2");

    public static Guid Espace { get; } = StableIds.Espace("test", "E1");

    /// <summary>An espace whose agrément began in 2026.</summary>
    public static Guid YoungEspace { get; } = StableIds.Espace("test", "E2");

    /// <summary>An espace of the same gestionnaire whose mesures are acted on all at once.</summary>
    public static Guid BulkEspace { get; } = StableIds.Espace("test", "E4");

    /// <summary>An espace that never had an agrément.</summary>
    public static Guid UnapprovedEspace { get; } = StableIds.Espace("test", "E3");

    public TestDatabase Database => _database!;

    public ServiceHost First => _first!;

    public ServiceHost Second => _second!;

    /// <summary>The settings of a replica, for tests that start their own.</summary>
    public Dictionary<string, string?> Settings { get; private set; } = [];

    public MesureService.MesureServiceClient AsCourt { get; private set; } = null!;

    public BulkService.BulkServiceClient BulkAsOperator { get; private set; } = null!;

    public MesureService.MesureServiceClient AsOtherCourt { get; private set; } = null!;

    public MesureService.MesureServiceClient AsEspace { get; private set; } = null!;

    public MesureService.MesureServiceClient AsOtherEspace { get; private set; } = null!;

    /// <summary>The espace by the second replica.</summary>
    public MesureService.MesureServiceClient AsEspaceOnSecond { get; private set; } = null!;

    public InterviewService.InterviewServiceClient InterviewsAsCourt { get; private set; } = null!;

    public InterviewService.InterviewServiceClient InterviewsAsOtherCourt { get; private set; } = null!;

    public InterviewService.InterviewServiceClient InterviewsAsEspace { get; private set; } = null!;

    public static string NewId() => Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString();

    public static Task MigrateAsync(string connectionString) => MigrateAsync(MesuresModule.Build, connectionString);

    public async ValueTask InitializeAsync()
    {
        _database = await TestDatabase.CloneAsync(MesuresModule.Name, MigrateAsync);
        Settings = ServiceHost.Settings(MesuresModule.Name, _database.ConnectionString, ServiceHost.UniquePrefix());
        _first = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), Settings);
        _second = await ServiceHost.StartAsync(b => MesuresModule.Build([], b), Settings);
        BulkAsOperator = new(_first.Channel(TestIssuer.Shared.Token("operateur", StableIds.For("operator"), person: true)));
        AsCourt = Client(_first.Channel("juridiction", Court));
        AsOtherCourt = Client(_first.Channel("juridiction", OtherCourt));
        AsEspace = Client(_first.Channel("espace", Gestionnaire));
        AsOtherEspace = Client(_first.Channel("espace", OtherGestionnaire));
        AsEspaceOnSecond = Client(_second.Channel("espace", Gestionnaire));
        InterviewsAsCourt = new(_first.Channel("juridiction", Court));
        InterviewsAsOtherCourt = new(_first.Channel("juridiction", OtherCourt));
        InterviewsAsEspace = new(_first.Channel("espace", Gestionnaire));
        await PublishReferenceAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _first, _second, _database })
        {
            if (part is not null)
            {
                await part.DisposeAsync();
            }
        }
    }

    /// <summary>A whole and lawful content, of a case and a family of its own.</summary>
    public static CreateMesureRequest Content(Action<CreateMesureRequest>? change = null)
    {
        var request = TestDraft.Content(Espace, number: Interlocked.Increment(ref s_cases));
        change?.Invoke(request);
        return request;
    }

    /// <summary>A mesure that no judge ordered.</summary>
    public static RegisterNonJudicialMesureRequest NonJudicial(Action<RegisterNonJudicialMesureRequest>? change = null)
    {
        var content = Content();
        var request = new RegisterNonJudicialMesureRequest
        {
            EspaceId = Espace.ToString(),
            Origin = NonJudicialOrigin.Avocat,
            Agreement = new Agreement { AgreementDate = new DateOnly(2026, 3, 2).ToProto(), Modalite = Modalite.Visite, DurationMonths = 6, RencontreMinutes = 120 },
            RequestId = NewId(),
        };
        request.Parties.AddRange(content.Parties);
        request.Children.AddRange(content.Children);
        change?.Invoke(request);
        return request;
    }

    /// <summary>A mesure that the espace has acknowledged, or further.</summary>
    public async Task<string> MesureInAsync(MesureState state, Action<CreateMesureRequest>? change = null)
    {
        var id = (await AsCourt.CreateMesureAsync(Content(change))).Mesure.MesureId;
        if (state == MesureState.Ordonnee)
        {
            return id;
        }

        await AsCourt.CompleteMesureAsync(new CompleteMesureRequest { MesureId = id, RequestId = NewId() });
        if (state == MesureState.Completee)
        {
            return id;
        }

        await AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, RequestId = NewId() });
        if (state == MesureState.Transmise)
        {
            return id;
        }

        await AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        if (state == MesureState.Recue)
        {
            return id;
        }

        await AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() });
        if (state == MesureState.PriseEnCharge)
        {
            return id;
        }

        await AsEspace.RecordContactAsync(new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Visiteur, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        if (state == MesureState.EnAttente)
        {
            return id;
        }

        await AsEspace.ScheduleRencontreAsync(new ScheduleRencontreRequest
        {
            MesureId = id,
            StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddHours(-3)),
            DurationMinutes = 120,
            RequestId = NewId(),
        });
        if (state == MesureState.Programmee)
        {
            return id;
        }

        if (state == MesureState.Suspendue)
        {
            await AsEspace.SuspendMesureAsync(new SuspendMesureRequest { MesureId = id, Reason = DifficultyReason.Incident, RequestId = NewId() });
            return id;
        }

        var rencontre = (await GetAsync(id)).Rencontres[0].RencontreId;
        var child = (await GetAsync(id)).Children[0].ChildId;
        await AsEspace.RecordRencontreOutcomeAsync(new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = rencontre,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { child },
            RequestId = NewId(),
        });
        if (state == MesureState.EnCours)
        {
            return id;
        }

        await AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.InterruptionEspaceAutre, RequestId = NewId() });
        return state == MesureState.Cloturee ? id : throw new ArgumentOutOfRangeException(nameof(state));
    }

    /// <summary>A slot for a first interview, free, some days ahead.</summary>
    public async Task<InterviewSlot> SlotAsync(Action<InterviewSlotToPublish>? change = null)
    {
        var slot = new InterviewSlotToPublish { ExternalId = NewId(), StartTime = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow().AddDays(3)), DurationMinutes = 45 };
        change?.Invoke(slot);
        return (await InterviewsAsEspace.PublishInterviewSlotsAsync(new PublishInterviewSlotsRequest { EspaceId = Espace.ToString(), Slots = { slot }, RequestId = NewId() })).Slots[0];
    }

    public async Task<Mesure> GetAsync(string mesureId) => (await AsCourt.GetMesureAsync(new GetMesureRequest { MesureId = mesureId })).Mesure;

    internal static async Task MigrateAsync(Func<string[], Action<Microsoft.AspNetCore.Builder.WebApplicationBuilder>?, Microsoft.AspNetCore.Builder.WebApplication> build, string connectionString)
    {
        var settings = ServiceHost.Settings(MesuresModule.Name, connectionString, ServiceHost.UniquePrefix());
        await using var app = build([], b => Microsoft.Extensions.Configuration.MemoryConfigurationBuilderExtensions.AddInMemoryCollection(b.Configuration, settings));
        await app.MigrateAsync<MesuresDbContext>();
    }

    private static MesureService.MesureServiceClient Client(GrpcChannel channel) => new(channel);

    // The directory's events reach the service as in life: by the broker.
    private async Task PublishReferenceAsync()
    {
        var bus = First.App.Services.GetRequiredService<IBus>();
        using var limit = new CancellationTokenSource(Eventually.Limit);
        await First.App.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, limit.Token);
        var now = TimeProvider.System.GetUtcNow();
        foreach (var (id, from) in new (Guid, DateOnly?)[] { (Espace, new DateOnly(2013, 9, 1)), (YoungEspace, new DateOnly(2026, 1, 1)), (BulkEspace, new DateOnly(2013, 9, 1)), (UnapprovedEspace, null) })
        {
            await bus.Publish(new EspacePublished
            {
                EventId = Guid.CreateVersion7(now),
                AggregateId = id,
                AggregateVersion = 1,
                OccurredAt = now,
                RecordedAt = now,
                GestionnaireId = Gestionnaire,
                Departement = "69",
                State = "OUVERT",
                AgrementPeriods = from is { } day ? [new AgrementPeriod(day, null)] : [],
                OpenModalites = ["VISITE"],
                TimeZone = "Europe/Paris",
            });
        }

        await bus.Publish(new OrganisationPublished
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = Court,
            AggregateVersion = 1,
            OccurredAt = now,
            RecordedAt = now,
            Kind = "JURIDICTION",
            Code = "tj69123",
        });
        await Eventually.BecomesAsync(
            () => Database.ReadAsync<long>("select (select count(*) from espaces) + (select count(*) from organisations)"), n => n == 5, "the projection of the directory");
    }
}
