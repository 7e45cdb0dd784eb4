using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

public class ExpectedWaitTests
{
    // One first rencontre begins a day: 10.7 rencontres of a mesure, over seven days.
    private const int Slots = 75;

    [Fact]
    public void ExpectedOn_NothingTransmitted_IsWhatWasDeclared() =>
        Assert.All([0, 30, 400], age => Assert.Equal(new ExpectedWait(60, 0, false), Declared(60, age).ExpectedOn(Day)));

    [Fact]
    public void ExpectedOn_NothingKnown_IsNothing() => Assert.Null(Offer(wait: null).ExpectedOn(Day));

    [Fact]
    public void ExpectedOn_TransmittedSinceItWasDeclared_GrowsByThoseThatWillCome()
    {
        // Twenty today, of whom 17 will ask for a rencontre; one begins a day.
        var expected = Declared(60, 0, [.. Enumerable.Repeat(0, 20)]).ExpectedOn(Day);

        Assert.Equal(new ExpectedWait(77, 17, false), expected);
    }

    [Fact]
    public void ExpectedOn_AsManyAsUsual_StaysWhatWasDeclared()
    {
        // Seven in ten days for a year: fewer than can begin, so that others come by another way.
        int[] received = [.. Enumerable.Range(0, 400).Where(ago => ago % 10 < 7)];

        Assert.All([20, 60, 200], age => Assert.InRange(Declared(100, age, received).ExpectedOn(Day)!.Value.Change, -3, 3));
    }

    [Fact]
    public void ExpectedOn_FewerThanUsual_FallsAndStopsWhereNobodyWaits()
    {
        // A year of one a day, and since it was declared nobody.
        int[] Received(int pause) => [.. Enumerable.Range(pause, 400)];

        Assert.InRange(Declared(100, 40, Received(40)).ExpectedOn(Day)!.Value.Days, 60, 75);
        Assert.Equal(ExpectedWait.LeadDays, Declared(100, 150, Received(150)).ExpectedOn(Day)!.Value.Days);
        Assert.Equal(5, Declared(5, 150, Received(150)).ExpectedOn(Day)!.Value.Days);
    }

    [Fact]
    public void ExpectedOn_FewComeByJafer_KeepsWhatWasDeclared()
    {
        // One a month, of the thirty that begin: that none came since it was declared says nothing of the queue.
        int[] received = [.. Enumerable.Range(3, 12).Select(month => 30 * month)];

        Assert.InRange(Declared(100, 90, received).ExpectedOn(Day)!.Value.Days, 95, 100);
    }

    [Fact]
    public void ExpectedOn_NeitherSlotsNorStartsKnown_IsWhatWasDeclared() =>
        Assert.Equal(60, Declared(60, 10, [.. Enumerable.Repeat(0, 20)], slots: 0).ExpectedOn(Day)!.Value.Days);

    [Fact]
    public void ExpectedOn_StartsSeen_AreTheRateWhereNoSlotsAreSaid()
    {
        // 180 first rencontres over 360 days: one in two days, so that seventeen that will come add 34 days.
        FollowedMesure[] followed = [.. Enumerable.Range(1, 180).Select(n => new FollowedMesure(Day.DayNumber - 360, Day.DayNumber - (2 * n) + 1, 0))];

        Assert.InRange(Declared(60, 0, [.. Enumerable.Repeat(0, 20), 360], slots: 0, followed).ExpectedOn(Day)!.Value.Change, 33, 35);
    }

    [Theory]
    [InlineData(null, 45, true)]
    [InlineData(200, 45, true)]
    [InlineData(180, 20, false)]
    public void ExpectedOn_NeverDeclaredOrLongAgo_IsWhatWasObserved(int? age, int days, bool observed)
    {
        FollowedMesure[] followed = [.. Enumerable.Repeat(new FollowedMesure(Day.DayNumber - 200, Day.DayNumber - 155, 0), 5)];

        Assert.Equal((days, observed), Declared(age is null ? null : 20, age ?? 0, followed: followed).ExpectedOn(Day) is { } e ? (e.Days, e.Observed) : default);
        // Four are too few.
        Assert.Equal(age is not null, Declared(age is null ? null : 20, age ?? 0, followed: followed[1..]).ExpectedOn(Day) is { Observed: false });
    }

    [Fact]
    public void ExpectedOn_OneMoreTransmitted_IsNeverShorter() => Prop.ForAll(
        Gen.Choose(0, 500).ArrayOf().ToArbitrary(), Gen.Choose(0, 500).Zip(Gen.Choose(0, 900)).ToArbitrary(), Gen.Choose(1, 100).ToArbitrary(), (received, declared, slots) =>
        {
            var (wait, age) = declared;
            int[] more = [.. received, 0];
            return Declared(wait, age, received, slots).ExpectedOn(Day)!.Value.Days <= Declared(wait, age, more, slots).ExpectedOn(Day)!.Value.Days
                // A longer wait declared is never a shorter one.
                && Declared(wait, age, received, slots).ExpectedOn(Day)!.Value.Days <= Declared(wait + 1, age, received, slots).ExpectedOn(Day)!.Value.Days;
        }).QuickCheckThrowOnFailure();

    // Declared so many days ago; mesures received so many days ago.
    private static Offer Declared(int? wait, int age, int[]? received = null, int slots = Slots, FollowedMesure[]? followed = null) => new()
    {
        Espace = Espace(),
        Modalite = Modalite.Visite,
        State = ModaliteState.Ouverte,
        SlotsPerWeek = slots,
        Wait = wait is { } days ? new Wait(days, Day.AddDays(-age)) : null,
        WaitSource = FigureSource.Declared,
        ReceivedOn = [.. (received ?? []).Select(ago => Day.DayNumber - ago).Order()],
        Followed = followed ?? [],
    };
}
