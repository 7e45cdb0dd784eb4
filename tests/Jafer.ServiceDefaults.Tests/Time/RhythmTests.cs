using FsCheck;
using FsCheck.Fluent;
using Jafer.ServiceDefaults.Time;

namespace Jafer.ServiceDefaults.Tests.Time;

/// <summary>When software that talks to Jafer counts as silent.</summary>
public sealed class RhythmTests
{
    private static readonly DateOnly s_monday = new(2026, 9, 7);

    [Fact]
    public void SilentAfter_EveryWorkingDay_IsTwiceAWeekend()
    {
        var source = New();
        foreach (var day in Enumerable.Range(0, 33).Select(s_monday.AddDays).Where(d => d.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)))
        {
            source.Report(day);
        }

        Assert.Equal(3, source.UsualDays);
        Assert.Equal(source.LastDay.AddDays(6), source.SilentAfter);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(7, 14)]
    [InlineData(30, 60)]
    public void SilentAfter_SteadyRhythm_IsTwiceItAndFourDaysAtLeast(int everyDays, int silentAfter)
    {
        var source = New();
        for (var i = 0; i < 12; i++)
        {
            source.Report(s_monday.AddDays(i * everyDays));
        }

        Assert.Equal(source.LastDay.AddDays(silentAfter), source.SilentAfter);
    }

    [Fact]
    public void SilentAfter_RhythmNotKnownYet_IsFourteenDays()
    {
        var source = New();
        source.Report(s_monday);
        source.Report(s_monday.AddDays(1));

        Assert.Null(source.UsualDays);
        Assert.Equal(s_monday.AddDays(1 + Rhythm.SilenceWithoutRhythm), source.SilentAfter);
    }

    [Fact]
    public void Report_SameOrEarlierDay_ChangesNothing()
    {
        var source = New();
        Assert.True(source.Report(s_monday));
        Assert.False(source.Report(s_monday));
        Assert.False(source.Report(s_monday.AddDays(-1)));
        Assert.Empty(source.Gaps);
    }

    [Fact]
    public void FallsSilent_ToldOnce_IsToldAgainOnlyAfterAReport()
    {
        var source = New();
        source.Report(s_monday);
        Assert.False(source.FallsSilent(source.SilentAfter));
        Assert.True(source.FallsSilent(source.SilentAfter.AddDays(1)));

        source.Tell();
        Assert.False(source.FallsSilent(source.SilentAfter.AddDays(100)));

        source.Report(s_monday.AddDays(30));
        Assert.True(source.FallsSilent(source.SilentAfter.AddDays(1)));
        Assert.Equal(1, source.Silences);
    }

    [Fact]
    public void Report_AnyDays_RemembersNoMorePausesThanItKeepsAndIsNeverSilentWithinItsRhythm() => Prop.ForAll(
        Gen.Choose(1, 40).ArrayOf().ToArbitrary(), gaps =>
        {
            var source = New();
            var day = s_monday;
            source.Report(day);
            foreach (var gap in gaps)
            {
                day = day.AddDays(gap);
                source.Report(day);
            }

            return source.Gaps.Length <= Rhythm.KeptGaps && source.SilentAfter >= day.AddDays(Rhythm.ShortestSilence)
                && (source.UsualDays is not { } usual || source.SilentAfter >= day.AddDays(2 * usual));
        }).QuickCheckThrowOnFailure();

    private static Source New() => new();

    private sealed class Source : Rhythm;
}
