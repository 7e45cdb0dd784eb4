using FsCheck;
using FsCheck.Fluent;
using Jafer.Directory.Domain;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

/// <summary>Silence never helps: what stands in for a wait that nobody declared, and what becomes of one that grows old.</summary>
public class WaitTests
{
    [Theory]
    [InlineData(new int[0], 180)]
    [InlineData(new[] { 20, 60, 90 }, 180)]
    [InlineData(new[] { 300 }, 300)]
    [InlineData(new[] { 10, 20, 30, 40, 50, 60, 70, 80, 250, 900 }, 250)]
    public void StandIn_DeclaredWaits_IsTheirNinthDecileAndAtLeastHalfAYear(int[] declared, int expected) =>
        Assert.Equal(expected, Wait.StandIn(declared));

    [Fact]
    public void StandIn_AnyWaits_IsExceededByOneInTenAtMost() =>
        Prop.ForAll(Waits(), declared =>
        {
            var days = Wait.StandIn(declared);
            Assert.True(days >= Wait.UnknownDays);
            Assert.True(declared.Count(d => d > days) * 10 <= declared.Length);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Rank_DeclaringAWaitUpToTheStandIn_NeverRanksLower() =>
        Prop.ForAll(Waits(), Gen.Choose(0, Wait.MaxDays).ToArbitrary(), (declared, days) =>
        {
            var others = declared.Select((d, i) => Offer(Espace(i + 2), d)).ToArray();
            var standIn = Wait.StandIn(declared);
            var silent = Position(Offer(wait: null), others, standIn);
            var spoken = Position(Offer(wait: Math.Min(days, standIn)), others, Wait.StandIn([.. declared, Math.Min(days, standIn)]));

            Assert.True(spoken <= silent);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Rank_WaitThatIsNoLongerDeclared_StaysWhatItWas() =>
        Prop.ForAll(Waits(), Gen.Choose(0, Wait.MaxDays).Zip(Gen.Choose(0, 2000)).ToArbitrary(), (declared, said) =>
        {
            var (days, age) = said;
            var others = declared.Select((d, i) => Offer(Espace(i + 2), d)).ToArray();
            var fresh = Offer(wait: days);
            var old = new Offer { Espace = fresh.Espace, Modalite = fresh.Modalite, State = fresh.State, Wait = new Wait(days, Day.AddDays(-age)) };

            Assert.Equal(Position(fresh, others, Wait.StandIn(declared)), Position(old, others, Wait.StandIn(declared)));
        }).QuickCheckThrowOnFailure();

    private static int Position(Offer offer, Offer[] others, int unknown)
    {
        var travel = new FamilyTravel(null, null, 14, UnknownWait: unknown);
        var index = Index([offer, .. others]);
        return Array.FindIndex(index.Best(index.Match(Needs, null), Needs, travel, null, others.Length + 1), r => r.Offer == offer);
    }

    private static Arbitrary<int[]> Waits() => Gen.Choose(0, Wait.MaxDays).ArrayOf().ToArbitrary();
}
