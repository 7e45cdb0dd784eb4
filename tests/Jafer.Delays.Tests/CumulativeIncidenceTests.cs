using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace Jafer.Delays.Tests;

public sealed class CumulativeIncidenceTests
{
    private static readonly double[] s_shares = [0.1, 0.5, 0.8, 0.9];

    private static Arbitrary<(int Days, DelayOutcome Outcome)[]> Waits => Any(DelayOutcome.Passed, DelayOutcome.Passed, DelayOutcome.Ended, DelayOutcome.Waiting);

    public static TheoryData<string> References => [.. Cases.Select(c => c.Name)];

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static IReadOnlyList<ReferenceCase> Cases { get; } =
        JsonSerializer.Deserialize<ReferenceCase[]>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", "incidence.json")), s_json)!;

    [Theory]
    [MemberData(nameof(References))]
    public void Of_WaitsOfTheReference_IsItsEstimate(string name)
    {
        var expected = Cases.Single(c => c.Name == name);
        var estimate = Of([.. expected.Waits.Select(w => (w.Days, w.Outcome switch { "P" => DelayOutcome.Passed, "E" => DelayOutcome.Ended, _ => DelayOutcome.Waiting }))]);

        Assert.Equal(expected.Eventual, estimate.EventualShare, 12);
        Assert.All(expected.Rows, row =>
        {
            Assert.Equal(row.Still, estimate.StillAt(row.Days).Value, 12);
            Assert.Equal(row.Passed, estimate.PassedAt(row.Days).Value, 12);
            Assert.Equal(row.Ended, estimate.EndedAt(row.Days).Value, 12);
            Within(row.Still, row.StillVariance, estimate.StillAt(row.Days));
            Within(row.Passed, row.PassedVariance, estimate.PassedAt(row.Days));
            Within(row.Ended, row.EndedVariance, estimate.EndedAt(row.Days));
        });
        Assert.Equal(expected.Quantiles.Select(q => (q.Share, q.Days)), s_shares.Select(s => (s, estimate.Quantile(s)?.Days)));

        // log(-log share) ± 1.96 standard errors of it.
        static void Within(double share, double variance, Share of)
        {
            if (share is > 0 and < 1 && variance > 1e-15)
            {
                var (at, width) = (Math.Log(-Math.Log(share)), 1.959963984540054 * Math.Sqrt(variance) / Math.Abs(share * Math.Log(share)));
                Assert.Equal((Math.Exp(-Math.Exp(at + width)), Math.Exp(-Math.Exp(at - width))), (of.Low, of.High), new Near());
            }
            else
            {
                Assert.Equal((of.Value, of.Value), (of.Low, of.High));
            }
        }
    }

    [Fact]
    public void Of_SixMercaptopurine_IsWhatIsPublished()
    {
        // Remission under 6-MP: product-limit and Greenwood's standard errors as in D. R. Cox, D. Oakes (1984) and every textbook since.
        var estimate = Of([.. Cases.Single(c => c.Name == "6-MP").Waits.Select(w => (w.Days, w.Outcome == "P" ? DelayOutcome.Passed : DelayOutcome.Waiting))]);

        Assert.Equal(
            [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448],
            new[] { 6, 7, 10, 13, 16, 22, 23 }.Select(d => Math.Round(estimate.StillAt(d).Value, 3)));
        Assert.Equal(23, estimate.Quantile(0.5)!.Value.Days);
        Assert.Equal((13, (int?)null), (estimate.Quantile(0.5)!.Value.Low, estimate.Quantile(0.5)!.Value.High));
        // What passed and what still waits share their standard error where nothing ends otherwise.
        var greenwood = new[] { (6, 0.0764), (10, 0.0963), (23, 0.1346) };
        Assert.All(greenwood, g => Assert.Equal(g.Item2, ErrorOf(estimate.StillAt(g.Item1)), 4));
        Assert.All(greenwood, g => Assert.Equal(g.Item2, ErrorOf(estimate.PassedAt(g.Item1)), 4));

        static double ErrorOf(Share share) =>
            (Math.Log(-Math.Log(share.Low)) - Math.Log(-Math.Log(share.High))) / 2 / 1.959963984540054 * Math.Abs(share.Value * Math.Log(share.Value));
    }

