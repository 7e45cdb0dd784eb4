using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Where organisations are competent.</summary>
public sealed class TerritoryTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private static readonly Guid s_national = StableIds.For("organisation:operateur:national");

    private TerritoryService.TerritoryServiceClient Operateur => new(directory.Host.Channel(TestIssuer.Shared.Token(Roles.Operateur, s_national, person: true)));

    [Fact]
    public async Task SetTerritory_OfAPartner_IsToldToThemAndToOperators()
    {
        var caf = TestMesure.NewId();
        var own = new TerritoryService.TerritoryServiceClient(directory.Host.Channel(Roles.Partenaire, caf));
        Assert.Equal(new Contracts.Directory.V1.Territory { OrganisationId = caf.ToString() }, (await own.GetTerritoryAsync(new() { OrganisationId = caf.ToString() }, cancellationToken: Cancel)).Territory);
        var request = new SetTerritoryRequest { Territory = new() { OrganisationId = caf.ToString(), DisplayName = "CAF fictive", Departements = { "69", "01", "69" } }, RequestId = NewId() };

        var territory = (await Operateur.SetTerritoryAsync(request, cancellationToken: Cancel)).Territory;

        Assert.Equal(["01", "69"], territory.Departements);
        Assert.Equal("1", territory.Etag);
        Assert.Equal(territory, (await own.GetTerritoryAsync(new() { OrganisationId = caf.ToString() }, cancellationToken: Cancel)).Territory);
        Assert.Contains(territory, (await Operateur.ListTerritoriesAsync(new(), cancellationToken: Cancel)).Territories);
        Assert.Equal(territory, (await Operateur.SetTerritoryAsync(request, cancellationToken: Cancel)).Territory);
        var stale = await Refusal.OfAsync(Operateur.SetTerritoryAsync(
            new() { Territory = new(request.Territory) { Etag = "0" }, RequestId = NewId() }, cancellationToken: Cancel));
        Assert.Equal((StatusCode.Aborted, "1"), (stale.Code, stale.Metadata["etag"]));
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(own.GetTerritoryAsync(new() { OrganisationId = NewId() }, cancellationToken: Cancel))).Reason);
        Assert.Equal("CALLER_FORBIDDEN", (await Refusal.OfAsync(own.SetTerritoryAsync(request, cancellationToken: Cancel))).Reason);
    }

    [Fact]
    public async Task SetTerritory_WhatIsNoDepartement_IsNamed()
    {
        var request = new SetTerritoryRequest { Territory = new() { OrganisationId = "x", Departements = { "69", "00" }, Etag = "x" } };
        Assert.Equal(
            ["request_id", "territory.departements[1]", "territory.display_name", "territory.etag", "territory.organisation_id"],
            (await Refusal.OfAsync(Operateur.SetTerritoryAsync(request, cancellationToken: Cancel))).Fields.Order(StringComparer.Ordinal));
        Assert.Equal(["territory", "request_id"], (await Refusal.OfAsync(Operateur.SetTerritoryAsync(new(), cancellationToken: Cancel))).Fields);
    }
}
