using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

public class NearestLieuTests
{
    [Fact]
    public void From_AnyDestinationsAndImportedWays_EqualsBruteForce()
    {
        var places = TravelData.Places;
        var place = Gen.Choose(0, places.Count - 1).Select(i => places[i]);
        var imported = Gen.Frequency((2, Gen.Constant((Travel?)null)), (1, Gen.Choose(0, 300).Select(m => (Travel?)Travel.Imported(m))), (1, Gen.Constant((Travel?)Travel.Imported(null))));
        // Destinations beside each other too, where the bound alone does not decide.
        var destinations = Gen.NonEmptyListOf(Gen.OneOf(place, Gen.Choose(0, 60).Select(i => places[i + 14_000])))
            .Select(found => found.DistinctBy(p => p.Insee).ToList());
        var given = destinations.SelectMany(to => place.Zip(Gen.ArrayOf(imported, to.Count)).Select(p => (To: to, From: p.Item1, Imported: p.Item2)));

        Prop.ForAll(given.ToArbitrary(), x =>
        {
            var nearest = new NearestLieu(TravelData.Model, [.. x.To.Select(p => TravelData.Model.IndexOf(p.Insee))]);
            var ways = x.To.Select((to, i) => to.Insee == x.From.Insee ? Travel.Of(0) : x.Imported[i] ?? TravelData.Model.Between(x.From.Insee, to.Insee)).ToList();

            var found = nearest.From(TravelData.Model.IndexOf(x.From.Insee), x.Imported);

            if (ways.Any(w => w.HasMinutes))
                Assert.Equal(ways.Where(w => w.HasMinutes).Min(w => w.Minutes), found.Minutes, 1e-4);
            else
                Assert.Equal(ways.All(w => w.IsUnreachable), found.IsUnreachable);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));
    }

    [Fact]
    public void From_NoDestination_IsUnreachable() =>
        Assert.True(new NearestLieu(TravelData.Model, []).From(0, []).IsUnreachable);

    [Fact]
    public void From_AllFranceToTheInventedLieux_MeetsTheKnownAccessByDepartementWithFewModelCalls()
    {
        var communes = TravelData.Rows("communes.csv.gz").Where(r => r["type"] == "COM").ToList();
        var nearest = new NearestLieu(TravelData.Model, [.. TravelData.Rows("er-lieux-synthetiques.csv").Select(r => TravelData.Model.IndexOf(r["commune_insee"])).Distinct()]);

        var access = communes.Select(r => (Departement: r["departement"], Population: r["population"].Length == 0 ? 0 : int.Parse(r["population"], CultureInfo.InvariantCulture), Way: nearest.From(TravelData.Model.IndexOf(r["insee"]), []))).ToList();

        Assert.InRange(nearest.ModelCalls, communes.Count, 12 * communes.Count);
        var published = TravelData.Rows("er-acces-departements.csv").ToList();
        Assert.Equal(102, published.Count);
        foreach (var row in published)
        {
            var departement = row["departement"];
            var reached = access.Where(a => a.Way.HasMinutes && (departement == "FRANCE" ? Directory.Territory.Zones.IsOfFrance(a.Departement) : a.Departement == departement)).ToList();
            Assert.Equal(row["temps_moyen_modele_min"].Length == 0, reached.Count == 0);
            if (reached.Count == 0)
                continue;
            var people = reached.Sum(a => (double)a.Population);
            Assert.Equal(TravelData.Number(row["temps_moyen_modele_min"]), reached.Sum(a => a.Way.Minutes * a.Population) / people, 0.1);
            Assert.Equal(TravelData.Number(row["part_moins_30min_modele_pct"]), 100 * reached.Where(a => a.Way.Minutes < 30).Sum(a => (double)a.Population) / people, 0.1);
        }
    }

    [Fact]
    public void From_AllFranceToTheInventedLieux_MeetsThePublishedFiguresOfTheSurvey()
    {
        var rows = TravelData.Rows("er-acces-departements.csv").ToDictionary(r => r["departement"]);
        double Mean(string departement) => TravelData.Number(rows[departement]["temps_moyen_modele_min"]);
        double Share(string departement) => TravelData.Number(rows[departement]["part_moins_30min_modele_pct"]);

        Assert.Equal((14.9, 85.7), (Mean("FRANCE"), Share("FRANCE")));
        Assert.Equal((15.0, 85.0), (TravelData.Number(rows["FRANCE"]["temps_moyen_publie_min"]), TravelData.Number(rows["FRANCE"]["part_moins_30min_publiee_pct"])));
        Assert.Equal(46, Mean("65"), 0.5);
        Assert.InRange(Share("65"), 0, 10);
        Assert.All(["75", "92", "93", "94"], departement => Assert.Equal(100, Share(departement), 0.05));
        Assert.InRange(Share("46"), 0, 50);
        // Published: under 50. A narrow miss of the invented lieux, kept in sight.
        Assert.Equal(52, Share("32"), 0.5);
        Assert.Empty(rows["976"]["temps_moyen_modele_min"]);
    }

    [Fact]
    public void Neighbours_Departements_AreThoseOfTheMap()
    {
        var departements = TravelData.Rows("communes.csv.gz").ToDictionary(r => r["insee"], r => r["departement"]);
        var pairs = Neighbours.Of(TravelData.Model)
            .Select(p => (A: departements[TravelData.Model.Codes[p.A]], B: departements[TravelData.Model.Codes[p.B]])).Where(p => p.A != p.B)
            .SelectMany(p => new[] { p, (A: p.B, B: p.A) }).ToLookup(p => p.A, p => p.B);

        string Of(string departement) => string.Join(' ', pairs[departement].Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("01 38 42 71", Of("69"));
        Assert.Equal("92 93 94", Of("75"));
        Assert.Equal("31 32 64", Of("65"));
        Assert.Equal("75 77 92 94 95", Of("93"));
        Assert.Equal("2B", Of("2A"));
        Assert.Equal("02 62 80", Of("59"));
        Assert.Equal("", Of("974"));
        Assert.Equal("", Of("971"));
    }
}
