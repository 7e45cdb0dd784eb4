using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using Wait = Jafer.Directory.Domain.Wait;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class SearchEspacesTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    [Fact]
    public async Task SearchEspaces_WaitAndTravel_RanksByBothAndSaysWhy()
    {
        await directory.ImportAsync(
            Espace("near-slow", "73065", wait: 330, modalite: Modalite.VisiteVisio),
            Espace("far-soon", "38185", wait: 10, modalite: Modalite.VisiteVisio),
            Espace("near-soon", "73065", wait: 20, modalite: Modalite.VisiteVisio));

        var response = await SearchAsync(new()
        {
            Mesure = new() { Modalite = Modalite.VisiteVisio, HoteCommuneInsee = "73065", VisiteurCommuneInsee = "73065", CourtCode = "tj73065" },
        });

        Assert.Equal([IdOf("near-soon"), IdOf("far-soon"), IdOf("near-slow")], response.Results.Select(r => Guid.Parse(r.EspaceId)));
        Assert.Equal(3, response.TotalCount);
        var first = response.Results[0];
        Assert.True(first.Fictive);
        Assert.Equal("Chambéry", first.Lieu.CommuneName);
        Assert.Equal(new TravelTime { Reachable = true, Source = TravelSource.Model }, first.HoteTravel);
        Assert.Equal(Today.AddDays(20).ToProto(), first.ExpectedFirstVisitDate);
        Assert.Equal(Today.ToProto(), first.CapacityConfirmedDate);
        Assert.Equal(
            [(RankingReasonCode.Wait, 20), (RankingReasonCode.HoteTravel, 0), (RankingReasonCode.VisiteurTravel, 0), (RankingReasonCode.SameDepartementAsCourt, 0)],
            first.Reasons.Select(r => (r.Code, r.Value)));
        var second = response.Results[1];
        Assert.InRange(second.HoteTravel.Minutes, 45, 75);
        Assert.Equal(0, second.HoteTravel.Minutes % 5);
        Assert.True(second.HoteTravel.MinMinutes < second.HoteTravel.Minutes && second.HoteTravel.Minutes < second.HoteTravel.MaxMinutes);
        Assert.Equal(RankingReasonCode.HoteTravel, second.Reasons[0].Code);
    }

    [Fact]
    public async Task SearchEspaces_TradeOffOfZero_RanksByWaitAlone()
    {
        await directory.ImportAsync(
            Espace("away-soon", "38185", wait: 10, modalite: Modalite.SortieAccompagnee),
            Espace("here-later", "73065", wait: 12, modalite: Modalite.SortieAccompagnee));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.SortieAccompagnee, HoteCommuneInsee = "73065" } };

        var byDefault = await SearchAsync(request);
        request.DaysPerTravelHour = 0;
        var byWait = await SearchAsync(request);

        Assert.Equal(IdOf("here-later"), Guid.Parse(byDefault.Results[0].EspaceId));
        Assert.Equal(IdOf("away-soon"), Guid.Parse(byWait.Results[0].EspaceId));
    }

    [Fact]
    public async Task SearchEspaces_ParentNotGiven_SaysNothingOfTheirTravel()
    {
        await directory.ImportAsync(Espace("protected", modalite: Modalite.VisiteDetention));

        var result = Assert.Single((await SearchAsync(new() { Mesure = new() { Modalite = Modalite.VisiteDetention, VisiteurCommuneInsee = "69123" } })).Results);

        Assert.Null(result.HoteTravel);
        Assert.NotNull(result.VisiteurTravel);
        Assert.DoesNotContain(result.Reasons, r => r.Code == RankingReasonCode.HoteTravel);
    }

    [Fact]
    public async Task SearchEspaces_NoRoad_RanksLastAndSaysUnreachable()
    {
        await directory.ImportAsync(
            Espace("ajaccio", "2A004", wait: 1, modalite: Modalite.VisiteTiers),
            Espace("brest", "29019", wait: 300, modalite: Modalite.VisiteTiers));

        var response = await SearchAsync(new() { Mesure = new() { Modalite = Modalite.VisiteTiers, HoteCommuneInsee = "67482" } });

        Assert.Equal(IdOf("brest"), Guid.Parse(response.Results[0].EspaceId));
        var unreachable = response.Results[1];
        Assert.Equal(new TravelTime { Source = TravelSource.Model }, unreachable.HoteTravel);
        Assert.Equal(RankingReasonCode.Unreachable, unreachable.Reasons[0].Code);
    }

    [Fact]
    public async Task SearchEspaces_WhatTheMesureNeeds_LeavesOutWhoCannotTakeIt()
    {
        const Modalite M = Modalite.VisiteAvecSortie;
        var fits = Espace("fits", modalite: M);
        fits.Modalites[0].AcceptedSituations.Add([SituationParticuliere.Addiction, SituationParticuliere.ViolencesIntrafamiliales]);
        fits.Modalites[0].ProtectionOrderAccepted = true;
        EspaceImport But(string id, Action<EspaceImport> change)
        {
            var espace = fits.Clone();
            espace.ExternalId = id;
            change(espace);
            return espace;
        }

        await directory.ImportAsync(
            fits,
            But("closed", e => e.State = EspaceState.Suspendu),
            But("full", e => e.Modalites[0].State = ModaliteState.Complete),
            But("other", e => e.Modalites[0].Modalite = Modalite.Visite),
            But("too-young", e => e.Modalites[0].MinAge = 6),
            But("too-old", e => e.Modalites[0].MaxAge = 11),
            But("no-violence", e => e.Modalites[0].AcceptedSituations.RemoveAt(1)),
            But("no-order", e => e.Modalites[0].ProtectionOrderAccepted = false),
            But("no-agrement", e => e.Agrements.Clear()),
            But("ended", e => e.Agrements[0].EndDate = Today.AddDays(-1).ToProto()),
            But("asked", e => e.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-1).ToProto() }),
            But("silence", e => e.Agrements[0] = new Agrement { Departement = "69", State = AgrementState.Demande, RequestDate = Today.AddMonths(-3).ToProto() }));
        var request = new SearchEspacesRequest
        {
            Mesure = new() { Modalite = M, ChildAges = { 5, 12 }, Situations = { SituationParticuliere.ViolencesIntrafamiliales }, ProtectionOrder = true },
        };

        var taken = await SearchAsync(request);
        request.Mesure.DecisionDate = new DateOnly(2019, 6, 1).ToProto();
        var before = await SearchAsync(request);

        Assert.Equal(new[] { IdOf("fits"), IdOf("silence") }.Order(), taken.Results.Select(r => Guid.Parse(r.EspaceId)).Order());
        Assert.Empty(before.Results);
        Assert.Equal(0, before.TotalCount);
    }

    [Fact]
    public async Task SearchEspaces_WhatShouldBeKnown_WarnsAndDoesNotExclude()
    {
        const Modalite M = Modalite.VisitePresenceContinue;
        var stale = Espace("w1-stale", wait: 5, modalite: M);
        stale.Modalites[0].DeclaredWait.AsOfDate = Today.AddDays(-31).ToProto();
        stale.Modalites[0].State = ModaliteState.ListeAttente;
        var ends = Espace("w2-ends", wait: 6, modalite: M);
        ends.Agrements[0].EndDate = Today.AddMonths(6).ToProto();
        ends.Modalites[0].State = ModaliteState.Limitee;
        var renewed = Espace("w3-renewed", wait: 7, modalite: M);
        renewed.Agrements[0].EndDate = Today.AddMonths(6).ToProto();
        renewed.Agrements.Add(new Agrement { Departement = "69", State = AgrementState.Accorde, StartDate = Today.AddMonths(6).AddDays(1).ToProto() });
        await directory.ImportAsync(stale, ends, renewed, Espace("w4-unknown", wait: null, modalite: M));

        var results = (await SearchAsync(new() { Mesure = new() { Modalite = M } })).Results;

        Assert.Equal(
            [
                [(ResultWarningCode.WaitStale, Today.AddDays(-31)), (ResultWarningCode.WaitingList, null)],
                [(ResultWarningCode.AgrementEnds, Today.AddMonths(6)), (ResultWarningCode.LimitedCapacity, null)],
                [],
                [(ResultWarningCode.WaitUnknown, null)],
            ],
            results.Select(r => r.Warnings.Select(w => (w.Code, Day(w.Date))).ToArray()));
        Assert.Equal([(true, 31), (false, 0)], results.Take(2).Select(r => (r.DeclaredWait.Stale, r.DeclaredWait.AgeDays)));
        Assert.Null(results[3].DeclaredWait);
        Assert.Null(results[3].ExpectedFirstVisitDate);
        Assert.Null(results[3].Forecast);
        Assert.Equal((RankingReasonCode.WaitUnknown, Wait.UnknownDays), (results[3].Reasons[0].Code, results[3].Reasons[0].Value));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(100)]
    public async Task SearchEspaces_AnyPageSize_PagesAddUpToTheWholeOrder(int pageSize)
    {
        await directory.ImportAsync([.. Enumerable.Range(0, 10).Select(n => Espace($"p{n}", wait: n / 3 * 10, modalite: Modalite.VisitePresenceIntermittente))]);
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.VisitePresenceIntermittente } };
        var whole = await SearchAsync(request);

        request.PageSize = pageSize;
        var paged = new List<EspaceResult>();
        do
        {
            var page = await SearchAsync(request);
            Assert.InRange(page.Results.Count, 1, pageSize);
            Assert.Equal(10, page.TotalCount);
            paged.AddRange(page.Results);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(whole.Results, paged);
        Assert.Equal(10, paged.Count);
    }

    [Fact]
    public async Task SearchEspaces_TokenOfAnotherSearch_IsRefused()
    {
        await directory.ImportAsync(Espace("t1", modalite: Modalite.RemiseEnfant), Espace("t2", modalite: Modalite.RemiseEnfant));
        var token = (await SearchAsync(new() { Mesure = new() { Modalite = Modalite.RemiseEnfant }, PageSize = 1 })).NextPageToken;
        Assert.NotEmpty(token);

        var refusal = await Refusal.OfAsync(directory.Court.SearchEspacesAsync(
            new() { Mesure = new() { Modalite = Modalite.RemiseEnfant, ChildAges = { 3 } }, PageSize = 1, PageToken = token }, cancellationToken: Cancel));

        var more = await Refusal.OfAsync(directory.Court.SearchEspacesAsync(
            new() { Mesure = new() { Modalite = Modalite.RemiseEnfant, ChildAges = { 18 } }, PageSize = -1, PageToken = token }, cancellationToken: Cancel));

        Assert.Equal(("PAGE_TOKEN_INVALID", StatusCode.InvalidArgument), (refusal.Reason, refusal.Code));
        Assert.Equal(["page_token"], refusal.Fields);
        Assert.Equal(("REQUEST_INVALID", StatusCode.InvalidArgument), (more.Reason, more.Code));
        Assert.Equal(["mesure.child_ages[0]", "page_size", "page_token"], more.Fields);
    }

    [Fact]
    public async Task SearchEspaces_BadInput_RefusesWithEveryField()
    {
        var refusal = await Refusal.OfAsync(directory.Court.SearchEspacesAsync(new()
        {
            Mesure = new() { ChildAges = { 3, 18, -1 }, Situations = { SituationParticuliere.Addiction, SituationParticuliere.Unspecified, (SituationParticuliere)99 }, CourtCode = "tj00000", HoteCommuneInsee = "99999", VisiteurCommuneInsee = "x", DecisionDate = new Date { Year = 2026, Month = 2, Day = 30 } },
            DaysPerTravelHour = double.NaN,
            PageSize = -1,
        }, cancellationToken: Cancel));

        Assert.Equal(("REQUEST_INVALID", StatusCode.InvalidArgument), (refusal.Reason, refusal.Code));
        Assert.Equal(
            ["mesure.modalite", "mesure.child_ages[1]", "mesure.child_ages[2]", "mesure.situations[1]", "mesure.situations[2]", "mesure.court_code", "mesure.hote_commune_insee",
                "mesure.visiteur_commune_insee", "mesure.decision_date", "days_per_travel_hour", "page_size"],
            refusal.Fields);
    }

    [Fact]
    public async Task SearchEspaces_ChangeThroughAnotherReplica_IsSeenByTheNextSearch()
    {
        await using var other = await directory.StartAsync();
        var there = new DirectoryService.DirectoryServiceClient(other.Channel("juridiction", ServiceDefaults.StableIds.Court("tj69123")));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.Visite } };
        for (var n = 0; n < 5; n++)
        {
            await directory.ImportAsync(Espace("seen", wait: n));
            var found = await there.SearchEspacesAsync(request, cancellationToken: Cancel);
            Assert.Equal(n, found.Results.Single(r => Guid.Parse(r.EspaceId) == IdOf("seen")).DeclaredWait.Days);
        }
    }

    [Fact]
    public async Task SearchEspaces_ConcurrentSearchesAndChanges_EachSeesWhatWasCommittedBefore()
    {
        const int Changes = 20;
        await directory.ImportAsync(Espace("busy", wait: 0));
        var committed = 0;
        var gestionnaire = directory.Gestionnaire("G-busy");
        var court = directory.Court;
        var writer = Task.Run(async () =>
        {
            for (var n = 1; n <= Changes; n++)
            {
                await gestionnaire.DeclareWaitAsync(
                    new() { EspaceId = IdOf("busy").ToString(), Modalite = Modalite.Visite, Days = n, RequestId = NewId() }, cancellationToken: Cancel);
                Volatile.Write(ref committed, n);
            }
        }, Cancel);
        var readers = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (Volatile.Read(ref committed) is var least && least < Changes)
            {
                var found = await court.SearchEspacesAsync(new() { Mesure = new() { Modalite = Modalite.Visite }, PageSize = 100 }, cancellationToken: Cancel);
                Assert.InRange(found.Results.Single(r => Guid.Parse(r.EspaceId) == IdOf("busy")).DeclaredWait.Days, least, Changes);
            }
        }, Cancel));

        await Task.WhenAll([writer, .. readers]);
    }

    [Fact]
    public async Task SearchEspaces_ManyCallersAtOnce_AllGetTheSamePageWithATokenThatWorks()
    {
        await directory.ImportAsync([.. Enumerable.Range(0, 5).Select(n => Espace($"c{n}", wait: n, modalite: Modalite.RemiseEnfant))]);
        var client = directory.Court;
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.RemiseEnfant, HoteCommuneInsee = "69123" }, PageSize = 2 };

        var pages = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Run(async () =>
        {
            var first = await client.SearchEspacesAsync(request, cancellationToken: Cancel);
            var next = request.Clone();
            next.PageToken = first.NextPageToken;
            return (First: first.Results, Second: (await client.SearchEspacesAsync(next, cancellationToken: Cancel)).Results);
        }, Cancel)));

        Assert.All(pages, page => Assert.Equal((pages[0].First, pages[0].Second), page));
        Assert.Equal(2, pages[0].Second.Count);
    }

    private async Task<SearchEspacesResponse> SearchAsync(SearchEspacesRequest request) =>
        await directory.Court.SearchEspacesAsync(request, cancellationToken: Cancel);

    private static DateOnly? Day(Date? date) => date is null ? null : new DateOnly(date.Year, date.Month, date.Day);
}
