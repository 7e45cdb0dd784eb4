namespace Jafer.Simulation.Tests;

public sealed class BacktestTests(SimulatedYears years)
{
    [Fact]
    public void Of_TheBase_IsNearerThanEverySimpleRuleAndAsSureAsItSays()
    {
        var back = Backtest.Of(years.Territory, years.Demands[0], years.Books[0]);

        Assert.True(back.Forecasts > 10_000);
        Assert.InRange(back.RatioToSimple, 0.6, 0.77);
        Assert.InRange(back.Covered, 0.75, 0.85);
        Assert.InRange(back.Sooner, 0.05, 0.15);
    }

    [Fact]
    public void Of_AllLevers_IsAsSureAsItSays()
    {
        var back = Backtest.Of(years.Territory, years.Demands[0], years.All);

        Assert.InRange(back.RatioToSimple, 0.6, 0.9);
        Assert.InRange(back.Covered, 0.75, 0.85);
    }

    [Fact]
    public void OfStored_WaitsOfADirectory_LooksBackAtTheYearWhoseOutcomesAreKnown()
    {
        // Four years of three espaces in which everybody waits 100 days, and one that has just begun.
        var file = Path.GetTempFileName();
        try
        {
            var last = new DateOnly(2026, 11, 28);
            string Day(DateOnly day) => day <= last ? day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture) : "";
            File.WriteAllLines(file, Enumerable.Range(0, 3).SelectMany(espace => Enumerable.Range(0, 365).Select(n => last.AddDays(-(4 * n) - espace))
                .Select(day => $"e{espace}/VISITE,{Day(day)},{Day(day.AddDays(20))},{Day(day.AddDays(80))},{Day(day.AddDays(100))},")).Prepend("queue,transmitted,contacted,scheduled,held,closed").Append("new/VISITE,2026-11-01,,,,2026-11-20"));

            var text = Backtest.OfStored(file);

            Assert.Contains("2024-11-28 to 2025-11-28, mean wait 100 days", text, StringComparison.Ordinal);
            Assert.Matches(@"(?m)^27\d forecasts", text);
            Assert.Matches(@"\| 0\.0 \| \d+\.\d \| \d\.\d \|", text);
            File.AppendAllText(file, "e0/VISITE,28.11.2026,,,,\n");
            Assert.Throws<UsageException>(() => Backtest.OfStored(file));

            // With terms, and without a court, as an export of today has them.
            File.WriteAllLines(file, Enumerable.Range(0, 365).Select(n => last.AddDays(-4 * n)).Select(day =>
                $"e/VISITE,{Day(day)},{Day(day.AddDays(20))},{Day(day.AddDays(80))},{Day(day.AddDays(100))},{Day(day.AddDays(290))},{Day(day.AddDays(80))},26,6,{(day.Day % 2 == 0 ? Day(day.AddDays(290)) : "")},{(day.Month == 5 ? 'f' : 't')}").Prepend("header"));
            var withTerms = Backtest.OfStored(file);
            Assert.Matches(@"(?m)^8\d forecasts", withTerms);
            Assert.Matches(@"\| 0\.0 \| \d+\.\d \| \d\.\d \|", withTerms);
            File.AppendAllText(file, "e/VISITE,2026-11-20,,,,,,26,6,,x\n");
            Assert.Throws<UsageException>(() => Backtest.OfStored(file));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
