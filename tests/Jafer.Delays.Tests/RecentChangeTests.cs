namespace Jafer.Delays.Tests;

public sealed class RecentChangeTests
{
    private const int Today = 1000;

    [Fact]
    public void Of_TheTextbooksTwoGroups_IsItsLogRankTest()
    {
        // The 6-MP arm within the last 90 days, the placebo arm within the nine months before: O 9, E 19.25, chi-square 16.79.
        (int, bool)[] treated =
        [
            (6, true), (6, true), (6, true), (7, true), (10, true), (13, true), (16, true), (22, true), (23, true), (6, false), (9, false), (10, false),
            (11, false), (17, false), (19, false), (20, false), (25, false), (32, false), (32, false), (34, false), (35, false),
        ];
        int[] placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23];

        var change = RecentChange.Of([.. treated.Select(t => Wait(60, t.Item1, t.Item2)), .. placebo.Select(days => Wait(300, days, true))], Today);

        Assert.Equal((9, 19.25, 16.79), (change.Passed, Math.Round(change.Expected, 2), Math.Round(change.Z * change.Z, 2)));
        Assert.Equal(6.257, change.Variance, 3);
        Assert.Equal(-1, change.Direction);
    }

    [Theory]
    [InlineData(40, 40, 0)]
    [InlineData(40, 20, 1)]
    [InlineData(20, 40, -1)]
    public void Of_ShorterOrLongerWaits_SaysSo(int before, int now, int direction)
    {
        // One comes each day; it takes so many days, give or take; who came in the last 90 days waits as long as now.
        var waits = Enumerable.Range(1, 500).Select(ago => Wait(ago, (ago <= 110 ? now : before) + (ago % 7), true));

        Assert.Equal(direction, RecentChange.Of(waits, Today).Direction);
    }

    [Fact]
    public void Of_ThoseThatWaitNow_CountWithoutHavingPassed()
    {
        // Ten a week passed after 20 days; for 60 days nobody has, and all still wait.
        var waits = Enumerable.Range(1, 500).Select(ago => ago > 80 ? Wait(ago, 20, true) : Wait(ago, 900, true)).ToList();

        var change = RecentChange.Of([.. waits, .. waits], Today);

        Assert.Equal(-1, change.Direction);
        Assert.InRange(change.Ratio, 0.01, 0.5);
    }

    [Fact]
    public void Of_Few_SayNothingHoweverClear()
    {
        var change = RecentChange.Of([.. Enumerable.Range(1, 9).Select(n => Wait(60, n, true)), .. Enumerable.Repeat(Wait(300, 50, true), 200)], Today);

        Assert.True(change.Z > 5);
        Assert.Equal(0, change.Direction);
    }

    [Fact]
    public void Of_Nothing_SaysNothing() => Assert.Equal((0, 1d, 0d), (RecentChange.Of([], Today).Direction, RecentChange.Of([], Today).Ratio, RecentChange.Of([], Today).Z));

    // Began so many days ago; passed or ended so many days later. What lies after today has not come.
    private static DatedWait Wait(int ago, int days, bool passed) => new(Today - ago, passed ? Today - ago + days : 0, passed ? 0 : Today - ago + days);
}
