using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.Mesures.Domain.Rules;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;
using PlannedRencontre = Jafer.Mesures.Domain.PlannedRencontre;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>The rules of bookings, one by one.</summary>
public sealed class RencontreRuleTests
{
    private static readonly DateTimeOffset s_start = new(2026, 12, 5, 9, 0, 0, TimeSpan.Zero);

    private static readonly PlannedRencontre s_visite = new(s_start, 60, TimeZoneInfo.Utc, null);

    private static readonly PlannedRencontre s_remise = s_visite with { Kind = RencontreKind.Remise, ReturnsAt = s_start.AddDays(2) };

    private static DateOnly Day => s_visite.Day;

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    [InlineData(null, false)]
    public void RencontreLiesWithinTheTerm_AfterIt_Refuses(int? termAfterDays, bool refused)
    {
        var context = RencontreSeriesTests.Nothing with { Term = termAfterDays is { } days ? Day.AddDays(days) : null };

        Assert.Equal(refused, new RencontreLiesWithinTheTerm().Look(Booking(s_visite, context)) is { Code: BookingRules.AfterTerm, Refuses: true });
    }

    [Fact]
    public void RencontreLiesWithinTheTerm_ReturnOfARemiseAfterIt_Refuses() => Assert.True(
        new RencontreLiesWithinTheTerm().Look(Booking(s_remise, RencontreSeriesTests.Nothing with { Term = Day.AddDays(1) }))!.Refuses);

    [Theory]
    [InlineData(-31, true)]
    [InlineData(-30, false)]
    [InlineData(1, false)]
    public void RencontreLiesWithinTheTerm_DurationFromAFirstRencontreThatIsOnlyBooked_IsTold(int firstAfterDays, bool told)
    {
        var context = RencontreSeriesTests.Nothing with
        {
            Ordered = new Decision { TermStart = TermStart.FirstRencontre, DurationMonths = 1 },
            Own = [new Rencontre { Id = default, MesureId = default, StartsAt = s_start.AddDays(firstAfterDays), DurationMinutes = 60, TimeZone = "Etc/UTC" }],
        };
        var finding = new RencontreLiesWithinTheTerm().Look(Booking(s_visite, context));

        Assert.Equal(told, finding is { Code: BookingRules.AfterTerm, Refuses: false, RefusesInSeries: true });
        Assert.Equal(told, finding is not null);
    }

    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public void OutingIsGrantedWhereBooked_WithoutAGrant_Refuses(bool outing, bool granted, bool refused) => Assert.Equal(
        refused,
        new OutingIsGrantedWhereBooked().Look(Booking(s_visite with { Outing = outing }, terms: new Decision { OutingGranted = granted })) is { Code: BookingRules.OutingNotGranted, Refuses: true });

    [Theory]
    [InlineData(Modalite.Visite, false, true)]
    [InlineData(Modalite.Unspecified, false, true)]
    [InlineData(Modalite.Visite, true, false)]
    [InlineData(Modalite.RemiseEnfant, false, false)]
    public void RemiseIsGrantedWhereBooked_NeitherOrderedNorGranted_Refuses(Modalite modalite, bool granted, bool refused)
    {
        var terms = new Decision { Modalite = modalite, RemiseGranted = granted };

        Assert.Equal(refused, new RemiseIsGrantedWhereBooked().Look(Booking(s_remise, terms: terms)) is { Code: BookingRules.RemiseNotGranted, Refuses: true });
        Assert.Null(new RemiseIsGrantedWhereBooked().Look(Booking(s_visite, terms: terms)));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void EspaceHasRoom_AsManyFamiliesAsDeclared_RefusesUnlessMeant(bool overCapacity, bool refused)
    {
        var full = RencontreSeriesTests.Nothing with { Capacity = 1, Others = [new Stay(s_start, s_start.AddMinutes(5))] };

        Assert.Equal(refused, new EspaceHasRoom().Look(Booking(s_visite, full) with { OverCapacity = overCapacity }) is { Code: BookingRules.EspaceFull, Refuses: true });
        Assert.Null(new EspaceHasRoom().Look(Booking(s_visite, full with { Capacity = 2 })));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(null, false)]
    public void EspaceIsOpen_KnownNotToBe_IsTold(bool? open, bool told) =>
        Assert.Equal(told, new EspaceIsOpen().Look(Booking(s_visite) with { Open = open }) is { Code: BookingRules.NotOpen, Refuses: false, RefusesInSeries: true });

    [Theory]
    [InlineData(59, true)]
    [InlineData(60, false)]
    public void OverlapsNoOther_AtTheTimeOfAnotherRencontre_IsTold(int laterMinutes, bool told)
    {
        var other = new Rencontre { Id = default, MesureId = default, StartsAt = s_start.AddMinutes(laterMinutes), DurationMinutes = 60, TimeZone = "Etc/UTC" };

        Assert.Equal(told, new OverlapsNoOther().Look(Booking(s_visite, RencontreSeriesTests.Nothing with { Own = [other] })) is { Code: BookingRules.OverlapsOther, Refuses: false });
    }

    [Theory]
    [InlineData(7, true)]
    [InlineData(40, false)]
    public void PeriodicityIsKept_MoreThanItAllows_IsTold(int laterDays, bool told)
    {
        var other = new Rencontre { Id = default, MesureId = default, StartsAt = s_start, DurationMinutes = 60, TimeZone = "Etc/UTC" };
        var monthly = new Decision { PeriodicityCount = 1, PeriodicityInterval = 1, PeriodicityUnit = PeriodicityUnit.Month };
        var booking = Booking(s_visite with { StartsAt = s_start.AddDays(laterDays) }, RencontreSeriesTests.Nothing with { Own = [other] }, monthly);

        Assert.Equal(told, new PeriodicityIsKept().Look(booking) is { Code: BookingRules.TooFrequent, Refuses: false, RefusesInSeries: true });
    }

    [Theory]
    [InlineData(90, true)]
    [InlineData(60, false)]
    public void LengthIsKept_OtherThanOrdered_IsToldAndNothingMore(int minutes, bool told)
    {
        var terms = new Decision { RencontreMinutes = minutes };

        Assert.Equal(told, new LengthIsKept().Look(Booking(s_visite, terms: terms)) is { Code: BookingRules.LengthDiffers, Refuses: false, RefusesInSeries: false });
        Assert.Null(new LengthIsKept().Look(Booking(s_remise, terms: terms)));
    }

    private static LookedAtBooking Booking(PlannedRencontre planned, BookingContext? context = null, Decision? terms = null) =>
        new(context ?? RencontreSeriesTests.Nothing, planned, terms ?? new Decision(), OverCapacity: false, Open: null);
}
