namespace Jafer.Simulation.Tests;

public sealed class BacktestTests(SimulatedYears years)
{
    [Fact]
    public void Of_TheBase_IsNearerThanEverySimpleRuleAndAsSureAsItSays()
    {
        var back = Backtest.Of(years.Territory, years.Demands[0], years.Books[0]);

        Assert.True(back.Forecasts > 10_000);
        Assert.InRange(back.Ratio, 0.5, 0.9);
        Assert.InRange(back.Covered, 0.75, 0.85);
        Assert.InRange(back.Sooner, 0.05, 0.15);
    }

    [Fact]
    public void Of_AllLevers_IsAsSureAsItSays()
    {
        var back = Backtest.Of(years.Territory, years.Demands[0], years.All);

        Assert.InRange(back.Ratio, 0.5, 0.98);
        Assert.InRange(back.Covered, 0.75, 0.85);
    }
}
