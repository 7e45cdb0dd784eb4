using Jafer.Contracts.Directory.V1;
using Jafer.Contracts.Type.V1;
using Jafer.Directory.Domain;
using static Jafer.Directory.Tests.Domain.Samples;

namespace Jafer.Directory.Tests.Domain;

public class StandingTests
{
    [Theory]
    [InlineData(ModaliteState.Ouverte, null, CapacityStatus.Open)]
    [InlineData(ModaliteState.Limitee, null, CapacityStatus.Limited)]
    [InlineData(ModaliteState.ListeAttente, null, CapacityStatus.WaitingList)]
    [InlineData(ModaliteState.Complete, null, CapacityStatus.Full)]
    [InlineData(ModaliteState.Fermee, null, CapacityStatus.ClosedUntil)]
    [InlineData(ModaliteState.Complete, 5, CapacityStatus.ClosedUntil)]
    [InlineData(ModaliteState.Fermee, 5, CapacityStatus.ClosedUntil)]
    [InlineData(ModaliteState.Complete, 0, CapacityStatus.Unconfirmed)]
    [InlineData(ModaliteState.Fermee, -3, CapacityStatus.Unconfirmed)]
    public void Status_StateAndReopening_TellWhetherMesuresAreTaken(ModaliteState state, int? reopens, CapacityStatus expected)
    {
        var offer = new Offer { Espace = Espace(), Modalite = Modalite.Visite, State = state, ReopensOn = reopens is { } days ? Day.AddDays(days) : null, ConfirmedOn = Day };

        Assert.Equal(expected, Standing.Status(offer, Day));
        Assert.Equal(reopens > 0 ? Day.AddDays(5) : null, Standing.ReopensOn(offer, Day));
    }

    [Theory]
    [InlineData(90, CapacityStatus.Open)]
    [InlineData(91, CapacityStatus.Unconfirmed)]
    public void Status_OpennessNotConfirmed_ExpiresAfterNinetyDays(int age, CapacityStatus expected)
    {
        var offer = new Offer { Espace = Espace(), Modalite = Modalite.Visite, State = ModaliteState.Ouverte, ConfirmedOn = Day.AddDays(-age), Wait = new(3, Day) };

        Assert.Equal(expected, Standing.Status(offer, Day));
        Assert.Equal(
            expected == CapacityStatus.Open ? [] : [new Warning(ResultWarningCode.CapacityStale, Day.AddDays(-age))],
            Standing.Warnings(offer, 0, Needs));
    }

    [Fact]
    public void Status_WholeEspaceClosedToday_IsClosedUntilTheDayAfter()
    {
        Closure[] closures = [new(Day.AddDays(-3), Day.AddDays(4), ulong.MaxValue)];
        var offer = Offer(WithClosures(closures));

        Assert.Equal((CapacityStatus.ClosedUntil, Day.AddDays(5)), (Standing.Status(offer, Day), Standing.ReopensOn(offer, Day)));
        Assert.Equal(CapacityStatus.Open, Standing.Status(offer, Day.AddDays(5)));
    }

    [Fact]
    public void DemandOf_TwelveMonths_CountsWhatCameWithinThem()
    {
        int[] received = [.. new[] { -400, -366, -365, -364, -10, 0, 1 }.Select(d => Day.AddDays(d).DayNumber)];
        var offer = new Offer { Espace = Espace(), Modalite = Modalite.Visite, State = ModaliteState.Ouverte, SlotsPerWeek = 1, ReceivedOn = received, Wait = new(1, Day) };

        Assert.Equal(new Demand(3, 5), Standing.DemandOf(offer, Day));
        Assert.Null(Standing.DemandOf(Offer(), Day));
    }

    [Fact]
    public void Warnings_MoreComesThanBecomesFree_TellsTheRatio()
    {
        var offer = new Offer { Espace = Espace(), Modalite = Modalite.Visite, State = ModaliteState.Ouverte, SlotsPerWeek = 1, ReceivedOn = [.. Enumerable.Repeat(Day.DayNumber, 8)], Wait = new(1, Day) };

        Assert.Equal([new Warning(ResultWarningCode.DemandAboveCapacity, Value: 160)], Standing.Warnings(offer, 0, Needs));
    }

    [Theory]
    [InlineData(6, 92, true)]
    [InlineData(6, 90, false)]
    [InlineData(0, 900, false)]
    public void Warnings_Term_IsTooShortWhenLessThanHalfIsLeft(int months, int wait, bool warned)
    {
        var warnings = Standing.Warnings(Offer(wait: wait), 0, Needs with { DurationMonths = months });

        Assert.Equal(warned ? [new Warning(ResultWarningCode.TermTooShort, Value: wait)] : [], warnings);
    }

