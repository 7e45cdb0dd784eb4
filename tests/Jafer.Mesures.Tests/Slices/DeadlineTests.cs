using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Deadlines;
using Jafer.ServiceDefaults.Grpc;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Deadlines as acts leave them, and how they are told when they pass.</summary>
public sealed class DeadlineTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Deadline_Passed_IsToldOnceToBothSidesAndShown()
    {
        var id = await jafer.TransmittedAsync();
        var start = jafer.Clock.GetUtcNow();
        await jafer.Sweep.SweepAsync(Ct);
        Assert.Empty(await jafer.ToldAsync(id));

        jafer.Clock.Advance(TimeSpan.FromHours(12));
        await jafer.Sweep.SweepAsync(Ct);
        await jafer.Sweep.SweepAsync(Ct);

        Assert.Equal(["DELIVERY_WARNING"], await jafer.ToldAsync(id));
        var warned = (await jafer.GetAsync(id)).Deadlines;
        Assert.Equal((DeadlineKind.DeliveryWarning, Holder.Juridiction, start.AddHours(12).ToProto()), (warned[0].Kind, warned[0].MustAct, warned[0].DueTime));
        Assert.Equal(jafer.Clock.GetUtcNow().ToProto(), warned[0].RaisedTime);
        Assert.Equal((DeadlineKind.DeliveryFailed, null), (warned[1].Kind, warned[1].RaisedTime));

        jafer.Clock.Advance(TimeSpan.FromHours(12));
        await jafer.Sweep.SweepAsync(Ct);
        Assert.Equal(["DELIVERY_WARNING", "DELIVERY_FAILED"], await jafer.ToldAsync(id));
        Assert.Equal(
            $"JURIDICTION true {Court} {Gestionnaire} TRANSMISE ESPACE",
            await jafer.Database.ReadAsync<string>($"""
                select concat_ws(' ', payload->>'mustAct', payload->>'escalated', payload->>'juridictionId', payload->>'gestionnaireId', payload->>'state', payload->>'holder')
                from probe.told where payload->>'deadline' = 'DELIVERY_FAILED' and payload->>'aggregateId' = '{id}'
                """));
    }

    [Fact]
    public async Task Deadline_ActedOnInTime_IsNeverTold()
    {
        var id = await jafer.TransmittedAsync();
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        Assert.Equal(DeadlineKind.FirstContact, (await jafer.GetAsync(id)).Deadlines[0].Kind);
        await jafer.AsEspace.RecordContactAsync(new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.NotReached, RequestId = NewId() });

        Assert.Equal(
            [
                DeadlineKind.TakeCharge, DeadlineKind.TermInThreeMonths, DeadlineKind.ExpiresBeforeVisit, DeadlineKind.TermInOneMonth, DeadlineKind.TermInOneWeek,
                DeadlineKind.TermPassed,
            ],
            (await jafer.GetAsync(id)).Deadlines.Select(d => d.Kind));
        jafer.Clock.Advance(TimeSpan.FromDays(5));
        await jafer.Sweep.SweepAsync(Ct);
        Assert.Empty(await jafer.ToldAsync(id));

        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest { MesureId = id, Reason = ClosureReason.Autre, RequestId = NewId() });
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from deadlines where mesure_id = '{id}'"));
        Assert.Equal("9999-12-30", await jafer.Database.ReadAsync<string>($"select (next_due_at at time zone 'UTC')::date::text from mesures where id = '{id}'"));
    }

    [Fact]
    public async Task Deadline_DueAtAnotherTime_IsToldAgain()
    {
        var id = await jafer.TransmittedAsync();
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() });
        jafer.Clock.Advance(TimeSpan.FromHours(5));
        await jafer.Sweep.SweepAsync(Ct);
        Assert.Equal(["ACKNOWLEDGE_DIFFICULTY", "EXTERNAL_ALERT"], (await jafer.ToldAsync(id)).Order());
        var first = Assert.Single((await jafer.GetAsync(id)).Difficulties);
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Incident, RequestId = NewId() });
        await jafer.AsCourt.AcknowledgeDifficultyAsync(new AcknowledgeDifficultyRequest { MesureId = id, DifficultyId = first.DifficultyId, RequestId = NewId() });

        jafer.Clock.Advance(TimeSpan.FromHours(4));
        await jafer.Sweep.SweepAsync(Ct);

        Assert.Equal(["ACKNOWLEDGE_DIFFICULTY", "ACKNOWLEDGE_DIFFICULTY", "EXTERNAL_ALERT"], (await jafer.ToldAsync(id)).Order());
    }

    [Fact]
    public async Task Deadline_DangerBesideADifficultyThatNobodyTook_IsToldAtItsOwnTime()
    {
        var id = await jafer.TransmittedAsync();
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Capacity, RequestId = NewId() });
        jafer.Clock.Advance(TimeSpan.FromDays(8));
        jafer.ToWorkingTime();
        await jafer.Sweep.SweepAsync(Ct);
        Assert.Equal(["ACKNOWLEDGE_DIFFICULTY", "ESCALATE_DIFFICULTY", "FIRST_CONTACT"], (await jafer.ToldAsync(id)).Order());
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() });
        var reported = jafer.Clock.GetUtcNow();

        jafer.Clock.Advance(TimeSpan.FromHours(12));
        await jafer.Sweep.SweepAsync(Ct);

        Assert.Equal(2, (await jafer.ToldAsync(id)).Count(k => k == "ACKNOWLEDGE_DIFFICULTY"));
        Assert.Equal(2, (await jafer.ToldAsync(id)).Count(k => k == "ESCALATE_DIFFICULTY"));
        var escalations = (await jafer.GetAsync(id)).Deadlines.Where(d => d.Kind == DeadlineKind.EscalateDifficulty).ToList();
        Assert.Equal(2, escalations.Count);
        Assert.Equal(reported.AddHours(12).ToProto(), escalations[1].DueTime);
        Assert.All(escalations, d => Assert.NotNull(d.RaisedTime));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Deadline_DangerOfAMesureThatTheJudgeEnded_IsDueUntilSomebodyOutsideIsTold(bool redesignated)
    {
        var id = await jafer.TransmittedAsync();
        var danger = (await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() })).DifficultyId;
        var today = jafer.Clock.GetUtcNow().Date.ToDate(0);
        if (redesignated)
        {
            await jafer.AsCourt.RedesignateMesureAsync(new RedesignateMesureRequest
            {
                MesureId = id,
                Redesignation = new Redesignation { EspaceId = YoungEspace.ToString(), DecisionDate = today },
                RequestId = NewId(),
            });
        }
        else
        {
            await jafer.AsCourt.RevokeMesureAsync(new RevokeMesureRequest { MesureId = id, Revocation = new Revocation { DecisionDate = today }, RequestId = NewId() });
        }

        jafer.Clock.Advance(TimeSpan.FromHours(12));
        await jafer.Sweep.SweepAsync(Ct);

        Assert.Equal(["EXTERNAL_ALERT", "ESCALATE_EXTERNAL_ALERT"], await jafer.ToldAsync(id));
        Assert.Equal(
            $"ESPACE true CLOTUREE {Gestionnaire}",
            await jafer.Database.ReadAsync<string>($"""
                select concat_ws(' ', payload->>'mustAct', payload->>'escalated', payload->>'state', payload->>'gestionnaireId')
                from probe.told where payload->>'deadline' = 'ESCALATE_EXTERNAL_ALERT' and payload->>'aggregateId' = '{id}'
                """));
        foreach (var (role, organisation) in new[] { ("espace", Gestionnaire), ("juridiction", Court), ("operateur", OtherCourt) })
        {
            Assert.True(await StandsAsync(role, organisation), role);
        }

        Assert.False(await StandsAsync("espace", OtherGestionnaire));
        // A list of the open ones does not hold it.
        Assert.DoesNotContain((await Of("espace", Gestionnaire).ListWorkItemsAsync(new ListWorkItemsRequest { PageSize = 200 })).Items, i => i.Mesure.MesureId == id);

        await jafer.AsEspace.RecordExternalAlertAsync(new RecordExternalAlertRequest
        {
            MesureId = id,
            DifficultyId = danger,
            Recipient = ExternalAlertRecipient.Parquet,
            Kind = ExternalAlertKind.Signalement,
            RequestId = NewId(),
        });
        Assert.False(await StandsAsync("espace", Gestionnaire));
        Assert.Empty((await jafer.GetAsync(id)).Deadlines);

        async Task<bool> StandsAsync(string role, Guid organisation)
        {
            var items = (await Of(role, organisation).ListWorkItemsAsync(new ListWorkItemsRequest { Worklist = Worklist.DangersNonSignales, PageSize = 200 })).Items;
            var counted = (await Of(role, organisation).GetWorklistsAsync(new GetWorklistsRequest())).Worklists.Single(w => w.Worklist == Worklist.DangersNonSignales);
            Assert.Equal((items.Count, items.Count(i => i.NextDeadline.DueTime.ToDateTimeOffset() <= jafer.Clock.GetUtcNow())), (counted.Count, counted.OverdueCount));
            return items.Any(i => i.Mesure.MesureId == id && i.NextDeadline.Kind == DeadlineKind.ExternalAlert);
        }
    }

    [Fact]
    public async Task Sweep_ClosedMesureOfAnOlderTableWithAnUntoldDanger_IsGivenItsDeadlines()
    {
        var id = await jafer.TransmittedAsync();
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() });
        await jafer.AsCourt.RevokeMesureAsync(
            new RevokeMesureRequest { MesureId = id, Revocation = new Revocation { DecisionDate = jafer.Clock.GetUtcNow().Date.ToDate(0) }, RequestId = NewId() });
        await jafer.Database.RunAsync($"delete from deadlines where mesure_id = '{id}'; update mesures set deadlines_version = 0, next_due_at = '9999-12-30Z' where id = '{id}'");

        await ActivatorUtilities.CreateInstance<DeadlineSweep>(jafer.Host.App.Services).SweepAsync(Ct);

        Assert.Equal([DeadlineKind.ExternalAlert, DeadlineKind.EscalateExternalAlert], (await jafer.GetAsync(id)).Deadlines.Select(d => d.Kind));
    }

    private WorklistService.WorklistServiceClient Of(string role, Guid organisation) => new(jafer.Host.Channel(role, organisation));

    [Fact]
    public async Task Sweep_OnTwoReplicasAtOnce_TellsEachDeadlineOnce()
    {
        var ids = new List<string>();
        for (var i = 0; i < 12; i++)
        {
            ids.Add(await jafer.TransmittedAsync());
        }

        await using var other = await jafer.StartReplicaAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(30));
        jafer.ToWorkingTime();
        await Task.WhenAll(
            jafer.Sweep.SweepAsync(Ct), ClockedMesures.SweepOf(other).SweepAsync(Ct), jafer.Sweep.SweepAsync(Ct));
        await jafer.Sweep.SweepAsync(Ct);

        foreach (var id in ids)
        {
            Assert.Equal(["DELIVERY_WARNING", "DELIVERY_FAILED", "RETRIEVAL", "ACKNOWLEDGE"], await jafer.ToldAsync(id));
        }
    }

    [Fact]
    public async Task Sweep_MesureOfAnOlderTable_IsGivenItsDeadlines()
    {
        var id = await jafer.TransmittedAsync();
        await jafer.Database.RunAsync($"delete from deadlines where mesure_id = '{id}'; update mesures set deadlines_version = 0, next_due_at = '9999-12-30Z' where id = '{id}'");

        await ActivatorUtilities.CreateInstance<DeadlineSweep>(jafer.Host.App.Services).SweepAsync(Ct);

        var mesure = await jafer.GetAsync(id);
        Assert.Equal(DeadlineKind.DeliveryWarning, mesure.Deadlines[0].Kind);
        Assert.Equal("3", mesure.Summary.Etag);
        Assert.Equal(
            mesure.Deadlines[0].DueTime.ToDateTimeOffset(), new DateTimeOffset(await jafer.Database.ReadAsync<DateTime>($"select next_due_at from mesures where id = '{id}'")));
    }
}
