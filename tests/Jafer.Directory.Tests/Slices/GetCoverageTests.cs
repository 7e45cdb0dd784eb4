using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Grpc;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

public class GetCoverageTests
{
    private const string Tarbes = "65440", Pau = "64445", Lourdes = "65286";

    [Fact]
    public async Task GetCoverage_HautesPyreneesBeforeAndAfterALieuOpens_GainsIt()
    {
        await using var directory = await StartAsync();
        await directory.ImportAsync(Espace("pau", Pau), Espace("visio", Tarbes, modalite: Modalite.VisiteVisio));

        var before = await RowAsync(directory, CoverageLevel.Departement, "65", Modalite.Visite);
        var open = Espace("tarbes", Tarbes);
        open.Modalites[0].DeclaredWait.AsOfDate = Today.AddDays(-31).ToProto();
        await directory.ImportAsync(open);
        var after = await RowAsync(directory, CoverageLevel.Departement, "65", Modalite.Visite);

        Assert.Equal((0, 0, 0, 0), (before.EspaceCount, before.LieuCount, before.CapacityFamilies, before.StaleEspaceCount));
        Assert.Equal((1, 1, 4, 10, 1), (after.EspaceCount, after.LieuCount, after.CapacityFamilies, after.SlotsPerWeek, after.StaleEspaceCount));
        Assert.True(before.MeanMinutes > 40 && before.MeanMinutes > after.MeanMinutes + 15);
        Assert.True(before.PopulationBeyond30Minutes > after.PopulationBeyond30Minutes && after.PopulationBeyond30Minutes >= after.PopulationBeyond60Minutes);
        Assert.Equal((before.Population, before.CommuneCount), (after.Population, after.CommuneCount));
        Assert.InRange(after.Population, 225_000, 235_000);
        Assert.Equal(2, (await RowAsync(directory, CoverageLevel.Departement, "65", Modalite.Unspecified)).EspaceCount);
    }

    [Fact]
    public async Task GetCoverage_EspacesThatNobodyMayDesignate_CountForNothing()
    {
        await using var directory = await StartAsync();
        var closed = Espace("closed", Tarbes);
        closed.State = EspaceState.Suspendu;
        var full = Espace("full", Tarbes);
        full.Modalites[0].State = ModaliteState.Complete;
        var without = Espace("without", Tarbes);
        without.Agrements.Clear();
        var ended = Espace("ended", Tarbes);
        ended.Agrements[0].EndDate = Today.AddDays(-1).ToProto();
        await directory.ImportAsync(closed, full, without, ended);

        var france = await RowAsync(directory, CoverageLevel.France, "FRANCE");

        Assert.Equal((0, 0, 0d), (france.EspaceCount, france.LieuCount, france.MeanMinutes));
        Assert.Equal((france.Population, france.CommuneCount), (france.PopulationUnreachable, france.UnlinkedCommuneCount));
        Assert.Equal(france.Population, france.PopulationBeyond60Minutes);
    }

