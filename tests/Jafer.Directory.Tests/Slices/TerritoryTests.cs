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

    [Theory]
    [InlineData("CAF fictive du Rhône", "69", "", "69")]
    [InlineData("MSA fictive Ain-Rhône", "01 69", "", "01 69")]
    [InlineData("DDETS fictive de la Loire", "42", "", "42")]
    [InlineData("Département fictif de l'Ain", "01", "", "01")]
    [InlineData("Cour d'appel de Lyon", "", "Cour d'appel de Lyon", "01 42 69")]
    public async Task SetTerritory_OfEachKindOfPartner_IsWhatItIsToldOfItself(string name, string departements, string courAppel, string expected)
    {
        var partner = NewId();
        var request = new SetTerritoryRequest { Territory = new() { OrganisationId = partner, DisplayName = name, Departements = { departements.Split(' ', StringSplitOptions.RemoveEmptyEntries) } }, RequestId = NewId() };
        request.CourAppelNames.AddRange(courAppel.Length > 0 ? [courAppel] : Array.Empty<string>());
        await Operateur.SetTerritoryAsync(request, cancellationToken: Cancel);

        var own = new TerritoryService.TerritoryServiceClient(directory.Host.Channel(Roles.Partenaire, new Guid(partner)));
        var territory = (await own.GetTerritoryAsync(new() { OrganisationId = partner }, cancellationToken: Cancel)).Territory;

        Assert.Equal((name, expected), (territory.DisplayName, string.Join(' ', territory.Departements)));
    }

    [Fact]
    public async Task SetTerritory_OfCoursAppel_AddsTheDepartementsOfTheirCourts()
    {
        var operateur = NewId();
        var request = new SetTerritoryRequest { Territory = new() { OrganisationId = operateur, DisplayName = "Opérateur de Lyon", Departements = { "38" } }, CourAppelNames = { "Cour d'appel de Lyon" }, RequestId = NewId() };

        Assert.Equal(["01", "38", "42", "69"], (await Operateur.SetTerritoryAsync(request, cancellationToken: Cancel)).Territory.Departements);

        // Nobody shuts themselves out of the nation.
        request.Territory.OrganisationId = s_national.ToString();
        request.CourAppelNames[0] = "Cour d'appel de nulle part";
        Assert.Equal(
            ["cour_appel_names[0]", "territory.organisation_id"],
            (await Refusal.OfAsync(Operateur.SetTerritoryAsync(request, cancellationToken: Cancel))).Fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task ListOrganisations_OfEveryKind_AreNamedAndTellWhetherTheyHaveMembers()
    {
        await directory.ImportAsync(Espace("known"));
        var gestionnaire = StableIds.Gestionnaire("test", "G-known");
        var (prefecture, partner) = (NewId(), NewId());
        await directory.Database.RunAsync($"""
            insert into territories values ('{prefecture}', 'Préfecture du Rhône', array['69'], now(), 1);
            insert into members values ('{NewId()}', '{gestionnaire}', '', 'personne', '', 'MANAGER', 'ACTIVE', null, null, now(), now(), now(), 1);
            insert into members values ('{NewId()}', '{partner}', '', 'partie', '', 'AGENT', 'REMOVED', null, null, now(), now(), now(), 1);
            """);
        var client = new OrganisationService.OrganisationServiceClient(directory.Host.Channel(Roles.Operateur, s_national));
        var all = new List<Organisation>();
        var request = new ListOrganisationsRequest { PageSize = 100 };
        do
        {
            var page = await client.ListOrganisationsAsync(request, cancellationToken: Cancel);
            all.AddRange(page.Organisations);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Organisation Of(string id) => Assert.Single(all, o => o.OrganisationId == id);
        Assert.Equal((OrganisationKind.Gestionnaire, "Association fictive known", true), (Of(gestionnaire.ToString()).Kind, Of(gestionnaire.ToString()).DisplayName, Of(gestionnaire.ToString()).HasMembers));
        Assert.Equal((OrganisationKind.Juridiction, "Tribunal judiciaire de Lyon", false), (Of(StableIds.Court("tj69123").ToString()).Kind, Of(StableIds.Court("tj69123").ToString()).DisplayName, Of(StableIds.Court("tj69123").ToString()).HasMembers));
        Assert.Equal((OrganisationKind.Other, "Préfecture du Rhône", "69"), (Of(prefecture).Kind, Of(prefecture).DisplayName, Assert.Single(Of(prefecture).Departements)));
        Assert.Equal((OrganisationKind.Other, ""), (Of(partner).Kind, Of(partner).DisplayName));
        Assert.Equal(all.Select(o => Guid.Parse(o.OrganisationId)).Order(), all.Select(o => Guid.Parse(o.OrganisationId)));
        Assert.DoesNotContain((await client.ListOrganisationsAsync(new() { Kind = OrganisationKind.Gestionnaire, WithoutMembers = true, PageSize = 200 }, cancellationToken: Cancel)).Organisations, o => o.HasMembers || o.Kind != OrganisationKind.Gestionnaire);
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
