using FsCheck;
using FsCheck.Fluent;
using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

public class PlaceTests
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 21, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Left_AnyPlacesMesuresAndHolds_IsTheRestAndNeverNegative() => Prop.ForAll(
        Gen.Choose(0, 6).Zip(Gen.Choose(0, 40)).ToArbitrary(), Gen.Choose(0, 45).ArrayOf().ToArbitrary(), Gen.Choose(0, 5).ToArbitrary(), (declared, received, held) =>
        {
            var (count, age) = declared;
            var places = PlaceCount.Of(Free(count, age, received, held), Day);
            var came = received.Count(ago => ago <= age);
            return age > 30
                ? places is { Left: null, LastIsHeld: false, WereTaken: false }
                : places.Left == Math.Max(0, count - came - held)
                    && !(places.LastIsHeld && places.WereTaken)
                    // Whoever finds none left of some is told one reason, and nobody else is.
                    && (places.LastIsHeld || places.WereTaken) == (count > 0 && places.Left == 0);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void SeenBy_AnyMesure_CountsThoseBeforeItAlone() => Prop.ForAll(Gen.Choose(0, 6).ToArbitrary(), Gen.Choose(0, 7).ToArbitrary(), (held, who) =>
        Free(1, 0, [], held).SeenBy(Mesure(who)).Held.Length == Math.Min(held, who)).QuickCheckThrowOnFailure();

    [Fact]
    public void Renewed_AgainAndAgain_EndsAfterTwoHours()
    {
        Assert.Equal(s_now.AddMinutes(15), HeldPlace.Renewed(s_now, s_now));
        Assert.Equal(s_now.AddMinutes(115), HeldPlace.Renewed(s_now, s_now.AddMinutes(100)));
        Assert.Equal(s_now.AddHours(2), HeldPlace.Renewed(s_now, s_now.AddMinutes(110)));
        Assert.Null(HeldPlace.Renewed(s_now, s_now.AddHours(2)));
    }

    [Fact]
    public void ExpectedOn_PlacesHeld_CountsThemAsMesuresThatAreAboutToCome()
    {
        // One first rencontre begins a day; of twenty held seventeen will ask for one.
        Assert.Equal(77, Free(null, 0, [], 20, wait: 60).ExpectedOn(Day)!.Value.Days);
        Assert.Equal(
            Free(null, 0, [.. Enumerable.Repeat(0, 7)], 3, wait: 60).ExpectedOn(Day), Free(null, 0, [.. Enumerable.Repeat(0, 10)], 0, wait: 60).ExpectedOn(Day));
    }

    [Fact]
    public void ExpectedOn_FreePlaces_ShortensTheWaitUnlessItWasDeclaredLaterOrIsOld()
    {
        Assert.Equal((57, -3), Free(3, 0, [], 0, wait: 60).ExpectedOn(Day) is { } shorter ? (shorter.Days, shorter.Change) : default);
        // The wait of today knows of the places of yesterday.
        Assert.Equal(60, Free(3, 1, [], 0, wait: 60).ExpectedOn(Day)!.Value.Days);
        Assert.Equal(60, Free(3, 31, [], 0, wait: 60, waitAge: 31).ExpectedOn(Day)!.Value.Days);
        // No wait gets shorter than it takes to call a family, or than was declared.
        Assert.Equal(10, Free(300, 0, [], 0, wait: 10).ExpectedOn(Day)!.Value.Days);
        Assert.Equal(ExpectedWait.LeadDays, Free(300, 0, [], 0, wait: 90).ExpectedOn(Day)!.Value.Days);
    }

    [Fact]
    public void ExpectedOn_WaitingFamilies_CountWhereTheRateWasSeen()
    {
        FollowedMesure[] Seen(int count) => [.. Enumerable.Range(1, count).Select(n => new FollowedMesure(Day.DayNumber - 360, Day.DayNumber - (2 * n) + 1, 0))];
        Offer Waiting(FollowedMesure[] followed, int? families) => new()
        {
            Espace = Espace(),
            Modalite = Modalite.Visite,
            State = ModaliteState.Ouverte,
            Wait = new(60, Day),
            SlotsPerWeek = 75,
            WaitingFamilies = families,
            ReceivedOn = [Day.DayNumber - 360],
            Followed = followed,
        };

        // One begins a day, as the slots say: ninety families are ninety days, which count half beside the queue as it is seen.
        var (counted, said) = (Waiting(Seen(180), 90).ExpectedOn(Day)!.Value.Days, Waiting(Seen(180), null).ExpectedOn(Day)!.Value.Days);
        Assert.InRange(counted / (double)said, Math.Sqrt(90 / 60.0) - 0.03, Math.Sqrt(90 / 60.0) + 0.03);
        Assert.Equal(60, Waiting(Seen(4), 90).ExpectedOn(Day)!.Value.Days);
    }

    [Theory]
    [InlineData(10, 10, 0)]
    [InlineData(10, 11, 1)]
    [InlineData(10, 12, 2)]
    [InlineData(10, 13, 3)]
    [InlineData(10, 90, 3)]
    [InlineData(10, 0, 0)]
    public void LoadDays_MoreDemandThanCapacity_IsADayForATenthAndThreeAtMost(int capacity, int received, int days) =>
        Assert.Equal(days, Ranking.LoadDays(new Demand(received, capacity)));

    [Fact]
    public void Rank_SaturatedAndNearlyAsSoon_ComesAfterWhoHasRoomAndBeforeWhoIsMuchLater()
    {
        // 10 slots a week begin 49 mesures a year.
        Offer With(int id, int wait, int received) => new()
        {
            Espace = Espace(id),
            Modalite = Modalite.Visite,
            State = ModaliteState.Ouverte,
            SlotsPerWeek = 10,
            Wait = new(wait, Day),
            ReceivedOn = [.. Enumerable.Repeat(Day.DayNumber - 300, received)],
        };
        var saturated = With(1, 60, 80);
        var index = Index(saturated, With(2, 62, 10), With(3, 64, 10));

        var ranked = index.Best(index.Match(Needs, null), Needs, new FamilyTravel(null, null, 14), null, 3);

        Assert.Equal([2, 1, 3], ranked.Select(r => BitConverter.ToInt32(r.Offer.Espace.Id.ToByteArray())));
        Assert.Contains(Standing.Warnings(saturated, 0, Needs), w => w.Code == ResultWarningCode.DemandAboveCapacity);
    }

    private static Guid Mesure(int n) => new(n, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private static Offer Free(int? count, int age, int[] received, int held, int? wait = null, int waitAge = 0) => new()
    {
        Espace = Espace(),
        Modalite = Modalite.Visite,
        State = ModaliteState.Ouverte,
        SlotsPerWeek = 75,
        Wait = wait is { } days ? new Wait(days, Day.AddDays(-waitAge)) : null,
        Places = count is { } free ? new DeclaredPlaces(free, Day.AddDays(-age)) : null,
        Held = [.. Enumerable.Range(0, held).Select(n => new HeldPlace(Mesure(n), n + 1, s_now))],
        ReceivedOn = [.. received.Select(ago => Day.DayNumber - ago).Order()],
    };
}