    [Theory]
    [InlineData(0, 364, true)]
    [InlineData(0, 366, false)]
    [InlineData(6, 179, true)]
    [InlineData(6, 200, false)]
    [InlineData(24, 600, true)]
    public void Warnings_AgrementEndsDuringTheMesure_NamesItsLastDay(int months, int days, bool warned)
    {
        var espace = new EspaceFacts { Id = Guid.Empty, Departement = "69", State = EspaceState.Ouvert, Agrements = [new(new(Day, Day.AddDays(days)), 1)], Lieux = [new(0, LieuAccess.None)] };

        Assert.Equal(
            warned ? [new Warning(ResultWarningCode.AgrementEnds, Day.AddDays(days))] : [],
            Standing.Warnings(Offer(espace), 0, Needs with { DurationMonths = months }));
    }

    [Fact]
    public void Warnings_AgrementEndsBeforeTheFirstRencontre_IsToldHoweverLateThatIs()
    {
        var espace = new EspaceFacts { Id = Guid.Empty, Departement = "69", State = EspaceState.Ouvert, Agrements = [new(new(Day, Day.AddDays(500)), 1)], Lieux = [new(0, LieuAccess.None)] };

        Assert.Equal([new Warning(ResultWarningCode.AgrementEnds, Day.AddDays(500))], Standing.Warnings(Offer(espace, wait: 501), 0, Needs));
        Assert.Empty(Standing.Warnings(Offer(espace, wait: 500), 0, Needs));
    }

    [Fact]
    public void Warnings_AgrementBySilence_IsPendingUntilItsDay()
    {
        EspaceFacts With(params AgrementFacts[] agrements) => new() { Id = Guid.Empty, Departement = "69", State = EspaceState.Ouvert, Agrements = agrements, Lieux = [new(0, LieuAccess.None)] };
        var file = new AgrementFacts(new(Day.AddDays(5), null), 1) { BySilence = true };
        var needs = Needs with { Decision = Day.AddDays(9) };

        Assert.Equal([new Warning(ResultWarningCode.AgrementPending, Day.AddDays(5))], Standing.Warnings(Offer(With(file)), 0, needs));
        Assert.Empty(Standing.Warnings(Offer(With(file)), 0, needs with { Today = Day.AddDays(5) }));
        // Another that the préfet granted counts beside it.
        Assert.Empty(Standing.Warnings(Offer(With(file, new AgrementFacts(new(Day.AddYears(-1), Day.AddDays(20)), 1))), 0, needs));
    }

    [Theory]
    [InlineData(5, 12, 0b1, true)]
    [InlineData(20, 25, 0b1, true)]
    [InlineData(25, 30, 0b1, false)]
    [InlineData(0, 9, 0b1, true)]
    [InlineData(-9, -1, 0b1, false)]
    [InlineData(5, 12, 0b10, false)]
    public void Warnings_ClosureUntilSoonAfterTheExpectedRencontre_NamesItsLastDayAndLength(int from, int to, int lieux, bool warned)
    {
        var espace = WithClosures(new Closure(Day.AddDays(from), Day.AddDays(to), (ulong)lieux));

        Assert.Equal(warned ? [new Warning(ResultWarningCode.ClosureAhead, Day.AddDays(to), to - from + 1)] : [], Standing.Warnings(Offer(espace), 0, Needs));
    }

    [Fact]
    public void Warnings_LongClosureDuringTheMesure_IsToldWhenTheDurationIsKnown()
    {
        Closure At(int from, int days) => new(Day.AddDays(from), Day.AddDays(from + days - 1), ulong.MaxValue);
        var espace = WithClosures(At(60, 14), At(90, 13), At(150, 40), At(200, 30));

        var warnings = Standing.Warnings(Offer(espace), 0, Needs with { DurationMonths = 6 });

        Assert.Equal([new(ResultWarningCode.ClosureAhead, Day.AddDays(73), 14), new Warning(ResultWarningCode.ClosureAhead, Day.AddDays(189), 40)], warnings);
        Assert.Empty(Standing.Warnings(Offer(espace), 0, Needs));
    }

    [Fact]
    public void Warnings_CourtOrCommuneNotServed_InformAndDoNotExclude()
    {
        var espace = new EspaceFacts { Id = Guid.Empty, Departement = "69", State = EspaceState.Ouvert, Agrements = Espace().Agrements, Lieux = Espace().Lieux, Courts = ["tj69123"], Communes = ["69123", "69266"] };
        var needs = Needs with { Court = "tj38185", Communes = ["69123", "38185"] };

        Assert.Equal([ResultWarningCode.CourtNotServed, ResultWarningCode.CommuneNotServed], Standing.Warnings(Offer(espace), 0, needs).Select(w => w.Code));
        Assert.Empty(Standing.Warnings(Offer(espace), 0, needs with { Court = "tj69123", Communes = ["69266"] }));
        Assert.Empty(DesignationRules.Findings(espace, Offer(espace), needs));
    }

    private static EspaceFacts WithClosures(params Closure[] closures) => new()
    {
        Id = Guid.Empty,
        Departement = "69",
        State = EspaceState.Ouvert,
        Agrements = Espace().Agrements,
        Lieux = Espace().Lieux,
        Closures = closures,
    };
}