    [Fact]
    public async Task GetCoverage_EveryLevel_AddsUpToTheSamePeople()
    {
        await using var directory = await StartAsync();
        var two = Espace("two", "69123");
        two.Lieux.Add(new Lieu { ExternalId = "L2", Name = "Lieu fictif", CommuneInsee = "69266" });
        two.Lieux.Add(new Lieu { ExternalId = "L3", Name = "Lieu fictif", CommuneInsee = "69383" });
        await directory.ImportAsync(two);
        await MoveAsync(directory, "two", "L2", "01053");

        var france = Assert.Single((await GetAsync(directory, new() { Level = CoverageLevel.France })).Rows);
        var departements = (await GetAsync(directory, new() { Level = CoverageLevel.Departement })).Rows;
        var courts = (await GetAsync(directory, new() { Level = CoverageLevel.Court })).Rows;
        var appeals = (await GetAsync(directory, new() { Level = CoverageLevel.CourAppel })).Rows;
        var rhone = (await GetAsync(directory, new() { Level = CoverageLevel.Commune, Departement = "69" })).Rows;

        Assert.Equal(109, departements.Count);
        Assert.Equal(france.Population, departements.Where(d => Directory.Territory.Zones.IsOfFrance(d.Code)).Sum(d => d.Population));
        Assert.Equal(france.Population, courts.Sum(c => c.Population));
        Assert.Equal(france.Population, appeals.Sum(c => c.Population));
        Assert.Equal((1, 3), (france.EspaceCount, france.LieuCount));
        Assert.Equal((1, 2), (departements.Single(d => d.Code == "69").EspaceCount, departements.Single(d => d.Code == "69").LieuCount));
        Assert.Equal((1, 1), (departements.Single(d => d.Code == "01").EspaceCount, departements.Single(d => d.Code == "01").LieuCount));

        var row = departements.Single(d => d.Code == "69");
        Assert.Equal((row.Population, row.CommuneCount), (rhone.Sum(c => c.Population), rhone.Count));
        Assert.Equal(row.MeanMinutes, rhone.Sum(c => c.MeanMinutes * c.Population) / row.Population, 1e-6);
        Assert.Equal(rhone.Select(c => c.Code).Order(StringComparer.Ordinal), rhone.Select(c => c.Code));
        var lyon = rhone.Single(c => c.Code == "69123");
        Assert.Equal(("Lyon", 0d, 2), (lyon.Name, lyon.MeanMinutes, lyon.LieuCount));

        var mayotte = departements.Single(d => d.Code == "976");
        Assert.Equal((mayotte.Population, 0d), (mayotte.PopulationUnreachable, mayotte.MeanMinutes));
        Assert.InRange(departements.Single(d => d.Code == "69").Latitude, 45.5, 46);
        Assert.Equal(["tj69123", "tj69264"], (await GetAsync(directory, new() { Level = CoverageLevel.Court, Departement = "69" })).Rows.Select(r => r.Code));
        Assert.Contains("Lyon", Assert.Single((await GetAsync(directory, new() { Level = CoverageLevel.CourAppel, Departement = "69" })).Rows).Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetCoverage_ImportedDistancier_ReplacesTheModelWhereItStatesAWay()
    {
        await using var directory = await StartAsync();
        await directory.ImportAsync(Espace("pau", Pau));
        var before = await GetAsync(directory, new() { Level = CoverageLevel.Commune, Departement = "65" });
        using (var call = directory.Operateur.ImportDistancier(cancellationToken: Cancel))
        {
            await call.RequestStream.WriteAsync(new()
            {
                Source = "Distancier d'essai",
                RequestId = NewId(),
                Ways = { new DistancierWay { FromInsee = Tarbes, ToInsee = Pau, Minutes = 12 }, new DistancierWay { FromInsee = Lourdes, ToInsee = Pau } },
            }, Cancel);
            await call.RequestStream.CompleteAsync();
            while (await call.ResponseStream.MoveNext(Cancel))
                Assert.Empty(call.ResponseStream.Current.Summary?.Errors ?? []);
        }

        var after = await GetAsync(directory, new() { Level = CoverageLevel.Commune, Departement = "65" });

        Assert.Equal((0, 2), (before.Basis.DistancierWayCount, after.Basis.DistancierWayCount + after.Rows.Single(r => r.Code == Lourdes).UnlinkedCommuneCount));
        Assert.Equal(12, after.Rows.Single(r => r.Code == Tarbes).MeanMinutes, 1e-6);
        Assert.Equal((1, 0d), (after.Rows.Single(r => r.Code == Lourdes).UnlinkedCommuneCount, after.Rows.Single(r => r.Code == Lourdes).MeanMinutes));
        Assert.All(after.Rows.Where(r => r.Code is not (Tarbes or Lourdes)), r => Assert.Equal(before.Rows.Single(b => b.Code == r.Code), r));
        Assert.Contains("Distancier d'essai", after.Basis.Attribution, StringComparison.Ordinal);
        Assert.DoesNotContain("Distancier d'essai", before.Basis.Attribution, StringComparison.Ordinal);
        Assert.Equal((2023, Today.ToProto(), true), (after.Basis.PopulationYear, after.Basis.AsOfDate, after.Basis.Fictive));
    }

    [Fact]
    public async Task GetCoverage_MesuresReceived_GiveTheLoadAgainstTheNeighboursTogether()
    {
        await using var directory = await StartAsync();
        // Ten slots a week begin 49 mesures a year.
        await directory.ImportAsync(Espace("rhone", "69123"), Espace("loire", "42218"), Espace("isere", "38185"), Espace("gironde", "33063"));
        await ReceiveAsync("rhone", 30);
        await ReceiveAsync("loire", 10);
        await ReceiveAsync("isere", 5);
        await ReceiveAsync("gironde", 40);

        var rows = (await GetAsync(directory, new() { Level = CoverageLevel.Departement })).Rows.ToDictionary(r => r.Code);

        Assert.Equal((30, 49), (rows["69"].ReceivedCount, rows["69"].CapacityCount));
        Assert.Equal(30.0 / 49 / (15.0 / 98), rows["69"].LoadAgainstNeighbours, 1e-9);
        Assert.Equal(5.0 / 49 / (40.0 / 98), rows["38"].LoadAgainstNeighbours, 1e-9);
        // Its neighbours receive nothing, so there is nothing to compare with.
        Assert.Equal((40, 0d), (rows["33"].ReceivedCount, rows["33"].LoadAgainstNeighbours));
        var france = Assert.Single((await GetAsync(directory, new() { Level = CoverageLevel.France })).Rows);
        Assert.Equal((85, 4 * 49, 0d), (france.ReceivedCount, france.CapacityCount, france.LoadAgainstNeighbours));

        Task<int> ReceiveAsync(string espace, int count) => directory.Database.RunAsync($"""
            insert into mesure_receptions (mesure_id, espace_id, modalite, received_on, version)
            select gen_random_uuid(), '{IdOf(espace)}', 'VISITE', current_date - 10, 1 from generate_series(1, {count});
            update espaces set updated_at = now() where id = '{IdOf(espace)}'
            """);
    }

    [Fact]
    public async Task GetCoverage_AgrementThatCoversOneLieu_CountsThatLieuAlone()
    {
        await using var directory = await StartAsync();
        var espace = Espace("covered", Pau);
        espace.Lieux.Add(new Lieu { ExternalId = "L2", Name = "Lieu fictif", CommuneInsee = Pau });
        espace.Agrements[0].LieuExternalIds.Add("L1");
        await directory.ImportAsync(espace);
        await MoveAsync(directory, "covered", "L2", Tarbes);

        Assert.Equal(0, (await RowAsync(directory, CoverageLevel.Departement, "65")).LieuCount);
        Assert.Equal(1, (await RowAsync(directory, CoverageLevel.Departement, "64")).LieuCount);
    }

    [Fact]
    public async Task GetCoverage_BadRequest_IsRefusedWithEveryViolation()
    {
        await using var directory = await StartAsync();

        var nothing = await Refusal.OfAsync(() => GetAsync(directory, new() { Departement = "999", Modalite = (Modalite)99 }));
        var communes = await Refusal.OfAsync(() => GetAsync(directory, new() { Level = CoverageLevel.Commune }));
        var france = await Refusal.OfAsync(() => GetAsync(directory, new() { Level = CoverageLevel.France, Departement = "69" }));
        var espace = await Refusal.OfAsync(async () => await directory.Gestionnaire("G").GetCoverageAsync(new() { Level = CoverageLevel.France }, cancellationToken: Cancel));

        Assert.Equal(["level", "modalite", "departement"], nothing.Fields);
        Assert.Equal(["departement"], communes.Fields);
        Assert.Equal(["departement"], france.Fields);
        Assert.Equal("CALLER_FORBIDDEN", espace.Reason);
    }

    [Fact]
    public async Task GetCoverage_Statistician_MayAsk()
    {
        await using var directory = await StartAsync();
        var client = directory.Client(Roles.Statisticien, StableIds.For("organisation:statisticien:sser"));

        Assert.Single((await client.GetCoverageAsync(new() { Level = CoverageLevel.France }, cancellationToken: Cancel)).Rows);
    }

    private static async Task<DirectoryFixture> StartAsync()
    {
        var directory = new DirectoryFixture();
        await directory.InitializeAsync();
        return directory;
    }

    // A lieu in another département, as there were before they were refused.
    private static Task<int> MoveAsync(DirectoryFixture directory, string espace, string lieu, string insee) => directory.Database.RunAsync($"""
        update lieux set commune_insee = '{insee}', latitude = (select latitude from communes where insee = '{insee}'), longitude = (select longitude from communes where insee = '{insee}')
        where espace_id = '{IdOf(espace)}' and external_id = '{lieu}';
        update espaces set revision = revision where id = '{IdOf(espace)}';
        """);

    private static async Task<GetCoverageResponse> GetAsync(DirectoryFixture directory, GetCoverageRequest request) =>
        await directory.Operateur.GetCoverageAsync(request, cancellationToken: Cancel);

    private static async Task<CoverageRow> RowAsync(DirectoryFixture directory, CoverageLevel level, string code, Modalite modalite = Modalite.Unspecified) =>
        (await GetAsync(directory, new() { Level = level, Modalite = modalite })).Rows.Single(r => r.Code == code);
}
