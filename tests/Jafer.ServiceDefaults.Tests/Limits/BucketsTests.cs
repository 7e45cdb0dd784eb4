using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Access;
using Jafer.ServiceDefaults.Limits;
using Jafer.Testing;

namespace Jafer.ServiceDefaults.Tests.Limits;

public sealed class BucketsTests
{
    private readonly TestClock _clock = new(new(2026, 11, 28, 8, 0, 0, TimeSpan.Zero));

    [Fact]
    public void TryTake_MoreThanTheBurst_SaysHowLongToWait()
    {
        var buckets = new Buckets<string>(_clock, 2, 4, 10);

        Assert.True(buckets.TryTake("a", 3, out _));
        Assert.False(buckets.TryTake("a", 2, out var wait));
        Assert.Equal(0.5, wait.TotalSeconds, 3);
        Assert.True(buckets.TryTake("b", 4, out _));
        _clock.Advance(wait);
        Assert.True(buckets.TryTake("a", 2, out _));
    }

    [Fact]
    public void TryTake_MoreThanABucketHolds_CountsAsAFullOne()
    {
        var buckets = new Buckets<string>(_clock, 1, 4, 10);

        Assert.True(buckets.TryTake("a", 50, out _));
        Assert.False(buckets.TryTake("a", 50, out var wait));
        Assert.Equal(4, wait.TotalSeconds, 3);
    }

    [Fact]
    public void Return_OfWhatWasTaken_LeavesItToBeTakenAgain()
    {
        var buckets = new Buckets<string>(_clock, 1, 4, 10);
        buckets.TryTake("a", 4, out _);

        buckets.Return("a", 3);

        Assert.True(buckets.TryTake("a", 3, out _));
        Assert.False(buckets.TryTake("a", 1, out _));
    }

    [Fact]
    public void TryTake_ByMoreKeysThanAreKept_ForgetsFullBucketsAloneAndSharesOneBeyond()
    {
        var buckets = new Buckets<int>(_clock, 1, 10, 3);
        buckets.TryTake(1, 10, out _);
        buckets.TryTake(2, 1, out _);
        buckets.TryTake(3, 1, out _);

        Assert.True(buckets.TryTake(4, 10, out _));
        Assert.False(buckets.TryTake(5, 10, out _));
        Assert.Equal(3, buckets.Count);

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(buckets.TryTake(6, 10, out _));
        Assert.False(buckets.TryTake(1, 10, out _));
        Assert.Equal(2, buckets.Count);
    }

    [Fact]
    public void TryTake_WhateverIsAskedWhenever_GivesNoMoreThanTheBurstAndWhatFlowedIn() => Prop.ForAll(
        Gen.Choose(0, 3000).Zip(Gen.Choose(1, 12)).ListOf().ToArbitrary(),
        steps =>
        {
            var clock = new TestClock(new(2026, 11, 28, 8, 0, 0, TimeSpan.Zero));
            var buckets = new Buckets<int>(clock, 3, 10, 5);
            var (taken, passed) = (0.0, 0.0);
            foreach (var (pause, tokens) in steps)
            {
                clock.Advance(TimeSpan.FromMilliseconds(pause));
                passed += pause / 1000.0;
                if (buckets.TryTake(7, tokens, out _))
                {
                    taken += Math.Min(tokens, 10);
                }
            }

            return taken <= 10 + (3 * passed) + 0.001;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Weights_EachRow_NamesAnRpcThatIsServed() => Assert.Empty(CallWeights.BuiltIn.Rpcs.Except(AccessTable.BuiltIn.Rpcs));

    [Theory]
    [InlineData("a.B/C")]
    [InlineData("a.B/C,0")]
    [InlineData("a.B/C,-1")]
    [InlineData("a.B/C,x")]
    [InlineData("a.B/C,1\na.B/C,2")]
    public void Weights_Unreadable_AreRefused(string rows) => Assert.Throws<FormatException>(() => CallWeights.Parse(("rpc,weight\n" + rows).Split('\n')));

    [Fact]
    public void Places_Left_AreFreeAgain()
    {
        var places = new Places<string>();

        Assert.True(places.TryEnter("a", 1));
        Assert.False(places.TryEnter("a", 1));
        Assert.True(places.TryEnter("b", 1));
        places.Leave("a");
        Assert.True(places.TryEnter("a", 1));
    }
}
