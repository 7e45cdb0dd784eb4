using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

/// <summary>The codes of Paris, Lyon and Marseille.</summary>
public class ArrondissementsTests
{
    [Fact]
    public void OtherCodesOf_EveryArrondissementOfTheReferenceData_IsThatOfItsCommuneAndBack()
    {
        var arrondissements = TravelData.Places.Where(p => !p.IsCommune).Select(p => p.Insee).ToList();

        Assert.Equal(45, arrondissements.Count);
        Assert.All(arrondissements, a => Assert.Equal([Arrondissements.WholeCommune(a)], Arrondissements.OtherCodesOf(a)));
        Assert.Equal(arrondissements.Order(StringComparer.Ordinal), new[] { "13055", "69123", "75056" }.SelectMany(Arrondissements.OtherCodesOf).Order(StringComparer.Ordinal));
        Assert.Empty(TravelData.Places.Where(p => p.IsCommune && p.Insee is not ("75056" or "69123" or "13055")).SelectMany(p => Arrondissements.OtherCodesOf(p.Insee)));
    }

    [Fact]
    public void StatedWay_SeveralPairsOfCodes_TakesTheExactOneElseTheMean()
    {
        var way = new StatedWay();
        Assert.Null(way.Way);
        way.Add(otherFrom: true, otherTo: true, 10);
        way.Add(otherFrom: true, otherTo: false, null);
        Assert.True(way.Way!.Value.IsUnreachable);
        way.Add(otherFrom: true, otherTo: false, 30);
        way.Add(otherFrom: true, otherTo: false, 50);
        Assert.Equal(40, way.Way!.Value.Minutes);
        way.Add(otherFrom: false, otherTo: true, 60);
        way.Add(otherFrom: true, otherTo: false, 5);
        Assert.Equal(60, way.Way!.Value.Minutes);
        way.Add(otherFrom: false, otherTo: false, null);
        Assert.True(way.Way!.Value.IsUnreachable);
    }
}
