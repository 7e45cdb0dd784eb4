using FsCheck;
using FsCheck.Fluent;

namespace Jafer.Delays.Tests;

/// <summary>When the places that become free have served all who stand before.</summary>
public class PlaceFlowTests
{
    private const int Today = 1000;

    // Contact, interviews and the way to the first rencontre, where a place is free.
    private const int Way = 63;

    [Fact]
    public void DaysToFirst_NoPlaceTakenForHalfAYear_IsUnknown()
    {
        var flow = Taken(10, Today - 400, new(26, 3, 0));
        Assert.NotNull(flow.DaysToFirst());
        for (var id = 0; id < 10; id++)
            flow.Leave(Today - 200, id);

        flow.Advance(Today - 30);
        Assert.NotNull(flow.DaysToFirst());
        flow.Advance(Today);

        Assert.Null(flow.DaysToFirst());
        Assert.Null(new PlaceFlow().DaysToFirst());
    }

    [Fact]
    public void DaysToFirst_AFreePlaceAndNobodyBefore_IsTheWayAlone()
    {
        var flow = Taken(10, Today - 100, new(26, 24, 0));
        flow.Leave(Today, 3);

        Assert.Equal(Way, flow.DaysToFirst());
    }

    [Fact]
    public void DaysToFirst_AllPlacesEndOnOneDay_IsThatDay()
    {
        // Ten places of half a slot, of which one in 650 is interrupted a day: 0.71 slots until day 100. One in the queue takes 0.41 of
        // them, and for the next one 0.50 are not left.
        var flow = Taken(10, Today - 100, new(26, 0, Today + 100));
        flow.Begin(Today - 50, 50, new(26, 12, 0), queued: true);
        flow.Advance(Today);

        Assert.Equal(100 + 18, flow.DaysToFirst());
    }

    [Fact]
    public void DaysToFirst_ByInterruptionsAlone_IsTheirPace()
    {
        // 100 places of half a slot: 0.0767 slots a day, those given anew among them. Eight in the queue take 0.47 each, less what gives up.
        var flow = Taken(100, Today - 10, new(26, 60, 0));
        for (var id = 200; id < 208; id++)
            flow.Begin(Today, id, new(26, 60, 0), queued: true);
        flow.Advance(Today);

        var slots = (8 * 0.95 * 0.49829 * 0.96) + 0.49829;
        Assert.InRange(flow.DaysToFirst()!.Value - 18, (slots / 0.0767) - 3, (slots / 0.0767) + 3);
    }

    [Fact]
    public void DaysToFirst_RevisedTerm_HoldsFromItsDayOn()
    {
        MesureTerms terms = new(26, 0, Today + 90);
        var prolonged = terms with { RevisedOn = Today, RevisedMonths = 12, RevisedTermOn = Today + 400 };
        int? On(MesureTerms of, int day)
        {
            var flow = Taken(10, Today - 100, of);
            for (var id = 50; id < 54; id++)
                flow.Begin(day, id, new(26, 12, 0), queued: true);
            flow.Advance(day);
            return flow.DaysToFirst();
        }

        Assert.Equal(On(terms, Today - 1), On(prolonged, Today - 1));
        Assert.Equal(90 + 18, On(terms, Today));
        Assert.True(On(prolonged, Today) > 300);
    }

    [Fact]
    public void DaysToFirst_ForgottenClosings_HoldNoPlaceForEver()
    {
        // Their term is past, nobody closed them: for two months they may still come, then the queue has the places.
        var flow = Taken(10, Today - 400, new(26, 0, Today - 100));
        for (var id = 50; id < 60; id++)
        {
            flow.Begin(Today - 50, id, new(26, 12, 0), queued: true);
            flow.Place(Today - 20, id);
        }

        flow.Advance(Today);

        // Ten of ten places are taken again, by those placed: the others are not counted beside them.
        Assert.InRange(flow.DaysToFirst()!.Value, 70, 200);
    }

    [Fact]
    public void DaysToFirst_TermsOfWhoWaits_SetPlacesFreeAgain()
    {
        // Ten places end on day 100, and twelve before take nearly all of them: until day 130, by a term counted from the decision, or
        // one that was modified to it, else for a year.
        int After(MesureTerms terms)
        {
            var flow = Taken(10, Today - 100, new(26, 0, Today + 100));
            for (var id = 50; id < 62; id++)
                flow.Begin(Today, id, terms, queued: true);
            flow.Advance(Today);
            return flow.DaysToFirst()!.Value;
        }

        Assert.Equal(130 + 18, After(new(26, 12, Today + 130)));
        Assert.Equal(130 + 18, After(new MesureTerms(26, 12, 0) { RevisedOn = Today, RevisedMonths = 3, RevisedTermOn = Today + 130 }));
        Assert.InRange(After(new(26, 12, 0)), 165, 200);
    }

    [Fact]
    public void DaysToFirst_WhoComesOften_TakesMoreOfAPlace()
    {
        int After(int perYear)
        {
            var flow = Taken(40, Today - 10, new(26, 60, 0));
            for (var id = 50; id < 60; id++)
                flow.Begin(Today, id, new(perYear, 12, 0), queued: true);
            flow.Advance(Today);
            return flow.DaysToFirst()!.Value;
        }

        Assert.True(After(52) > After(26));
        Assert.True(After(26) > After(12));
    }

    [Fact]
    public void DaysToFirst_AnyPlaces_OneMoreBeforeIsNeverSooner() => Prop.ForAll(
        Gen.Choose(1, 24).ArrayOf(12).ToArbitrary(), Gen.Choose(0, 12).ToArbitrary(), Gen.Choose(0, 3).ToArbitrary(), (months, queued, on) =>
    {
        PlaceFlow Of(int waiting, int onTheWay)
        {
            var flow = new PlaceFlow();
            for (var id = 0; id < months.Length; id++)
                flow.Begin(Today - 100, id, new(26, months[id], 0), queued: true);
            for (var id = 0; id < months.Length; id++)
                flow.Place(Today - 60, id);
            for (var id = 0; id < waiting + onTheWay; id++)
                flow.Begin(Today, 100 + id, new(26, 6, 0), queued: id < waiting);
            flow.Advance(Today);
            return flow;
        }

        var days = Of(queued, on).DaysToFirst();
        return days <= Of(queued + 1, on).DaysToFirst() && days <= Of(queued, on + 1).DaysToFirst() && days <= Of(queued, on).DaysToFirst(1) && days is >= Way and <= PlaceFlow.Horizon;
    }).QuickCheckThrowOnFailure();

    private static PlaceFlow Taken(int count, int day, MesureTerms terms)
    {
        var flow = new PlaceFlow();
        for (var id = 0; id < count; id++)
            flow.Begin(day, id, terms, queued: true);
        for (var id = 0; id < count; id++)
            flow.Place(day, id);
        return flow;
    }
}
