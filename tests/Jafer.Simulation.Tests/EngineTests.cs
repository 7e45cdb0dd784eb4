using Jafer.Contracts.Mesure.V1;

[assembly: AssemblyFixture(typeof(Jafer.Simulation.Tests.SimulatedYears))]

namespace Jafer.Simulation.Tests;

/// <summary>A year that is simulated once for those that look at it: the whole of France, two seeds.</summary>
public sealed class SimulatedYears
{
    public SimulatedYears()
    {
        Territory = Territory.Read();
        Demands = new Demand[2];
        Parallel.For(0, Demands.Length, seed => Demands[seed] = Demand.Of(Territory, Parameters.Middle, seed));
        Books = new Books[2];
        Parallel.For(0, Books.Length, seed => Books[seed] = Engine.Run(Territory, Demands[seed], Policy.Base));
        All = Engine.Run(Territory, Demands[0], Policy.All, withActs: true);
    }

    internal Territory Territory { get; }

    internal Demand[] Demands { get; }

    internal Books[] Books { get; }

    internal Books All { get; }
}

public sealed class EngineTests(SimulatedYears years)
{
    [Fact]
    public void Run_OfTheSameSeed_GivesTheSameBooks()
    {
        var again = Engine.Run(years.Territory, Demand.Of(years.Territory, Parameters.Middle, 0), Policy.All, withActs: true);

        Assert.True(years.All.Acts!.SequenceEqual(again.Acts!));
        Assert.False(years.Demands[0].Hote.AsSpan(0, 1000).SequenceEqual(years.Demands[1].Hote.AsSpan(0, 1000)));
    }

    [Fact]
    public void Run_BeforeThePolicy_IsThatOfTheBase()
    {
        var (one, other) = (years.Books[0], years.All);
        var early = Enumerable.Range(0, years.Demands[0].Count).Where(m => years.Demands[0].Day[m] < Calendar.PolicyFirst);

        Assert.All(early, m => Assert.Equal((one.Site[m], Before(one.Booked[m]), Before(one.FirstHeld[m]), Before(one.Closed[m])), (other.Site[m], Before(other.Booked[m]), Before(other.FirstHeld[m]), Before(other.Closed[m]))));

        static int Before(int day) => day < Calendar.PolicyFirst ? day : -1;
    }

    [Fact]
    public void Figures_OfTheBase_Balance()
    {
        for (var seed = 0; seed < years.Books.Length; seed++)
        {
            var figures = Outcome.Of(years.Territory, years.Demands[seed], years.Books[seed]).Figures;

            Assert.Equal(figures["stock before"] + figures["new"], figures["closed"] + figures["under way"] + figures["waiting"] + figures["not contacted"]);
            Assert.Equal(1, figures["without follow-up"] + figures["term"] + figures["interruption"] + figures["other"], 9);
            Assert.Equal(1, figures["within 365"] + (1 - figures["within 365"] - figures["never"] - figures["still waiting"]) + figures["never"] + figures["still waiting"], 9);
            Assert.True(figures["never"] + figures["within 365"] <= 1);
        }
    }

    [Fact]
    public void Figures_OfTheBase_AreNearTheSurvey()
    {
        var runs = years.Books.Select((books, seed) => Outcome.Of(years.Territory, years.Demands[seed], books).Figures).ToArray();

        // Two seeds of thirty: twice what their mean is allowed.
        Assert.All(SurveyFigure.All, figure => Assert.InRange(figure.Gap(runs.Average(r => r[figure.Name])), -0.06, 0.06));
        Assert.InRange(years.Territory.Access.MeanMinutes / 15, 0.97, 1.03);
    }

    [Fact]
    public void Acts_OfARun_AccountForEveryRencontre()
    {
        var books = years.All;
        var held = new int[Calendar.End + 64];
        var scheduled = new int[Calendar.End + 64];
        var (given, started) = (0, 0);
        foreach (var act in books.Acts!)
        {
            held[act.Day] += act.Kind == ActKind.Held ? 1 : 0;
            scheduled[act.Day] += act.Kind is ActKind.Held or ActKind.NotHeld ? 1 : 0;
            given += act.Kind == ActKind.SlotGiven && act.Day >= Calendar.YearFirst && act.Day < Calendar.YearEnd ? 1 : 0;
            started += act.Kind == ActKind.Booked ? 1 : 0;
        }

        Assert.Equal(books.HeldOn, held);
        Assert.Equal(books.ScheduledOn, scheduled);
        Assert.Equal(books.Slots.Taken, given);
        Assert.InRange(given, 1, books.Slots.Offered);
        Assert.Equal(books.Booked.Count(day => day >= 0), started);
    }

    [Fact]
    public void Acts_OfAMesure_FollowEachOtherUntilItsClosing()
    {
        var last = new Act[years.Demands[0].Count];
        foreach (var act in years.All.Acts!)
        {
            var before = last[act.Mesure];
            Assert.True(before == default || (before.Day <= act.Day && before.Kind != ActKind.Closed), $"{before} is followed by {act}");
            Assert.True(act.Kind != ActKind.Closed || act.Reason != ClosureReason.Unspecified);
            last[act.Mesure] = act;
        }

        Assert.DoesNotContain(last, act => act == default);
    }

    [Fact]
    public void Run_OfAllLevers_BringsFirstRencontresForward()
    {
        var (before, after) = (Outcome.Of(years.Territory, years.Demands[0], years.Books[0]).Figures, Outcome.Of(years.Territory, years.Demands[0], years.All).Figures);

        Assert.True(after["restricted mean"] < 0.8 * before["restricted mean"]);
        Assert.True(after["hote"] > before["hote"]);
        Assert.Equal(0, before["moved"]);
    }
}
