using Grpc.Core;
using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What proves that a mesure reached its espace.</summary>
public sealed class TransmissionTests(MesuresFixture jafer)
{
    private TransmissionService.TransmissionServiceClient AsCourt => new(jafer.First.Channel("juridiction", Court));

    [Fact]
    public async Task GetMesure_AfterEachStep_ShowsItsProofWithTimeAndActor()
    {
        var draft = await jafer.MesureInAsync(MesureState.Completee);
        Assert.Null((await jafer.GetAsync(draft)).Transmission);
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        var relayed = await Eventually.BecomesAsync(async () => (await jafer.GetAsync(id)).Transmission, t => t.Relayed is not null, "the relay");
        Assert.Equal(Court.ToString(), relayed.Submitted.OrganisationId);
        Assert.Equal((null, null), (relayed.Delivered, relayed.Retrieved));

        var delivered = Delivered(id, Gestionnaire);
        await jafer.First.PublishAsync<MesuresDbContext>(delivered);
        var proof = (await Eventually.BecomesAsync(async () => (await jafer.GetAsync(id)).Transmission, t => t.Delivered is not null, "the proof of delivery")).Delivered;
        Assert.Equal(
            (delivered.OccurredAt.ToProto(), Gestionnaire.ToString(), DeliveryChannel.Feed, false), (proof.OccurredTime, proof.OrganisationId, proof.Channel, proof.OnBehalf));

        // The espace sees its own first reading in what it reads.
        var read = (await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = id })).Mesure.Transmission.Retrieved;
        Assert.Equal(Gestionnaire.ToString(), read.OrganisationId);
        var acts = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events.Select(e => e.Act);
        Assert.Equal([MesureAct.Create, MesureAct.Complete, MesureAct.Transmit, MesureAct.Deliver, MesureAct.Retrieve], acts);

        // And what was proved by when can be asked afterwards.
        foreach (var e in (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events)
        {
            var then = (await jafer.AsCourt.GetMesureAsync(new GetMesureRequest { MesureId = id, AsOfTime = e.RecordedTime })).Mesure.Transmission;
            Assert.Equal(
                (e.Act >= MesureAct.Transmit, e.Act is MesureAct.Deliver or MesureAct.Retrieve, e.Act == MesureAct.Retrieve, false),
                (then?.Submitted is not null, then?.Delivered is not null, then?.Retrieved is not null, then?.Delivered?.OnBehalf == true));
        }
    }

    [Fact]
    public async Task TransmitMesure_OfAFileTakenOverFromPaper_CountsFromTheDayOnWhichItWent()
    {
        var went = new DateTimeOffset(2026, 3, 9, 8, 0, 0, TimeSpan.Zero);
        var id = await jafer.MesureInAsync(MesureState.Completee);

        await jafer.AsCourt.TransmitMesureAsync(new TransmitMesureRequest { MesureId = id, OccurredTime = went.ToProto(), RequestId = NewId() });

        var mesure = await jafer.GetAsync(id);
        Assert.Equal((went.ToProto(), went.ToProto()), (mesure.Milestones.TransmittedTime, mesure.Transmission.Submitted.OccurredTime));
        var told = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events.Single(e => e.Act == MesureAct.Transmit);
        Assert.True(told.RecordedTime.ToDateTimeOffset() > went.AddDays(1));

        // Nobody is late with what Jafer could not tell them before.
        var running = mesure.Deadlines.Where(d => d.Kind is DeadlineKind.DeliveryWarning or DeadlineKind.DeliveryFailed or DeadlineKind.Retrieval or DeadlineKind.Acknowledge).ToList();
        Assert.Equal(4, running.Count);
        Assert.All(running, d => Assert.True(d.DueTime > told.RecordedTime));
        Assert.Equal(told.RecordedTime.ToDateTimeOffset().AddHours(12), running.Single(d => d.Kind == DeadlineKind.DeliveryWarning).DueTime.ToDateTimeOffset());
    }

    [Theory]
    [InlineData(-200_000)]
    [InlineData(1)]
    public async Task TransmitMesure_BeforeTheDecisionOrInTheFuture_IsRefused(int hoursFromNow)
    {
        var id = await jafer.MesureInAsync(MesureState.Completee);

        var refused = await Refusal.OfAsync(jafer.AsCourt.TransmitMesureAsync(
            new TransmitMesureRequest { MesureId = id, OccurredTime = TimeProvider.System.GetUtcNow().AddHours(hoursFromNow).ToProto(), RequestId = NewId() }));

        Assert.Equal((StatusCode.InvalidArgument, "occurred_time"), (refused.Code, Assert.Single(refused.Fields)));
    }

    [Fact]
    public async Task GetMesure_AfterAnOpenedNotice_IsDeliveredByThePersonHerself()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        await jafer.First.PublishAsync<MesuresDbContext>(Delivered(id, Gestionnaire) with { Channel = "NOTICE" });

        var proof = (await Eventually.BecomesAsync(async () => (await jafer.GetAsync(id)).Transmission, t => t.Delivered is not null, "the proof of delivery")).Delivered;
        Assert.Equal((Gestionnaire.ToString(), DeliveryChannel.Notice, false), (proof.OrganisationId, proof.Channel, proof.OnBehalf));
        var told = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events.Single(e => e.Act == MesureAct.Deliver);
        Assert.Equal((false, OnBehalfSource.Unspecified), (told.OnBehalfOfEspace, told.OnBehalfSource));
    }

    [Fact]
    public async Task EventDelivered_AgainOrOfAnotherOrganisation_ChangesNothing()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        await ApplyAsync(Delivered(id, OtherGestionnaire), Delivered(NewId(), Gestionnaire));
        Assert.Null((await jafer.GetAsync(id)).Transmission.Delivered);

        var first = Delivered(id, Gestionnaire);
        await ApplyAsync(first, Delivered(id, Gestionnaire));

        Assert.Equal(first.OccurredAt.ToProto(), (await jafer.GetAsync(id)).Transmission.Delivered.OccurredTime);
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{id}' and act = 'DELIVER'"));
    }

    [Fact]
    public async Task EventDelivered_WhileTheEspaceActs_RefusesNoAct()
    {
        var ids = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            ids.Add(await jafer.MesureInAsync(MesureState.Transmise));
        }

        var proved = ApplyAsync([.. ids.Select(id => Delivered(id, Gestionnaire))]);
        await Task.WhenAll(ids.Select(id => jafer.AsEspaceOnSecond.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() }).ResponseAsync));
        await proved;

        foreach (var id in ids)
        {
            var mesure = await jafer.GetAsync(id);
            Assert.Equal(MesureState.Recue, mesure.Summary.State);
            Assert.NotNull(mesure.Transmission.Delivered);
        }
    }

    [Theory]
    [InlineData("juridiction")]
    [InlineData("operateur")]
    public async Task RecordDelivery_ForAnEspaceThatIsNotConnected_IsMarkedSo(string role)
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var organisation = role == "juridiction" ? Court : Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        var client = new TransmissionService.TransmissionServiceClient(jafer.First.Channel(role, organisation));

        var proof = (await client.RecordDeliveryAsync(new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Telephone, RequestId = NewId() })).Transmission.Delivered;

        Assert.Equal((organisation.ToString(), DeliveryChannel.Telephone, true), (proof.OrganisationId, proof.Channel, proof.OnBehalf));
        Assert.DoesNotContain((await jafer.GetAsync(id)).Deadlines, d => d.Kind is DeadlineKind.DeliveryWarning or DeadlineKind.DeliveryFailed);
        var noted = (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events.Single(e => e.Act == MesureAct.Deliver);
        Assert.Equal((true, OnBehalfSource.Telephone), (noted.OnBehalfOfEspace, noted.OnBehalfSource));
        var refusal = await Refusal.OfAsync(client.RecordDeliveryAsync(new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Post, RequestId = NewId() }));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task RecordDelivery_Wrong_IsRefusedWithItsReason()
    {
        var draft = await jafer.MesureInAsync(MesureState.Completee);
        var early = await Refusal.OfAsync(AsCourt.RecordDeliveryAsync(new RecordDeliveryRequest { MesureId = draft, Channel = DeliveryChannel.Post, RequestId = NewId() }));
        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (early.Code, early.Reason));

        var id = await jafer.MesureInAsync(MesureState.Transmise);
        var before = TimeProvider.System.GetUtcNow().AddDays(-1).ToProto();
        foreach (var (request, field) in new[]
        {
            (new RecordDeliveryRequest { MesureId = id, RequestId = NewId() }, "channel"),
            (new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Feed, RequestId = NewId() }, "channel"),
            (new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Webhook, RequestId = NewId() }, "channel"),
            (new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Notice, RequestId = NewId() }, "channel"),
            (new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Post, OccurredTime = before, RequestId = NewId() }, "occurred_time"),
        })
        {
            var refusal = await Refusal.OfAsync(AsCourt.RecordDeliveryAsync(request));
            Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
            Assert.Equal([field], refusal.Fields);
        }

        foreach (var (role, organisation) in new[] { ("juridiction", OtherCourt), ("espace", Gestionnaire) })
        {
            var client = new TransmissionService.TransmissionServiceClient(jafer.First.Channel(role, organisation));
            var refusal = await Refusal.OfAsync(client.RecordDeliveryAsync(new RecordDeliveryRequest { MesureId = id, Channel = DeliveryChannel.Post, RequestId = NewId() }));
            Assert.Equal((StatusCode.PermissionDenied, "CALLER_FORBIDDEN"), (refusal.Code, refusal.Reason));
        }
    }

    private static EventDelivered Delivered(string mesureId, Guid organisation)
    {
        var now = ServiceDefaults.Time.ClockExtensions.GetStoredNow(TimeProvider.System);
        return new EventDelivered
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = Guid.Parse(mesureId),
            AggregateVersion = 3,
            OccurredAt = now,
            RecordedAt = now,
            OrganisationId = organisation,
            DeliveredEventId = Guid.CreateVersion7(now),
            EventType = "mesure.mesure-transmitted.v1",
        };
    }

    private async Task ApplyAsync(params IReadOnlyList<DomainEvent> events)
    {
        await jafer.First.PublishAsync<MesuresDbContext>(events);
        var ids = string.Join(',', events.Select(e => $"'{e.EventId}'"));
        await Eventually.BecomesAsync(
            () => jafer.Database.ReadAsync<long>($"select count(*) from inbox_messages where message_id in ({ids})"), n => n == events.Count, "events applied");
    }
}
