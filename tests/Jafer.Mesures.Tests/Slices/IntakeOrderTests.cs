using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Intake;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using static Jafer.Mesures.Tests.Slices.Reports;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>However a true history comes in, it ends alike; what is missing for too long is passed, and silence is told.</summary>
public sealed class IntakeOrderTests(MesuresFixture jafer)
{
    [Fact]
    public void AnyShufflingDuplicationAndSplitting_OfATrueHistory_EndsAsToldOnceInOrder()
    {
        var intakes = new[] { jafer.First.Intake(), jafer.Second.Intake() };
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(12), Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => Task.Run(() => EndsAlikeAsync(intakes, seed)).GetAwaiter().GetResult()));
    }

    private async Task<bool> EndsAlikeAsync(IntakeService.IntakeServiceClient[] intakes, int seed)
    {
        var (inOrder, shuffled) = (
            await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.RemiseGranted = true), await jafer.MesureInAsync(MesureState.Transmise, r => r.Decision.RemiseGranted = true));
        var random = new Random(seed);
        var history = TrueHistory(new Random(seed), inOrder, await ChildAsync(inOrder));
        var answer = await intakes[0].ReportStatusAsync(Report(history));
        Assert.All(answer.Results, r => Assert.Equal(IntakeResult.Applied, r.Result));

        var told = TrueHistory(new Random(seed), shuffled, await ChildAsync(shuffled)).SelectMany(i => Enumerable.Repeat(i, random.Next(1, 4))).ToArray();
        random.Shuffle(told);
        for (var at = 0; at < told.Length;)
        {
            var size = random.Next(1, 12);
            var results = (await intakes[random.Next(2)].ReportStatusAsync(Report(told.Skip(at).Take(size)))).Results;
            Assert.All(results, r => Assert.Contains(r.Result, new[] { IntakeResult.Applied, IntakeResult.Held, IntakeResult.Duplicate }));
            at += size;
        }

        Assert.Equal(await EndAsync(inOrder), await EndAsync(shuffled));
        return true;
    }

    private async Task<string> ChildAsync(string mesureId) => (await jafer.GetAsync(mesureId)).Children[0].ChildId;

    /// <summary>Everything that the two mesures must have in common, in words.</summary>
    private async Task<string> EndAsync(string mesureId)
    {
        var mesure = await jafer.GetAsync(mesureId);
        mesure.Milestones.TransmittedTime = null;
        var events = (await jafer.AsCourt.ListMesureEventsAsync(new() { MesureId = mesureId, PageSize = 500 })).Events.Where(e => e.ExternalId.Length > 0)
            .Select(e => $"{e.ExternalId[13..]} {e.Act} {e.OccurredTime} {e.PartyRole}").Order(StringComparer.Ordinal);
        return string.Join('\n', events.Concat(
        [
            $"{mesure.Summary.State} {mesure.Summary.Holder} {mesure.Summary.HolderSinceTime} {mesure.Summary.OpenDifficultyCount} {mesure.Summary.NextRencontreTime} {mesure.Summary.TermDate} {mesure.Summary.Etag}",
            mesure.Milestones.ToString(),
            $"{mesure.Closure}",
            .. mesure.Rencontres.Select(r => $"{r.StartTime} {r.Outcome} {r.ReturnOutcome} {r.VisiteurPresent} {r.PresentChildIds.Count} {r.HoteConfirmedTime} {r.VisiteurConfirmedTime} {r.CancelledTime}")
                .Order(StringComparer.Ordinal),
            .. mesure.Interviews.Select(i => $"{i.PartyRole} {i.StartTime} {i.State}").Order(StringComparer.Ordinal),
            .. mesure.Difficulties.Select(d => $"{d.Reason} {d.ReportedTime} {d.ProposedClosureReason} {d.ExternalAlerts.Count}").Order(StringComparer.Ordinal),
        ]));
    }

    [Fact]
    public async Task ReportStatus_SameItemsByTwoReplicasAtOnce_AreAppliedExactlyOnce()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => jafer.MesureInAsync(MesureState.Recue)));
        var items = ids.SelectMany(id => Enumerable.Range(1, 15).Select(n => Item(id, n, Attempt))).ToArray();
        var intakes = new[] { jafer.First.Intake(), jafer.Second.Intake() };

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(async reporter =>
        {
            var mine = items.ToArray();
            new Random(reporter).Shuffle(mine);
            return await intakes[reporter % 2].ReportStatusAsync(Report(mine));
        }));

        Assert.Equal(items.Length, answers.Sum(a => a.Results.Count(r => r.Result == IntakeResult.Applied)));
        Assert.Equal(7 * items.Length, answers.Sum(a => a.Results.Count(r => r.Result == IntakeResult.Duplicate)));
        Assert.Equal(items.Length, await jafer.Database.ReadAsync<long>(
            $"select count(distinct external_id) from mesure_facts where source_system = '{Source}' and mesure_id in ({string.Join(", ", ids.Select(i => $"'{i}'"))})"));
    }

    [Fact]
    public async Task HeldTooLong_SweptOrReported_IsAppliedPastTheGapAndTheOlderIsSuperseded()
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());

        // By its own timer the service would be faster than the report.
        await using var own = await Own.StartAsync(clock, ("Intake:SweepEvery", "30.00:00:00"));
        var intake = own.Host.Intake();
        var id = await own.TransmittedAsync();
        await intake.ReportStatusAsync(Report(Item(id, 1, Acknowledged), Item(id, 4, ChargeTaken), Item(id, 6, Reached)));
        Assert.Equal(0, await own.Sweep.SweepAsync(CancellationToken.None));

        clock.Advance(TimeSpan.FromMinutes(61));
        await own.Sweep.SweepAsync(CancellationToken.None);

        var listed = (await intake.ListIntakeItemsAsync(new() { MesureId = id })).Items;
        Assert.Equal([(6, IntakeResult.Applied, 1), (4, IntakeResult.Applied, 2), (1, IntakeResult.Applied, 0)], listed.Select(i => (i.Sequence, i.Result, i.GapBefore)));
        Assert.Equal(MesureState.EnAttente, await own.StateAsync(id));

        // What only adds is still taken, what would move the state is not, and each is judged once.
        var question = Item(id, 2, i => i.InformationRequested = new() { Reason = InformationReason.Document, Question = "?" });
        var late = await intake.ReportStatusAsync(Report(question, Item(id, 3, Attempt), question));
        Assert.Equal([IntakeResult.Superseded, IntakeResult.Applied, IntakeResult.Duplicate], late.Results.Words());
        Assert.Equal(MesureState.EnAttente, await own.StateAsync(id));

        // The next report of the mesure passes a gap as well.
        await intake.ReportStatusAsync(Report(Item(id, 8, Interview)));
        clock.Advance(TimeSpan.FromMinutes(61));
        var then = await intake.ReportStatusAsync(Report(Item(id, 10, Attempt)));
        Assert.Equal([($"{id[^12..]}/8", IntakeResult.Applied, 1L)], then.ReleasedItems.Select(r => (r.ExternalId, r.Result.Result, r.Result.GapBefore)));
        Assert.Equal([IntakeResult.Held], then.Results.Words());
    }

    [Fact]
    public async Task LateItems_ThatOnlyAdd_AreAppliedAndThoseThatMoveAreSuperseded()
    {
        var clock = new TestClock(TimeProvider.System.GetUtcNow());
        await using var own = await Own.StartAsync(clock, ("Intake:SweepEvery", "30.00:00:00"));
        var intake = own.Host.Intake();
        var id = await own.TransmittedAsync();
        await intake.ReportStatusAsync(Report(
            Item(id, 1, Acknowledged), Item(id, 2, ChargeTaken), Item(id, 3, Reached), Item(id, 4, Scheduled("a", Start.AddDays(1))), Item(id, 20, Attempt)));
        clock.Advance(TimeSpan.FromMinutes(61));
        await own.Sweep.SweepAsync(CancellationToken.None);

        Action<StatusItem>[] moving = [Suspended, Resumed, Moved("a", Start.AddDays(2)), InterviewBooked(PartyRole.Hote, Start), InterviewCancelled, Closed, Reopened];
        Action<StatusItem>[] adding = [Confirmed("a"), Danger, Alerted(id, 13), Cancelled("a")];
        var late = await intake.ReportStatusAsync(Report(moving.Concat(adding).Select((act, i) => Item(id, 5 + i, act)).Append(Item(id, 16, Cancelled("a")))));

        Assert.Equal(
            [.. moving.Select(_ => IntakeResult.Superseded), .. adding.Select(_ => IntakeResult.Applied), IntakeResult.Superseded], late.Results.Words());
        Assert.Equal(MesureState.EnAttente, await own.StateAsync(id));

        // Why it was suspended reaches the judge all the same.
        Assert.Equal(
            "INCIDENT DANGER", await own.Database.ReadAsync<string>($"select string_agg(reason, ' ' order by reason desc) from difficulties where mesure_id = '{id}'"));
    }

    [Fact]
    public async Task HeldSuspension_ReachesTheJudgeAtOnceAndOnlyOnce()
    {
        var id = await jafer.MesureInAsync(MesureState.EnAttente);
        var intake = jafer.First.Intake();
        Action<StatusItem> danger = i => i.Suspended = new() { Reason = DifficultyReason.Danger, Comment = "fait" };

        // The booking that it follows is still on its way.
        var early = await intake.ReportStatusAsync(Report(Item(id, 2, danger)));
        Assert.Equal([IntakeResult.Held], early.Results.Words());
        var told = await jafer.GetAsync(id);
        Assert.Equal((MesureState.EnAttente, 1), (told.Summary.State, told.Summary.OpenDifficultyCount));
        Assert.Equal((DifficultyReason.Danger, DifficultyState.Open, "fait"), (told.Difficulties[0].Reason, told.Difficulties[0].State, told.Difficulties[0].Comment));
        Assert.Contains(told.Deadlines, d => d.Kind == DeadlineKind.AcknowledgeDifficulty);

        // Sent again, and with others that wait too, it is told no more.
        await intake.ReportStatusAsync(Report(Item(id, 2, danger), Item(id, 3, Attempt)));
        await jafer.AsCourt.AcknowledgeDifficultyAsync(new() { MesureId = id, DifficultyId = told.Difficulties[0].DifficultyId, RequestId = NewId() });
        var then = await jafer.Second.Intake().ReportStatusAsync(Report(Item(id, 1, Scheduled("a", Start.AddDays(1)))));

        Assert.Equal([IntakeResult.Applied, IntakeResult.Applied], then.ReleasedItems.Select(r => r.Result.Result));
        var suspended = await jafer.GetAsync(id);
        Assert.Equal((MesureState.Suspendue, Holder.Juridiction, 1), (suspended.Summary.State, suspended.Summary.Holder, suspended.Summary.OpenDifficultyCount));
        Assert.Equal(DifficultyState.Acknowledged, Assert.Single(suspended.Difficulties).State);
        Assert.Equal(suspended.Difficulties[0].ReportedTime, suspended.Milestones.SuspendedTime);

        // By the name of the item that brought it the alert finds it.
        Assert.Equal([IntakeResult.Applied], (await intake.ReportStatusAsync(Report(Item(id, 4, Alerted(id, 2))))).Results.Words());
        Assert.Single((await jafer.GetAsync(id)).Difficulties[0].ExternalAlerts);
        Assert.DoesNotContain((await jafer.GetAsync(id)).Deadlines, d => d.Kind == DeadlineKind.ExternalAlert);
    }

    [Fact]
    public async Task HeldTooMany_AreAppliedPastTheGap()
    {
        await using var own = await Own.StartAsync(new TestClock(TimeProvider.System.GetUtcNow()), ("Intake:HoldCount", "3"));
        var id = await own.TransmittedAsync();
        var held = await own.Host.Intake().ReportStatusAsync(Report(Item(id, 2, Acknowledged), Item(id, 3, Attempt), Item(id, 4, Attempt)));
        Assert.All(held.Results, r => Assert.Equal(IntakeResult.Held, r.Result));

        var then = await own.Host.Intake().ReportStatusAsync(Report(Item(id, 5, Attempt)));

        Assert.Equal([1, 0, 0], then.ReleasedItems.Select(r => r.Result.GapBefore));
        Assert.Equal([IntakeResult.Applied], then.Results.Words());
    }

    [Fact]
    public async Task ReportStatus_MoreRencontresAheadThanTheEspaceHasPlaces_TakesThoseThatItHas()
    {
        await using var own = await Own.StartAsync(new TestClock(TimeProvider.System.GetUtcNow()));
        await own.Database.RunAsync("""update espaces set capacities = '[{"modalite":"VISITE","families":2}]'""");
        var start = TimeProvider.System.GetUtcNow().AddDays(5);
        var reports = new List<StatusItem>();
        for (var family = 0; family < 4; family++)
        {
            var id = await own.TransmittedAsync();
            var scheduled = Item(id, 4, Scheduled("", start));
            scheduled.RencontreScheduled.OverCapacity = family == 3;
            reports.AddRange([Item(id, 1, Acknowledged), Item(id, 2, ChargeTaken), Item(id, 3, Reached), scheduled]);
        }

        // The first comes by a batch of its own: the espace is looked at, and the batch itself.
        var first = await own.Host.Intake().ReportStatusAsync(Report(reports.Take(4)));
        var others = await own.Host.Intake().ReportStatusAsync(Report(reports.Skip(4)));

        Assert.Equal(IntakeResult.Applied, first.Results[3].Result);
        Assert.Equal([IntakeResult.Applied, IntakeResult.Refused, IntakeResult.Applied], new[] { 3, 7, 11 }.Select(i => others.Results[i].Result));
        Assert.StartsWith("ESPACE_FULL", others.Results[7].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SourceSilentBeyondItsRhythm_IsToldOnceForEachSilence()
    {
        var clock = new TestClock(new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.Zero));
        await using var own = await Own.StartAsync(clock);
        await own.Database.RunAsync("""
            create table told (payload jsonb);
            create function keep() returns trigger language plpgsql security definer as $$ begin insert into told values (new.payload); return new; end $$;
            create trigger keep after insert on outbox_messages for each row when (new.message_type = 'mesure.source-silent.v1') execute function keep();
            """);
        var id = await own.TransmittedAsync();
        for (var day = 1; day <= 6; day++)
        {
            await own.Host.Intake().ReportStatusAsync(Report(Item(id, day, day == 1 ? Acknowledged : Attempt)));
            clock.Advance(TimeSpan.FromDays(1));
        }

        clock.Advance(TimeSpan.FromDays(3));
        await own.Sweep.SweepAsync(CancellationToken.None);
        Assert.Equal(0, await own.Database.ReadAsync<long>("select count(*) from told"));

        clock.Advance(TimeSpan.FromDays(1));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => own.Sweep.SweepAsync(CancellationToken.None)));
        Assert.True(Gauges.Read("jafer.intake.")["jafer.intake.silent_sources"] >= 1);
        Assert.Equal(1, await own.Database.ReadAsync<long>($"select count(*) from told where payload->>'gestionnaireId' = '{Gestionnaire}' and payload->>'lastDay' = '2026-11-07' and payload->>'usualDays' = '1'"));

        var listed = Assert.Single((await new IntakeService.IntakeServiceClient(own.Host.Channel("operateur", TestMesure.NewId())).ListIntakeSourcesAsync(new() { SilentOnly = true })).Sources);
        Assert.Equal((Gestionnaire.ToString(), Source, 7, 1, true, true), (listed.GestionnaireId, listed.SourceSystem, listed.LastDate.Day, listed.UsualDays, listed.Silent, listed.Told));
        Assert.Empty((await own.Host.Intake(OtherGestionnaire).ListIntakeSourcesAsync(new())).Sources);

        await own.Host.Intake().ReportStatusAsync(Report(Item(id, 7, Attempt)));
        Assert.Empty((await own.Host.Intake().ListIntakeSourcesAsync(new() { SilentOnly = true })).Sources);
        Assert.False(Assert.Single((await own.Host.Intake().ListIntakeSourcesAsync(new())).Sources).Silent);
        clock.Advance(TimeSpan.FromDays(60));
        await own.Sweep.SweepAsync(CancellationToken.None);
        await own.Sweep.SweepAsync(CancellationToken.None);
        Assert.Equal([1, 2], await own.Database.ReadAllAsync<int>("select (payload->>'aggregateVersion')::int from told order by 1"));
    }

    /// <summary>A service with a clock and a database of its own, since its sweep would find the items of other tests too old.</summary>
    private sealed class Own(TestDatabase database, ServiceHost host) : IAsyncDisposable
    {
        private readonly MesureService.MesureServiceClient _court = new(host.Channel("juridiction", Court));

        public TestDatabase Database => database;

        public ServiceHost Host => host;

        public IntakeSweep Sweep => host.App.Services.GetServices<IHostedService>().OfType<IntakeSweep>().Single();

        public static async Task<Own> StartAsync(TestClock clock, params (string Key, string? Value)[] more)
        {
            var database = await TestDatabase.CloneAsync(MesuresModule.Name, MigrateAsync);
            await database.RunAsync($"""
                insert into espaces (id, gestionnaire_id, state, agrement_periods, capacities, time_zone, version)
                values ('{Espace}', '{Gestionnaire}', 'OUVERT', '[{"{\"from\":\"2013-09-01\"}"}]', '[]', 'Europe/Paris', 1)
                """);
            return new Own(database, await ServiceHost.StartAsync(
                b => MesuresModule.Build([], b),
                ServiceHost.Settings(MesuresModule.Name, database.ConnectionString, ServiceHost.UniquePrefix(), more.ToDictionary(m => m.Key, m => m.Value)),
                b => b.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock))));
        }

        public async Task<string> TransmittedAsync()
        {
            var id = (await _court.CreateMesureAsync(Content())).Mesure.MesureId;
            await _court.CompleteMesureAsync(new() { MesureId = id, RequestId = NewId() });
            await _court.TransmitMesureAsync(new() { MesureId = id, RequestId = NewId() });
            return id;
        }

        public async Task<MesureState> StateAsync(string mesureId) => (await _court.GetMesureAsync(new() { MesureId = mesureId })).Mesure.Summary.State;

        public async ValueTask DisposeAsync()
        {
            await host.DisposeAsync();
            await database.DisposeAsync();
        }
    }
}
