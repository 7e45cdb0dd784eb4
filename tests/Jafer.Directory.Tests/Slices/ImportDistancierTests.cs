using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.ServiceDefaults;
using Jafer.ServiceDefaults.Access;
using Jafer.Testing;
using static Jafer.Directory.Tests.Slices.DirectoryFixture;

namespace Jafer.Directory.Tests.Slices;

/// <summary>Each test imports ways of communes of its own, or replaces all.</summary>
public class ImportDistancierTests(DirectoryFixture directory) : IClassFixture<DirectoryFixture>
{
    private const string Chambery = "73065", Grenoble = "38185", Lyon = "69123", Annecy = "74010", Valence = "26362", Vienne = "38544";

    [Fact]
    public async Task ImportDistancier_WayToALieu_ReplacesTheModelOnEveryReplicaAndOnlyThere()
    {
        await directory.ImportAsync(Espace("d-grenoble", Grenoble, modalite: Modalite.VisiteVisio), Espace("d-lyon", Lyon, modalite: Modalite.VisiteVisio));
        await using var replica = await directory.StartAsync();
        var elsewhere = new DirectoryService.DirectoryServiceClient(replica.Channel(Roles.Juridiction, StableIds.Court("tj69123")));
        var request = new SearchEspacesRequest { Mesure = new() { Modalite = Modalite.VisiteVisio, HoteCommuneInsee = Chambery, VisiteurCommuneInsee = Valence } };
        var before = await elsewhere.SearchEspacesAsync(request, cancellationToken: Cancel);
        Assert.All(before.Results, r => Assert.Equal(TravelSource.Model, r.HoteTravel.Source));

        var summary = await ImportAsync(symmetric: false, Way(Chambery, Grenoble, 133), Way(Grenoble, Valence, 7), Way(Valence, Lyon, null));

        Assert.Equal((3, 3, 0), (summary.LineCount, summary.CreatedCount, summary.ErrorCount));
        var expected = new TravelTime { Reachable = true, Minutes = 135, MinMinutes = 115, MaxMinutes = 155, Source = TravelSource.Distancier };
        foreach (var client in new[] { elsewhere, directory.Court })
        {
            var after = (await client.SearchEspacesAsync(request, cancellationToken: Cancel)).Results.ToDictionary(r => Guid.Parse(r.EspaceId));
            var old = before.Results.ToDictionary(r => Guid.Parse(r.EspaceId));
            Assert.Equal(expected, after[IdOf("d-grenoble")].HoteTravel);
            Assert.Equal(old[IdOf("d-grenoble")].VisiteurTravel, after[IdOf("d-grenoble")].VisiteurTravel);
            Assert.Equal(old[IdOf("d-lyon")].HoteTravel, after[IdOf("d-lyon")].HoteTravel);
            Assert.Equal(new TravelTime { Source = TravelSource.Distancier }, after[IdOf("d-lyon")].VisiteurTravel);
        }
    }

