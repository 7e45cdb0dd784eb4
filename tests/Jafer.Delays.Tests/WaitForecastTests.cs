using FsCheck;
using FsCheck.Fluent;

namespace Jafer.Delays.Tests;

/// <summary>The record of a queue, its level, and what past forecasts make of it.</summary>
public class WaitForecastTests
{
    private const int Today = 2000;

    // Mesures that take their steps in any order and at any distance, some never.
    private static Gen<DatedWait> Mesure { get; } =
        from began in Gen.Choose(1, Today + 50)
        from steps in Gen.Choose(-60, 400).ArrayOf(6)
        from terms in Gen.Choose(0, 24).ArrayOf(3)
        from beside in Gen.Frequency((7, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new DatedWait(began, Step(began, steps[0]), Step(began, steps[1]))
        {
            ContactedOn = Step(began, steps[2]),
            ScheduledOn = Step(began, steps[3]),
            PlacedOn = Step(began, steps[4]),
            Terms = new(2 * terms[0], terms[1], 0) { RevisedOn = Step(began, steps[5]), RevisedMonths = terms[2] },
            Beside = beside,
        };

    private static int Step(int began, int days) => days < 0 ? 0 : began + days;

    [Fact]
    public void RecordOf_AnyMesures_CountsThoseThatStandThere() => Prop.ForAll(Mesure.ArrayOf().ToArbitrary(), waits =>
    {
        var record = PastLevels.RecordOf(waits, Today);
        var waiting = waits.Count(w => !w.Beside && w.Began <= Today && !Left(w));

        return record.OnTheWay + record.Queued == waiting && record.OnTheWay >= 0 && record.Queued >= 0 && record.LongestInQueue is >= 0 and <= Today
            && record.LastWaits == Math.Min(WaitLevel.LastWaits, waits.Count(w => !w.Beside && w.Began <= Today && w.PassedOn != 0 && Math.Max(w.PassedOn, w.Began + 2) <= Today));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Follow_WhatComesLater_ChangesNoLevel() => Prop.ForAll(Mesure.ArrayOf().ToArbitrary(), Gen.Choose(300, Today).ToArbitrary(), (waits, day) =>
    {
        var all = PastLevels.Follow([waits], Today);
        DatedWait[] known = [.. waits.Select(w => w with
        {
            PassedOn = Until(w.PassedOn),
            EndedOn = Until(w.EndedOn),
            ContactedOn = Until(w.ContactedOn),
            ScheduledOn = Until(w.ScheduledOn),
            PlacedOn = Until(w.PlacedOn),
            Terms = w.Terms.RevisedOn <= day ? w.Terms : w.Terms with { RevisedOn = 0, RevisedMonths = 0 },
        })];
        var then = PastLevels.Follow([known], day);

        return Enumerable.Range(0, waits.Length).All(w => waits[w].Began > day || all.Of(0, w).Equals(then.Of(0, w)));

        int Until(int step) => step <= day ? step : 0;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void RecordOf_AnyOrder_IsTheSame() => Prop.ForAll(Mesure.ArrayOf().ToArbitrary(), waits =>
    {
        var (one, other) = (PastLevels.RecordOf(waits, Today), PastLevels.RecordOf([.. waits.Reverse()], Today));

        return (one.OnTheWay, one.Queued, one.Scheduled, one.LongestInQueue) == (other.OnTheWay, other.Queued, other.Scheduled, other.LongestInQueue)
            && Near(one.Places.DaysToFirst(), other.Places.DaysToFirst());

        // Who joined on one day may stand the one way or the other, and sums differ in their last digit.
        static bool Near(int? one, int? other) => one is null ? other is null : other is { } days && Math.Abs(one.Value - days) <= Math.Max(3, one.Value / 10);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_OneMoreOnTheWay_IsNeverSooner() => Prop.ForAll(Mesure.ArrayOf(60).ToArbitrary(), waits =>
        WaitLevel.Of(PastLevels.RecordOf(waits, Today)) is not { } level
        || level.Days <= WaitLevel.Of(PastLevels.RecordOf([.. waits, new(Today, 0, 0)], Today))!.Value.Days).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public void Of_FewPassings_IsNothing(int waiting)
    {
        DatedWait[] waits = [.. Enumerable.Range(0, WaitLevel.LeastPassed - 1).Select(i => new DatedWait(1800 + i, 1900 + i, 0)), .. Enumerable.Repeat(new DatedWait(1950, 0, 0), waiting)];

        Assert.Null(WaitLevel.Of(PastLevels.RecordOf(waits, Today)));
        Assert.NotNull(WaitLevel.Of(PastLevels.RecordOf([.. waits, new(1800, 1900, 0)], Today)));
    }

    [Fact]
    public void Of_ASteadyQueue_IsItsWait()
    {
        // One transmitted a day, reached after 20 days, scheduled after 80, held after 90, for nine months; of those in the queue and before, all come.
        DatedWait[] waits = [.. Enumerable.Range(500, 1500).Select(day => new DatedWait(day, day + 90, day + 364) { ContactedOn = day + 20, ScheduledOn = day + 80 })];

        Assert.InRange(WaitLevel.Of(PastLevels.RecordOf(waits, Today))!.Value.Days, 75, 100);
        Assert.InRange(WaitLevel.Of(PastLevels.RecordOf([.. waits.Select(w => w with { PlacedOn = w.ScheduledOn })], Today))!.Value.Days, 65, 100);
    }

    [Fact]
    public void Of_NothingKnown_IsTheLevelWithAWideInterval()
    {
        var forecast = new ForecastCalibration().Of(new(100));

        Assert.Equal((0, 100), (forecast.Calibrated, forecast.Median));
        Assert.InRange(forecast.Low, 40, 60);
        Assert.InRange(forecast.High, 170, 230);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(1.4)]
    [InlineData(0.6)]
    public void Of_ForecastsThatErredAlike_IsSetRightAndNarrow(double factor)
    {
        var calibration = new ForecastCalibration();
        for (var i = 0; i < 500; i++)
            calibration.Add(100, new DatedWait(1300 + i, 1300 + i + (int)(100 * factor), 0), Today);

        var forecast = calibration.Of(new(100));

        Assert.Equal(500, forecast.Calibrated);
        Assert.InRange(forecast.Median, (100 * factor) - 2, (100 * factor) + 2);
        Assert.InRange(forecast.High - forecast.Low, 0, 6);
    }

    [Fact]
    public void Of_ForecastsThatStillWait_AreNotTakenForShortOnes()
    {
        // Each waits 150 days in truth; of half it is not known yet.
        var calibration = new ForecastCalibration();
        for (var i = 0; i < 300; i++)
            calibration.Add(100, new DatedWait(Today - 299 + i, Today - 149 + i, 0), Today);

        Assert.InRange(calibration.Of(new(100)).Median, 145, 152);
    }

    [Fact]
    public void Of_DrawnErrors_HoldsEightInTen()
    {
        var random = new Random(7);
        DatedWait Draw(int began) => new(began, began + (int)Math.Round(120 * Math.Exp(0.5 * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))), 0);
        var calibration = new ForecastCalibration();
        for (var i = 0; i < 4000; i++)
            calibration.Add(120, Draw(Today - 700 + (i % 690)), Today);
        var forecast = calibration.Of(new(120));

        var held = Enumerable.Range(0, 4000).Count(_ => Draw(1) is var wait && wait.PassedOn - 1 >= forecast.Low && wait.PassedOn - 1 <= forecast.High);

        Assert.InRange(held / 4000.0, 0.78, 0.84);
        Assert.InRange(forecast.Median, 115, 125);
    }

    [Fact]
    public void Of_AnyForecasts_LowMedianAndHighAreInOrder() => Prop.ForAll(Mesure.ArrayOf().ToArbitrary(), Gen.Choose(1, 900).ToArbitrary(), (waits, level) =>
    {
        var calibration = new ForecastCalibration();
        foreach (var wait in waits)
            calibration.Add(level, wait, Today);
        var forecast = calibration.Of(new(level));
        return forecast.Low <= forecast.Median && forecast.Median <= forecast.High && forecast.Low >= 0;
    }).QuickCheckThrowOnFailure();

    private static bool Left(DatedWait wait)
    {
        int Day(int step) => step == 0 ? int.MaxValue : Math.Max(step, wait.Began + 2);
        return Math.Min(Day(wait.PassedOn), Math.Min(Day(wait.EndedOn), Day(wait.ScheduledOn))) <= Today;
    }
}
