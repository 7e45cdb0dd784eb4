using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Worklists by role: counts, urgency, pages.</summary>
public sealed class WorklistTests(ClockedMesures jafer) : IClassFixture<ClockedMesures>
{
    private WorklistService.WorklistServiceClient Of(string role, Guid organisation) => new(jafer.Host.Channel(role, organisation));

    private WorklistService.WorklistServiceClient AsCourt => Of("juridiction", Court);

    private WorklistService.WorklistServiceClient AsEspace => Of("espace", Gestionnaire);

    [Fact]
    public async Task ListWorkItems_AsTimePasses_HoldsWhatWaitsThere()
    {
        var undelivered = await jafer.TransmittedAsync();
        var read = await jafer.TransmittedAsync();
        await jafer.AsEspace.GetMesureAsync(new GetMesureRequest { MesureId = read });
        var difficult = await jafer.TransmittedAsync();
        await jafer.AsEspace.ReportDifficultyAsync(new ReportDifficultyRequest { MesureId = difficult, Reason = DifficultyReason.Danger, RequestId = NewId() });
        var lost = await jafer.TransmittedAsync(r =>
        {
            r.Decision.ContactDeadline = jafer.Clock.GetUtcNow().Date.ToDate(9);
            r.Decision.DurationMonths = 2;
        });

        Assert.Empty(await IdsAsync(AsCourt, Worklist.NonDelivree, undelivered, read, difficult, lost));
        Assert.Equal([difficult], await IdsAsync(AsCourt, Worklist.DifficultesAAccuser, undelivered, difficult));

        jafer.Clock.Advance(TimeSpan.FromHours(13));
        Assert.Equal([undelivered, lost], await IdsAsync(AsCourt, Worklist.NonDelivree, undelivered, read, lost));
        Assert.Equal([difficult], await IdsAsync(Of("operateur", OtherCourt), Worklist.DifficultesEscaladees, undelivered, difficult));
        var difficulty = Assert.Single((await jafer.GetAsync(difficult)).Difficulties);
        await jafer.AsCourt.AcknowledgeDifficultyAsync(new AcknowledgeDifficultyRequest { MesureId = difficult, DifficultyId = difficulty.DifficultyId, RequestId = NewId() });
        Assert.Empty(await IdsAsync(AsCourt, Worklist.DifficultesEscaladees, difficult));
        Assert.Empty(await IdsAsync(AsCourt, Worklist.DifficultesAAccuser, difficult));
        Assert.Equal([difficult], await IdsAsync(AsCourt, Worklist.DifficultesARepondre, difficult));

        jafer.Clock.Advance(TimeSpan.FromDays(11));
        Assert.Equal([undelivered, lost], await IdsAsync(AsCourt, Worklist.NonConsultee, undelivered, read, lost));
        Assert.Equal([lost], await IdsAsync(AsEspace, Worklist.SansContact, undelivered, lost));
        Assert.Equal([lost], await IdsAsync(AsEspace, Worklist.TermeProche, undelivered, lost));
        Assert.Empty(await IdsAsync(AsCourt, Worklist.SansPremiereRencontre, undelivered));
        Assert.Equal([undelivered], await IdsAsync(AsCourt, Worklist.SansPremiereRencontre, 10, undelivered));
        Assert.Contains(read, await IdsAsync(AsEspace, Worklist.EnRetard, read));
    }

    [Fact]
    public async Task GetWorklists_ByRole_CountsWhatListsHold()
    {
        await jafer.TransmittedAsync();
        jafer.Clock.Advance(TimeSpan.FromDays(8));
        foreach (var client in new[] { AsCourt, AsEspace, Of("operateur", OtherCourt) })
        {
            var summaries = (await client.GetWorklistsAsync(new GetWorklistsRequest())).Worklists;
            Assert.Equal(summaries.Count, summaries.Select(s => s.Worklist).Distinct().Count());
            Assert.Contains(summaries, s => s.OverdueCount > 0);
            foreach (var summary in summaries)
            {
                var items = await AllAsync(client, new ListWorkItemsRequest { Worklist = summary.Worklist, PageSize = 200 });
                var now = jafer.Clock.GetUtcNow();
                Assert.Equal(items.Count, summary.Count);
                Assert.Equal(items.Count(i => i.NextDeadline?.DueTime.ToDateTimeOffset() <= now), summary.OverdueCount);
                Assert.Equal(items.Min(i => i.Mesure.HolderSinceTime?.ToDateTimeOffset()), summary.OldestSinceTime?.ToDateTimeOffset());
                Assert.Equal(items.Min(i => i.NextDeadline?.DueTime.ToDateTimeOffset()), summary.NextDeadlineTime?.ToDateTimeOffset());
            }
        }
    }

