using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Jafer.ServiceDefaults.Grpc;
using Xunit;
using InterviewSlot = Jafer.Mesures.Domain.InterviewSlot;

namespace Jafer.Mesures.Tests.Domain;

/// <summary>Who may have a slot for a first interview, and until when.</summary>
public sealed class InterviewSlotTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);
    private static readonly Guid s_mesure = new("0198a000-0000-7000-8000-00000000000a");
    private static readonly Guid s_other = new("0198a000-0000-7000-8000-00000000000b");

    [Fact]
    public void Hold_RunOut_IsFreeWithoutAnySweep()
    {
        var slot = Slot();
        slot.Hold(s_mesure, PartyRole.Hote, s_now.AddMinutes(15), s_now);

        Assert.Equal(InterviewSlotState.OnHold, slot.StateAt(s_now.AddMinutes(15).AddTicks(-1)));
        Assert.Equal(InterviewSlotState.Free, slot.StateAt(s_now.AddMinutes(15)));
        slot.Book(s_other, s_now.AddMinutes(15));
        Assert.Equal((InterviewSlotState.Booked, s_other), (slot.State, slot.MesureId));
    }

    [Fact]
    public void Hold_HeldByTheSameMesure_IsProlonged()
    {
        var slot = Slot();
        slot.Hold(s_mesure, PartyRole.Unspecified, s_now.AddMinutes(15), s_now);
        slot.Hold(s_mesure, PartyRole.Unspecified, s_now.AddMinutes(30), s_now);

        Assert.Equal(s_now.AddMinutes(30), slot.HeldUntil);
    }

    [Fact]
    public void Book_HeldByAnotherBookedWithdrawnOrBegun_IsTaken()
    {
        foreach (var (change, state) in new (Action<InterviewSlot>, string)[]
        {
            (s => s.Hold(s_other, PartyRole.Unspecified, s_now.AddMinutes(15), s_now), "ON_HOLD"),
            (s => s.Book(s_other, s_now), "BOOKED"),
            (s => s.Book(s_mesure, s_now), "BOOKED"),
            (s => s.Withdraw(false, s_now), "WITHDRAWN"),
        })
        {
            var slot = Slot();
            change(slot);
            var refusal = Assert.Throws<DomainError>(() => slot.Book(s_mesure, s_now));
            Assert.Equal((Contracts.Type.V1.ErrorReason.SlotTaken, state), (refusal.Reason, refusal.Metadata["state"]));
        }

        Assert.Throws<DomainError>(() => Slot().Book(s_mesure, s_now.AddDays(1)));
    }

    [Fact]
    public void Withdraw_Booked_NeedsToBeMeantAndTellsTheMesure()
    {
        var slot = Slot();
        slot.Book(s_mesure, s_now);

        Assert.Throws<DomainError>(() => slot.Withdraw(false, s_now));
        Assert.Equal(s_mesure, slot.Withdraw(true, s_now));
        Assert.Equal((InterviewSlotState.Withdrawn, null), (slot.State, slot.MesureId));
        Assert.Null(slot.Withdraw(false, s_now));
    }

    [Fact]
    public void Republish_TakenWithOtherContent_IsTaken()
    {
        var slot = Slot();
        slot.Book(s_mesure, s_now);

        slot.Republish(Content(), s_now);
        Assert.Throws<DomainError>(() => slot.Republish(Content() with { DurationMinutes = 60 }, s_now));
        Assert.Equal(InterviewSlotState.Booked, slot.State);
    }

    [Fact]
    public void Assign_SlotsForEither_GoToTheVisiteurThenTheHote()
    {
        Assert.Equal([PartyRole.Visiteur], Assign(Slot()));
        Assert.Equal([PartyRole.Visiteur, PartyRole.Hote], Assign(Slot(), Slot()));
        Assert.Equal([PartyRole.Hote, PartyRole.Visiteur], Assign(Slot(), Slot(PartyRole.Visiteur)));
        Assert.Equal([PartyRole.Enfant, PartyRole.Visiteur, PartyRole.Hote], Assign(Slot(PartyRole.Enfant), Slot(), Slot()));
    }

    [Fact]
    public void Assign_HeldForAParty_GoesToThatParty()
    {
        var held = Slot();
        held.Hold(s_mesure, PartyRole.Hote, s_now.AddMinutes(15), s_now);

        Assert.Equal([PartyRole.Hote, PartyRole.Visiteur], Assign(held, Slot()));
    }

    [Fact]
    public void Assign_MoreThanOneForAParty_LeavesTheSecondWithoutOne()
    {
        Assert.Equal([PartyRole.Hote, null], Assign(Slot(PartyRole.Hote), Slot(PartyRole.Hote)));
        Assert.Equal([PartyRole.Visiteur, PartyRole.Hote, null], Assign(Slot(), Slot(), Slot()));
    }

    private static PartyRole?[] Assign(params InterviewSlot[] slots) => InterviewSlot.Assign(slots, s_mesure, s_now);

    private static SlotContent Content(PartyRole role = PartyRole.Unspecified) => new(s_now.AddDays(1), 45, "Europe/Paris", null, role);

    private static InterviewSlot Slot(PartyRole role = PartyRole.Unspecified) => InterviewSlot.Publish(
        new Guid("0198a000-0000-7000-8000-000000000001"),
        new EspaceView { Id = s_mesure, GestionnaireId = s_mesure, State = "OUVERT", AgrementPeriods = [], TimeZone = "Europe/Paris", Version = 1 },
        "S-1", 0, Content(role));
}
