using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Agrement = Jafer.Directory.Domain.Agrement;

namespace Jafer.Directory.Tests.Domain;

public class AgrementTests
{
    private static readonly DateOnly Day = new(2026, 3, 10);

    [Fact]
    public void StateOn_FullFileWithoutAnswer_BecomesReputeAcquisAfterTwoMonths()
    {
        var agrement = Asked(Day);

        Assert.Equal(AgrementState.Demande, agrement.StateOn(new(2026, 5, 10)));
        Assert.False(agrement.IsValidOn(new(2026, 5, 10)));
        Assert.Equal(AgrementState.ReputeAcquis, agrement.StateOn(new(2026, 5, 11)));
        Assert.True(agrement.IsValidOn(new(2026, 5, 11)));
    }

    [Fact]
    public void GrantedBySilenceOn_FileOfTheLastDayOfDecember_CountsToTheEndOfFebruary() =>
        Assert.Equal(new DateOnly(2027, 3, 1), Asked(new(2026, 12, 31)).GrantedBySilenceOn);

    [Fact]
    public void IsValidOn_Granted_FromFirstToLastDayIncluded()
    {
        var agrement = new Agrement("69-1", "69", AgrementState.Accorde, null, Day, Day.AddDays(9));

        Assert.Equal([false, true, true, false], new[] { -1, 0, 9, 10 }.Select(n => agrement.IsValidOn(Day.AddDays(n))));
    }

    [Fact]
    public void IsValidOn_Withdrawn_UntilTheDayOfWithdrawal()
    {
        var agrement = new Agrement("69-1", "69", AgrementState.Retire, null, Day, Day.AddDays(9));

        Assert.True(agrement.IsValidOn(Day.AddDays(9)));
        Assert.Equal(AgrementState.Accorde, agrement.StateOn(Day.AddDays(9)));
        Assert.False(agrement.IsValidOn(Day.AddDays(10)));
        Assert.Equal(AgrementState.Retire, agrement.StateOn(Day.AddDays(10)));
    }

    [Fact]
    public void IsValidOn_Refused_Never() =>
        Prop.ForAll(Days(), day => Assert.False(new Agrement("", "69", AgrementState.Refuse, Day, null, null).IsValidOn(day)))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void IsValidOn_AnyAgrement_HoldsOnlyInAStateThatAllowsDesignation() =>
        Prop.ForAll(Agrements(), Days(), (agrement, day) =>
        {
            if (agrement.IsValidOn(day))
                Assert.Contains(agrement.StateOn(day), new[] { AgrementState.Accorde, AgrementState.ReputeAcquis });
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void IsValidOn_AnyAgrement_HasNoHole() =>
        Prop.ForAll(Agrements(), Days(), Days(), (agrement, a, b) =>
        {
            var (first, last) = a < b ? (a, b) : (b, a);
            var between = first.AddDays((last.DayNumber - first.DayNumber) / 2);
            if (agrement.IsValidOn(first) && agrement.IsValidOn(last))
                Assert.True(agrement.IsValidOn(between));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Overlaps_AnyTwoPeriods_MeansASharedDay() =>
        Prop.ForAll(Periods(), Periods(), (a, b) =>
            Assert.Equal(Enumerable.Range(0, 120).Any(n => a.Contains(Day.AddDays(n)) && b.Contains(Day.AddDays(n))), a.Overlaps(b)))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void StateOn_Refused_WasAskedUntilTheDecision()
    {
        var agrement = new Agrement("", "69", AgrementState.Refuse, Day, null, null) { DecisionDate = Day.AddDays(40) };

        Assert.Equal([AgrementState.Demande, AgrementState.Refuse], new[] { 39, 40 }.Select(n => agrement.StateOn(Day.AddDays(n))));
        Assert.False(agrement.RefusedTooLate);
        Assert.True((agrement with { DecisionDate = agrement.GrantedBySilenceOn }).RefusedTooLate);
    }

    [Fact]
    public void Collides_OtherPremises_MayHoldOnTheSameDay()
    {
        var (one, two, all) = (Granted("L1"), Granted("L2", "L3"), Granted());

        Assert.Equal([false, true, true, true], new[] { one.Collides(two), one.Collides(one), one.Collides(all), all.Collides(two) });
        Assert.False(one.Collides(one with { StartDate = Day.AddDays(100) }));
    }

    [Fact]
    public void Collides_AnyTwo_IsMutualAndMeansASharedDay() =>
        Prop.ForAll(Agrements(), Agrements(), (a, b) =>
        {
            Assert.Equal(a.Collides(b), b.Collides(a));
            if (a.Collides(b))
                Assert.Contains(Enumerable.Range(-300, 900), n => a.IsValidOn(Day.AddDays(n)) && b.IsValidOn(Day.AddDays(n)));
        }).QuickCheckThrowOnFailure();

    private static Agrement Granted(params string[] lieux) =>
        new("1", "69", AgrementState.Accorde, null, Day, Day.AddDays(50)) { LieuExternalIds = lieux };

    private static Agrement Asked(DateOnly day) => new("", "69", AgrementState.Demande, day, null, null);

    private static Arbitrary<DateOnly> Days() => Gen.Choose(-400, 800).Select(n => Day.AddDays(n)).ToArbitrary();

    private static Arbitrary<Period> Periods() =>
        Gen.Choose(0, 50).Zip(Gen.Choose(-10, 50), (from, length) => new Period(Day.AddDays(from), length < 0 ? null : Day.AddDays(from + length))).ToArbitrary();

    private static Arbitrary<Agrement> Agrements()
    {
        var day = Gen.Frequency((4, Gen.Choose(-200, 400).Select(n => (DateOnly?)Day.AddDays(n))), (1, Gen.Constant((DateOnly?)null)));
        return (from state in Gen.Elements(Enum.GetValues<AgrementState>()[1..])
                from request in day
                from start in day
                from end in day
                select new Agrement("1", "69", state, request, start, end)).ToArbitrary();
    }
}