    [Fact]
    public void StillAt_AnyWaits_IsWhatNeitherPassedNorEnded() => Prop.ForAll(Waits, Gen.Choose(0, 70).ToArbitrary(), (waits, day) =>
    {
        var estimate = Of(waits);
        return Math.Abs(1 - estimate.StillAt(day).Value - estimate.PassedAt(day).Value - estimate.EndedAt(day).Value) < 1e-9;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void PassedAt_NobodyWaits_IsThePlainShare() => Prop.ForAll(Any(DelayOutcome.Passed, DelayOutcome.Ended), Gen.Choose(0, 70).ToArbitrary(), (waits, day) =>
        Math.Abs(Of(waits).PassedAt(day).Value - ((double)waits.Count(w => w.Outcome == DelayOutcome.Passed && w.Days <= day) / waits.Length)) < 1e-9).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_NobodyWaits_IsThePlainOneOfThoseThatPassed() => Prop.ForAll(Any(DelayOutcome.Passed, DelayOutcome.Ended), waits => s_shares.All(share =>
    {
        int[] passed = [.. waits.Where(w => w.Outcome == DelayOutcome.Passed).Select(w => w.Days).Order()];
        int? plain = passed.Length == 0 ? null : passed[Math.Max(0, (int)Math.Ceiling((share * passed.Length) - 1e-9) - 1)];
        return Of(waits).Quantile(share)?.Days == plain;
    })).QuickCheckThrowOnFailure();

    [Fact]
    public void PassedAt_AnyWaits_GrowsAndStaysWithinItsInterval() => Prop.ForAll(Waits, waits =>
    {
        var estimate = Of(waits);
        Share[] shares = [.. Enumerable.Range(0, 62).Select(d => estimate.PassedAt(d))];
        return shares.All(s => s is { Low: >= 0, High: <= 1 } && s.Low <= s.Value + 1e-12 && s.Value <= s.High + 1e-12)
            && shares.Zip(shares.Skip(1)).All(p => p.First.Value <= p.Second.Value);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_AnyWaits_IsTheSameInAnyOrderAndManyTimes() => Prop.ForAll(Waits, Gen.Choose(2, 40).ToArbitrary(), (waits, times) =>
        s_shares.All(s => Of(waits).Quantile(s)?.Days == Of([.. waits.Reverse()]).Quantile(s)?.Days && Of(waits).Quantile(s)?.Days == Of(waits, times).Quantile(s)?.Days))
        .QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_OneMoreThatWaits_IsNeverShorterWhereNothingEnded() => Prop.ForAll(
        Any(DelayOutcome.Passed, DelayOutcome.Passed, DelayOutcome.Waiting), Gen.Choose(0, 60).ToArbitrary(), (waits, waited) => s_shares.All(share =>
            (Of([.. waits, (waited, DelayOutcome.Waiting)]).Quantile(share)?.Days ?? int.MaxValue) >= (Of(waits).Quantile(share)?.Days ?? int.MaxValue))).QuickCheckThrowOnFailure();

    [Fact]
    public void Quantile_AnyWaits_LiesWithinItsInterval() => Prop.ForAll(Waits, waits => s_shares.All(share =>
        Of(waits).Quantile(share) is not { } q || ((q.Low ?? 0) <= q.Days && q.Days <= (q.High ?? int.MaxValue)))).QuickCheckThrowOnFailure();

    [Fact]
    public void PassedAt_Interval_HoldsTheTruthAsOftenAsItSays()
    {
        // Passing on each day with 4 in 100, ending with 1, followed for 10 to 60 days: by day 20 (4/5) of 1 - 0.95^21 have passed.
        var (random, truth, held) = (new Random(20260101), 0.8 * (1 - Math.Pow(0.95, 21)), 0);
        for (var i = 0; i < 1000; i++)
        {
            var counts = new DelayCounts();
            for (var mesure = 0; mesure < 60; mesure++)
            {
                var (followed, days) = (random.Next(10, 61), 0);
                while (days < followed && random.NextDouble() >= 0.05)
                {
                    days++;
                }

                counts.Add(Math.Min(days, followed), days >= followed ? DelayOutcome.Waiting : random.NextDouble() < 0.8 ? DelayOutcome.Passed : DelayOutcome.Ended);
            }

            var share = CumulativeIncidence.Of(counts).PassedAt(20);
            held += share.Low <= truth && truth <= share.High ? 1 : 0;
        }

        Assert.InRange(held, 930, 970);
    }

    [Fact]
    public void Of_Counts_TakenBackAndAddedAgain_AreAsCountedAnew() => Prop.ForAll(Waits, Waits, (kept, gone) =>
    {
        var changed = new DelayCounts();
        foreach (var (days, outcome) in gone.Concat(kept))
        {
            changed.Add(days, outcome);
        }

        foreach (var (days, outcome) in gone)
        {
            changed.Add(days, outcome, -1);
        }

        var (merged, half) = (new DelayCounts(), kept.Length / 2);
        merged.Add(Counted(kept[..half]));
        merged.Add(Counted(kept[half..]));
        return Same(CumulativeIncidence.Of(changed), Of(kept)) && Same(CumulativeIncidence.Of(merged), Of(kept));

        static bool Same(CumulativeIncidence a, CumulativeIncidence b) =>
            (a.Passed, a.Ended, a.Waiting, a.EventualShare, a.FollowedDays) == (b.Passed, b.Ended, b.Waiting, b.EventualShare, b.FollowedDays)
            && Enumerable.Range(0, 62).All(d => a.PassedAt(d) == b.PassedAt(d) && a.StillAt(d) == b.StillAt(d) && a.EndedAt(d) == b.EndedAt(d));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Add_MoreTakenBackThanCounted_IsRefused()
    {
        var counts = new DelayCounts();
        counts.Add(3, DelayOutcome.Passed);

        Assert.Throws<ArgumentOutOfRangeException>(() => counts.Add(3, DelayOutcome.Passed, -2));
        Assert.Throws<ArgumentOutOfRangeException>(() => counts.Add(-1, DelayOutcome.Passed));
    }

    private static Arbitrary<(int Days, DelayOutcome Outcome)[]> Any(params DelayOutcome[] outcomes) =>
        Gen.Choose(0, 60).Zip(Gen.Elements(outcomes), (days, outcome) => (days, outcome)).NonEmptyListOf().Select(w => w.ToArray()).ToArbitrary();

    private static CumulativeIncidence Of((int Days, DelayOutcome Outcome)[] waits, int times = 1) => CumulativeIncidence.Of(Counted(waits, times));

    private static DelayCounts Counted((int Days, DelayOutcome Outcome)[] waits, int times = 1)
    {
        var counts = new DelayCounts();
        foreach (var (days, outcome) in waits)
        {
            counts.Add(days, outcome, times);
        }

        return counts;
    }

    private sealed record ReferenceCase(
        string Name, ReferenceWait[] Waits, ReferenceRow[] Rows, double Eventual, ReferenceQuantile[] Quantiles);

    private sealed record ReferenceWait(int Days, string Outcome);

    private sealed record ReferenceRow(int Days, double Still, double StillVariance, double Passed, double PassedVariance, double Ended, double EndedVariance);

    private sealed record ReferenceQuantile(double Share, int? Days);

    private sealed class Near : IEqualityComparer<(double, double)>
    {
        public bool Equals((double, double) x, (double, double) y) => Math.Abs(x.Item1 - y.Item1) < 1e-9 && Math.Abs(x.Item2 - y.Item2) < 1e-9;

        public int GetHashCode((double, double) obj) => 0;
    }
}
