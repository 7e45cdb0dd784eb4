using FsCheck;
using FsCheck.Fluent;
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
        var observed = ObservedWaits.Of([.. Enumerable.Range(1, 10).Select(n => Mesure(200, 10 * n))], Day);

        Assert.Equal(new ObservedFigures(50, 80, 90, 10, Day.AddMonths(-24).AddDays(1), Day), observed);
    }

    [Fact]
    public void Of_AsManyStillWait_CountsThemAsLongAsTheyHave()
    {
        FollowedMesure[] mesures = [.. Enumerable.Range(1, 5).Select(n => Mesure(200, 10 * n)), .. Enumerable.Repeat(Mesure(60, null), 5)];

        Assert.Equal((50, null, null, 10), ObservedWaits.Of(mesures, Day) is { } o ? (o.Median, o.P80, o.P90, o.Mesures) : default);
        // One more of them, and when half will have had it is not known yet.
        Assert.Null(ObservedWaits.Of([.. mesures, Mesure(60, null)], Day));
    }

    [Fact]
    public void Of_FewerThanFiveSeen_TellsNothing() =>
        Assert.Null(ObservedWaits.Of([.. Enumerable.Range(1, 4).Select(n => Mesure(200, 10 * n)), Mesure(800, 10), Mesure(200, null, closed: 30)], Day));

    [Fact]
    public void Of_ClosedBeforeAnyOrTransmittedLongAgo_AreLeftOut()
    {
        FollowedMesure[] mesures = [.. Enumerable.Repeat(Mesure(200, 20), 5)];

        Assert.Equal(ObservedWaits.Of(mesures, Day), ObservedWaits.Of([.. mesures, Mesure(190, null, closed: 40), Mesure(740, 1), Mesure(731, 1)], Day));
        Assert.Equal(6, ObservedWaits.Of([.. mesures, Mesure(190, 30, closed: 40)], Day)!.Mesures);
    }

    [Fact]
    public void Of_AnEarlierDay_KnowsOnlyWhatHadHappened()
    {
        FollowedMesure[] mesures = [.. Enumerable.Repeat(Mesure(200, 20), 5), .. Enumerable.Repeat(Mesure(200, 100), 3), Mesure(200, null, closed: 150), Mesure(50, 1)];

        Assert.Equal((20, 9), ObservedWaits.Of(mesures, Day.AddDays(-110)) is { } then ? (then.Median, then.Mesures) : default);
        Assert.Equal((20, 9), ObservedWaits.Of(mesures, Day) is { } now ? (now.Median, now.Mesures) : default);
        Assert.Null(ObservedWaits.Of(mesures, Day.AddDays(-190)));
    }

    [Fact]
    public void Of_AnyMesures_IsTheSameInAnyOrderAndNoShorterForOneMoreThatWaits() => Prop.ForAll(Mesures, mesures =>
    {
        var observed = ObservedWaits.Of(mesures, Day);
        var more = ObservedWaits.Of([.. mesures, Mesure(700, null)], Day);
        return observed == ObservedWaits.Of([.. mesures.Reverse()], Day)
            && (observed is null || (observed.Median <= (observed.P80 ?? int.MaxValue) && observed.Median <= (more?.Median ?? int.MaxValue)));
    }).QuickCheckThrowOnFailure();

    // Transmitted so many days ago; held and closed so many days later.
    private static FollowedMesure Mesure(int ago, int? held, int? closed = null)
    {
        var day = Day.DayNumber - ago;
        return new(day, held is { } h ? day + h : 0, closed is { } c ? day + c : 0);
    }
}
