using FsCheck;
using FsCheck.Fluent;
using Jafer.Directory.Domain;
using Jafer.ServiceDefaults.Time;

namespace Jafer.Directory.Tests.Domain;

public class TravelModelTests
{
    [Fact]
    public void Between_WorkedExamples_MeetsEachWithinTwelveSeconds()
    {
        var rows = TravelData.Rows("travel-model-exemples.csv").ToList();
        Assert.Equal(29, rows.Count);
        Assert.All(rows, row =>
        {
            var way = TravelData.Model.Between(row["de_insee"], row["vers_insee"]);
            if (row["minutes_modele"].Length == 0)
                Assert.True(way.IsUnreachable);
            else
                Assert.Equal(TravelData.Number(row["minutes_modele"]), way.Minutes, 0.2);
        });
    }

    [Fact]
    public void Between_CalibrationPoints_HasTheErrorsThatWerePublished()
    {
        var errors = TravelData.Rows("travel-calibration.csv")
            .Select(row => (
                Km: TravelData.Number(row["km_vol_oiseau"]),
                Error: Math.Abs(TravelData.Model.Between(row["de_insee"], row["vers_insee"]).Minutes - TravelData.Number(row["minutes_osrm"]))))
            .ToList();
        var near = errors.Where(e => e.Km < 150).Select(e => e.Error).ToList();

        Assert.Equal(3617, errors.Count);
        Assert.Equal(3031, near.Count);
        Assert.Equal(4.1, Quantile(near, 0.5), 0.1);
        Assert.Equal(13.6, Quantile(near, 0.9), 0.1);
        Assert.Equal(4.7, Quantile([.. errors.Select(e => e.Error)], 0.5), 0.1);
        Assert.Equal(16.2, Quantile([.. errors.Select(e => e.Error)], 0.9), 0.1);
    }

