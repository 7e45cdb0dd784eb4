using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Delays;
using Jafer.Directory.Domain;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

public class ObservedWaitsTests
{
    private static Arbitrary<FollowedMesure[]> Mesures =>
        (from ago in Gen.Choose(0, 900)
         from held in Gen.Choose(-100, 400)
         from closed in Gen.Choose(-100, 400)
         select Mesure(ago, held < 0 ? null : held, closed < 0 ? null : closed)).ListOf().Select(m => m.ToArray()).ToArbitrary();

    [Fact]
    public void Of_EveryFirstRencontreSeen_IsTheirPlainQuantiles()
    {
        var observed = ObservedWaits.Of([.. Enumerable.Range(1, 10).Select(n => Mesure(200, 10 * n))], null, Day);

        Assert.Equal(new ObservedFigures(50, 80, 90, 10, 1, WaitTrend.Steady, Day.AddMonths(-24).AddDays(1), Day), observed);
    }

    [Fact]
    public void Of_AsManyStillWait_CountsThemAsLongAsTheyHave()
    {
        FollowedMesure[] mesures = [.. Enumerable.Range(1, 5).Select(n => Mesure(200, 10 * n)), .. Enumerable.Repeat(Mesure(60, null), 5)];

        Assert.Equal((50, null, null, 10), Told(mesures));
        // One more of them, and when half will have had it is not known yet.
        Assert.Null(ObservedWaits.Of([.. mesures, Mesure(60, null)], null, Day));
    }

    [Fact]
    public void Of_FewerThanFiveSeen_TellsNothingOfTheEspace()
    {
        FollowedMesure[] mesures = [.. Enumerable.Range(1, 4).Select(n => Mesure(200, 10 * n)), Mesure(800, 10), Mesure(200, null, closed: 30)];

        Assert.Null(ObservedWaits.Of(mesures, null, Day));
        // What its région saw is told instead, and nothing of its own shows in it.
        var wider = Wider(Enumerable.Repeat(Mesure(200, 70), 20));
        Assert.Equal((70, 70, 70, 0), Told(mesures, wider));
        Assert.Equal((0d, WaitTrend.Unspecified), ObservedWaits.Of(mesures, wider, Day) is { } o ? (o.OwnWeight, o.Trend) : default);
    }

    [Fact]
    public void Of_TenSeen_CountThemHalf()
    {
        FollowedMesure[] mesures = [.. Enumerable.Repeat(Mesure(200, 20), 10)];
        var wider = Wider(Enumerable.Repeat(Mesure(200, 70), 20));

        Assert.Equal(0.5, ObservedWaits.Of(mesures, wider, Day)!.OwnWeight);
        Assert.Equal((20, 70, 70, 10), Told(mesures, wider));
    }

    [Fact]
    public void Of_ClosedBeforeAny_IsTheWaitOfThoseThatHaveOne()
    {
        FollowedMesure[] seen = [.. Enumerable.Range(1, 10).Select(n => Mesure(200, 10 * n))];
        FollowedMesure[] closed = [.. Enumerable.Range(1, 10).Select(n => Mesure(200, null, closed: 10 * n))];

        Assert.Equal((50, 80, 90, 10), Told([.. seen, .. closed]));
        // A closing after the first rencontre changes nothing, and what came before the window is forgotten.
        Assert.Equal((50, 80, 90, 10), Told([.. seen[..9], Mesure(200, 100, closed: 120), Mesure(740, 1), Mesure(731, 1)]));
    }

    [Fact]
    public void Of_AnEarlierDay_KnowsOnlyWhatHadHappened()
    {
        FollowedMesure[] mesures = [.. Enumerable.Repeat(Mesure(200, 20), 5), .. Enumerable.Repeat(Mesure(200, 100), 3), Mesure(200, null, closed: 150), Mesure(50, 1)];

        Assert.Equal((20, 9), ObservedWaits.Of(mesures, null, Day.AddDays(-110)) is { } then ? (then.Median, then.Mesures) : default);
        Assert.Equal((20, 9), ObservedWaits.Of(mesures, null, Day) is { } now ? (now.Median, now.Mesures) : default);
        Assert.Null(ObservedWaits.Of(mesures, null, Day.AddDays(-190)));
    }

