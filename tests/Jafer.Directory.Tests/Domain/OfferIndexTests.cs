using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Directory.Domain;
using Agrement = Jafer.Directory.Domain.Agrement;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

public class OfferIndexTests
{
    private static readonly FamilyTravel Given = new(new WaysFrom(Travel.Of(0), Travel.Of(30), Travel.NoRoad, Travel.Unknown, Travel.Imported(3)), null, 14);

    [Fact]
    public void Best_AnyOffersAndPageSize_PagesAreTheWholeSortedOrder() =>
        Prop.ForAll(Offers(), Gen.Choose(1, 7).ToArbitrary(), Gen.Choose(0, 1_000_000).ToArbitrary(), (offers, size, seed) =>
        {
            var shuffled = offers.ToArray();
            new Random(seed).Shuffle(shuffled);
            var expected = Whole(offers, Given);

            var index = Index(shuffled);
            var matches = index.Match(Needs, null);
            Assert.Equal(expected.Count, matches.Count);
            Assert.Equal(expected, Pages(index, matches, Given, size));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Best_OffersAllOverFrance_IsWhatRankingEveryOneGives()
    {
        var model = TravelData.Model;
        var random = new Random(7);
        var offers = Enumerable.Range(1, 3_000).Select(id =>
        {
            var lieux = Enumerable.Range(0, id % 10 == 0 ? 3 : 1).Select(_ => new LieuFacts(random.Next(model.Codes.Count), LieuAccess.None)).ToArray();
            return Offer(Espace(id, lieux), wait: id % 7 == 0 ? null : random.Next(300));
        }).ToArray();
        var index = new OfferIndex(offers, Day, communes => new LieuColumns(model.Coefficients, [.. communes.Select(c => (c, model.OnSphere(c)))]));
        var matches = index.Match(Needs, null);
        for (var family = 0; family < 40; family++)
        {
            var (hote, visiteur) = (random.Next(model.Codes.Count), random.Next(model.Codes.Count));
            var travel = new FamilyTravel(From(hote), family % 5 == 0 ? null : From(visiteur), family % 4 * 14);
            Assert.Equal(Whole(offers, travel).Take(60), Pages(index, matches, travel, 20, 3));
        }

        WaysFrom From(int origin) => new(model.OnSphere(origin), d => model.Between(origin, d), []);
    }

    [Fact]
    public void Best_BetterWaitOrShorterWay_NeverRanksLower() =>
        Prop.ForAll(Offers(), Gen.Choose(0, 1_000_000).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), (offers, seed, wait) =>
        {
            var ranked = Rank(offers, Given);
            if (ranked.Count == 0)
                return;
            var chosen = offers.Single(o => o.Espace.Id == ranked[seed % ranked.Count]);
            var better = wait
                ? offers.Select(o => o == chosen ? With(o, o.Espace, (o.Wait?.Days ?? Wait.UnknownDays) * 2 / 3) : o)
                : offers.Select(o => o == chosen ? With(o, Nearer(o.Espace), o.Wait?.Days) : o);
            Assert.True(Rank([.. better], Given).IndexOf(chosen.Espace.Id) <= ranked.IndexOf(chosen.Espace.Id));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Match_AnyOffersAndExclusions_ResultsAndFindingsShareOutAllOffers() =>
        Prop.ForAll(Offers(), Gen.Choose(0, 1_000_000).ToArbitrary(), (offers, seed) =>
        {
            var random = new Random(seed);
            var needs = Needs with { Excluded = offers.Where(_ => random.Next(4) == 0).Select(o => o.Espace.Id).ToHashSet() };
            var matches = Index(offers).Match(needs, null);
            Assert.All(offers, o => Assert.Equal(DesignationRules.Findings(o.Espace, o, needs).Count == 0, matches.Contains(o.Espace.Id)));
            Assert.Equal(matches.Count, matches.Offers().Count());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Match_NeedsOneAfterTheOther_WhatIsKeptOfOneDoesNotAnswerAnother() =>
        Prop.ForAll(Offers(), AllNeeds(), (offers, asked) =>
        {
            var index = Index(offers);
            foreach (var needs in asked)
            {
                var matches = index.Match(needs, null);
                Assert.All(offers, o => Assert.Equal(DesignationRules.Findings(o.Espace, o, needs).Count == 0, matches.Contains(o.Espace.Id)));
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void AnyIn_Departement_IsTrueOnlyWhereOneOfThemMatches()
    {
        EspaceFacts In(int id, string departement, EspaceState state) => new()
        {
            Id = new Guid(id, 0, 0, new byte[8]),
            Departement = departement,
            State = state,
            Agrements = Espace().Agrements,
            Lieux = Espace().Lieux,
        };
        var index = Index([.. Enumerable.Range(1, 130).Select(id => Offer(In(id, id == 129 ? "2A" : id % 2 == 0 ? "69" : "38", id % 2 == 0 || id == 129 ? EspaceState.Ouvert : EspaceState.Suspendu)))]);
        var all = index.Match(Needs, null);

        Assert.Equal([true, true, false, false], new[] { "69", "2A", "38", "75" }.Select(all.AnyIn));
        Assert.Equal([true, false], new[] { "2A", "69" }.Select(index.Match(Needs, new HashSet<Guid> { new(129, 0, 0, new byte[8]) }).AnyIn));
    }

    [Fact]
    public void Match_Shortlist_HoldsNoOther()
    {
        var offers = Enumerable.Range(1, 200).Select(id => Offer(Espace(id))).ToArray();
        var index = Index(offers);

        Assert.Equal(2, index.Match(Needs, new HashSet<Guid> { offers[3].Espace.Id, offers[150].Espace.Id, Guid.Empty }).Count);
        Assert.Equal(200, index.Match(Needs, null).Count);
    }

    [Fact]
    public void Best_ReopeningAndClosure_CountAsWaiting()
    {
        var open = Offer(Espace(1), wait: 40);
        var reopens = new Offer { Espace = Espace(2), Modalite = Needs.Modalite, State = ModaliteState.Complete, ReopensOn = Day.AddDays(35), Wait = new(10, Day) };
        var closed = Offer(WithClosures(Espace(3), new Closure(Day, Day.AddDays(20), ulong.MaxValue), new Closure(Day.AddDays(21), Day.AddDays(41), ulong.MaxValue)), wait: 5);

        Assert.Equal([1, 3, 2], Rank([reopens, closed, open], new(null, null, 14)).Select(Number));
        Assert.Equal(Day.AddDays(45), reopens.FirstRencontre(0, Needs));
        Assert.Equal(Day.AddDays(42), closed.FirstRencontre(0, Needs));
    }

    [Fact]
    public void Rank_SeveralLieux_TakesTheOneThatCostsLeastAmongThoseThatSuit()
    {
        var travel = new FamilyTravel(new WaysFrom(Travel.Of(10), Travel.Of(60), Travel.NoRoad), new WaysFrom(Travel.Of(90), Travel.Of(20), Travel.Of(0)), 14);
        var offer = Offer(Espace(1, new(0, LieuAccess.None), new(1, LieuAccess.None), new(2, LieuAccess.None)));

        Assert.Equal(1, travel.Rank(offer, 0b111, Needs).Lieu);
        Assert.Equal(0, travel.Rank(offer, 0b101, Needs).Lieu);
        Assert.Equal((2, 1), (travel.Rank(offer, 0b100, Needs).Lieu, travel.Rank(offer, 0b100, Needs).Key.Unreachable));
    }

    [Theory]
    [InlineData(-10, 60)]
    [InlineData(0, 60)]
    [InlineData(10, 70)]
    public void FirstRencontre_DeclaredWait_CountsFromTheLaterOfDecisionAndToday(int decision, int expected) =>
        Assert.Equal(Day.AddDays(expected), Offer(wait: 60).FirstRencontre(0, Needs with { Decision = Day.AddDays(decision) }));

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

    private static List<RankKey> Whole(IEnumerable<Offer> offers, FamilyTravel travel) =>
        [.. offers.Where(o => DesignationRules.Findings(o.Espace, o, Needs).Count == 0)
            .Select(o => travel.Rank(o, DesignationRules.SuitableLieux(o.Espace, Needs), Needs).Key).Order()];

    private static List<RankKey> Pages(OfferIndex index, OfferIndex.Matches matches, FamilyTravel travel, int size, int most = int.MaxValue)
    {
        var found = new List<RankKey>();
        RankKey? after = null;
        while (most-- > 0 && index.Best(matches, Needs, travel, after, size) is { Length: > 0 } page)
        {
            found.AddRange(page.Select(r => r.Key));
            after = page[^1].Key;
        }
        return found;
    }

    private static List<Guid> Rank(Offer[] offers, FamilyTravel travel)
    {
        var index = Index(offers);
        return [.. index.Best(index.Match(Needs, null), Needs, travel, null, Math.Max(1, offers.Length)).Select(r => r.Offer.Espace.Id)];
    }

    private static int Number(Guid id) => BitConverter.ToInt32(id.ToByteArray(), 0);

    // The first way is shorter than all others, but for none at all.
    private static EspaceFacts Nearer(EspaceFacts espace) => Copy(espace, [.. espace.Lieux.Select(l => l with { Commune = 0 })], espace.Closures);

    private static EspaceFacts WithClosures(EspaceFacts espace, params Closure[] closures) => Copy(espace, espace.Lieux, closures);

    private static EspaceFacts Copy(EspaceFacts espace, LieuFacts[] lieux, Closure[] closures) => new()
    {
        Id = espace.Id,
        Departement = espace.Departement,
        State = espace.State,
        Agrements = espace.Agrements,
        Lieux = lieux,
        Closures = closures,
        Languages = espace.Languages,
    };

    private static Offer With(Offer offer, EspaceFacts espace, int? wait) => new()
    {
        Espace = espace,
        Modalite = offer.Modalite,
        State = offer.State,
        ReopensOn = offer.ReopensOn,
        MinAge = offer.MinAge,
        MaxSiblings = offer.MaxSiblings,
        MaxMinutes = offer.MaxMinutes,
        Frequencies = offer.Frequencies,
        Situations = offer.Situations,
        Publics = offer.Publics,
        Wait = wait is { } days ? new Wait(days, Day) : null,
    };

    private static Arbitrary<Period[]> PeriodsWithToday()
    {
        var period = Gen.Choose(-20, 100).Zip(Gen.Choose(-2, 40), (from, length) =>
            new Period(Day.AddDays(from), length < 0 ? null : Day.AddDays(from + length)));
        return period.ArrayOf().Select(all => (Period[])[.. all, new Period(Day, Day)]).ToArbitrary();
    }

    private static Arbitrary<MesureNeeds[]> AllNeeds()
    {
        var one = from age in Gen.Choose(-1, 17)
                  from children in Gen.Choose(0, 4)
                  from minutes in Gen.Elements(0, 30, 60, 180)
                  from besoins in Gen.Choose(0, 511)
                  from language in Gen.Elements("", "ar", "fsl")
                  from decision in Gen.Choose(-500, 100)
                  from frequency in Gen.Elements<Frequency?>(null, Frequency.Of(2, 1, Contracts.Type.V1.PeriodicityUnit.Month), Frequency.Of(2, 4, Contracts.Type.V1.PeriodicityUnit.Week))
                  select Needs with
                  {
                      YoungestAge = age < 0 ? null : age,
                      OldestAge = age < 0 ? null : age,
                      Children = children,
                      Minutes = minutes,
                      Besoins = (uint)besoins & ~1u,
                      Languages = language.Length == 0 ? [] : [language],
                      Decision = Day.AddDays(decision),
                      Situations = (uint)(besoins >> 3) & 0b1110,
                      ProtectionOrder = minutes == 60,
                      Frequency = frequency,
                  };
        return one.ArrayOf(6).ToArbitrary();
    }

    private static Arbitrary<Offer[]> Offers()
    {
        var lieu = Gen.Choose(0, 4).Zip(Gen.Elements((LieuAccess)0, LieuAccess.Described, (LieuAccess)129, (LieuAccess)130, (LieuAccess)135), (c, a) => new LieuFacts(c, a));
        var offer = from days in Gen.Choose(-1, 60)
                    from state in Gen.Elements(Enum.GetValues<ModaliteState>())
                    from lieux in lieu.NonEmptyListOf()
                    from reopens in Gen.Choose(-30, 60)
                    from covered in Gen.Choose(1, 3)
                    from closed in Gen.Choose(0, 40)
                    from publics in Gen.Choose(0, 4)
                    from languages in Gen.Elements<string[]>([], ["ar"], ["ar", "fsl"])
                    select (days, state, lieux, reopens, covered, closed, publics, languages);
        return offer.ArrayOf().Select(all => all.Select((o, i) => new Offer
        {
            Espace = new()
            {
                Id = new Guid(i + 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
                Departement = "69",
                State = i % 9 == 8 ? EspaceState.Suspendu : EspaceState.Ouvert,
                Agrements = [new(new(Day.AddYears(-1), o.closed % 7 == 0 ? Day.AddDays(-1) : null), (ulong)o.covered)],
                Lieux = [.. o.lieux.Take(EspaceFacts.MaxLieux)],
                Closures = o.closed < 20 ? [] : [new(Day.AddDays(o.closed - 20), Day.AddDays(o.closed), (ulong)o.closed)],
                Languages = o.languages,
            },
            Modalite = Needs.Modalite,
            State = o.state,
            ReopensOn = o.reopens < 0 ? null : Day.AddDays(o.reopens),
            MinAge = o.publics,
            MaxSiblings = o.publics,
            MaxMinutes = o.covered * 60,
            Frequencies = o.publics == 0 ? [] : [Frequency.Of(2, 1, Contracts.Type.V1.PeriodicityUnit.Month)],
            Situations = (uint)o.lieux[0].Commune * 2,
            Publics = (uint)o.publics << 1,
            Wait = o.days < 0 ? null : new Wait(o.days, Day),
        }).ToArray()).ToArbitrary();
    }
}
