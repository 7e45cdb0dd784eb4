using FsCheck;
using FsCheck.Fluent;
using Jafer.Directory.Domain;

namespace Jafer.Directory.Tests.Domain;

public class RankingTests
{
    private static readonly DateOnly Today = new(2026, 11, 21);

    private sealed record Candidate(Guid Id, int? Days, Travel? Hote, Travel? Visiteur)
    {
        public RankKey Key(double tradeOff) => Ranking.Key(Ranking.TravelCost(Hote, Visiteur, tradeOff), Days ?? Wait.UnknownDays, Id);
    }

    [Fact]
    public void Key_AnyPermutation_GivesTheSameOrder() =>
        Prop.ForAll(Candidates(), Seeds(), (candidates, seed) =>
        {
            var shuffled = candidates.ToArray();
            new Random(seed).Shuffle(shuffled);
            Assert.Equal(Order(candidates), Order(shuffled));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Key_BetterWait_NeverRanksLower() =>
        Prop.ForAll(Candidates(), Seeds(), (candidates, seed) =>
            NeverLower(candidates, seed, c => c with { Days = (c.Days ?? Wait.UnknownDays) * 2 / 3 })).QuickCheckThrowOnFailure();

    [Fact]
    public void Key_ShorterWay_NeverRanksLower() =>
        Prop.ForAll(Candidates(), Seeds(), (candidates, seed) =>
            NeverLower(candidates, seed, c => c with { Hote = Shorter(c.Hote) })).QuickCheckThrowOnFailure();

    [Fact]
    public void Key_UnreachableForAParent_RanksAfterEveryReachableOne() =>
        Prop.ForAll(Candidates(), candidates =>
        {
            var unreachable = candidates.OrderBy(c => c.Key(14)).Select(c => c.Hote is { IsUnreachable: true } || c.Visiteur is { IsUnreachable: true });
            Assert.Equal(unreachable.Order(), unreachable);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Key_AtTheTradeOff_WeighsAnHourAsSoManyDays()
    {
        var here = Ranking.Key(Ranking.TravelCost(Travel.Of(0), Travel.Of(0), 14), 44, Guid.Empty);
        var there = Ranking.Key(Ranking.TravelCost(Travel.Of(45), Travel.Of(15), 14), 30, Guid.Empty);

        Assert.Equal(here, there);
    }

    [Fact]
    public void Key_NoWeightOnTravel_OrdersByWaitAlone() =>
        Prop.ForAll(Candidates(), candidates =>
        {
            var days = candidates.Where(c => c is { Hote: not { IsUnreachable: true }, Visiteur: not { IsUnreachable: true } })
                .OrderBy(c => c.Key(0)).Select(c => c.Days ?? Wait.UnknownDays).ToList();
            Assert.Equal(days.Order(), days);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(30, false)]
    [InlineData(31, true)]
    public void IsStaleOn_DeclaredWait_AfterThirtyDays(int age, bool stale) =>
        Assert.Equal(stale, new Wait(60, Today.AddDays(-age)).IsStaleOn(Today));

    private static Guid[] Order(IEnumerable<Candidate> candidates) => [.. candidates.OrderBy(c => c.Key(14)).Select(c => c.Id)];

    private static void NeverLower(Candidate[] candidates, int seed, Func<Candidate, Candidate> improve)
    {
        if (candidates.Length == 0)
            return;
        var chosen = candidates[seed % candidates.Length];
        var improved = candidates.Select(c => c == chosen ? improve(c) : c);
        Assert.True(Array.IndexOf(Order(improved), chosen.Id) <= Array.IndexOf(Order(candidates), chosen.Id));
    }

    private static Travel? Shorter(Travel? way) => way switch
    {
        { HasMinutes: true } known => Travel.Of(known.Minutes / 2),
        { IsUnreachable: true } => Travel.Of(300),
        _ => way,
    };

    private static Arbitrary<int> Seeds() => Gen.Choose(0, 1_000_000).ToArbitrary();

    private static Arbitrary<Candidate[]> Candidates()
    {
        var way = Gen.Frequency(
            (8, Gen.Choose(0, 3000).Select(n => (Travel?)Travel.Of(n / 10.0))),
            (1, Gen.Constant((Travel?)Travel.NoRoad)),
            (1, Gen.Constant((Travel?)Travel.Unknown)),
            (1, Gen.Constant((Travel?)null)));
        var candidate = from n in Gen.Choose(1, int.MaxValue)
                        from days in Gen.Frequency((5, Gen.Choose(0, 300).Select(d => (int?)d)), (1, Gen.Constant((int?)null)))
                        from hote in way
                        from visiteur in way
                        select new Candidate(new Guid(n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), days, hote, visiteur);
        return candidate.ArrayOf().Select(all => all.DistinctBy(c => c.Id).ToArray()).ToArbitrary();
    }
}
