using Jafer.Contracts.Events;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Data;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>The directory says that an espace lost its agrément: through the real broker to every open mesure of it.</summary>
public sealed class AgrementWarningTests(MesuresFixture jafer)
{
    private static readonly DateOnly s_lastDay = new(2026, 10, 31);

    [Fact]
    public async Task AgrementEnded_OpenMesures_AreWarnedOnceAndClosedOnesNot()
    {
        var espace = await EspaceAsync();
        var draft = await jafer.MesureInAsync(MesureState.Ordonnee, At(espace));
        var open = await jafer.MesureInAsync(MesureState.EnAttente, At(espace));
        var closed = await jafer.MesureInAsync(MesureState.Recue, At(espace));
        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = closed, Reason = ClosureReason.Autre, RequestId = NewId() });
        var elsewhere = await jafer.MesureInAsync(MesureState.Recue);
        var ended = TestEspace.AgrementEnded(espace, Gestionnaire, s_lastDay);

        await ApplyAsync(Published(espace, 2, new AgrementPeriod(new(2024, 1, 1), s_lastDay)), ended);
        // The broker may deliver twice, and the directory may say the same again.
        await jafer.First.PublishAsync<MesuresDbContext>(ended);
        await ApplyAsync(TestEspace.AgrementEnded(espace, Gestionnaire, s_lastDay));

        foreach (var id in new[] { draft, open })
        {
            var warning = Assert.Single((await jafer.GetAsync(id)).Warnings);
            Assert.Equal((MesureWarningCode.AgrementRetire, espace.ToString(), s_lastDay.ToProto()), (warning.Code, warning.EspaceId, warning.Date));
            Assert.Contains("D216", warning.Source, StringComparison.Ordinal);
            var noted = Assert.Single((await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = id })).Events, e => e.Act == MesureAct.AgrementRetire);
            Assert.Equal(("", s_lastDay.ToProto()), (noted.ActorOrganisationId, noted.Date));
        }

        Assert.Equal(MesureState.EnAttente, (await jafer.GetAsync(open)).Summary.State);
        foreach (var id in new[] { closed, elsewhere })
        {
            Assert.Empty((await jafer.GetAsync(id)).Warnings);
            Assert.Equal(0, await CountAsync(id));
        }
    }

    [Fact]
    public async Task AgrementEnded_ThenANewAgrement_NoLongerWarnsButIsRemembered()
    {
        var espace = await EspaceAsync();
        var id = await jafer.MesureInAsync(MesureState.Recue, At(espace));
        await ApplyAsync(Published(espace, 2, new AgrementPeriod(new(2024, 1, 1), s_lastDay)), TestEspace.AgrementEnded(espace, Gestionnaire, s_lastDay));
        Assert.Single((await jafer.GetAsync(id)).Warnings);

        await ApplyAsync(Published(espace, 3, new AgrementPeriod(new(2024, 1, 1), null)));
        Assert.Empty((await jafer.GetAsync(id)).Warnings);
        Assert.Equal(1, await CountAsync(id));

        var again = s_lastDay.AddDays(20);
        await ApplyAsync(Published(espace, 4, new AgrementPeriod(new(2024, 1, 1), again)), TestEspace.AgrementEnded(espace, Gestionnaire, again));
        Assert.Equal(again.ToProto(), Assert.Single((await jafer.GetAsync(id)).Warnings).Date);
        Assert.Equal(2, await CountAsync(id));
    }

    [Fact]
    public async Task AgrementEnded_WithdrawnFromALaterDayOn_WarnsAtOnceUntilAnotherFollows()
    {
        var last = TimeProvider.System.TodayInParis().AddDays(30);
        var espace = await EspaceAsync();
        var id = await jafer.MesureInAsync(MesureState.Recue, At(espace));
        await ApplyAsync(Published(espace, 2, new AgrementPeriod(new(2024, 1, 1), last)), TestEspace.AgrementEnded(espace, Gestionnaire, last));
        Assert.Equal(last.ToProto(), Assert.Single((await jafer.GetAsync(id)).Warnings).Date);

        await ApplyAsync(Published(espace, 3, new AgrementPeriod(new(2024, 1, 1), last), new AgrementPeriod(last.AddDays(1), null)));
        Assert.Empty((await jafer.GetAsync(id)).Warnings);
    }

    [Fact]
    public async Task AgrementLieuEnded_MesuresWithRencontresThere_AreWarnedUntilItIsCoveredAgain()
    {
        var (espace, lieu, other) = (await EspaceAsync(), TestMesure.NewId(), TestMesure.NewId());
        var there = await jafer.MesureInAsync(MesureState.EnAttente, At(espace));
        var elsewhere = await jafer.MesureInAsync(MesureState.EnAttente, At(espace));
        var nowhere = await jafer.MesureInAsync(MesureState.EnAttente, At(espace));
        await ScheduleAsync(there, lieu);
        await ScheduleAsync(elsewhere, other);
        AgrementPeriod whole = new(new(2024, 1, 1), null), ended = new(new(2024, 1, 1), s_lastDay);
        var told = TestEspace.AgrementLieuEnded(espace, Gestionnaire, lieu, s_lastDay);

        await ApplyAsync(Published(espace, 2, whole) with { LieuAgrements = [new(lieu, [ended]), new(other, [whole])] }, told);
        await ApplyAsync(TestEspace.AgrementLieuEnded(espace, Gestionnaire, lieu, s_lastDay));

        var warning = Assert.Single((await jafer.GetAsync(there)).Warnings);
        Assert.Equal(
            (MesureWarningCode.AgrementRetire, espace.ToString(), lieu.ToString(), s_lastDay.ToProto()), (warning.Code, warning.EspaceId, warning.LieuId, warning.Date));
        var noted = Assert.Single((await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = there })).Events, e => e.Act == MesureAct.AgrementRetire);
        Assert.Equal((lieu.ToString(), s_lastDay.ToProto()), (noted.LieuId, noted.Date));
        foreach (var id in new[] { elsewhere, nowhere })
        {
            Assert.Empty((await jafer.GetAsync(id)).Warnings);
            Assert.Equal(0, await CountAsync(id));
        }

        // The end of the whole agrément is told for itself, and goes before that of the lieu.
        await ApplyAsync(Published(espace, 3, ended) with { LieuAgrements = [new(lieu, [ended]), new(other, [])] }, TestEspace.AgrementEnded(espace, Gestionnaire, s_lastDay));
        Assert.Equal("", Assert.Single((await jafer.GetAsync(there)).Warnings).LieuId);
        Assert.Equal(2, await CountAsync(there));

        await ApplyAsync(Published(espace, 4, whole));
        Assert.Empty((await jafer.GetAsync(there)).Warnings);
    }

    [Fact]
    public async Task AgrementLieuEnded_LastRencontreHeldThere_IsWarnedToo()
    {
        var (espace, lieu) = (await EspaceAsync(), TestMesure.NewId());
        var id = await jafer.MesureInAsync(MesureState.EnAttente, At(espace));
        await ScheduleAsync(id, lieu, TimeProvider.System.GetUtcNow().AddHours(-3));
        var mesure = await jafer.GetAsync(id);
        await jafer.AsEspace.RecordRencontreOutcomeAsync(new RecordRencontreOutcomeRequest
        {
            MesureId = id,
            RencontreId = mesure.Rencontres[0].RencontreId,
            Outcome = RencontreOutcome.Held,
            VisiteurPresent = true,
            PresentChildIds = { mesure.Children[0].ChildId },
            RequestId = NewId(),
        });

        await ApplyAsync(
            Published(espace, 2, new AgrementPeriod(new(2024, 1, 1), null)) with { LieuAgrements = [new(lieu, [])] },
            TestEspace.AgrementLieuEnded(espace, Gestionnaire, lieu, s_lastDay));

        Assert.Equal(lieu.ToString(), Assert.Single((await jafer.GetAsync(id)).Warnings).LieuId);
    }

    [Fact]
    public async Task AgrementEnded_WhileTheEspaceActs_BothAreKept()
    {
        var espace = await EspaceAsync();
        var ids = new List<string>();
        for (var i = 0; i < 6; i++)
            ids.Add(await jafer.MesureInAsync(MesureState.Recue, At(espace)));

        var warned = ApplyAsync(TestEspace.AgrementEnded(espace, Gestionnaire, s_lastDay));
        foreach (var id in ids)
        {
            try
            {
                await jafer.AsEspaceOnSecond.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() });
            }
