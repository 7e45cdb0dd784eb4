using Jafer.Contracts.Mesure.V1;
using Jafer.Mesures.Domain;
using Xunit;

namespace Jafer.Mesures.Tests.Domain;

public sealed class SlotClaimTests
{
    private static readonly DateTimeOffset s_day = new(2026, 3, 2, 9, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Of_LegalUrgency_IsThatOfAFirstRencontreAlone()
    {
        var day = new DateOnly(2026, 4, 1);
        static SlotUrgency Urgency(MesureState state, LegalBasis basis, DateOnly? term, DateOnly day) => SlotClaim.Of(Guid.Empty, state, s_day, basis, term, day).Urgency;

        Assert.Equal(SlotUrgency.Protection, Urgency(MesureState.EnAttente, LegalBasis.Article51511, day, day));
        Assert.Equal(SlotUrgency.TermNear, Urgency(MesureState.EnAttente, LegalBasis.Article37329, day.AddMonths(2), day));
        Assert.Equal(SlotUrgency.None, Urgency(MesureState.EnAttente, LegalBasis.Article37329, day.AddMonths(2).AddDays(1), day));
        Assert.Equal(SlotUrgency.None, Urgency(MesureState.EnAttente, LegalBasis.Article37329, null, day));
        Assert.Equal(SlotUrgency.None, Urgency(MesureState.EnCours, LegalBasis.Article51511, day, day));
        var late = new SlotClaim(true, s_day.AddDays(30), Guid.Empty, SlotUrgency.Protection);
        Assert.True(late < new SlotClaim(true, s_day, Guid.Empty, SlotUrgency.TermNear) && late < new SlotClaim(true, s_day, Guid.Empty) && late < new SlotClaim(false, s_day, Guid.Empty));
    }

    [Fact]
    public void CompareTo_OfThoseWhoWait_PutsTheFirstRencontreThenTheLongestWaitFirst()
    {
        var (low, high) = (new Guid(1, 0, 0, new byte[8]), new Guid(2, 0, 0, new byte[8]));
        SlotClaim[] inOrder =
        [
            new(true, s_day, low), new(true, s_day, high), new(true, s_day.AddDays(1), low),
            new(false, s_day.AddDays(-9), high), new(false, s_day, low),
        ];

        Assert.Equal(inOrder, inOrder.Reverse().Order());
        Assert.True(inOrder[0] < inOrder[1] && inOrder[3] > inOrder[2] && inOrder[0] <= inOrder[0] && inOrder[0] >= inOrder[0]);
    }
}
