using Grpc.Net.Client;
using Jafer.Contracts.Mesure.V1;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Jafer.Mesures.Tests.MesuresFixture;

namespace Jafer.Mesures.Tests.Slices;

/// <summary>Operators who are competent for a part of France: what lies there by its espace or its court, and acts in the stead of its espaces.</summary>
public sealed class OperatorTerritoryTests(MesuresFixture jafer)
{
    [Fact]
    public async Task Operator_OfATerritory_ListsHoldsAndActsForWhatLiesThereAlone()
    {
        var mesure = await jafer.MesureInAsync(MesureState.Transmise);
        var organisations = new TestOrganisations();
        var ofEspace = organisations.Add(["69"], [], [Espace]);
        var ofCourt = organisations.Add(["01"], [Court], []);
        // Other tests send mesures of the other court to this espace.
        var elsewhere = organisations.Add(["2A"], [TestMesure.NewId()], [TestMesure.NewId()]);
        await using var host = await ServiceHost.StartAsync(
            b => MesuresModule.Build([], b), new Dictionary<string, string?>(jafer.Settings) { ["Identity:Members"] = "directory" },
            b => b.Services.AddSingleton<IOrganisations>(organisations));
        GrpcChannel As(Guid organisation) => host.Channel(TestIssuer.Shared.Token(Roles.Operateur, organisation, person: true));
        async Task<bool> SeesAsync(Guid organisation)
        {
            var worklists = new WorklistService.WorklistServiceClient(As(organisation));
            var listed = (await worklists.ListWorkItemsAsync(new ListWorkItemsRequest { EspaceId = Espace.ToString() })).Items.Count > 0;
            Assert.Equal(listed, (await worklists.GetWorklistsAsync(new GetWorklistsRequest { EspaceId = Espace.ToString() })).Worklists.Any(w => w.Count > 0));
            return listed;
        }

        Assert.True(await SeesAsync(ofEspace) && await SeesAsync(ofCourt) && !await SeesAsync(elsewhere));

        // A hold protects the mesure of its court or espace; an act in the stead of the espace is the affair of who is competent for that.
        RetentionService.RetentionServiceClient Holds(Guid organisation) => new(As(organisation));
        var hold = new SetLegalHoldRequest { MesureId = mesure, Reason = LegalHoldReason.Proceedings, Reference = "25/00123", RequestId = NewId() };
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(Holds(elsewhere).SetLegalHoldAsync(hold))).Reason);
        await Holds(ofCourt).SetLegalHoldAsync(hold);
        var counts = new List<int>();
        foreach (var organisation in new[] { ofEspace, ofCourt, elsewhere })
        {
            counts.Add((await Holds(organisation).ListLegalHoldsAsync(new ListLegalHoldsRequest { MesureId = mesure })).Holds.Count);
        }

        Assert.Equal([1, 1, 0], counts);
        var acknowledge = new AcknowledgeMesureRequest { MesureId = mesure, OnBehalfOfEspace = true, OnBehalfSource = OnBehalfSource.Telephone, RequestId = NewId() };
        foreach (var organisation in new[] { ofCourt, elsewhere })
        {
            Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(new MesureService.MesureServiceClient(As(organisation)).AcknowledgeMesureAsync(acknowledge))).Reason);
        }

        Assert.Equal(MesureState.Recue, (await new MesureService.MesureServiceClient(As(ofEspace)).AcknowledgeMesureAsync(acknowledge)).Mesure.State);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(Holds(ofEspace).ListRetentionRunsAsync(new ListRetentionRunsRequest()))).Reason);
    }
}
