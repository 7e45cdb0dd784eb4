using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Acts on many mesures at once. Each test has an espace or a court of its own, since others act on the same database.</summary>
public sealed class BulkTests(MesuresFixture jafer)
{
    public static TheoryData<string> AllRpcs => new(Rpcs.UnaryOf(BulkService.Descriptor).Select(m => m.Name));

    private static readonly Contracts.Type.V1.Date s_day = new DateOnly(2026, 4, 1).ToProto();

    [Fact]
    public async Task ProrogueMesures_Espace_GivesEachOpenMesureANewTermUnderTheAct()
    {
        var transmitted = await InAsync(MesureState.Transmise);
        var received = await InAsync(MesureState.Recue, r => r.Decision.JudgeName = "Zola");
        var unlimited = await InAsync(MesureState.Recue, r => r.Decision.DurationMonths = 0);
        var draft = await InAsync(MesureState.Completee);
        var request = Prorogation();

        var started = await jafer.BulkAsOperator.ProrogueMesuresAsync(request);
        Assert.Equal(started, await jafer.BulkAsOperator.ProrogueMesuresAsync(request));
        var job = await EndedAsync(started.Job.JobId);

        Assert.Equal((BulkJobKind.Prorogation, request.LegalAct, 3), (job.Kind, job.LegalAct, job.Months));
        Assert.Equal(job.TotalCount, job.DoneCount + job.RefusedCount);
        foreach (var id in new[] { transmitted, received })
        {
            var mesure = await jafer.GetAsync(id);
            Assert.Equal((15, 2), (mesure.Decision.DurationMonths, mesure.DecisionVersions.Count));
            Assert.Equal(new DateOnly(2027, 6, 2).ToProto(), mesure.Summary.TermDate);
        }

        Assert.Empty((await jafer.GetAsync(draft)).DecisionVersions);
        var items = await ItemsAsync(new BulkService.BulkServiceClient(jafer.First.Channel("juridiction", Court)), job.JobId);
        Assert.DoesNotContain(items, i => i.MesureId == draft);
        Assert.Equal((BulkItemState.Refused, "STATE_FORBIDS"), items.Where(i => i.MesureId == unlimited).Select(i => (i.State, i.Reason)).Single());

        // For the court by its judges; for the operator without names; for another court nothing.
        Assert.Equal(items.Select(i => i.JudgeName).Order(StringComparer.Ordinal), items.Select(i => i.JudgeName));
        Assert.Equal("Zola", items.Single(i => i.MesureId == received).JudgeName);
        var all = await ItemsAsync(jafer.BulkAsOperator, job.JobId);
        Assert.Equal(items.Select(i => i.MesureId).ToHashSet(), all.Select(i => i.MesureId).ToHashSet());
        Assert.All(all, i => Assert.Equal("", i.JudgeName));
        Assert.Empty(await ItemsAsync(new BulkService.BulkServiceClient(jafer.First.Channel("juridiction", OtherCourt)), job.JobId));
    }

    [Fact]
    public async Task CloseEspace_OpenMesures_AreReferredToTheirJudges()
    {
        var id = await InAsync(MesureState.EnAttente);
        var draft = await InAsync(MesureState.Ordonnee);

        var started = await jafer.BulkAsOperator.CloseEspaceAsync(new() { EspaceId = BulkEspace.ToString(), ClosingDate = s_day, RequestId = NewId() });
        var job = await EndedAsync(started.Job.JobId);

        var mesure = await jafer.GetAsync(id);
        Assert.Equal((MesureState.EnAttente, 1), (mesure.Summary.State, mesure.Summary.OpenDifficultyCount));
        Assert.Equal(DifficultyReason.EspaceFerme, mesure.Difficulties[0].Reason);
        Assert.Contains((await jafer.AsCourt.ListMesuresAsync(new() { Worklist = Worklist.Difficultes, EspaceId = BulkEspace.ToString(), PageSize = 200 })).Mesures, m => m.MesureId == id);

        // A draft has nothing to refer yet, and is listed so that the court does not send it.
        Assert.Contains(await ItemsAsync(jafer.BulkAsOperator, job.JobId), i => i.MesureId == draft && i.State == BulkItemState.Refused);
        Assert.Contains((await jafer.BulkAsOperator.ListBulkJobsAsync(new() { PageSize = 200 })).Jobs, j => j.JobId == job.JobId);
    }

