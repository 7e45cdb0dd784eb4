using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>The search as of a day gone by.</summary>
public class PastSearchTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task SearchEspaces_AsOfDate_KnowsWhatWasRecordedThen()
    {
        var held = Espace("past-held", wait: 12);
        held.Modalites[0].DeclaredWait.AsOfDate = Today.AddDays(-80).ToProto();
        await directory.ImportAsync(held);
        await RecordedAsync("past-held", 60);
        held.Modalites[0].DeclaredWait = new DeclaredWait { Days = 5, AsOfDate = Today.ToProto() };
        held.Modalites[0].State = ModaliteState.Complete;
        (held.Agrements[0].State, held.Agrements[0].EndDate) = (AgrementState.Retire, Today.AddDays(-55).ToProto());
        await directory.ImportAsync(held, Espace("past-new"));
        var request = Request("past-held", "past-new");

        var now = await SearchAsync(request);
        request.AsOfDate = Today.AddDays(-50).ToProto();
        var then = await SearchAsync(request);
        request.AsOfDate = Today.AddDays(-61).ToProto();
        var before = await SearchAsync(request);

        Assert.Equal([Id("past-new")], now.Results.Select(r => r.EspaceId));
        Assert.Equal([Id("past-held")], now.ExcludedEspaces.Select(e => e.EspaceId));
        var result = Assert.Single(then.Results);
        Assert.Equal((Id("past-held"), 12, false, ModaliteState.Ouverte), (result.EspaceId, result.DeclaredWait.Days, result.DeclaredWait.Stale, result.ModaliteState));
        Assert.Equal((Today.AddDays(-38).ToProto(), CapacityStatus.Open), (result.ExpectedFirstVisitDate, result.CapacityStatus));
        Assert.Equal("Lyon", result.Lieu.CommuneName);
        Assert.Empty(then.ExcludedEspaces);
        Assert.Empty(before.Results);
        Assert.Empty(before.ExcludedEspaces);
    }

    [Fact]
    public async Task SearchEspaces_AsOfYesterdayOrToday_IsWhatStands()
    {
        var import = EspaceContentTests.Whole("past-same");
        await directory.ImportAsync(import);
        await RecordedAsync("past-same", 1);
        var request = Request("past-same");

        var now = await SearchAsync(request);
        request.AsOfDate = Today.ToProto();
        var today = await SearchAsync(request);
        request.AsOfDate = Today.AddDays(-1).ToProto();
        request.Mesure.DecisionDate = Today.ToProto();
        var yesterday = await SearchAsync(request);

        Assert.Equal(now, today);
        var (here, there) = (Assert.Single(now.Results), Assert.Single(yesterday.Results));
        // The day of reading apart, the history tells the same as the tables.
        Assert.Equal((here.Lieu, here.Name, here.AlertText, here.ModaliteState, here.DemandBalance), (there.Lieu, there.Name, there.AlertText, there.ModaliteState, there.DemandBalance));
        Assert.Equal(here.DeclaredWait.Days, there.DeclaredWait.Days);
        Assert.Equal((here.Exclusions, here.ExpectedFirstVisitDate), (there.Exclusions, there.ExpectedFirstVisitDate));
    }

    [Fact]
    public async Task SearchEspaces_AsOfDateByPages_GoesOnAsOfThatDay()
    {
        const Modalite M = Modalite.VisiteAvecSortie;
        await directory.ImportAsync([.. Enumerable.Range(0, 3).Select(n => Espace($"past-page{n}", wait: 10 + n, modalite: M))]);
        for (var n = 0; n < 3; n++)
            await RecordedAsync($"past-page{n}", 5);
        await directory.ImportAsync(Espace("past-page9", wait: 1, modalite: M));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = M }, AsOfDate = Today.AddDays(-2).ToProto(), PageSize = 2 };

        var first = await SearchAsync(request);
        request.PageToken = first.NextPageToken;
        var second = await SearchAsync(request);

        Assert.Equal([Id("past-page0"), Id("past-page1"), Id("past-page2")], first.Results.Concat(second.Results).Select(r => r.EspaceId));
        Assert.Equal(3, second.TotalCount);
    }

    private static string Id(string espace) => IdOf(espace).ToString();

    private static SearchEspacesRequest Request(params string[] espaces) => new()
    {
        Mesure = new() { Modalite = Modalite.Visite, ChildAges = { 6 } },
        EspaceIds = { espaces.Select(Id) },
        Explain = true,
    };

    // As if all that is recorded of it had been so many days ago.
    private Task<int> RecordedAsync(string espace, int days) => directory.Database.RunAsync(
        $"update espace_changes set recorded_at = recorded_at - interval '{days} days', confirmed_at = confirmed_at - interval '{days} days' where espace_id = '{IdOf(espace)}'");

    private async Task<SearchEspacesResponse> SearchAsync(SearchEspacesRequest request) =>
        await directory.Court.SearchEspacesAsync(request, cancellationToken: Cancel);
}
