using Jafer.Contracts.Mesure.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Time;
using Xunit;
using Decision = Jafer.Mesures.Domain.Decision;
using FreeSlot = Jafer.Mesures.Domain.FreeSlot;
using Rencontre = Jafer.Mesures.Domain.Rencontre;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>Whether a free slot fits a mesure, and which rencontres are in doubt.</summary>
public sealed class SlotFitTests
{
    private static readonly TimeZoneInfo s_paris = TimeZoneInfo.FindSystemTimeZoneById("Europe/Paris");
    private static readonly DateOnly s_day = new(2026, 4, 1);
    private static readonly Guid s_mesure = new(1, 0, 0, new byte[8]);
    private static readonly Guid s_other = new(2, 0, 0, new byte[8]);
    private static readonly Decision s_monthly = new() { Modalite = Modalite.Visite, PeriodicityCount = 1, PeriodicityInterval = 1, PeriodicityUnit = PeriodicityUnit.Month, RencontreMinutes = 60 };

    [Fact]
    public void Look_NothingAgainstIt_Fits() => Assert.Empty(Look(s_monthly));

    [Fact]
    public void Look_SameWeekInAnotherMonth_IsRefusedUnlessThePeriodicityGivesTwoAWeek()
    {
        // Tuesday 31 March and Wednesday 1 April are two months and one week.
        var held = At(new DateOnly(2026, 3, 31), 10, RencontreOutcome.Held);
        Assert.Equal([SlotFit.SameWeek], Look(s_monthly, [held]));
        Assert.Empty(Look(s_monthly, [At(new DateOnly(2026, 3, 29), 10, RencontreOutcome.Held)]));
        Assert.Empty(Look(s_monthly, [At(new DateOnly(2026, 3, 31), 10, RencontreOutcome.VisiteurAbsent)]));
        Assert.Empty(Look(s_monthly with { PeriodicityCount = 2, PeriodicityUnit = PeriodicityUnit.Week }, [held]));
    }

    [Fact]
    public void Look_ModaliteLengthAndAges_AreThoseOfTheSlotAndTheEspace()
    {
        Assert.Equal([SlotFit.ModaliteDiffers], Look(s_monthly with { Modalite = Modalite.RemiseEnfant }));
        Assert.Equal([BookingRules.LengthDiffers], Look(s_monthly with { RencontreMinutes = 180 }));
        var ages = new ReceivedAges(3, 17);
        Assert.Empty(Look(s_monthly, ages: ages, born: new DateOnly(2023, 4, 1)));
        Assert.Equal([SlotFit.AgeNotReceived], Look(s_monthly, ages: ages, born: new DateOnly(2023, 4, 2)));
        Assert.Equal([SlotFit.AgeNotReceived], Look(s_monthly, ages: ages, born: new DateOnly(2008, 4, 1)));
        Assert.Empty(Look(s_monthly, ages: null, born: new DateOnly(2026, 1, 1)));
    }

    [Fact]
    public void Look_SomebodyKeptApartIsThere_IsRefused()
    {
        Assert.Equal([SlotFit.KeptApart], Look(s_monthly, present: [(s_other, "P")], apart: [("H", "P")]));
        Assert.Empty(Look(s_monthly, present: [(s_other, "Q")], apart: [("H", "P")]));
        Assert.Empty(Look(s_monthly, present: [(s_mesure, "P")], apart: [("H", "P")]));
    }

    [Fact]
    public void HalfDay_OfASlot_IsCutAtLunch()
    {
        static (int, int) Hours(int hour, int minutes)
        {
            var half = HalfDay.Of(s_paris.At(s_day, hour * 60), minutes, s_paris);
            return ((int)(half.From - s_paris.At(s_day, 0)).TotalHours, (int)(half.To - s_paris.At(s_day, 0)).TotalHours);
        }

        Assert.Equal((0, 13), Hours(10, 120));
        Assert.Equal((13, 24), Hours(14, 120));
        Assert.Equal((0, 24), Hours(12, 120));
    }

    [Fact]
    public void RencontreDoubts_AbsencesInARow_CountUntilSomebodyCameOrConfirmed()
    {
        var next = At(s_day, 10, RencontreOutcome.Scheduled);
        Rencontre[] twice = [At(s_day.AddDays(-14), 10, RencontreOutcome.VisiteurAbsent), At(s_day.AddDays(-28), 10, RencontreOutcome.VisiteurAbsent)];

        Assert.Equal(new Doubt(DoubtReason.VisiteurAbsences, 2, twice[0].StartsAt), RencontreDoubts.Of(next, twice, null));
        // What was cancelled in time between them says nothing; who came once, or the other side, ends the row.
        Assert.NotNull(RencontreDoubts.Of(next, [.. twice, At(s_day.AddDays(-21), 10, RencontreOutcome.CancelledByHote)], null));
        Assert.Null(RencontreDoubts.Of(next, [.. twice, At(s_day.AddDays(-7), 10, RencontreOutcome.Held)], null));
        Assert.Null(RencontreDoubts.Of(next, [.. twice, At(s_day.AddDays(-7), 10, RencontreOutcome.HoteAbsent)], null));
        Assert.Null(RencontreDoubts.Of(next, [twice[0]], null));
        var confirmed = At(s_day, 10, RencontreOutcome.Scheduled);
        confirmed.VisiteurConfirmedAt = next.StartsAt.AddDays(-3);
        Assert.Null(RencontreDoubts.Of(confirmed, twice, null));
        Assert.Equal(DoubtReason.Suspended, RencontreDoubts.Of(confirmed, [], next.StartsAt.AddDays(-1))!.Value.Reason);
    }

    private static IEnumerable<string> Look(
        Decision decision, IReadOnlyList<Rencontre>? own = null, ReceivedAges? ages = null, DateOnly? born = null, IReadOnlyCollection<(Guid, string)>? present = null,
        (string Own, string Other)[]? apart = null)
    {
        var slot = FreeSlot.Of(At(s_day, 10, RencontreOutcome.Scheduled), s_other, s_other, new Acting(s_other, "x", s_paris.At(s_day.AddDays(-9), 0), s_paris.At(s_day.AddDays(-9), 0)))[0];
        var booking = new BookingContext(decision, [], s_day.AddDays(90), own ?? [], default, [], null);
        var planned = SlotFit.Planned(slot, decision, s_paris, null);
        return SlotFit.Look(
            booking, planned, Modalite.Visite, s_mesure, born is { } day ? [day] : [], ["H", "V"],
            new SlotSurroundings(ages, present ?? [], (apart ?? []).ToLookup(a => a.Own, a => a.Other))).Select(f => f.Code);
    }

    private static Rencontre At(DateOnly day, int hour, RencontreOutcome outcome) => new()
    {
        Id = Guid.CreateVersion7(s_paris.At(day, hour * 60)),
        MesureId = s_mesure,
        StartsAt = s_paris.At(day, hour * 60),
        DurationMinutes = 120,
        TimeZone = "Europe/Paris",
        Modalite = Modalite.Visite,
        Outcome = outcome,
    };
}