    [Fact]
    public void Of_AnyMesures_IsTheSameInAnyOrderAndOrdered() => Prop.ForAll(Mesures, mesures =>
    {
        var observed = ObservedWaits.Of(mesures, null, Day);
        return observed == ObservedWaits.Of([.. mesures.Reverse()], null, Day) && (observed is null || observed.Median <= (observed.P80 ?? int.MaxValue));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(WaitStart.Transmission, WaitEnd.Held, 50)]
    [InlineData(WaitStart.Transmission, WaitEnd.Planned, 40)]
    [InlineData(WaitStart.Transmission, WaitEnd.Scheduled, 30)]
    [InlineData(WaitStart.FirstContact, WaitEnd.Held, 40)]
    [InlineData(WaitStart.FirstContact, WaitEnd.Scheduled, 20)]
    public void Wait_EachStep_IsCountedFromWhereAndUntilWhatIsAsked(WaitStart start, WaitEnd end, int days)
    {
        var mesure = Mesure(100, 50) with { StepsKnown = true, ContactedOn = Day.DayNumber - 90, ScheduledOn = Day.DayNumber - 70, PlannedOn = Day.DayNumber - 60 };

        Assert.Equal(days, mesure.Wait(start, end) is { } w ? w.PassedOn - w.Began : -1);
    }

    [Fact]
    public void Wait_StepNotKnownOrToldLate_IsLeftOutOrBounded()
    {
        // Came before the steps were followed: of it only the first rencontre held is known.
        Assert.Null(Mesure(100, 50).Wait(WaitStart.Transmission, WaitEnd.Scheduled));
        Assert.NotNull(Mesure(100, 50).Wait(WaitStart.Transmission, WaitEnd.Held));
        // Never reached: its wait from the contact has not begun.
        Assert.Null((Mesure(100, null) with { StepsKnown = true }).Wait(WaitStart.FirstContact, WaitEnd.Held));
        // Never scheduled, but held: it was scheduled by then.
        Assert.Equal(50, (Mesure(100, 50) with { StepsKnown = true }).Wait(WaitStart.Transmission, WaitEnd.Scheduled) is { } w ? w.PassedOn - w.Began : -1);
        // A contact that was recorded after the first rencontre makes no negative wait.
        Assert.Equal(0, (Mesure(100, 50) with { StepsKnown = true, ContactedOn = Day.DayNumber - 40 }).Wait(WaitStart.FirstContact, WaitEnd.Held) is { } c ? c.PassedOn - c.Began : -1);
    }

    [Fact]
    public void WiderWaits_RegionThatSawLittle_LeansOnTheNation()
    {
        var regions = new Dictionary<string, string> { ["69"] = "84", ["01"] = "84", ["75"] = "11" };
        var waits = new WiderWaits(
            [("69", [.. Enumerable.Repeat(Mesure(200, 20), 5)]), ("01", [.. Enumerable.Repeat(Mesure(200, 20), 5)]), ("75", [.. Enumerable.Repeat(Mesure(200, 70), 90)])],
            regions, mesures => ObservedWaits.Count(mesures, Day));

        Assert.Equal(0.5, waits.InRegionOf("01").OwnWeight);
        Assert.Equal((20, 70), (waits.InRegionOf("01").Quantile(0.5), waits.InRegionOf("01").Quantile(0.8)));
        // A département of which nothing is known, and one without any espace.
        Assert.Equal((70, 70), (waits.InRegionOf("2A").Quantile(0.5), waits.Nation.Quantile(0.5)));
    }

    private static (int Median, int? P80, int? P90, int Mesures)? Told(FollowedMesure[] mesures, PooledWait? wider = null) =>
        ObservedWaits.Of(mesures, wider, Day) is { } o ? (o.Median, o.P80, o.P90, o.Mesures) : null;

    private static PooledWait Wider(IEnumerable<FollowedMesure> mesures) => PooledWait.Of(CumulativeIncidence.Of(ObservedWaits.Count(mesures, Day)));

    // Transmitted so many days ago; held and closed so many days later.
    private static FollowedMesure Mesure(int ago, int? held, int? closed = null)
    {
        var day = Day.DayNumber - ago;
        return new(day, held is { } h ? day + h : 0, closed is { } c ? day + c : 0);
    }
}
