using Grpc.Core;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults;
using Jafer.Testing;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Worklists: the whole list by any page size, and nothing of others.</summary>
public sealed class ListTests(MesuresFixture jafer)
{
    [Fact]
    public async Task ListMesures_AnyPageSize_PagesConcatenateToTheWholeList()
    {
        // A court of its own, so that no other test moves the list.
        var court = StableIds.Court("tj-pages");
        var client = new MesureService.MesureServiceClient(jafer.First.Channel("juridiction", court));
        var ids = new List<string>();
        for (var i = 0; i < 23; i++)
        {
            ids.Add((await client.CreateMesureAsync(Content())).Mesure.MesureId);
        }

        foreach (var size in new[] { 1, 2, 5, 11, 23, 24, 200, 10_000 })
        {
            Assert.Equal(ids, (await AllAsync(client, new ListMesuresRequest { PageSize = size })).Select(m => m.MesureId));
        }
    }

    [Theory]
    [InlineData(MesureState.Ordonnee, Worklist.ACompleter, true)]
    [InlineData(MesureState.Completee, Worklist.ATransmettre, true)]
    [InlineData(MesureState.Transmise, Worklist.AAccuserReception, false)]
    [InlineData(MesureState.Recue, Worklist.APrendreEnCharge, false)]
    [InlineData(MesureState.PriseEnCharge, Worklist.AContacter, false)]
    [InlineData(MesureState.EnAttente, Worklist.AProgrammer, false)]
    [InlineData(MesureState.Programmee, Worklist.IssueManquante, false)]
    public async Task ListMesures_Worklist_HoldsTheMesureThatWaitsThere(MesureState state, Worklist worklist, bool forCourt)
    {
        var id = await jafer.MesureInAsync(state);

        var listed = await AllAsync(forCourt ? jafer.AsCourt : jafer.AsEspace, new ListMesuresRequest { Worklist = worklist, PageSize = 200 });

        Assert.Contains(listed, m => m.MesureId == id);
        MesureState[] others = worklist switch
        {
            // Another rencontre is to be scheduled; one that took place before a suspension still lacks its outcome.
            Worklist.AProgrammer => [MesureState.EnCours],
            Worklist.IssueManquante => [MesureState.EnCours, MesureState.Suspendue],
            _ => [],
        };
        Assert.All(listed, m => Assert.Contains(m.State, others.Append(state)));
    }

    [Fact]
    public async Task ListMesures_OtherOrganisation_HoldsNothingOfOurs()
    {
        var id = await jafer.MesureInAsync(MesureState.Transmise);

        // It may have mesures of its own: other tests move some there.
        Assert.DoesNotContain(await AllAsync(jafer.AsOtherEspace, new ListMesuresRequest()), m => m.MesureId == id);
    }

    [Fact]
    public async Task ListMesures_TokenOfAnotherSearchOrCaller_IsRefused()
    {
        await jafer.MesureInAsync(MesureState.Ordonnee);
        await jafer.MesureInAsync(MesureState.Ordonnee);
        var token = (await jafer.AsCourt.ListMesuresAsync(new ListMesuresRequest { PageSize = 1 })).NextPageToken;
        Assert.NotEmpty(token);

        foreach (var (client, request) in new[]
        {
            (jafer.AsCourt, new ListMesuresRequest { PageToken = token, Worklist = Worklist.ACompleter }),
            (jafer.AsCourt, new ListMesuresRequest { PageToken = token[..^2] + "AA" }),
            (jafer.AsCourt, new ListMesuresRequest { PageToken = "1" }),
            (jafer.AsOtherCourt, new ListMesuresRequest { PageToken = token }),
        })
        {
            var refusal = await Refusal.OfAsync(client.ListMesuresAsync(request));
            Assert.Equal((StatusCode.InvalidArgument, "PAGE_TOKEN_INVALID"), (refusal.Code, refusal.Reason));
        }

        // The size of the page may change.
        await jafer.AsCourt.ListMesuresAsync(new ListMesuresRequest { PageToken = token, PageSize = 3 });
    }

    [Fact]
    public async Task ListMesureEvents_AnyPageSize_PagesConcatenateToTheHistory()
    {
        var id = await jafer.MesureInAsync(MesureState.Programmee);
        foreach (var size in new[] { 1, 3, 7, 100 })
        {
            var versions = new List<long>();
            var request = new ListMesureEventsRequest { MesureId = id, PageSize = size };
            do
            {
                var page = await jafer.AsCourt.ListMesureEventsAsync(request);
                versions.AddRange(page.Events.Select(e => e.Version));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);

            Assert.Equal([1, 2, 3, 4, 5, 6, 7], versions);
        }
    }

    private static async Task<List<MesureSummary>> AllAsync(MesureService.MesureServiceClient client, ListMesuresRequest request)
    {
        var all = new List<MesureSummary>();
        request = request.Clone();
        do
        {
            var page = await client.ListMesuresAsync(request);
            all.AddRange(page.Mesures);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        return all;
    }
}
