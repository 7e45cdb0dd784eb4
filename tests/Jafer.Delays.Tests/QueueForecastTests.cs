using FsCheck;
using FsCheck.Fluent;

namespace Jafer.Delays.Tests;

public sealed class QueueForecastTests
{
    private static readonly QueueState s_queue = new(ConfirmedQueue: 20, DaysSinceConfirmed: 10, InFlight: 10, ChanceOfJoining: 0.8, FreePlaces: 0, StartsPerDay: 0.4);

    private static Arbitrary<QueueState> States => (
        from queue in Gen.Choose(0, 200)
        from since in Gen.Choose(0, 365)
        from flight in Gen.Choose(0, 60)
        from chance in Gen.Choose(0, 100)
        from free in Gen.Choose(0, 20)
        from rate in Gen.Choose(1, 300)
        select new QueueState(queue, since, flight, chance / 100.0, free, rate / 100.0)).ToArbitrary();

    [Fact]
    public void Ahead_OfAQueue_CountsThoseOnTheWayAndLeavesOutThoseServed()
    {
        // 20 + 10 · 0.8 − 10 · 0.4 = 24.
        Assert.Equal(24, QueueForecast.Ahead(s_queue), 9);
        Assert.Equal(21, QueueForecast.Ahead(s_queue with { FreePlaces = 3 }), 9);
    }

    [Fact]
    public void ExpectedDays_OfAQueue_IsWhatRemainsWhenTheMesureJoins()
    {
        // 24 ahead at 0.4 a day: 60 days, of which the mesure spends 45 on its way.
        Assert.Equal(60, QueueForecast.ExpectedDays(s_queue, 0), 9);
        Assert.Equal(15, QueueForecast.ExpectedDays(s_queue, 45), 9);
        Assert.Equal(0, QueueForecast.ExpectedDays(s_queue, 70), 9);
    }

    [Fact]
    public void ExpectedDays_OfAnything_IsNeverNegative() => Prop.ForAll(States, Gen.Choose(0, 200).ToArbitrary(), (state, lead) =>
        QueueForecast.ExpectedDays(state, lead) >= 0 && QueueForecast.Ahead(state) >= 0).QuickCheckThrowOnFailure();

    [Fact]
    public void ExpectedDays_WithOneMoreOnTheWay_IsNeverShorter() => Prop.ForAll(States, Gen.Choose(0, 200).ToArbitrary(), (state, lead) =>
        QueueForecast.ExpectedDays(state with { InFlight = state.InFlight + 1 }, lead) >= QueueForecast.ExpectedDays(state, lead)).QuickCheckThrowOnFailure();

    [Fact]
    public void ExpectedDays_WithoutAnyStart_IsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => QueueForecast.ExpectedDays(s_queue with { StartsPerDay = 0 }, 0));

    [Fact]
    public void StartRate_OfFewDays_IsTheUsualOneAndOfManyTheObserved()
    {
        Assert.Equal(0.2, QueueForecast.StartRate(0, 1e-9, 0.2), 6);
        Assert.Equal(0.4, QueueForecast.StartRate(4000, 10_000, 0.2), 4);
        Assert.True(QueueForecast.StartRate(0, 365, 0.2) is > 0 and < 0.2);
    }
}
