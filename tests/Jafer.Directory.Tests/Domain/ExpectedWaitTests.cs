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
        Assert.All([0, 30, 400], age => Assert.Equal((60, 0, ForecastBasis.DeclaredWait), Figures(Declared(60, age))));

    [Fact]
    public void ExpectedOn_NothingKnown_IsNothing() => Assert.Null(Offer(wait: null).ExpectedOn(Day));

    [Fact]
    public void ExpectedOn_TransmittedSinceItWasDeclared_GrowsByThoseThatWillCome()
    {
        // Twenty today, of whom 17 will ask for a rencontre; one begins a day.
        var expected = Figures(Declared(60, 0, [.. Enumerable.Repeat(0, 20)]));

        Assert.Equal((77, 17, ForecastBasis.DeclaredWait), expected);
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

    [Theory]
    [InlineData(null, ForecastBasis.ObservedQueue, 150, 170)]
    [InlineData(181, ForecastBasis.ObservedQueue, 150, 170)]
    [InlineData(0, ForecastBasis.DeclaredWaitAndQueue, 53, 62)]
    [InlineData(180, ForecastBasis.DeclaredWaitAndQueue, 140, 160)]
    public void ExpectedOn_AQueueIsSeen_CountsItBesideWhatWasDeclared(int? age, ForecastBasis basis, int least, int most)
    {
        // One in five days, each held after 160 days; 20 declared.
        FollowedMesure[] followed = [.. Enumerable.Range(0, 140).Select(n => Day.DayNumber - (5 * n)).Select(day => new FollowedMesure(day, Day.DayNumber - day >= 160 ? day + 160 : 0, 0)
        {
            StepsKnown = true,
            ContactedOn = Day.DayNumber - day >= 20 ? day + 20 : 0,
            ScheduledOn = Day.DayNumber - day >= 140 ? day + 140 : 0,
        })];

        var expected = Declared(age is null ? null : 20, age ?? 0, followed: followed).ExpectedOn(Day)!.Value;

        Assert.Equal(basis, expected.Basis);
        Assert.InRange(expected.Days, least, most);
        Assert.Equal(basis == ForecastBasis.ObservedQueue ? 0 : expected.Days - 20, expected.Change);
    }

    [Fact]
    public void ExpectedOn_PlacesThatBecomeFree_TellWhenItIsTheTurnOfWhoComesNow()
    {
        // Thirty families have a place, ten wait; the terms lie far ahead, or in two months.
        ExpectedWait On(int months, int beside = 0)
        {
            FollowedMesure Place(int since, bool placed) => new(Day.DayNumber - since, placed ? Day.DayNumber - since + 90 : 0, 0)
            {
                StepsKnown = true,
                ContactedOn = Day.DayNumber - since + 20,
                ScheduledOn = placed ? Day.DayNumber - since + 80 : 0,
                PlacedOn = placed ? Day.DayNumber - since + 80 : 0,
                Terms = new(26, months, 0),
            };
            var offer = new Offer
            {
                Espace = Espace(),
                Modalite = Modalite.Visite,
                State = ModaliteState.Ouverte,
                Followed = [.. Enumerable.Range(0, 30).Select(_ => Place(210, placed: true)), .. Enumerable.Range(0, 10).Select(n => Place(60 + n, placed: false))],
                Beside = [.. Enumerable.Range(0, beside).Select(_ => Place(60, placed: false))],
            };
            return offer.ExpectedOn(Day)!.Value;
        }

        Assert.True(On(6).Days < 0.7 * On(24).Days);
        // Who was sent by no court stands in the same queue.
        Assert.True(On(24, beside: 5).Days > On(24).Days);
    }

    [Fact]
    public void ExpectedOn_FourPassings_LooksAtNoQueue()
    {
        FollowedMesure[] followed = [.. Enumerable.Repeat(new FollowedMesure(Day.DayNumber - 200, Day.DayNumber - 155, 0), 4)];

        Assert.Null(Declared(null, 0, followed: followed).ExpectedOn(Day));
        Assert.NotNull(Declared(null, 0, followed: [.. followed, followed[0]]).ExpectedOn(Day));
        Assert.Equal(ForecastBasis.DeclaredWait, Declared(20, 400, followed: followed).ExpectedOn(Day)!.Value.Basis);
    }

    [Fact]
    public void ExpectedOn_NothingLearned_HoldsAWideInterval()
    {
        var expected = Declared(100, 10).ExpectedOn(Day)!.Value;

        Assert.Equal(0, expected.LearnedFrom);
        Assert.InRange(expected.LowDays, 40, 60);
        Assert.InRange(expected.HighDays, 170, 230);
    }

    [Fact]
    public void On_ForecastsThatCameTrue_NarrowTheInterval()
    {
        // Forty espaces in which each waits 100 days, for two years.
        var forecasts = new PastForecasts();
        Offer[] offers = [.. Enumerable.Range(0, 40).Select(e => Declared(null, 0, forecasts: forecasts, followed: [.. Enumerable.Range(1, 70).Select(n => Day.DayNumber - (10 * n) - (e % 10)).Order()
            .Select(day => new FollowedMesure(day, Day.DayNumber - day >= 100 ? day + 100 : 0, 0)
            {
                StepsKnown = true,
                ContactedOn = Day.DayNumber - day >= 20 ? day + 20 : 0,
                ScheduledOn = Day.DayNumber - day >= 90 ? day + 90 : 0,
            })]))];
        forecasts.LearnFrom(_ => offers);

        var expected = offers[0].ExpectedOn(Day)!.Value;

        Assert.InRange(expected.LearnedFrom, 500, 40 * 70);
        Assert.InRange(expected.Days, 97, 103);
        Assert.InRange(expected.HighDays - expected.LowDays, 0, 20);
        Assert.InRange(forecasts.On(Modalite.Visite, Day.AddDays(2)).Of(new(100)).Median, 97, 103);
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

    private static (int, int, ForecastBasis) Figures(Offer offer) => offer.ExpectedOn(Day) is { } e ? (e.Days, e.Change, e.Basis) : default;

    // Declared so many days ago; mesures received so many days ago.
    private static Offer Declared(int? wait, int age, int[]? received = null, int slots = Slots, FollowedMesure[]? followed = null, PastForecasts? forecasts = null) => new()
    {
        Espace = Espace(),
        Modalite = Modalite.Visite,
        State = ModaliteState.Ouverte,
        SlotsPerWeek = slots,
        Wait = wait is { } days ? new Wait(days, Day.AddDays(-age)) : null,
        WaitSource = FigureSource.Declared,
        ReceivedOn = [.. (received ?? []).Select(ago => Day.DayNumber - ago).Order()],
        Followed = followed ?? [],
        Forecasts = forecasts,
    };
}