    [Fact]
    public async Task ProrogueMesures_TwoJobsUnderOneAct_ProrogueAMesureOnce()
    {
        var id = await InAsync(MesureState.Transmise);
        var act = new LegalAct { Kind = LegalActKind.Ordonnance, Reference = "ordonnance n° " + NewId(), ActDate = s_day };
        var one = Prorogation();
        var other = Prorogation();
        (one.LegalAct, other.LegalAct) = (act, act);

        var started = await Task.WhenAll(jafer.BulkAsOperator.ProrogueMesuresAsync(one).ResponseAsync, jafer.BulkAsOperator.ProrogueMesuresAsync(other).ResponseAsync);
        var items = new List<BulkItem>();
        foreach (var job in started)
        {
            await EndedAsync(job.Job.JobId);
            items.AddRange((await ItemsAsync(jafer.BulkAsOperator, job.Job.JobId)).Where(i => i.MesureId == id));
        }

        Assert.Equal([(BulkItemState.Done, ""), (BulkItemState.Refused, "STATE_FORBIDS")], items.Select(i => (i.State, i.Reason)).Order());
        Assert.Equal((15, 2), ((await jafer.GetAsync(id)).Decision.DurationMonths, (await jafer.GetAsync(id)).DecisionVersions.Count));

        // Another act may prorogue it again.
        await EndedAsync((await jafer.BulkAsOperator.ProrogueMesuresAsync(Prorogation())).Job.JobId);
        Assert.Equal(18, (await jafer.GetAsync(id)).Decision.DurationMonths);
    }

    [Fact]
    public async Task CloseEspace_Again_TellsAJudgeOnceWhileItIsOpen()
    {
        var id = await InAsync(MesureState.EnAttente);
        var again = new CloseEspaceRequest { EspaceId = BulkEspace.ToString(), ClosingDate = s_day, RequestId = NewId() };
        await EndedAsync((await jafer.BulkAsOperator.CloseEspaceAsync(again)).Job.JobId);
        again.RequestId = NewId();

        var job = await EndedAsync((await jafer.BulkAsOperator.CloseEspaceAsync(again)).Job.JobId);

        Assert.Equal((BulkItemState.Refused, "STATE_FORBIDS"), (await ItemsAsync(jafer.BulkAsOperator, job.JobId)).Where(i => i.MesureId == id).Select(i => (i.State, i.Reason)).Single());
        Assert.Single((await jafer.GetAsync(id)).Difficulties);
    }

    [Fact]
    public async Task StopBulkJob_Done_IsRefused()
    {
        var started = await jafer.BulkAsOperator.CloseEspaceAsync(new() { EspaceId = NewId(), ClosingDate = s_day, RequestId = NewId() });
        await EndedAsync(started.Job.JobId);

        var refusal = await Refusal.OfAsync(jafer.BulkAsOperator.StopBulkJobAsync(new() { JobId = started.Job.JobId, RequestId = NewId() }));

        Assert.Equal((StatusCode.FailedPrecondition, "STATE_FORBIDS"), (refusal.Code, refusal.Reason));
    }

    [Fact]
    public async Task ResumeBulkJob_LeftInTheMiddle_GoesOnWithWhatIsPending()
    {
        var id = await InAsync(MesureState.Transmise);
        var other = await InAsync(MesureState.Transmise);

        // As a process leaves it that is killed after the first of two, once an operator has stopped it.
        var job = await EndedAsync((await jafer.BulkAsOperator.ProrogueMesuresAsync(Prorogation())).Job.JobId);
        await jafer.Database.RunAsync($"""
            delete from bulk_items where job_id = '{job.JobId}' and mesure_id not in ('{id}', '{other}');
            update bulk_items set state = 'PENDING' where job_id = '{job.JobId}' and mesure_id = '{other}';
            update bulk_jobs set state = 'STOPPED', ended_at = null where id = '{job.JobId}'
            """);
        Assert.Equal((BulkJobState.Stopped, 2, 1), await StandsAsync(job.JobId));

        await jafer.BulkAsOperator.ResumeBulkJobAsync(new() { JobId = job.JobId, RequestId = NewId() });
        await EndedAsync(job.JobId);

        Assert.Equal((BulkJobState.Done, 2, 2), await StandsAsync(job.JobId));
        Assert.Equal(2, (await jafer.GetAsync(id)).DecisionVersions.Count);
        Assert.Equal(3, (await jafer.GetAsync(other)).DecisionVersions.Count);
    }

    [Fact]
    public async Task ProrogueMesures_WithoutActOrWithTwoScopes_NamesEachByItsPath()
    {
        var request = Prorogation();
        request.LegalAct = null;
        request.JuridictionIds.Add(Court.ToString());
        request.Months = 25;

        var refusal = await Refusal.OfAsync(jafer.BulkAsOperator.ProrogueMesuresAsync(request));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.Equal(["legal_act", "espace_id", "months"], refusal.Fields);
    }

