namespace Jafer.ServiceDefaults.Tests;

public sealed class StableIdsTests
{
    [Fact]
    public void Ids_OfFixedNames_NeverChange()
    {
        // Equal to those of eng/identity/organisations.mjs; a changed id would cut every installation off from its data.
        var espace = StableIds.Espace("demo", "A01-1");

        Assert.Equal("f6b209d2-5f20-8c1d-a7db-bd1327b7a4fd", StableIds.Court("tj69123").ToString());
        Assert.Equal("67f80d41-426c-861b-a68f-46b78b78b167", StableIds.Gestionnaire("demo", "A01-1").ToString());
        Assert.Equal("f1cf81ea-d110-8c7c-abaa-db27dc5bdd16", espace.ToString());
        Assert.Equal("01efdf1d-1fd7-8844-b9c4-84865a35ecd4", StableIds.Lieu(espace, "L01-1").ToString());
        Assert.Equal("91141436-262f-83e3-bd3c-b30ed9574494", StableIds.For("organisation:operateur:national").ToString());
    }

    [Fact]
    public void For_Names_GivesVersion8OfTheStandardVariant()
    {
        foreach (var name in Enumerable.Range(0, 200))
        {
            var id = StableIds.For($"name {name}");
            Assert.Equal((8, 8), (id.Version, id.Variant & 0xC));
        }
    }
}
