using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Agrement = Jafer.Directory.Domain.Agrement;

namespace Jafer.Directory.Tests.Domain;

public class OfferTests
{
    private static readonly DateOnly Day = new(2026, 11, 21);
    private static readonly MesureNeeds Needs = new(4, 9, 0, false, Day);

    [Fact]
    public void Find_AnyOffersAndPageSize_PagesAreTheWholeSortedOrder() =>
        Prop.ForAll(Offers(), Gen.Choose(1, 7).ToArbitrary(), Gen.Choose(0, 1_000_000).ToArbitrary(), (offers, size, seed) =>
        {
            var shuffled = offers.ToArray();
            new Random(seed).Shuffle(shuffled);
            var travel = new FamilyTravel([Travel.Of(0), Travel.Of(30), Travel.NoRoad], null, 14);
            var expected = offers.Where(o => o.Takes(Needs))
                .Select(o => Ranking.Key(travel.Best(o.LieuCommunes).Cost, o.Wait, o.EspaceId)).Order().ToList();

            var found = new List<RankKey>();
            RankKey? after = null;
            while (true)
            {
                var (page, total) = RankedOffer.Find(shuffled, Needs, travel, after, size);
                Assert.Equal(expected.Count, total);
                if (page.Length == 0)
                    break;
                found.AddRange(page.Select(r => r.Key));
                after = page[^1].Key;
            }
            Assert.Equal(expected, found);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Best_SeveralLieux_IsTheOneThatCostsLeastForBoth()
    {
        var travel = new FamilyTravel([Travel.Of(10), Travel.Of(60), Travel.NoRoad], [Travel.Of(90), Travel.Of(20), Travel.Of(0)], 14);

        Assert.Equal(1, travel.Best([0, 1, 2]).Lieu);
        Assert.Equal(0, travel.Best([2]).Lieu);
        Assert.Equal(1, travel.Best([2]).Cost.Unreachable);
    }

    [Fact]
    public void Takes_AgesOfTheChildren_AllOfThemMustBeReceived()
    {
        var offer = Of(min: 3, max: 11);

        Assert.True(offer.Takes(Needs with { YoungestAge = 3, OldestAge = 11 }));
        Assert.False(offer.Takes(Needs with { YoungestAge = 2, OldestAge = 11 }));
        Assert.False(offer.Takes(Needs with { YoungestAge = 3, OldestAge = 12 }));
        Assert.True(offer.Takes(Needs with { YoungestAge = null, OldestAge = null }));
    }

    [Fact]
    public void ValidUntil_PeriodsThatFollowEachOther_IsTheEndOfTheLast()
    {
        Period[] periods = [new(Day.AddDays(11), Day.AddDays(20)), new(Day.AddDays(-5), Day.AddDays(10)), new(Day.AddDays(30), null)];

        Assert.Equal(Day.AddDays(20), Agrement.ValidUntil(periods, Day));
        Assert.Null(Agrement.ValidUntil([.. periods, new(Day.AddDays(15), Day.AddDays(40))], Day));
    }

    [Fact]
    public void ValidUntil_AnyPeriods_EveryDayUntilThenIsValidAndTheNextIsNot() =>
        Prop.ForAll(PeriodsWithToday(), periods =>
        {
            var last = Agrement.ValidUntil(periods, Day);
            for (var day = Day; day <= (last ?? Day.AddDays(200)); day = day.AddDays(1))
                Assert.Contains(periods, p => p.Contains(day));
            if (last is { } end)
                Assert.DoesNotContain(periods, p => p.Contains(end.AddDays(1)));
        }).QuickCheckThrowOnFailure();

    private static Arbitrary<Period[]> PeriodsWithToday()
    {
        var period = Gen.Choose(-20, 100).Zip(Gen.Choose(-2, 40), (from, length) =>
            new Period(Day.AddDays(from), length < 0 ? null : Day.AddDays(from + length)));
        return period.ArrayOf().Select(all => (Period[])[.. all, new Period(Day, Day)]).ToArbitrary();
    }

    private static Arbitrary<Offer[]> Offers()
    {
        var offer = from days in Gen.Choose(-1, 60)
                    from state in Gen.Elements(Enum.GetValues<ModaliteState>())
                    from communes in Gen.Choose(0, 2).NonEmptyListOf()
                    select (days, state, communes);
        return offer.ArrayOf().Select(all => all.Select((o, i) => Of(i, o.days, o.state, [.. o.communes])).ToArray()).ToArbitrary();
    }

    private static Offer Of(int id = 0, int days = 10, ModaliteState state = ModaliteState.Ouverte, int[]? communes = null, int min = 0, int max = 17) => new()
    {
        EspaceId = new Guid(id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Departement = "69",
        EspaceState = EspaceState.Ouvert,
        Periods = [new(Day.AddYears(-1), null)],
        LieuCommunes = communes ?? [0],
        State = state,
        MinAge = min,
        MaxAge = max,
        Situations = 0,
        ProtectionOrder = false,
        Wait = days < 0 ? null : new Wait(days, Day),
        WaitSource = FigureSource.Declared,
    };
}
