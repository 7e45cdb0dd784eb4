using Jafer.Mesures.Domain;
using Jafer.Mesures.Mesures;
using Jafer.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>What the keyed index holds of a case, a child and a party.</summary>
public sealed class KeyedIndexTests
{
    private const string Key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    private static readonly Guid s_court = new("0198a000-0000-7000-8000-000000000001");
    private static readonly KeyedIndex s_index = Index(("PageTokens:Key", Key));

    [Theory]
    [InlineData("26/01234", "26/1234")]
    [InlineData("RG n° 26/01234", "26/1234")]
    [InlineData("2026/1234", "26/1234")]
    [InlineData("26-01234", "26/1234")]
    [InlineData(" 26 / 1234 ", "26/1234")]
    [InlineData("F 26/A0012", "F26A0012")]
    [InlineData(" ", null)]
    public void NormalRg_WaysOfWritingIt_AreOne(string written, string? normal) => Assert.Equal(normal, KeyedIndex.NormalRg(written));

    [Theory]
    [InlineData("Noël-Émile", "NOEL EMILE")]
    [InlineData("D'Aÿ", "d ay")]
    [InlineData("Cœur", "COEUR")]
    [InlineData("Łukasz Şükrü Žižek Groß", "LUKASZ SUKRU ZIZEK GROSS")]
    [InlineData("Ибрагим", "ИБРАГИМ")]
    public void NormalName_AccentsCaseSpacesAndSigns_DoNotCount(string one, string other) => Assert.Equal(KeyedIndex.NormalName(one), KeyedIndex.NormalName(other));

    [Fact]
    public void OfChild_SameChildWrittenOtherwise_IsTheSameDigest()
    {
        var digest = s_index.OfChild(s_court, Child("Zoé", "Fictif", 2019));

        Assert.Matches("^[0-9a-f]{32}$", digest);
        Assert.Equal(digest, s_index.OfChild(s_court, Child("ZOE", "fictif", 2019)));
        Assert.NotEqual(digest, s_index.OfChild(s_court, Child("Zoé", "Fictif", 2020)));
        Assert.Null(s_index.OfChild(s_court, Child("Zoé", "", 2019)));
        Assert.Null(s_index.OfChild(null, Child("Zoé", "Fictif", 2019)));
    }

    [Fact]
    public void OfRgNumber_OtherCourtOrKey_IsAnotherDigest()
    {
        var digest = s_index.OfRgNumber(s_court, "26/1");

        Assert.NotEqual(digest, s_index.OfRgNumber(new Guid("0198a000-0000-7000-8000-000000000002"), "26/1"));
        Assert.NotEqual(digest, Index(("Index:Key", Key)).OfRgNumber(s_court, "26/1"));
        Assert.Equal(digest, Index(("PageTokens:Key", Key)).OfRgNumber(s_court, "26/00001"));
    }

    [Fact]
    public void OfReturn_AChild_IsNoDigestOfAnyOwner()
    {
        var child = Child("Zoé", "Fictif", 2019);

        Assert.Equal(s_index.OfReturn(child), s_index.OfReturn(Child("ZOE", "fictif", 2019)));
        Assert.DoesNotContain(s_index.OfReturn(child), new[] { s_index.OfChild(s_court, child), s_index.OfChild(Guid.Empty, child), null });
    }

    [Fact]
    public void Generation_OfAnotherKey_IsAnother()
    {
        Assert.NotEqual(s_index.Generation, Index(("Index:Key", Key)).Generation);
        Assert.Equal(s_index.Generation, Index(("PageTokens:Key", Key)).Generation);
        Assert.Null(Index().Generation);
    }

    [Fact]
    public void OfRgNumber_NoKeyConfigured_IndexesNothing() => Assert.Null(Index().OfRgNumber(s_court, "26/1"));

    [Fact]
    public void KeyedIndex_KeyOfAnotherLength_IsRefused() => Assert.Throws<InvalidOperationException>(() => Index(("Index:Key", "AAAA")));

    [Theory]
    [InlineData(null, "Index:Key is required outside Development")]
    [InlineData("", "Index:Key is required outside Development")]
    [InlineData(Key, "must be another key than PageTokens:Key")]
    [InlineData("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ==", "Index:Key must be 32 bytes in base64")]
    [InlineData("no base64", "Index:Key must be 32 bytes in base64")]
    public async Task Start_WithoutAnIndexKeyOfItsOwn_IsRefusedOutsideDevelopment(string? key, string why)
    {
        var settings = ServiceHost.Settings(MesuresModule.Name, "Host=127.0.0.1;Port=1", "none", new Dictionary<string, string?> { ["Index:Key"] = key, ["PageTokens:Key"] = Key });
        await using var app = MesuresModule.Build([], b => b.Configuration.AddInMemoryCollection(settings));

        var error = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => app.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void KeyedIndex_AnotherKeyThanThatOfPageTokens_IsTakenOutsideDevelopment() =>
        Assert.NotNull(Index("Production", ("Index:Key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), ("PageTokens:Key", Key)).Generation);

    private static Child Child(string given, string family, int year) =>
        new() { Id = default, MesureId = default, Position = 0, GivenName = given, FamilyName = family, BirthDate = new DateOnly(year, 5, 4) };

    private static KeyedIndex Index(params (string Key, string Value)[] settings) => Index("Development", settings);

    private static KeyedIndex Index(string environment, params (string Key, string Value)[] settings) => new(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => new KeyValuePair<string, string?>(s.Key, s.Value))).Build(),
        new HostingEnvironment { EnvironmentName = environment }, NullLogger<KeyedIndex>.Instance);
}
