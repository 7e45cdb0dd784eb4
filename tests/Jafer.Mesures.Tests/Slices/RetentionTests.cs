using System.Text.RegularExpressions;
using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Retention;
using Jafer.Mesures.Survey;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.ServiceDefaults.Time;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;
using RetentionCount = Jafer.Contracts.Mesure.V1.RetentionCount;
using RetentionRun = Jafer.Contracts.Mesure.V1.RetentionRun;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>What is erased when its time is over, what stays, and what must not be erased.</summary>
public sealed class RetentionTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private const string Nothing = "00000000-0000-0000-0000-000000000000";

    private static readonly Guid s_operator = StableIds.For("operator");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private RetentionService.RetentionServiceClient AsOperator => new(jafer.Host.Channel(TestIssuer.Shared.Token("operateur", s_operator, person: true)));

    private RetentionService.RetentionServiceClient AsCourt => new(jafer.Host.Channel("juridiction", Court));

    [Fact]
    public async Task StartRetentionRun_Dry_ChangesNothingAndPredictsTheRun()
    {
        await AgedAsync(30);
        await AgedAsync(8);
        await AgedAsync(1);
        var held = await AgedAsync(40);
        var stale = await jafer.TransmittedAsync();
        await AgeAsync(stale, 30);
        await AsCourt.SetLegalHoldAsync(Hold(held));
        string[] own = ["retention_runs", "retention_counts", "processed_requests"];
        var before = await Fingerprint.OfAsync(jafer.Database, own);

        var dry = await RunAsync(dryRun: true);
        Assert.Equal(before, await Fingerprint.OfAsync(jafer.Database, own));
        var candidates = await AsOperator.ListRetentionCandidatesAsync(new ListRetentionCandidatesRequest { Rule = "MESURE_CONTENT" });
        var run = await RunAsync(dryRun: false);

        Assert.Equal(Told(dry), Told(run));
        Assert.Equal(Of(dry, "MESURE_CONTENT").DueCount, candidates.Candidates.Count);
        Assert.Contains(candidates.Candidates, c => c.MesureId == held && c.Held);
        Assert.True(Of(run, "MESURE_CONTENT") is { ErasedCount: >= 1, HeldCount: >= 1, FailedCount: 0 });
        Assert.True(Of(run, "MESURE_FILES").DueCount > Of(run, "MESURE_CONTENT").DueCount);
        Assert.True(run.StaleCount >= 1);
        Assert.Equal(0, Of(await RunAsync(dryRun: false), "MESURE_CONTENT").ErasedCount);
        Assert.Contains((await AsOperator.ListRetentionRunsAsync(new ListRetentionRunsRequest())).Runs, r => r.RunId == dry.RunId && r.DryRun);
    }

    [Fact]
    public async Task Run_ServiceEndsInTheMiddle_AnotherReplicaGoesOnWhereItWas()
    {
        string[] mesures = [await AgedAsync(30), await AgedAsync(30), await AgedAsync(30)];
        var run = Guid.CreateVersion7(jafer.Clock.GetUtcNow());
        await jafer.Database.RunAsync($"""
            insert into retention_runs (id, dry_run, started_at, rule, after_mesure_id) values ('{run}', false, '{jafer.Clock.GetStoredNow():o}', 'MESURE_FILES', '{Nothing}')
            """);
        await using (var first = await jafer.StartReplicaAsync())
        {
            await SweepOf(first).WorkAsync(Ct, atMost: 1);
        }

        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select sum(due)::bigint from retention_counts where run_id = '{run}'"));
        await using var second = await jafer.StartReplicaAsync();
        await SweepOf(second).WorkAsync(Ct);

        var done = (await AsOperator.GetRetentionRunAsync(new GetRetentionRunRequest { RunId = run.ToString() })).Run;
        Assert.NotNull(done.EndTime);
        foreach (var mesure in mesures)
        {
            Assert.Equal(
                ["FILES", "CONTENT"],
                await jafer.Database.ReadAllAsync<string>($"select payload->>'scope' from probe.told where type = 'mesure.mesure-purged.v1' and payload->>'aggregateId' = '{mesure}' order by id"));
        }
    }

    [Fact]
    public async Task Run_MesureThatCannotBeErased_IsCountedAndKeepsNoOther()
    {
        var (broken, other) = (await AgedAsync(30), await AgedAsync(30));
        await jafer.Database.RunAsync($"""
            create function probe.refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
            create trigger refuse before update on parties for each row when (old.mesure_id = '{broken}') execute function probe.refuse()
            """);

        var failed = await RunAsync(dryRun: false);
        await jafer.Database.RunAsync("drop trigger refuse on parties");
        var again = await RunAsync(dryRun: false);

        Assert.Equal(1, Of(failed, "MESURE_CONTENT").FailedCount);
        Assert.NotNull((await jafer.GetAsync(other)).AnonymiseTime);
        Assert.Equal((1, 0), (Of(again, "MESURE_CONTENT").ErasedCount, Of(again, "MESURE_CONTENT").FailedCount));
        Assert.NotNull((await jafer.GetAsync(broken)).AnonymiseTime);
    }

    [Fact]
    public async Task Run_Anonymised_CountsAreTheSameAndNoActIsPossible()
    {
        var mesure = await AgedAsync(30, r => r.Children[0].FamilyName = "Fictif Qui Revient");
        var back = await jafer.TransmittedAsync(r => r.Children[0].FamilyName = "Fictif Qui Revient", OtherCourt);
        await jafer.Database.RunAsync($"update mesures set transmitted_at = (select closed_at + interval '1 month' from mesures where id = '{mesure}') where id = '{back}'");
        await jafer.Fold.FoldAsync(Ct);
        var before = await FiguresAsync();
        var old = await jafer.GetAsync(mesure);
        var aliases = await jafer.Database.ReadAsync<long>("select count(*) from mesure_returns");

        await RunAsync(dryRun: false);
        // The other one lives on: what was found of the family stays found.
        await jafer.Database.RunAsync($"insert into delay_queue (mesure_id) values ('{mesure}'), ('{back}')");
        await jafer.Fold.FoldAsync(Ct);

        Assert.Equal(before, await FiguresAsync());
        Assert.True(aliases >= 1);
        Assert.Equal(aliases, await jafer.Database.ReadAsync<long>("select count(*) from mesure_returns"));
        var left = await jafer.GetAsync(mesure);
        Assert.NotNull(left.AnonymiseTime);
        Assert.Equal((old.Summary.State, old.Closure.Reason, old.Closure.ClosedTime, old.Milestones), (left.Summary.State, left.Closure.Reason, left.Closure.ClosedTime, left.Milestones));
        Assert.Equal("", left.Decision.RgNumber + left.Decision.JudgeName + string.Concat(left.Parties.Select(p => p.FamilyName + p.GivenName + p.CommuneInsee)) + left.Children[0].FamilyName);
        Assert.Null(left.Children[0].BirthDate);
        Assert.Equal((short)6, await jafer.Database.ReadAsync<short>($"select age_at_decision from children where mesure_id = '{mesure}'"));
        Assert.Equal(PurgeScope.Content, (await jafer.AsCourt.ListMesureEventsAsync(new ListMesureEventsRequest { MesureId = mesure })).Events[^1].PurgeScope);
        foreach (var act in new[] { "ReopenMesure", "UpdateMesure", "RecordExternalAlert", "AnswerDifficulty", "CompleteMesure" })
        {
            var refusal = await Refusal.OfAsync(() => Requests.CallAsync(jafer.AsCourt, act, mesure));
            Assert.Equal((act, StatusCode.FailedPrecondition, "MESURE_ANONYMISED", ""), (act, refusal.Code, refusal.Reason, string.Join(' ', refusal.Fields)));
        }

        var hold = await Refusal.OfAsync(AsCourt.SetLegalHoldAsync(Hold(mesure)));
        Assert.Equal("MESURE_ANONYMISED", hold.Reason);
        var item = Reports.Item(mesure, 1, Reports.Reached);
        item.OccurredTime = jafer.Clock.GetUtcNow().ToProto();
        var report = await jafer.Host.Intake().ReportStatusAsync(new ReportStatusRequest { Items = { item }, RequestId = NewId() });
        Assert.Equal(Contracts.Type.V1.ErrorReason.MesureAnonymised, report.Results[0].Reason);
    }

    [Fact]
    public async Task LegalHold_UntilItIsLifted_KeepsTheMesureAndItsFiles()
    {
        var mesure = await AgedAsync(30);
        var hold = (await AsCourt.SetLegalHoldAsync(Hold(mesure))).Hold;
        await RunAsync(dryRun: false);
        Assert.Equal((null, null), ((await jafer.GetAsync(mesure)).AnonymiseTime, (await jafer.GetAsync(mesure)).FilesEraseTime));

        var lift = new LiftLegalHoldRequest { MesureId = mesure, HoldId = hold.HoldId, RequestId = NewId() };
        Assert.Equal("STATE_FORBIDS", (await Refusal.OfAsync(AsOperator.LiftLegalHoldAsync(lift))).Reason);
        Assert.Contains((await AsOperator.ListLegalHoldsAsync(new ListLegalHoldsRequest { MesureId = mesure })).Holds, h => h.HoldId == hold.HoldId);
        Assert.Empty((await new RetentionService.RetentionServiceClient(jafer.Host.Channel("juridiction", OtherCourt)).ListLegalHoldsAsync(new ListLegalHoldsRequest { MesureId = mesure })).Holds);
        await AsCourt.LiftLegalHoldAsync(lift);
        Assert.Empty((await AsCourt.ListLegalHoldsAsync(new ListLegalHoldsRequest { MesureId = mesure })).Holds);

        await RunAsync(dryRun: false);
        Assert.NotNull((await jafer.GetAsync(mesure)).AnonymiseTime);
    }

    [Theory]
    [InlineData("juridiction", "CALLER_FORBIDDEN")]
    [InlineData("espace", "CALLER_FORBIDDEN")]
    public async Task SetLegalHold_OfAnother_IsRefused(string role, string reason)
    {
        var mesure = await AgedAsync(1);
        var client = new RetentionService.RetentionServiceClient(jafer.Host.Channel(role, role == "espace" ? Gestionnaire : OtherCourt));

        Assert.Equal(reason, (await Refusal.OfAsync(client.SetLegalHoldAsync(Hold(mesure)))).Reason);
        Assert.Equal(0, await jafer.Database.ReadAsync<long>($"select count(*) from legal_holds where mesure_id = '{mesure}'"));
    }

    [Theory]
    [InlineData("Dossier de Monsieur")]
    [InlineData("DUPONT")]
    [InlineData("")]
    public async Task SetLegalHold_ReferenceThatMayBeAName_IsRefused(string reference)
    {
        var request = Hold(NewId());
        request.Reference = reference;

        Assert.Equal(["reference"], (await Refusal.OfAsync(AsCourt.SetLegalHoldAsync(request))).Fields.Distinct());
    }

    [Fact]
    public async Task BeginNight_TwoReplicas_BeginOneRun()
    {
        var sweep = SweepOf(jafer.Host);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => sweep.BeginNightAsync(Ct)));
        await sweep.WorkAsync(Ct);

        // The sweep of the service may be at it, and end it after ours has left.
        Assert.Equal(1, await Eventually.BecomesAsync(
            () => jafer.Database.ReadAsync<long>($"select count(*) from retention_runs where night = '{jafer.Clock.TodayInParis():yyyy-MM-dd}' and finished_at is not null"),
            finished => finished > 0,
            "the run of the night"));
    }

    [Fact]
    public async Task NoRunForTwoDays_IsToldOnceAndTheServiceIsDegradedUntilOneIsFinished()
    {
        await using var replica = await jafer.StartReplicaAsync(new Dictionary<string, string?> { ["Retention:OverdueAfter"] = "2.00:00:00" }, null);
        var health = replica.App.Services.GetRequiredService<HealthCheckService>();
        var last = await RunAsync(dryRun: false);

        jafer.Clock.Advance(TimeSpan.FromHours(47));
        await RunAsync(dryRun: true);
        await SweepOf(replica).TellOverdueAsync(Ct);
        Assert.Equal((HealthStatus.Healthy, 0L), (await StatusAsync(), await ToldAsync(last)));

        jafer.Clock.Advance(TimeSpan.FromHours(2));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => SweepOf(replica).TellOverdueAsync(Ct)));
        await Eventually.BecomesAsync(() => ToldAsync(last), n => n == 1, "the alarm");
        jafer.Clock.Advance(TimeSpan.FromHours(49));
        await SweepOf(replica).TellOverdueAsync(Ct);
        Assert.Equal((HealthStatus.Degraded, 1L), (await StatusAsync(), await ToldAsync(last)));

        var next = await RunAsync(dryRun: false);
        Assert.Equal(HealthStatus.Healthy, await StatusAsync());
        jafer.Clock.Advance(TimeSpan.FromHours(49));
        // Another sweep may hold the run just then: it is passed by.
        await Eventually.BecomesAsync(() => TellAsync(next), n => n == 1, "the second alarm");

        async Task<long> TellAsync(RetentionRun run)
        {
            await SweepOf(replica).TellOverdueAsync(Ct);
            return await ToldAsync(run);
        }

        async Task<HealthStatus> StatusAsync() => (await health.CheckHealthAsync(check => check.Name == "retention", Ct)).Status;

        Task<long> ToldAsync(RetentionRun run) => jafer.Database.ReadAsync<long>(
            $"select count(*) from probe.told where type = 'mesure.retention-overdue.v1' and payload->>'aggregateId' = '{run.RunId}'");
    }

    [Fact]
    public async Task History_WithoutTheWordOfRetention_IsNeverChanged()
    {
        var mesure = await AgedAsync(1);

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => jafer.Database.RunAsync($"update mesure_facts set actor_subject = null where mesure_id = '{mesure}'"));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => jafer.Database.RunAsync(
            $"begin; set local jafer.retention = 'on'; update mesure_facts set actor_subject = null, external_id = null, act = 'REOPEN' where mesure_id = '{mesure}'; commit"));
    }

    public static TheoryData<string> Rpcs => new(RetentionService.Descriptor.Methods.Select(m => m.Name));

    [Theory]
    [MemberData(nameof(Rpcs))]
    public async Task AnyRpc_EveryFieldWrong_NamesEachByItsPath(string rpc)
    {
        var method = RetentionService.Descriptor.FindMethodByName(rpc);
        var channel = jafer.Host.Channel(TestIssuer.Shared.Token("operateur", s_operator, person: true));

        var refusal = await Refusal.OfAsync(() => Testing.Rpcs.CallAsync(channel, method, Testing.Rpcs.Wrong(method.InputType)));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Testing.Rpcs.Leads(method.InputType, path), path));
    }

    [Fact]
    public async Task SetLegalHold_SameRequestTwice_GivesTheFirstAnswerAndOneHold()
    {
        var request = Hold(await AgedAsync(1));

        var first = await AsCourt.SetLegalHoldAsync(request);
        Assert.Equal(first, await AsCourt.SetLegalHoldAsync(request));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from legal_holds where mesure_id = '{request.MesureId}'"));
        Assert.Equal(1, await jafer.Database.ReadAsync<long>($"select count(*) from journal.entries where rpc like '%/SetLegalHold' and 'mesures/{request.MesureId}' = any(resources) and is_write"));
        request.Reference = "RG 26/00413";
        Assert.Equal("REQUEST_ID_REUSED", (await Refusal.OfAsync(AsCourt.SetLegalHoldAsync(request))).Reason);
    }

    [Fact]
    public async Task StartRetentionRun_SameRequestTwice_StartsOneRun()
    {
        var request = new StartRetentionRunRequest { DryRun = true, RequestId = NewId() };

        Assert.Equal((await AsOperator.StartRetentionRunAsync(request)).Run.RunId, (await AsOperator.StartRetentionRunAsync(request)).Run.RunId);
    }

    private static RetentionSweep SweepOf(ServiceHost host) => host.App.Services.GetRequiredService<RetentionSweep>();

    private static SetLegalHoldRequest Hold(string mesureId) => new() { MesureId = mesureId, Reason = LegalHoldReason.Proceedings, Reference = "RG 26/00412", RequestId = NewId() };

    private static RetentionCount Of(RetentionRun run, string rule) => run.Counts.FirstOrDefault(c => c.Rule == rule) ?? new RetentionCount();

    private static string Told(RetentionRun run) =>
        string.Join('\n', run.Counts.Where(c => c.DueCount > 0).Select(c => $"{c.Rule} {c.DueCount} {c.ErasedCount} {c.HeldCount} {c.FailedCount} {c.OldestTime}")) + $"\n{run.StaleCount}";

    /// <summary>A run from its order to its end.</summary>
    private async Task<RetentionRun> RunAsync(bool dryRun)
    {
        jafer.Clock.Advance(TimeSpan.FromMilliseconds(2));
        var run = (await AsOperator.StartRetentionRunAsync(new StartRetentionRunRequest { DryRun = dryRun, RequestId = NewId() })).Run;
        return await Eventually.BecomesAsync(
            async () => (await AsOperator.GetRetentionRunAsync(new GetRetentionRunRequest { RunId = run.RunId })).Run, r => r.EndTime is not null, "the end of the run");
    }

    /// <summary>What statistics say: delays and impact of the court, of everybody, and how many mesures there are in which state.</summary>
    private async Task<string> FiguresAsync()
    {
        var figures = new List<string>();
        foreach (var (role, organisation) in new[] { ("juridiction", Court), ("espace", Gestionnaire) })
        {
            var channel = jafer.Host.Channel(role, organisation);
            figures.Add((await new DelaysService.DelaysServiceClient(channel).GetDelaysAsync(new GetDelaysRequest())).ToString());
            figures.Add((await new ImpactService.ImpactServiceClient(channel).GetImpactAsync(new GetImpactRequest { FromDate = new DateOnly(2023, 1, 1).ToProto() })).ToString());
            var mesures = (await new MesureService.MesureServiceClient(channel).ListMesuresAsync(new ListMesuresRequest { PageSize = 200 })).Mesures;
            figures.Add(string.Join(' ', mesures.GroupBy(m => m.State).OrderBy(g => g.Key).Select(g => $"{g.Key} {g.Count()}")));
        }

        figures.AddRange(await jafer.Database.ReadAllAsync<string>("select c::text from delay_counts c where mesures > 0 order by 1"));
        // The survey, counted anew from what there is.
        await jafer.Database.RunAsync("insert into survey_queue (mesure_id) select id from mesures where gestionnaire_id is not null");
        await jafer.Host.App.Services.GetRequiredService<SurveyFold>().FoldAsync(TestContext.Current.CancellationToken);
        figures.AddRange(await jafer.Database.ReadAllAsync<string>("select c::text from survey_counts c where counts <> '{}' order by 1"));
        // Each answer says when it was computed.
        return Regex.Replace(string.Join('\n', figures), "\"[a-zA-Z]*Time\": \"[^\"]*\"", "");
    }

    /// <summary>A mesure that was closed so many months ago.</summary>
    private async Task<string> AgedAsync(int months, Action<CreateMesureRequest>? change = null)
    {
        var mesureId = await jafer.TransmittedAsync(change);
        await jafer.AsEspace.AcknowledgeMesureAsync(new AcknowledgeMesureRequest { MesureId = mesureId, RequestId = NewId() });
        await jafer.AsEspace.CloseMesureAsync(new CloseMesureRequest
        {
            MesureId = mesureId,
            Reason = ClosureReason.SansSuiteRefusHote,
            Destination = ClosureDestination.Accord,
            RequestId = NewId(),
        });
        await AgeAsync(mesureId, months);
        await jafer.Fold.FoldAsync(Ct);
        return mesureId;
    }

    private Task<int> AgeAsync(string mesureId, int months) => jafer.Database.RunAsync($"""
        alter table mesure_facts disable trigger mesure_facts_append_only;
        update mesure_facts set occurred_at = occurred_at - interval '{months} months', recorded_at = recorded_at - interval '{months} months' where mesure_id = '{mesureId}';
        alter table mesure_facts enable trigger mesure_facts_append_only;
        update mesures set closed_at = closed_at - interval '{months} months', transmitted_at = transmitted_at - interval '{months} months',
            acknowledged_at = acknowledged_at - interval '{months} months', updated_at = updated_at - interval '{months} months' where id = '{mesureId}'
        """);
}