    [Theory]
    [InlineData("juridiction")]
    [InlineData("espace")]
    public async Task ProrogueMesures_NotTheOperator_IsForbidden(string role)
    {
        var client = new BulkService.BulkServiceClient(jafer.First.Channel(role, Court));

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(client.ProrogueMesuresAsync(Prorogation()))).Code);
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(client.GetBulkJobAsync(new() { JobId = NewId() }))).Code);
    }

    [Theory]
    [MemberData(nameof(AllRpcs))]
    public async Task AnyRpc_EveryFieldWrong_NamesEachByItsPath(string rpc)
    {
        var method = BulkService.Descriptor.FindMethodByName(rpc);

        var refusal = await Refusal.OfAsync(() => Rpcs.CallAsync(jafer.First.Channel(TestIssuer.Shared.Token("operateur", Court, person: true)), method, Rpcs.Wrong(method.InputType)));

        Assert.Equal((StatusCode.InvalidArgument, "REQUEST_INVALID"), (refusal.Code, refusal.Reason));
        Assert.All(refusal.Fields, path => Assert.True(Rpcs.Leads(method.InputType, path), path));
        Assert.Empty(method.InputType.Fields.InDeclarationOrder()
            .Where(f => f.Name != "page_token" && !refusal.Fields.Any(path => path.Split('.', '[')[0] == f.Name)).Select(f => f.Name));
    }

    [Theory]
    [MemberData(nameof(AllRpcs))]
    public async Task AnyRpc_EspaceOrNoToken_IsRefused(string rpc)
    {
        var method = BulkService.Descriptor.FindMethodByName(rpc);

        Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(() => Rpcs.CallAsync(jafer.First.Channel("espace", Gestionnaire), method, Rpcs.Empty(method)))).Code);
        Assert.Equal(StatusCode.Unauthenticated, (await Refusal.OfAsync(() => Rpcs.CallAsync(jafer.First.Channel(null), method, Rpcs.Empty(method)))).Code);
    }

    [Fact]
    public async Task ResumeBulkJob_SameRequestTwiceThenAnotherBody_IsAnsweredAlikeThenRefused()
    {
        var job = (await jafer.BulkAsOperator.CloseEspaceAsync(new() { EspaceId = NewId(), ClosingDate = s_day, RequestId = NewId() })).Job.JobId;
        await EndedAsync(job);
        await jafer.Database.RunAsync($"update bulk_jobs set state = 'STOPPED', ended_at = null where id = '{job}'");
        var request = new ResumeBulkJobRequest { JobId = job, RequestId = NewId() };

        Assert.Equal(await jafer.BulkAsOperator.ResumeBulkJobAsync(request), await jafer.BulkAsOperator.ResumeBulkJobAsync(request));
        request.JobId = NewId();
        Assert.Equal("REQUEST_ID_REUSED", (await Refusal.OfAsync(jafer.BulkAsOperator.ResumeBulkJobAsync(request))).Reason);
    }

    [Fact]
    public async Task GetBulkJob_Unknown_IsNotFound() =>
        Assert.Equal((StatusCode.NotFound, "RESOURCE_NOT_FOUND"), await CodeAsync(jafer.BulkAsOperator.GetBulkJobAsync(new() { JobId = NewId() })));

    private static async Task<(StatusCode, string)> CodeAsync(AsyncUnaryCall<GetBulkJobResponse> call)
    {
        var refusal = await Refusal.OfAsync(call);
        return (refusal.Code, refusal.Reason);
    }

    private static ProrogueMesuresRequest Prorogation() => new()
    {
        LegalAct = new LegalAct { Kind = LegalActKind.Ordonnance, Reference = "ordonnance n° " + NewId(), ActDate = s_day },
        EspaceId = BulkEspace.ToString(),
        Months = 3,
        RequestId = NewId(),
    };

    private static async Task<List<BulkItem>> ItemsAsync(BulkService.BulkServiceClient client, string jobId)
    {
        var items = new List<BulkItem>();
        var request = new ListBulkItemsRequest { JobId = jobId, PageSize = 2 };
        do
        {
            var page = await client.ListBulkItemsAsync(request);
            items.AddRange(page.Items);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return items;
    }

    private Task<string> InAsync(MesureState state, Action<CreateMesureRequest>? change = null) => jafer.MesureInAsync(state, r =>
    {
        r.EspaceId = BulkEspace.ToString();
        change?.Invoke(r);
    });

    private async Task<(BulkJobState State, int Total, int Done)> StandsAsync(string jobId)
    {
        var job = (await jafer.BulkAsOperator.GetBulkJobAsync(new() { JobId = jobId })).Job;
        return (job.State, job.TotalCount, job.DoneCount);
    }

    private Task<BulkJob> EndedAsync(string jobId) => Eventually.BecomesAsync(
        async () => (await jafer.BulkAsOperator.GetBulkJobAsync(new() { JobId = jobId })).Job, job => job.State == BulkJobState.Done, "the job ends");
}
