using FsCheck;
using FsCheck.Fluent;

namespace Jafer.Delays.Tests;

public sealed class PooledWaitTests
{
    private static Arbitrary<int[]> Days => Gen.Choose(0, 60).NonEmptyListOf().Select(d => d.ToArray()).ToArbitrary();

    [Fact]
    public void Of_TenOfItsOwn_CountsThemHalf()
    {
        var pooled = PooledWait.Of(Seen(Enumerable.Repeat(20, 10)), PooledWait.Of(Seen(Enumerable.Repeat(60, 1000))));

        Assert.Equal(0.5, pooled.OwnWeight);
        Assert.Equal((20, 60, 0.5), (pooled.Quantile(0.5), pooled.Quantile(0.6), pooled.PassedAt(40)));
    }

    [Fact]
    public void Of_NothingOfItsOwn_IsTheWiderGroup()
    {
        var wider = PooledWait.Of(Seen([10, 20, 30]));

        var pooled = PooledWait.Of(Seen([]), wider);

        Assert.Equal((0, 20), (pooled.OwnWeight, pooled.Quantile(0.5)));
        Assert.True(PooledWait.Of(Seen([]), PooledWait.Of(Seen([]))).IsEmpty);
        Assert.Null(PooledWait.Of(Seen([])).Quantile(0.5));
    }

    [Fact]
    public void Of_FewerThanTheLeast_DoNotShow()
    {
        var wider = PooledWait.Of(Seen(Enumerable.Range(1, 50)));

        Assert.Equal(wider.Quantile(0.5), PooledWait.Of(Seen([1, 1, 1, 1]), wider, least: 5).Quantile(0.5));
        Assert.True(PooledWait.Of(Seen([1, 1, 1, 1]), least: 5).IsEmpty);
        Assert.NotEqual(wider.Quantile(0.5), PooledWait.Of(Seen([1, 1, 1, 1, 1]), wider, least: 5).Quantile(0.5));
    }

    [Fact]
    public void Of_NoWiderGroup_IsItsOwn() => Prop.ForAll(Days, days =>
        new[] { 0.1, 0.5, 0.9 }.All(s => PooledWait.Of(Seen(days)).Quantile(s) == Seen(days).Quantile(s)!.Value.Days)).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_AnyCellAndGroup_LiesBetweenThem() => Prop.ForAll(Days, Days, (own, others) =>
    {
        var (cell, group) = (PooledWait.Of(Seen(own)), PooledWait.Of(Seen(others)));
        var pooled = PooledWait.Of(Seen(own), group);
        return new[] { 0.1, 0.5, 0.9 }.All(s => pooled.Quantile(s) is { } days
            && days >= Math.Min(cell.Quantile(s)!.Value, group.Quantile(s)!.Value) && days <= Math.Max(cell.Quantile(s)!.Value, group.Quantile(s)!.Value));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void OwnWeight_MoreOfItsOwn_Grows() => Prop.ForAll(Days, days =>
    {
        var group = PooledWait.Of(Seen([30, 40, 50]));
        return PooledWait.Of(Seen([.. days, 1]), group).OwnWeight > PooledWait.Of(Seen(days), group).OwnWeight;
    }).QuickCheckThrowOnFailure();

    private static CumulativeIncidence Seen(IEnumerable<int> days)
    {
        var counts = new DelayCounts();
        foreach (var day in days)
        {
            counts.Add(day, DelayOutcome.Passed);
        }

        return CumulativeIncidence.Of(counts);
    }
}