#pragma warning disable RS0030 // caught, not thrown
            catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.Aborted)
#pragma warning restore RS0030
            {
                await jafer.AsEspaceOnSecond.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() });
            }
        }

        await warned;
        foreach (var id in ids)
        {
            Assert.Equal(MesureState.PriseEnCharge, (await jafer.GetAsync(id)).Summary.State);
            Assert.Equal(1, await CountAsync(id));
        }
    }

    private async Task ScheduleAsync(string mesureId, Guid lieu, DateTimeOffset? at = null) => await jafer.AsEspace.ScheduleRencontreAsync(new ScheduleRencontreRequest
    {
        MesureId = mesureId,
        StartTime = (at ?? TimeProvider.System.GetUtcNow().AddDays(5)).ToProto(),
        DurationMinutes = 120,
        LieuId = lieu.ToString(),
        RequestId = NewId(),
    });

    private static Action<CreateMesureRequest> At(Guid espace) => r => r.EspaceId = espace.ToString();

    private async Task<Guid> EspaceAsync()
    {
        var espace = Guid.CreateVersion7(TimeProvider.System.GetUtcNow());
        await ApplyAsync(Published(espace, 1, new AgrementPeriod(new(2024, 1, 1), null)));
        return espace;
    }

    private static EspacePublished Published(Guid espace, long version, params AgrementPeriod[] periods)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new()
        {
            EventId = Guid.CreateVersion7(now),
            AggregateId = espace,
            AggregateVersion = version,
            OccurredAt = now,
            RecordedAt = now,
            GestionnaireId = Gestionnaire,
            Departement = "69",
            State = "OUVERT",
            AgrementPeriods = periods,
            OpenModalites = ["VISITE"],
            TimeZone = "Europe/Paris",
        };
    }

    private async Task ApplyAsync(params IReadOnlyList<DomainEvent> events)
    {
        await jafer.First.PublishAsync<MesuresDbContext>(events);
        var ids = string.Join(',', events.Select(e => $"'{e.EventId}'"));
        await Eventually.BecomesAsync(
            () => jafer.Database.ReadAsync<long>($"select count(*) from inbox_messages where message_id in ({ids})"), n => n == events.Count, "events applied");
    }

    private Task<long> CountAsync(string mesureId) => jafer.Database.ReadAsync<long>($"select count(*) from mesure_facts where mesure_id = '{mesureId}' and act = 'AGREMENT_RETIRE'");
}