    [Fact]
    public async Task ImportDistancier_ManyMistakes_NamesEachLineAndColumnAndImportsNothing()
    {
        var before = await RowsAsync();

        var summary = await ImportAsync(
            symmetric: true, Way(Annecy, Lyon, 100), Way("99999", "", 5), Way(Lyon, Annecy, -1), Way(Lyon, Lyon, 3), Way(Lyon, Vienne, float.NaN), Way(Lyon, Vienne, 6001));

        Assert.Equal(
            [(3, "depart"), (3, "arrivee"), (4, "minutes"), (5, "minutes"), (6, "minutes"), (6, ""), (7, "minutes"), (7, "")],
            summary.Errors.Select(e => (e.Line, e.Column)));
        Assert.Equal((6, 8, 0), (summary.LineCount, summary.ErrorCount, summary.CreatedCount));
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task ImportDistancier_WayGivenTwice_NamesBothLines()
    {
        var before = await RowsAsync();

        var summary = await ImportAsync(symmetric: false, Way(Annecy, Lyon, 100), Way(Lyon, Annecy, 90), Way(Annecy, Lyon, 100));

        Assert.Equal([(2, ""), (4, "")], summary.Errors.Select(e => (e.Line, e.Column)));
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task ImportDistancier_WayGivenTwiceBesideAnotherMistake_NamesBothLinesAndTheMistake()
    {
        var before = await RowsAsync();

        var summary = await ImportAsync(symmetric: false, Way("x", Lyon, 1), Way(Annecy, Lyon, 100), Way(Annecy, Lyon, null), Way(Lyon, Lyon, 3), Way("x", Lyon, 1));

        Assert.Equal([(2, "depart"), (3, ""), (4, ""), (5, "minutes"), (6, "depart")], summary.Errors.Select(e => (e.Line, e.Column)));
        Assert.Equal((5, 5), (summary.LineCount, summary.ErrorCount));
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task ImportDistancier_MatrixOfWholeCommunes_ServesTheirArrondissements()
    {
        await directory.ImportAsync(Espace("d-lyon7", "69387", modalite: Modalite.VisiteTiers), Espace("d-paris16", "75116", modalite: Modalite.VisiteTiers));
        await ImportAsync(symmetric: false, Way("75056", "69123", 240), Way("75056", "75056", 0), Way("13055", "69123", null));

        var fromParis = await WaysAsync("75103", Modalite.VisiteTiers);
        Assert.Equal((240, TravelSource.Distancier), Of(fromParis["d-lyon7"]));
        // 0 within the whole of Paris says nothing of two of its arrondissements.
        Assert.Equal(TravelSource.Model, fromParis["d-paris16"].Source);
        Assert.True(fromParis["d-paris16"].Minutes > 0);
        Assert.Equal(new TravelTime { Source = TravelSource.Distancier }, (await WaysAsync("13205", Modalite.VisiteTiers))["d-lyon7"]);

        // What is stated for the arrondissement itself goes first.
        await ImportAsync(symmetric: false, Way("75103", "69123", 250), Way("75056", "69387", 270));
        Assert.Equal((250, TravelSource.Distancier), Of((await WaysAsync("75103", Modalite.VisiteTiers))["d-lyon7"]));
        await ImportAsync(symmetric: false, Way("75103", "69387", 260));
        Assert.Equal((260, TravelSource.Distancier), Of((await WaysAsync("75103", Modalite.VisiteTiers))["d-lyon7"]));
        Assert.Equal((270, TravelSource.Distancier), Of((await WaysAsync("75104", Modalite.VisiteTiers))["d-lyon7"]));
    }

    [Fact]
    public async Task ImportDistancier_MatrixOfArrondissements_ServesTheWholeCommuneByTheirMean()
    {
        await directory.ImportAsync(Espace("d-marseille", "13055", modalite: Modalite.SortieAccompagnee));
        await ImportAsync(symmetric: false, Way("69381", "13201", 180), Way("69382", "13201", 200), Way("69383", "13202", 220), Way("69384", "13202", null), Way(Valence, "13216", 150));

        Assert.Equal((200, TravelSource.Distancier), Of((await WaysAsync(Lyon, Modalite.SortieAccompagnee))["d-marseille"]));
        Assert.Equal((180, TravelSource.Distancier), Of((await WaysAsync("69381", Modalite.SortieAccompagnee))["d-marseille"]));
        Assert.Equal((150, TravelSource.Distancier), Of((await WaysAsync(Valence, Modalite.SortieAccompagnee))["d-marseille"]));
        Assert.Equal(TravelSource.Model, (await WaysAsync("69385", Modalite.SortieAccompagnee))["d-marseille"].Source);
    }

    [Fact]
    public async Task GetCoverage_MatrixUnderOtherCodesOfTheSameCommune_IsUsedAsInTheSearch()
    {
        await using var own = new DirectoryFixture();
        await own.InitializeAsync();
        await own.ImportAsync(Espace("c-lyon7", "69387"));
        await ImportAsync(
            new()
            {
                Source = "test",
                RequestId = NewId(),
                Ways = { Way(Chambery, Lyon, 44), Way(Annecy, "69381", 55), Way("75101", Lyon, 200), Way("75102", "69382", 300), Way("75103", Lyon, 220), Way("69383", "69387", 9) },
            },
            own);

        Assert.Equal(44, await MinutesAsync("73", Chambery));
        Assert.Equal(55, await MinutesAsync("74", Annecy));
        Assert.Equal(210, await MinutesAsync("75", "75056"));
        Assert.Equal(0, await MinutesAsync("69", Lyon));

        async Task<double> MinutesAsync(string departement, string insee) => (await own.Court.GetCoverageAsync(
            new() { Level = CoverageLevel.Commune, Departement = departement }, cancellationToken: Cancel)).Rows.Single(r => r.Code == insee).MeanMinutes;
    }

    [Fact]
    public async Task ImportDistancier_MoreThanAThousandMistakes_CountsAllAndListsAThousand()
    {
        var summary = await ImportAsync(symmetric: false, [.. Enumerable.Repeat(Way("x", Lyon, 1), 1500)]);

        Assert.Equal((1500, 1000, 1001), (summary.ErrorCount, summary.Errors.Count, summary.Errors[^1].Line));
    }

    [Fact]
    public async Task ImportDistancier_SameRequestIdAgain_ImportsNothingTwice()
    {
        var id = NewId();
        var first = await ImportAsync(new() { Source = "test", RequestId = id, Ways = { Way(Vienne, Annecy, 90) } });
        await ImportAsync(symmetric: false, Way(Vienne, Annecy, 91));

        var again = await ImportAsync(new() { Source = "test", RequestId = id, Ways = { Way(Vienne, Annecy, 90) } });
        var reused = await Refusal.OfAsync(() => ImportAsync(new() { Source = "test", RequestId = id, Ways = { Way(Vienne, Annecy, 92) } }));

        Assert.Equal(first, again);
        Assert.Equal("REQUEST_ID_REUSED", reused.Reason);
        Assert.Equal(91f, await directory.Database.ReadAsync<float>($"select minutes from distancier_ways where from_insee = '{Vienne}' and to_insee = '{Annecy}'"));
    }

    [Fact]
    public async Task ImportDistancier_ClientLeavesHalfway_LeavesNothing()
    {
        var before = await RowsAsync();
        using (var call = directory.Operateur.ImportDistancier(cancellationToken: Cancel))
        {
            await call.RequestStream.WriteAsync(new() { Source = "test", RequestId = NewId(), ReplaceAll = true, Ways = { Way(Annecy, Valence, 1) } }, Cancel);
            Assert.True(await call.ResponseStream.MoveNext(Cancel));
            Assert.Equal(1, call.ResponseStream.Current.WaysRead);
        }

        // The next import waits for nothing that the first has left, and finds the ways as they were.
        var summary = await ImportAsync(symmetric: false, Way(Annecy, Valence, 2));
        Assert.Equal(1, summary.CreatedCount);
        Assert.Equal([.. before, $"{Annecy}>{Valence}:2"], (await RowsAsync()).OrderBy(r => r == $"{Annecy}>{Valence}:2"));
    }

    [Fact]
    public async Task ImportDistancier_BadFirstRequest_IsRefusedWithEveryViolation()
    {
        var refusal = await Refusal.OfAsync(() => ImportAsync(new() { Source = "", RequestId = "x" }));
        var empty = await Refusal.OfAsync(() => ImportAsync(new() { Source = "test", RequestId = NewId() }));
        var large = await Refusal.OfAsync(() => ImportAsync(new() { Source = "test", RequestId = NewId(), Ways = { Enumerable.Repeat(Way(Annecy, Lyon, 1), 20_001) } }));

        Assert.Equal(["source", "request_id"], refusal.Fields);
        Assert.Equal(["ways"], empty.Fields);
        Assert.Equal(["ways"], large.Fields);
    }

    [Fact]
    public async Task ImportDistancier_NotAnOperator_IsForbidden()
    {
        using var call = directory.Court.ImportDistancier(cancellationToken: Cancel);
        var refusal = await Refusal.OfAsync(() => call.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.PermissionDenied, refusal.Code);
    }

    [Fact]
    public async Task ImportDistancier_AnyWays_HoldsWhatWasGivenAndTheWaysBackWhenSymmetric()
    {
        await using var own = new DirectoryFixture();
        await own.InitializeAsync();
        string[] communes = [Chambery, Grenoble, Lyon, Annecy, "29155"];
        var way = Gen.Choose(0, 4).Zip(Gen.Choose(0, 4)).Zip(Gen.Choose(-1, 200), (ends, minutes) =>
            Way(communes[ends.Item1], communes[ends.Item2], ends.Item1 == ends.Item2 ? 0 : minutes < 0 ? null : minutes));
        var import = Gen.ListOf(way).Zip(Gen.Elements(true, false)).ToArbitrary();

        Prop.ForAll(import, given =>
        {
            var (ways, symmetric) = (given.Item1.DistinctBy(w => (w.FromInsee, w.ToInsee)).ToList(), given.Item2);
            var expected = ways.ToDictionary(w => (w.FromInsee, w.ToInsee));
            if (symmetric)
            {
                foreach (var w in ways)
                    expected.TryAdd((w.ToInsee, w.FromInsee), Way(w.ToInsee, w.FromInsee, w.HasMinutes ? w.Minutes : null));
            }
            var summary = ImportAsync(
                new() { Source = "test", RequestId = NewId(), Symmetric = symmetric, ReplaceAll = true, Ways = { ways } }, own).GetAwaiter().GetResult();
            Assert.Equal(expected.Count, summary.CreatedCount + summary.UpdatedCount + summary.UnchangedCount);
            Assert.Equal(
                expected.Values.Select(w => $"{w.FromInsee}>{w.ToInsee}:{(w.HasMinutes ? w.Minutes : "")}").Order(StringComparer.Ordinal),
                RowsAsync(own).GetAwaiter().GetResult());
            Assert.Equal(expected.Count, own.Database.ReadAsync<long>("select way_count from distancier_imports order by id desc limit 1").GetAwaiter().GetResult());
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
    }

    private static (int Minutes, TravelSource Source) Of(TravelTime way) => (way.Minutes, way.Source);

    /// <summary>The hôte's ways to the espaces that offer a modalité, by their names in the source.</summary>
    private async Task<Dictionary<string, TravelTime>> WaysAsync(string from, Modalite modalite) =>
        (await directory.Court.SearchEspacesAsync(new() { Mesure = new() { Modalite = modalite, HoteCommuneInsee = from } }, cancellationToken: Cancel))
        .Results.ToDictionary(r => r.Name["Espace fictif ".Length..], r => r.HoteTravel);

    private static DistancierWay Way(string from, string to, float? minutes)
    {
        var way = new DistancierWay { FromInsee = from, ToInsee = to };
        if (minutes is { } known)
            way.Minutes = known;
        return way;
    }

    private Task<ImportSummary> ImportAsync(bool symmetric, params DistancierWay[] ways) =>
        ImportAsync(new() { Source = "test", RequestId = NewId(), Symmetric = symmetric, Ways = { ways } });

    private async Task<ImportSummary> ImportAsync(ImportDistancierRequest request, DirectoryFixture? into = null)
    {
        using var call = (into ?? directory).Operateur.ImportDistancier(cancellationToken: Cancel);
        await call.RequestStream.WriteAsync(request, Cancel);
        await call.RequestStream.CompleteAsync();
        ImportDistancierResponse? last = null;
        await foreach (var response in call.ResponseStream.ReadAllAsync(Cancel))
        {
            Assert.Null(last?.Summary);
            last = response;
        }
        return last!.Summary;
    }

    private Task<IReadOnlyList<string>> RowsAsync(DirectoryFixture? of = null) => (of ?? directory).Database.ReadAllAsync<string>(
        "select from_insee || '>' || to_insee || ':' || coalesce(minutes::text, '') collate \"C\" from distancier_ways order by 1");
}