    [Fact]
    public void Between_AnyTwoCommunes_IsSymmetricAndZeroOnlyAtHome() =>
        Prop.ForAll(TwoCommunes(), pair =>
        {
            var (a, b) = pair;
            var (way, back) = (TravelData.Model.Between(a.Insee, b.Insee), TravelData.Model.Between(b.Insee, a.Insee));
            Assert.Equal(way.HasMinutes, back.HasMinutes);
            Assert.Equal(a != b && a.RoadBlock != b.RoadBlock, way.IsUnreachable);
            if (way.HasMinutes)
            {
                Assert.Equal(way.Minutes, back.Minutes, 0.01);
                Assert.Equal(a == b, way.Minutes == 0);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Between_IslandAndMainland_IsUnreachableAndHasNoMinutes()
    {
        var way = TravelData.Model.Between("29155", "29019"); // Ouessant, Brest

        Assert.True(way.IsUnreachable);
        Assert.Null(way.RoundedMinutes);
        Assert.Throws<InvalidOperationException>(() => way.Minutes);
    }

    [Fact]
    public void Between_CommuneWithoutCoordinates_IsUnknownAndNotUnreachable()
    {
        var way = TravelData.Model.Between("98735", "98747"); // Papeete, Taiarapu-Est

        Assert.False(way.HasMinutes);
        Assert.False(way.IsUnreachable);
    }

    [Fact]
    public void Between_UnknownCode_Throws() =>
        Assert.Throws<ArgumentException>(() => TravelData.Model.Between("00000", "75056"));

    [Fact]
    public void Find_AnyPoint_IsTheNearestByGreatCircle()
    {
        var places = TravelData.Places;
        var index = new NearestCommunes(places);
        var communes = places.Where(p => p is { IsCommune: true, Latitude: not null }).ToList();
        var point = Gen.Choose(-9000, 9000).Zip(Gen.Choose(-18000, 18000), (lat, lon) => (Lat: lat / 100.0, Lon: lon / 100.0));

        Prop.ForAll(point.ToArbitrary(), p =>
        {
            var found = places[index.Find(p.Lat, p.Lon)];
            var least = communes.Min(c => Km(c, p));
            Assert.True(found.IsCommune);
            Assert.Equal(least, Km(found, p), 1e-6);
        }).QuickCheckThrowOnFailure();

        static double Km(TravelPlace c, (double Lat, double Lon) p) =>
            TravelModel.GreatCircleKm(c.Latitude!.Value, c.Longitude!.Value, p.Lat, p.Lon);
    }

    [Fact]
    public async Task From_DestinationsAddedBetweenCalls_AgreesWithTheModel()
    {
        var cache = new TravelCache(TravelData.Model);
        string[] destinations = ["38185", "69123", "29155"];
        foreach (var destination in destinations)
        {
            var number = cache.NumberOf(destination);
            Assert.Equal(number, cache.NumberOf(destination));
            Assert.Equal(TravelData.Model.Between("73065", destination), (await FromAsync())[number]);
        }
        Assert.Same(await FromAsync(), await FromAsync());

        ValueTask<WaysFrom> FromAsync() => cache.FromAsync("73065", TestContext.Current.CancellationToken);
    }

    [Fact]
    public void AddBounds_AnyCommunes_NeverExceedWhatTheWayCosts()
    {
        var model = TravelData.Model;
        var destinations = Enumerable.Range(0, 500).Select(i => i * 70).ToArray();
        var columns = new LieuColumns(model.Coefficients, [.. destinations.Select(d => (d, model.OnSphere(d)))]);
        Prop.ForAll(Gen.Choose(0, model.Codes.Count - 1).ToArbitrary(), Gen.Choose(0, 60).ToArbitrary(), (origin, daysPerTravelHour) =>
        {
            var ways = new WaysFrom(model.OnSphere(origin), d => model.Between(origin, d), []);
            // From the first lieu on, and from one in the middle of a vector.
            foreach (var first in (ReadOnlySpan<int>)[0, 3])
            {
                var bounds = new float[LieuColumns.Padded(destinations.Length - first)];
                columns.AddBounds(ways, daysPerTravelHour, first, bounds);
                for (var i = first; i < destinations.Length; i++)
                    Assert.InRange(bounds[i - first], Unreachable(i) * LieuColumns.NoRoadDays, Days(i) * 1.000001 + 0.001);
            }

            int Unreachable(int i) => Ranking.TravelCost(ways[destinations[i]], null, daysPerTravelHour).Unreachable;

            double Days(int i) => Ranking.TravelCost(ways[destinations[i]], null, daysPerTravelHour) is var (unreachable, cost)
                ? unreachable * LieuColumns.NoRoadDays + cost / 1000.0 : 0;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Bound_AnyBlockOfLieux_NeverExceedsWhatTheWayToOneOfThemCosts()
    {
        var model = TravelData.Model;
        var destinations = Enumerable.Range(0, 2_000).Select(i => i * 17 % model.Codes.Count).Order().ToArray();
        var columns = new LieuColumns(model.Coefficients, [.. destinations.Select(d => (d, model.OnSphere(d)))]);
        Prop.ForAll(Gen.Choose(0, model.Codes.Count - 1).ToArbitrary(), Gen.Choose(0, 60).ToArbitrary(), Gen.Choose(0, 1_000_000).ToArbitrary(), (origin, daysPerTravelHour, seed) =>
        {
            var random = new Random(seed);
            var first = random.Next(destinations.Length - 1);
            var end = Math.Min(destinations.Length, first + 1 + random.Next(100));
            var ways = new WaysFrom(model.OnSphere(origin), d => model.Between(origin, d), []);

            var bound = columns.Bound(columns.Block(first, end, 0, 0), ways, daysPerTravelHour);
            for (var i = first; i < end; i++)
            {
                var (unreachable, cost) = Ranking.TravelCost(ways[destinations[i]], null, daysPerTravelHour);
                Assert.True(bound <= (unreachable * LieuColumns.NoRoadDays + cost / 1000.0) * 1.000001 + 0.001);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task WaysFrom_ManyCallersAtOnce_AllGetWhatTheModelSays()
    {
        var model = TravelData.Model;
        var ways = new WaysFrom(model.OnSphere(0), d => model.Between(0, d), []);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(caller => Task.Run(() =>
        {
            for (var i = 0; i < 2_000; i++)
            {
                var destination = (i * 17 + caller * 5) % 3_000;
                Assert.Equal(model.Between(0, destination), ways[destination]);
            }
        })));
        Assert.InRange(ways.Kept, 2_000, 3_000);
    }

    [Fact]
    public void CommuneCodes_EveryCommune_ComesBackAtItsPosition()
    {
        var codes = TravelData.Model.Codes;
        Assert.Equal(TravelData.Places.Count, codes.Count);
        Assert.All(TravelData.Places, place => Assert.Equal(place.Insee, codes[codes.IndexOf(place.Insee)]));
        Assert.All(["", "1", "9999", "999999", "2a004", "99999", "é1001"], unknown => Assert.True(codes.IndexOf(unknown) < 0));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(12.4, 10, 5)]
    [InlineData(12.5, 15, 5)]
    [InlineData(100, 100, 15)]
    public void RoundedMinutes_KnownWay_RoundsToFiveWithItsMargin(double minutes, int rounded, int margin)
    {
        var way = Travel.Of(minutes);
        Assert.Equal(rounded, way.RoundedMinutes);
        Assert.Equal(margin, way.MarginMinutes);
    }

    [Theory]
    [InlineData("69123", "Europe/Paris")]
    [InlineData("2A004", "Europe/Paris")]
    [InlineData("97411", "Indian/Reunion")]
    [InlineData("97209", "America/Martinique")]
    [InlineData("98735", "Pacific/Tahiti")]
    [InlineData("98731", "Pacific/Marquesas")]
    public void ZoneOf_Commune_IsAZoneOfTheSystem(string insee, string zone)
    {
        Assert.Equal(zone, Communes.ZoneOf(insee));
        Assert.Equal(zone, TimeZoneInfo.FindSystemTimeZoneById(zone).Id);
    }

    [Fact]
    public void ZoneOf_EveryCommune_IsKnownToTheSystem() =>
        Assert.All(TravelData.Places.Select(p => Communes.ZoneOf(p.Insee)).Distinct(), zone => TimeZoneInfo.FindSystemTimeZoneById(zone));

    // Nearby pairs and pairs over the road blocks, not only pairs over all of France.
    private static Arbitrary<(TravelPlace A, TravelPlace B)> TwoCommunes()
    {
        var places = TravelData.Places;
        var any = Gen.Choose(0, places.Count - 1);
        return any.Zip(Gen.OneOf(any, Gen.Choose(-30, 30)), (a, b) => (places[a], places[Math.Clamp(b < 40 ? a + b : b, 0, places.Count - 1)])).ToArbitrary();
    }

    private static double Quantile(List<double> values, double share)
    {
        values.Sort();
        return values[(int)(share * (values.Count - 1))];
    }
}
