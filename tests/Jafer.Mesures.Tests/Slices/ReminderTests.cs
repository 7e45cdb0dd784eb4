using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Deadlines;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Reminders of deadlines that stay missed: who gets them, how often, and that they stop.</summary>
public sealed class ReminderTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private static readonly WorkingCalendar s_paris = WorkingCalendar.Of(null, "69");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acknowledgement_ThatNeverComes_GoesUpTheLadderAndStopsAtItsEnd()
    {
        var id = await TransmittedOnAMorningAsync();
        for (var day = 0; day < 60; day++)
        {
            jafer.Clock.Advance(TimeSpan.FromDays(1));
            await jafer.Sweep.SweepAsync(Ct);
        }

        var reminders = (await AllAsync(id)).Where(r => r.Deadline == DeadlineKind.Acknowledge).ToList();
        Assert.Equal(
            [
                (ReminderRung.MustAct, 1), (ReminderRung.MustAct, 2), (ReminderRung.MustAct, 3), (ReminderRung.Colleague, 1), (ReminderRung.Colleague, 2),
                (ReminderRung.Manager, 1), (ReminderRung.Operator, 1),
            ],
            reminders.Select(r => (r.Rung, r.Number)));
        Assert.All(reminders, r => Assert.True(s_paris.IsWorking(r.RemindedTime.ToDateTimeOffset().DayInParis())));
        Assert.All(reminders, r => Assert.Equal(Holder.Espace, r.MustAct));
        Assert.Equal(["mesure.deadline-due.v1", .. Enumerable.Repeat("mesure.reminder-due.v1", 6)], await TypesAsync(id, "ACKNOWLEDGE"));

        // What is kept is what was told.
        Assert.Equal(
            reminders.Select(r => $"{r.EventId} {r.Rung.ToCode()} {r.Number}"),
            await jafer.Database.ReadAllAsync<string>($"""
                select concat_ws(' ', payload->>'eventId', payload->>'rung', payload->>'reminder')
                from probe.told where payload->>'aggregateId' = '{id}' and payload->>'deadline' = 'ACKNOWLEDGE' order by payload->>'recordedAt'
                """));
    }

    [Fact]
    public async Task Deadline_MetAfterItWasTold_IsLiftedWithTheActAndRemindedOfNoMore()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(10));
        await SweepAtWorkAsync();
        Assert.Equal(["mesure.deadline-due.v1"], await TypesAsync(id, "ACKNOWLEDGE"));

        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });

        Assert.Equal(["mesure.deadline-due.v1", "mesure.deadline-lifted.v1"], await TypesAsync(id, "ACKNOWLEDGE"));
        var version = (await jafer.GetAsync(id)).Summary.Etag;
        Assert.Equal(
            $"{version} RECUE ESPACE false",
            await jafer.Database.ReadAsync<string>($"""
                select concat_ws(' ', payload->>'aggregateVersion', payload->>'state', payload->>'mustAct', payload->>'escalated')
                from probe.told where type = 'mesure.deadline-lifted.v1' and payload->>'aggregateId' = '{id}' and payload->>'deadline' = 'ACKNOWLEDGE'
                """));
        // The proofs that a transmission arrived are waited for no more either; only what the operator knew of goes to it.
        Assert.Equal(["ACKNOWLEDGE false", "DELIVERY_FAILED true", "DELIVERY_WARNING false", "RETRIEVAL false"], await LiftedAsync(id));
        jafer.Clock.Advance(TimeSpan.FromDays(30));
        await SweepAtWorkAsync();
        Assert.Equal(["mesure.deadline-due.v1", "mesure.deadline-lifted.v1"], await TypesAsync(id, "ACKNOWLEDGE"));
    }

    [Fact]
    public async Task Deadline_MetBeforeItWasTold_VanishesSilently()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(3));
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });

        Assert.Empty(await LiftedAsync(id));
    }

    [Fact]
    public async Task FirstReading_ByTheEspace_LiftsWhatWasToldOfTheDelivery()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromHours(12));
        await jafer.Sweep.SweepAsync(Ct);

        await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = id });

        Assert.Equal(["DELIVERY_WARNING false"], await LiftedAsync(id));
    }

    [Fact]
    public async Task Report_OfAnEspacesSoftware_LiftsAsAnActDoes()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(10));
        await SweepAtWorkAsync();

        await new IntakeService.IntakeServiceClient(jafer.Host.Channel("espace", Gestionnaire)).ReportStatusAsync(new ReportStatusRequest
        {
            Items =
            {
                new StatusItem
                {
                    MesureId = id,
                    SourceSystem = "planning",
                    ExternalId = "1",
                    OccurredTime = jafer.Clock.GetUtcNow().ToProto(),
                    Sequence = 1,
                    Acknowledged = new AcknowledgedItem(),
                },
            },
            RequestId = NewId(),
        });

        Assert.Contains("ACKNOWLEDGE false", await LiftedAsync(id));
    }

    [Fact]
    public async Task Danger_ThatNobodyTakes_RemindsByTheHourAndReachesTheOperator()
    {
        var id = await TransmittedOnAMorningAsync();
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = id, Reason = DifficultyReason.Danger, RequestId = NewId() });
        var reported = jafer.Clock.GetUtcNow();
        for (var hour = 0; hour < 24; hour++)
        {
            jafer.Clock.Advance(TimeSpan.FromHours(1));
            await jafer.Sweep.SweepAsync(Ct);
        }

        var reminders = (await AllAsync(id)).Where(r => r.Deadline is DeadlineKind.AcknowledgeDifficulty or DeadlineKind.EscalateDifficulty);
        Assert.Equal(
            [
                (ReminderRung.MustAct, 1, 4), (ReminderRung.MustAct, 2, 6), (ReminderRung.MustAct, 3, 8), (ReminderRung.Colleague, 1, 12), (ReminderRung.Colleague, 2, 13),
                (ReminderRung.Manager, 1, 15), (ReminderRung.Operator, 1, 17), (ReminderRung.Operator, 2, 19),
            ],
            reminders.Select(r => (r.Rung, r.Number, (int)(r.RemindedTime.ToDateTimeOffset() - reported).TotalHours)));

        var difficulty = Assert.Single((await jafer.GetAsync(id)).Difficulties).DifficultyId;
        await jafer.AsCourt.AcknowledgeDifficultyAsync(new AcknowledgeDifficultyRequest { MesureId = id, DifficultyId = difficulty, RequestId = NewId() });
        Assert.Superset(new HashSet<string> { "ACKNOWLEDGE_DIFFICULTY false", "ESCALATE_DIFFICULTY true" }, (await LiftedAsync(id)).ToHashSet());
    }

    [Fact]
    public async Task Sweep_AfterALongStop_SendsTheNextReminderAloneAndGoesOnFromThere()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(60));
        await SweepAtWorkAsync();
        await jafer.Sweep.SweepAsync(Ct);

        Assert.Equal([(ReminderRung.MustAct, 1)], await OfAcknowledgementAsync(id));
        jafer.Clock.Advance(TimeSpan.FromHours(20));
        await SweepAtWorkAsync();
        Assert.Single(await OfAcknowledgementAsync(id));
        jafer.Clock.Advance(TimeSpan.FromDays(3));
        await SweepAtWorkAsync();
        Assert.Equal([(ReminderRung.MustAct, 1), (ReminderRung.MustAct, 2)], await OfAcknowledgementAsync(id));
    }

    [Fact]
    public async Task Sweep_OnAWeekend_LeavesWhatCountsWorkingDaysForMonday()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(14));
        await jafer.Sweep.SweepAsync(Ct);
        var before = await OfAcknowledgementAsync(id);
        while (s_paris.IsWorking(jafer.Clock.GetUtcNow().DayInParis()) || s_paris.IsWorking(jafer.Clock.GetUtcNow().AddDays(-1).DayInParis()))
        {
            jafer.Clock.Advance(TimeSpan.FromDays(1));
        }

        await jafer.Sweep.SweepAsync(Ct);
        Assert.Equal(before, await OfAcknowledgementAsync(id));
        await SweepAtWorkAsync();
        Assert.Equal(before.Count + 1, (await OfAcknowledgementAsync(id)).Count);
    }

    [Fact]
    public async Task Deadline_LiftedAndMissedAgain_GoesOnWhereItsLadderStopped()
    {
        // The term ends within the wait that nobody declared: 30 days.
        var id = await TransmittedOnAMorningAsync(r =>
        {
            r.Decision.DecisionDate = jafer.Clock.GetUtcNow().DayInParis().ToProto();
            r.Decision.DurationMonths = 1;
        });
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.TakeChargeAsync(new TakeChargeRequest { MesureId = id, RequestId = NewId() });
        await jafer.AsEspace.RecordContactAsync(new RecordContactRequest { MesureId = id, PartyRole = PartyRole.Hote, Outcome = ContactOutcome.Reached, RequestId = NewId() });
        jafer.Clock.Advance(TimeSpan.FromDays(9));
        await SweepAtWorkAsync();
        Assert.Equal(["mesure.deadline-due.v1"], await TypesAsync(id, "EXPIRES_BEFORE_VISIT"));

        var rencontre = await jafer.AsEspace.ScheduleRencontreAsync(new ScheduleRencontreRequest
        {
            MesureId = id,
            StartTime = jafer.Clock.GetUtcNow().AddDays(7).ToProto(),
            DurationMinutes = 120,
            RequestId = NewId(),
        });
        Assert.Equal(["mesure.deadline-due.v1", "mesure.deadline-lifted.v1"], await TypesAsync(id, "EXPIRES_BEFORE_VISIT"));
        await new RencontreService.RencontreServiceClient(jafer.Host.Channel("espace", Gestionnaire)).CancelRencontreAsync(new CancelRencontreRequest
        {
            MesureId = id,
            RencontreId = rencontre.RencontreId,
            Outcome = RencontreOutcome.CancelledByEspace,
            RequestId = NewId(),
        });
        await SweepAtWorkAsync();
        Assert.Equal(2, (await TypesAsync(id, "EXPIRES_BEFORE_VISIT")).Count);

        jafer.Clock.Advance(TimeSpan.FromDays(10));
        await SweepAtWorkAsync();
        Assert.Equal(
            [(ReminderRung.MustAct, 1), (ReminderRung.MustAct, 2)],
            (await AllAsync(id)).Where(r => r.Deadline == DeadlineKind.ExpiresBeforeVisit).Select(r => (r.Rung, r.Number)));
    }

    [Fact]
    public async Task Sweep_SwitchedOff_TellsNothingUntilItIsSwitchedOnAgain()
    {
        var id = await TransmittedOnAMorningAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(20));

        // The service itself has them switched off.
        Assert.Equal(0, await jafer.Host.App.Services.GetRequiredService<DeadlineSweep>().SweepAsync(Ct));
        Assert.Empty(await AllAsync(id));
        Assert.Contains((await jafer.GetAsync(id)).Deadlines, d => d.Kind == DeadlineKind.Acknowledge && d.RaisedTime is null);

        await SweepAtWorkAsync();
        Assert.Equal([(ReminderRung.MustAct, 1)], await OfAcknowledgementAsync(id));
    }

    [Fact]
    public async Task Sweep_OnTwoReplicasDayByDay_SendsEachReminderOnce()
    {
        var id = await TransmittedOnAMorningAsync();
        await using var other = await jafer.StartReplicaAsync();
        for (var day = 0; day < 30; day++)
        {
            jafer.Clock.Advance(TimeSpan.FromDays(1));
            await Task.WhenAll(jafer.Sweep.SweepAsync(Ct), ClockedMesures.SweepOf(other).SweepAsync(Ct));
        }

        var reminders = (await AllAsync(id)).ToList();
        Assert.Equal(reminders.Count, reminders.Select(r => (r.Deadline, r.DueTime, r.Rung, r.Number)).Distinct().Count());
        Assert.True(reminders.Count > 8);
    }

    [Fact]
    public async Task ListReminders_OfAnyPageSize_PagesConcatenateAndOthersSeeNone()
    {
        var id = await TransmittedOnAMorningAsync();
        for (var day = 0; day < 15; day++)
        {
            jafer.Clock.Advance(TimeSpan.FromDays(1));
            await jafer.Sweep.SweepAsync(Ct);
        }

        var all = (await AllAsync(id)).ToList();
        Assert.True(all.Count > 4);
        Assert.Equal(all.OrderBy(r => r.RemindedTime.ToDateTimeOffset()).Select(r => r.EventId), all.Select(r => r.EventId));
        foreach (var size in new[] { 1, 3, all.Count })
        {
            var (paged, token) = (new List<Reminder>(), "");
            do
            {
                var page = await Of("juridiction", Court).ListRemindersAsync(new ListRemindersRequest { MesureId = id, PageSize = size, PageToken = token }, cancellationToken: Ct);
                paged.AddRange(page.Reminders);
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            Assert.Equal(all, paged);
        }

        var first = await Of("espace", Gestionnaire).ListRemindersAsync(new ListRemindersRequest { MesureId = id, PageSize = 1 }, cancellationToken: Ct);
        Assert.Equal("PAGE_TOKEN_INVALID", (await RefusedAsync("juridiction", Court, new ListRemindersRequest { MesureId = id, PageSize = 1, PageToken = first.NextPageToken })).Reason);
        Assert.Equal(StatusCode.PermissionDenied, (await RefusedAsync("juridiction", OtherCourt, new ListRemindersRequest { MesureId = id })).Code);
        Assert.Equal(StatusCode.PermissionDenied, (await RefusedAsync("juridiction", OtherCourt, new ListRemindersRequest { MesureId = NewId() })).Code);
        Assert.Equal(["mesure_id", "page_size"], (await RefusedAsync("espace", Gestionnaire, new ListRemindersRequest { MesureId = "x", PageSize = -1 })).Fields);
    }

    /// <summary>Transmitted at 10 o'clock of the next Monday that is a working day.</summary>
    private async Task<string> TransmittedOnAMorningAsync(Action<CreateMesureRequest>? change = null)
    {
        var day = jafer.Clock.GetUtcNow().DayInParis().AddDays(1);
        while (day.DayOfWeek != DayOfWeek.Monday || !s_paris.IsWorking(day))
        {
            day = day.AddDays(1);
        }

        jafer.Clock.Advance(s_paris.StartOf(day).AddHours(10) - jafer.Clock.GetUtcNow());
        return await jafer.TransmittedAsync(change);
    }

    private async Task SweepAtWorkAsync()
    {
        jafer.ToWorkingTime();
        await jafer.Sweep.SweepAsync(Ct);
    }

    private ReminderService.ReminderServiceClient Of(string role, Guid organisation) => new(jafer.Host.Channel(role, organisation));

    private Task<Refusal> RefusedAsync(string role, Guid organisation, ListRemindersRequest request) => Refusal.OfAsync(Of(role, organisation).ListRemindersAsync(request, cancellationToken: Ct));

    private async Task<IEnumerable<Reminder>> AllAsync(string id) =>
        (await Of("espace", Gestionnaire).ListRemindersAsync(new ListRemindersRequest { MesureId = id, PageSize = 500 }, cancellationToken: Ct)).Reminders;

    private async Task<List<(ReminderRung Rung, int Number)>> OfAcknowledgementAsync(string id) =>
        [.. (await AllAsync(id)).Where(r => r.Deadline == DeadlineKind.Acknowledge).Select(r => (r.Rung, r.Number))];

    private Task<IReadOnlyList<string>> TypesAsync(string id, string deadline) => jafer.Database.ReadAllAsync<string>(
        $"select type from probe.told where payload->>'aggregateId' = '{id}' and payload->>'deadline' = '{deadline}' order by id");

    private Task<IReadOnlyList<string>> LiftedAsync(string id) => jafer.Database.ReadAllAsync<string>(
        $"select concat_ws(' ', payload->>'deadline', payload->>'escalated') from probe.told where type = 'mesure.deadline-lifted.v1' and payload->>'aggregateId' = '{id}' order by 1");
}