    [Fact]
    public async Task ListWorkItems_AnyPageSize_PagesConcatenateInTheOrderOfUrgency()
    {
        var court = StableIds.Court("tj-urgency");
        for (var i = 0; i < 17; i++)
        {
            await jafer.TransmittedAsync(null, court);
            if (i % 3 == 0)
            {
                jafer.Clock.Advance(TimeSpan.FromMinutes(7));
            }
        }

        var client = Of("juridiction", court);
        var whole = await AllAsync(client, new ListWorkItemsRequest { PageSize = 200 });
        Assert.Equal(17, whole.Count);
        var due = whole.Select(i => i.NextDeadline.DueTime.ToDateTimeOffset()).ToList();
        Assert.Equal(due.Order(), due);
        Assert.All(whole, i => Assert.Equal((DeadlineKind.DeliveryWarning, Holder.Juridiction), (i.NextDeadline.Kind, i.NextDeadline.MustAct)));
        foreach (var size in new[] { 1, 4, 16, 17 })
        {
            Assert.Equal(whole, await AllAsync(client, new ListWorkItemsRequest { PageSize = size }));
        }
    }

    [Fact]
    public async Task ListWorkItems_OfAnotherOrganisationEspaceOrToken_HoldsNothingOrIsRefused()
    {
        var id = await jafer.TransmittedAsync();
        Assert.Empty(await IdsAsync(Of("juridiction", OtherCourt), Worklist.Unspecified, id));
        Assert.Empty(await IdsAsync(Of("espace", OtherGestionnaire), Worklist.Unspecified, id));
        Assert.Empty((await AsCourt.ListWorkItemsAsync(new ListWorkItemsRequest { EspaceId = YoungEspace.ToString() })).Items);

        await jafer.TransmittedAsync();
        var token = (await AsCourt.ListWorkItemsAsync(new ListWorkItemsRequest { PageSize = 1 })).NextPageToken;
        var foreign = await Refusal.OfAsync(Of("juridiction", OtherCourt).ListWorkItemsAsync(new ListWorkItemsRequest { PageToken = token }));
        Assert.Equal((StatusCode.InvalidArgument, "PAGE_TOKEN_INVALID"), (foreign.Code, foreign.Reason));
        foreach (var role in new[] { "statisticien", "partenaire", "systeme" })
        {
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(Of(role, Court).ListWorkItemsAsync(new ListWorkItemsRequest()))).Code);
            Assert.Equal(StatusCode.PermissionDenied, (await Refusal.OfAsync(Of(role, Court).GetWorklistsAsync(new GetWorklistsRequest()))).Code);
        }
    }

    private static Task<List<string>> IdsAsync(WorklistService.WorklistServiceClient client, Worklist worklist, params string[] among) => IdsAsync(client, worklist, 0, among);

    /// <summary>Those of the given mesures that stand on a list; others are of other tests.</summary>
    private static async Task<List<string>> IdsAsync(WorklistService.WorklistServiceClient client, Worklist worklist, int noVisitAfterDays, params string[] among)
    {
        var items = await AllAsync(client, new ListWorkItemsRequest { Worklist = worklist, NoVisitAfterDays = noVisitAfterDays, PageSize = 200 });
        return [.. items.Select(i => i.Mesure.MesureId).Where(among.Contains)];
    }

    private static async Task<List<WorkItem>> AllAsync(WorklistService.WorklistServiceClient client, ListWorkItemsRequest request)
    {
        var all = new List<WorkItem>();
        do
        {
            var page = await client.ListWorkItemsAsync(request);
            all.AddRange(page.Items);
            request = request.Clone();
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return all;
    }
}

internal static class Days
{
    public static Contracts.Type.V1.Date ToDate(this DateTime day, int later) => DateOnly.FromDateTime(day).AddDays(later).ToProto();
}
