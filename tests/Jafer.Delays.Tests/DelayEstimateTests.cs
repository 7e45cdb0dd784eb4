using FsCheck;
using FsCheck.Fluent;

namespace Jafer.Delays.Tests;

public sealed class DelayEstimateTests
{
    private static readonly double[] s_shares = [0.1, 0.5, 0.9];

    private static Arbitrary<int[]> Days => Gen.Choose(0, 60).NonEmptyListOf().Select(d => d.ToArray()).ToArbitrary();

    private static Arbitrary<(int Days, bool Passed)[]> Mixed =>
        Gen.Choose(0, 60).Zip(Gen.Elements(true, true, false), (days, passed) => (days, passed)).NonEmptyListOf().Select(d => d.ToArray()).ToArbitrary();

    [Fact]
    public void Quantile_OfNobodyWaiting_IsThePlainOne() => Prop.ForAll(Days, days => s_shares.All(share =>
    {
        // percentile_disc: the first value by which at least the share has passed.
        var plain = days.Order().ElementAt(Math.Max(0, (int)Math.Ceiling((share * days.Length) - 1e-9) - 1));
        return Of(days.Select(d => (d, true))).Quantile(share) == plain;
    })).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_OfTheTextbook_IsItsProductLimit()
    {
        // Kaplan and Meier's own example: deaths at 0.8, 3.1, 5.4, 9.2 and losses at 1.0, 2.7, 7.0, 12.1 (in tenths).
        var estimate = Of([(8, true), (31, true), (54, true), (92, true), (10, false), (27, false), (70, false), (121, false)]);

        // Survival: 7/8, then 7/8 · 4/5 = 0.7, then 0.7 · 3/4 = 0.525, then 0.525 · 1/2 = 0.2625.
        Assert.Equal((8, 31, 54, 92), (estimate.Quantile(0.125), estimate.Quantile(0.3), estimate.Quantile(0.475), estimate.Quantile(0.7375)));
        Assert.Equal((92, null), (estimate.Quantile(0.5), estimate.Quantile(0.9)));
        Assert.Equal((4, 4), (estimate.Observed, estimate.Waiting));
    }

    [Fact]
    public void Quantile_OfAnything_GrowsWithTheShare() => Prop.ForAll(Mixed, mesures =>
    {
        var estimate = Of(mesures);
        return (estimate.Quantile(0.5) ?? int.MaxValue) <= (estimate.Quantile(0.9) ?? int.MaxValue);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_OfAnythingManyTimes_IsTheSame() => Prop.ForAll(Mixed, Gen.Choose(2, 50).ToArbitrary(), (mesures, times) =>
        s_shares.All(share => Of(mesures).Quantile(share) == Of(mesures, times).Quantile(share))).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_WithOneMoreWhoWaits_IsNeverShorter() => Prop.ForAll(Mixed, Gen.Choose(0, 60).ToArbitrary(), (mesures, waited) =>
        s_shares.All(share => (Of([.. mesures, (waited, false)]).Quantile(share) ?? int.MaxValue) >= (Of(mesures).Quantile(share) ?? int.MaxValue))).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_OfWhoWaitsBeforeAnybodyPassed_ChangesNothing()
    {
        var estimate = Of([(3, false), (10, true), (20, true)]);

        Assert.Equal((10, 20), (estimate.Quantile(0.5), estimate.Quantile(0.9)));
    }

    private static DelayEstimate Of(IEnumerable<(int Days, bool Passed)> mesures, int times = 1)
    {
        var estimate = new DelayEstimate();
        foreach (var (days, passed) in mesures)
        {
            if (passed)
            {
                estimate.AddObserved(days, times);
            }
            else
            {
                estimate.AddWaiting(days, times);
            }
        }

        return estimate;
    }
}
