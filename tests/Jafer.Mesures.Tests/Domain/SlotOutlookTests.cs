using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>The queue against the places of the next weeks.</summary>
public sealed class SlotOutlookTests
{
    // Any queue, with families that come later or seldom, and any weeks: closed ones, and overbooked ones.
    private static Arbitrary<Case> Cases => (
        from weeks in (from places in Gen.Choose(0, 12) from booked in Gen.Choose(0, 8) select new WeekOfPlaces(places, booked)).ListOf(SlotOutlook.Weeks)
        from queue in (
            from week in Gen.Choose(0, 5)
            from waited in Gen.Choose(0, 150)
            from share in Gen.Choose(1, 2500)
            from first in Gen.Elements(true, true, true, false)
            select new QueuedFamily(week, waited, share, first)).ListOf()
        from size in Gen.Choose(1, 2)
        from families in Gen.Choose(1, 4)
        from target in Gen.Choose(1, 160)
        from more in Gen.Choose(0, 5).ListOf(SlotOutlook.Weeks)
        select new Case([.. weeks], [.. queue.OrderBy(f => f.Week)], size, families, target, [.. more])).ToArbitrary();

    [Fact]
    public void Begins_MorePlacesInAnyWeek_LetNobodyBeginLater() => Prop.ForAll(Cases, c =>
    {
        var more = c.Weeks.Select((w, i) => w with { Places = w.Places + c.More[i] }).ToList();
        var (before, after) = (SlotOutlook.Begins(c.Weeks, c.Queue, c.Size, 0), SlotOutlook.Begins(more, c.Queue, c.Size, 0));
        return before.Zip(after).All(b => (b.Second ?? int.MaxValue) <= (b.First ?? int.MaxValue));
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Begins_AnyQueue_KeepsItsOrderItsArrivalsAndThePlaces() => Prop.ForAll(Cases, c =>
    {
        var begins = SlotOutlook.Begins(c.Weeks, c.Queue, c.Size, 0);
        var known = begins.TakeWhile(b => b is not null).Select(b => b!.Value).ToList();
        return begins.Skip(known.Count).All(b => b is null)
            && known.SequenceEqual(known.Order())
            && known.Zip(c.Queue).All(b => b.First >= b.Second.Week)
            && known.GroupBy(w => w).All(g => g.Count() * c.Size <= c.Weeks[g.Key].Places - c.Weeks[g.Key].Booked);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_AnyQueue_NamesTheFewestSessionsThatSuffice() => Prop.ForAll(Cases, c =>
    {
        var outlook = SlotOutlook.Of(c.Weeks, c.Queue, c.Size, c.Families, c.Target);
        int With(int sessions) => SlotOutlook.P80(c.Queue, SlotOutlook.Begins(c.Weeks, c.Queue, c.Size, sessions * c.Families)) ?? int.MaxValue;
        if (!c.Queue.Any(f => f.First))
        {
            return outlook is { P80: null, ExtraSessions: 0, Reachable: true };
        }

        // What is not reached is as near as any number brings it.
        var goal = outlook.Reachable ? c.Target : With(100_000);
        return With(outlook.ExtraSessions) <= goal
            && (outlook.ExtraSessions == 0 || With(outlook.ExtraSessions - 1) > goal)
            && outlook.Reachable == With(100_000) <= c.Target
            && (outlook.P80WithExtra ?? int.MaxValue) == With(outlook.ExtraSessions);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void Of_TwoPlacesAWeekAndFourWhoComeEveryWeek_ServesTwoAndNamesTheMissingSessions()
    {
        var weeks = Enumerable.Repeat(new WeekOfPlaces(3, 1), SlotOutlook.Weeks).ToList();
        var queue = Enumerable.Repeat(new QueuedFamily(0, 20, SlotOutlook.Whole, true), 4).ToList();

        var outlook = SlotOutlook.Of(weeks, queue, 1, 1, 60);

        Assert.Equal([0, 0, null, null], outlook.Begins);
        Assert.Null(outlook.P80);
        Assert.Equal((2, true, 20), (outlook.ExtraSessions, outlook.Reachable, outlook.P80WithExtra));
        Assert.False(SlotOutlook.Of(weeks, queue, 1, 1, 10).Reachable);
    }

    [Fact]
    public void ShareOf_PeriodicityOfTheDecision_IsCountedByTheWeek()
    {
        Assert.Equal(1000, SlotOutlook.ShareOf(new Cadence(1, 1, PeriodicityUnit.Week), 1));
        Assert.Equal(1000, SlotOutlook.ShareOf(new Cadence(1, 2, PeriodicityUnit.Week), 2));
        Assert.Equal(230, SlotOutlook.ShareOf(new Cadence(1, 1, PeriodicityUnit.Month), 1));
        Assert.Equal(460, SlotOutlook.ShareOf(null, 1));
        Assert.Equal(0, SlotOutlook.WeeksUntilReady(MesureState.EnAttente));
        Assert.Null(SlotOutlook.WeeksUntilReady(MesureState.Suspendue));
    }

    internal sealed record Case(IReadOnlyList<WeekOfPlaces> Weeks, IReadOnlyList<QueuedFamily> Queue, int Size, int Families, int Target, IReadOnlyList<int> More);
}
